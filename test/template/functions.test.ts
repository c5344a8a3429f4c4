import { describe, expect, test } from 'vitest'
import { rendered } from '../helpers/render-template.ts'

// what Alertmanager 0.33 answers
describe('functions at their edges', () => {
  test.each([
    [
      '{{ 1+0i }} {{ index (list 1 2) 0i }} {{ if 1+0i }}a{{ end }} {{ if 0+0i }}a{{ end }}',
      'template: :1:14: executing "" at <index (list 1 2) 0i>: error calling index: cannot index slice/array with type complex128',
    ],
    [
      '{{ index (list 1 2 3) 1e0 }}',
      'template: :1:3: executing "" at <index (list 1 2 3) 1e0>: error calling index: cannot index slice/array with type float64',
    ],
    [
      '{{ range (list 1) }}{{ toUpper . }}{{ end }}',
      'template: :1:31: executing "" at <.>: wrong type for value; expected string; got int',
    ],
    [
      '{{ range (list nil) }}{{ toUpper . }}{{ end }}',
      'template: :1:33: executing "" at <.>: wrong type for value; expected string; got interface {}',
    ],
    [
      '{{ range (list nil) }}{{ index . 1 }}{{ end }}',
      'template: :1:25: executing "" at <index . 1>: error calling index: index of untyped nil',
    ],
    [
      '{{ range (list nil) }}{{ eq . nil }}{{ eq . 1 }}{{ lt . 1 }}{{ end }}',
      'template: :1:51: executing "" at <lt . 1>: error calling lt: invalid type for comparison',
    ],
    [
      '{{ range (list nil) }}{{ lt . 1 }}{{ end }}',
      'template: :1:25: executing "" at <lt . 1>: error calling lt: invalid type for comparison',
    ],
    [
      '{{ len nil }}',
      'template: :1:3: executing "" at <len nil>: error calling len: reflect: call of reflect.Value.Type on zero Value',
    ],
    ['{{ lt nil 1 }}', 'template: :1:3: executing "" at <lt nil 1>: error calling lt: invalid type for comparison'],
    ['{{ slice nil }}', 'template: :1:3: executing "" at <slice nil>: error calling slice: slice of untyped nil'],
    [
      '{{ range (list nil) }}{{ slice . }}{{ end }}',
      'template: :1:25: executing "" at <slice .>: error calling slice: slice of untyped nil',
    ],
    [
      '{{ html nil }}{{ js nil }}{{ print nil }}{{ urlquery nil }}{{ html 1 2 }}',
      '&lt;no value&gt;\\u003Cno value\\u003E<nil>%3Cno+value%3E1 2',
    ],
    [
      '{{ humanizeDuration -1e21 }} {{ humanizeDuration 9223372036854775807 }} {{ humanizeDuration 9.3e18 }} {{ humanizeDuration -9.3e18 }}',
      '--106751991167300d -15h -30m -8s -106751991167300d -15h -30m -8s -106751991167300d -15h -30m -8s --106751991167300d -15h -30m -8s',
    ],
    [
      '{{ js "\\xff\\x7fé\\u200b" }} {{ len (toUpper "\\xff") }} {{ len (toLower "a\\xff") }} {{ len (trimSpace " \\xff ") }} {{ len (title "\\xff") }}',
      '�é\\u200B 3 4 1 1',
    ],
    [
      "{{ title \"ß ŉ ǰ ﬃ և ΐ ᾲ ᾳ ᾷ ᾼ ǆ Ǆ ა ΣΑΣ ας. ΑΣ' İI 'a' a.b a..b a:b a,b 3d a_b a-b ab’s ʰa ⓐb ªa\" }}",
      "Ss ʼN J̌ Ffi Եւ Ϊ́ Ὰͅ ᾼ ᾼ͂ ᾼ ǅ ǅ ა Σας Ας. Ας' İi 'A' A.b A..B A:b A,B 3D A_b A-B Ab’s ʰa Ⓐb ªa",
    ],
    [
      '{{ toUpper "ß ŉ ǰ ﬃ և ΐ ᾲ ᾳ ᾷ ᾼ ǆ ა ας ı ſ" }} {{ toLower "İ I ẞ Σ ΑΣ Ω K Å Ა Ꭰ" }}',
      'ß ŉ ǰ ﬃ և ΐ ᾲ ᾼ ᾷ ᾼ Ǆ Ა ΑΣ I S i i ß σ ασ ω k å ა ꭰ',
    ],
    ['{{ (index (list nil) 0) | call }}', 'template: :1:26: executing "" at <call>: error calling call: call of nil'],
    [
      '{{ eq .CommonLabels .CommonLabels }}',
      'template: :1:3: executing "" at <eq .CommonLabels .CommonLabels>: error calling eq: non-comparable type alertname=DiskFull, job=node, team=db: template.KV',
    ],
    [
      '{{ eq (list 1) (list 2) }}',
      'template: :1:3: executing "" at <eq (list 1) (list 2)>: error calling eq: non-comparable type [%!s(int=2)]: []interface {}',
    ],
    [
      '{{ eq (stringSlice) (list 2) }}',
      'template: :1:3: executing "" at <eq (stringSlice) (list 2)>: error calling eq: non-comparable type [%!s(int=2)]: []interface {}',
    ],
    [
      '{{ eq (stringSlice) (stringSlice) }} {{ eq (stringSlice "a") (stringSlice) }} {{ eq (list) (stringSlice) }}',
      'template: :1:3: executing "" at <eq (stringSlice) (stringSlice)>: error calling eq: non-comparable type []: []string',
    ],
    [
      '{{ append (stringSlice) 1 }}',
      'template: :1:11: executing "" at <stringSlice>: wrong type for value; expected []interface {}; got []string',
    ],
    ['{{ append nil 1 }} {{ join "," nil }} {{ toJson (append nil) }}', '[1]  null'],
    [
      '{{ toJson (list 1.5 1e21 1e-7 nil true "a<>&\\u2028\\x7f\\xff" (dict "z" 1 "a" 2) 1e20 1e-6 100000000.0 -0.0) }}',
      '[1.5,1e+21,1e-7,null,true,"a\\u003c\\u003e\\u0026\\u2028�",{"a":2,"z":1},100000000000000000000,0.000001,100000000,-0]',
    ],
    [
      '{{ toJson 1i }}',
      'template: :1:3: executing "" at <toJson 1i>: error calling toJson: json: unsupported type: complex128',
    ],
    ['{{ toJson (dict "\\xff" 1 "é" 2) }}{{ toJson "\\b\\f\\u000b\\u0000" }}', '{"é":2,"�":1}"\\b\\f\\u000b\\u0000"'],
    ['{{ reReplaceAll "a" "$00|$01|$0|${0}|$10" "xay" }}', 'x||a|a|y'],
    ['{{ html "\\x00\\xff" }}', '��'],
    [
      '{{ urlUnescape "%é" }}',
      'template: :1:3: executing "" at <urlUnescape "%é">: error calling urlUnescape: invalid URL escape "%é"',
    ],
    [
      '{{ index "ab" 2 }}',
      'template: :1:3: executing "" at <index "ab" 2>: error calling index: reflect: string index out of range',
    ],
    [
      '{{ index (list 1) 1 }}',
      'template: :1:3: executing "" at <index (list 1) 1>: error calling index: reflect: slice index out of range',
    ],
    ['{{ humanizeDuration -0.0 }} {{ humanizeDuration "1_000" }} {{ humanizeDuration "0x1p3" }}', '-0s 16m 40s 8s'],
    [
      '{{ humanizeDuration "1e400" }}',
      'template: :1:3: executing "" at <humanizeDuration "1e400">: error calling humanizeDuration: strconv.ParseFloat: parsing "1e400": value out of range',
    ],
    // a slice reaches as far as what it was cut out of
    ['{{ slice (slice (list 1 2 3 4) 1 2) 0 3 }} {{ slice (slice (list 1 2 3 4) 1 2 3) 0 2 }}', '[2 3 4] [2 3]'],
    ['{{ slice (append (slice (list 1 2 3) 0 1) 9) 0 3 }}', '[1 9 3]'],
    ['{{ slice (slice (list 1 2 3 4) 1 2) 3 3 }}{{ slice (slice (list 1 2 3 4) 1 2 3) 1 2 2 }}', '[][3]'],
    [
      '{{ slice (slice (list 1 2 3 4) 1 1) 0 4 }}',
      'template: :1:3: executing "" at <slice (slice (list 1 2 3 4) 1 1) 0 4>: error calling slice: index out of range: 4',
    ],
    [
      '{{ slice (slice (list 1 2 3 4) 1 2) 3 }}',
      'template: :1:3: executing "" at <slice (slice (list 1 2 3 4) 1 2) 3>: error calling slice: invalid slice index: 3 > 1',
    ],
    [
      '{{ slice (slice .Alerts 0 1 1) 0 2 }}',
      'template: :1:3: executing "" at <slice (slice .Alerts 0 1 1) 0 2>: error calling slice: index out of range: 2',
    ],
  ])('%s', (template, answer) => {
    expect(rendered(template)).toBe(answer)
  })
})
