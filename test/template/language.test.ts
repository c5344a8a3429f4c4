import { describe, expect, test } from 'vitest'
import { rendered } from '../helpers/render-template.ts'

// what Alertmanager 0.33 answers
describe('literals, lines and values in boxes', () => {
  test.each([
    ['{{ 1_0.5_0 }}', '10.5'],
    ['{{ 1_0e1_0 }}', '1e+11'],
    ['{{ 1_0.5 }}', '10.5'],
    ['{{ 0x1_0p1 }}', '32'],
    ['{{ 1e1_0i }}', '(0+1e+10i)'],
    ['{{ 1_0+1i }}', '(10+1i)'],
    ['{{ 0b1+2i }}', 'template: :1: syntax error scanning complex number'],
    ['{{ 0x1+2i }}', 'template: :1: strconv.ParseFloat: parsing "0x1": invalid syntax'],
    ['{{ 1e400+1i }}', 'template: :1: strconv.ParseFloat: parsing "1e400": value out of range'],
    [
      '{{ 9223372036854775808 }}',
      'template: :1:3: executing "" at <9223372036854775808>: 9223372036854775808 overflows int',
    ],
    [
      '{{ 18446744073709551615 }}',
      'template: :1:3: executing "" at <18446744073709551615>: 18446744073709551615 overflows int',
    ],
    [
      '{{ print 18446744073709551615 }}',
      'template: :1:9: executing "" at <18446744073709551615>: 18446744073709551615 overflows int',
    ],
    ['{{ .', 'template: :1: illegal number syntax: "."'],
    ['{{ 08 }}', 'template: :1: integer overflow: "08"'],
    ['{{ 1.5.x }}', 'template: :1: unexpected . after term "1.5"'],
    [
      '{{ range $i, $x := 3 }}{{ end }}',
      'template: :1:19: executing "" at <3>: can\'t use 3 to iterate over more than one variable',
    ],
    ['{{ call nil }}', 'template: :1:3: executing "" at <call nil>: error calling call: call of nil'],
    ['{{ nil.x }}', 'template: :1: unexpected . after term "nil"'],
    ['{{ (nil).x }}', 'template: :1:4: executing "" at <nil>: nil is not a command'],
    ['{{ $x := nil }}', 'template: :1:9: executing "" at <nil>: nil is not a command'],
    ['{{ define "" }}x{{ end }}y', 'template: :1: template: multiple definition of template ""'],
    [
      '{{ define "q" }}x{{ end }}{{ define "q" }}y{{ end }}y',
      'template: :1: template: multiple definition of template "q"',
    ],
    ['{{ define "q" }}x{{ end }}{{ define "q" }} {{ end }}{{ template "q" }}', 'x'],
    [
      '{{ range (list 1 nil (dict "a" nil)) }}{{ .a }}{{ end }}',
      'template: :1:42: executing "" at <.a>: can\'t evaluate field a in type interface {}',
    ],
    [
      '{{ range (list (dict "a" nil)) }}{{ .a.b }}{{ end }}',
      'template: :1:38: executing "" at <.a.b>: nil pointer evaluating interface {}.b',
    ],
    [
      '{{ call "x" }}',
      'template: :1:3: executing "" at <call "x">: error calling call: non-function "x" of type string',
    ],
    ['{{ call 1 2 }}', 'template: :1:3: executing "" at <call 1 2>: error calling call: non-function 1 of type int'],
    [
      '{{ 1 | call }}',
      'template: :1:7: executing "" at <call>: error calling call: non-function <int Value> of type int',
    ],
    [
      '{{ .CommonLabels | call }}',
      'template: :1:19: executing "" at <call>: error calling call: non-function <template.KV Value> of type template.KV',
    ],
    [
      '{{ call .CommonLabels 1 }}',
      'template: :1:3: executing "" at <call .CommonLabels 1>: error calling call: non-function .CommonLabels of type template.KV',
    ],
    ['{{ nil | call }}', 'template: :1:3: executing "" at <nil>: nil is not a command'],
    ['{{ $nosuch\n}}', 'template: :2: undefined variable "$nosuch"'],
    ['{{ if x\n}}', 'template: :1: function "x" not defined'],
    ["{{ '\\q' }}", 'template: :1: invalid syntax'],
    ["{{ 'ab' }}", "template: :1: malformed character constant: 'ab'"],
    ['{{ if 1 }}{{\n"abc', 'template: :2: unterminated quoted string in action started at :1'],
    ['{{ range 1 }}{{ else if 2 }}{{ end }}', 'template: :1: unexpected <if> in input'],
    [
      '{{ $x := 1 }}{{ (print $x) 2 }}',
      'template: :1:16: executing "" at <(print $x) 2>: can\'t give argument to non-function print $x',
    ],
  ])('%s', (template, answer) => {
    expect(rendered(template)).toBe(answer)
  })
})
