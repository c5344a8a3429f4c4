import { describe, expect, test } from 'vitest'
import { rendered } from '../helpers/render-template.ts'

// what Alertmanager 0.33 answers
describe('verbs, flags and indexes', () => {
  test.each([
    ['{{ 1+2i }} {{ printf "%v %.2f %T" 1+2i 1.5-2e3i 1+0i }}', '(1+2i) (1+2i) (1.50-2000.00i) complex128'],
    ['{{ -0x1E }} {{ printf "%T" -0x1E }}', '-30 float64'],
    [
      '{{ range (list nil) }}{{ . }}{{ print . }}{{ html . }}{{ printf "%v" . }}{{ js . }}{{ urlquery . }}{{ end }}',
      '<no value><nil>&lt;no value&gt;<nil>\\u003Cno value\\u003E%3Cno+value%3E',
    ],
    [
      '{{ printf "%#v" (dict "a" 1 "b" (list 1 2.5 "x" nil true)) }}',
      'map[string]interface {}{"a":1, "b":[]interface {}{1, 2.5, "x", interface {}(nil), true}}',
    ],
    [
      '{{ printf "%+v %s %d %q %x" (dict "a" 1 "b" (list 1 2.5 "x" nil true)) (list 1 nil) (list "a" nil) (list "a" 1 nil) (list "a" 1 2.5 true) }}',
      'map[a:1 b:[1 2.5 x <nil> true]] [%!s(int=1) <nil>] [%!d(string=a) <nil>] ["a" \'\\x01\' <nil>] [61 1 0x1.4p+01 %!x(bool=true)]',
    ],
    [
      '{{ printf "%T %T" . (index .Alerts 0) }} {{ printf "%v %d %s" .CommonLabels .CommonLabels .CommonLabels }}',
      'template.Data template.Alert alertname=DiskFull, job=node, team=db map[%!d(string=alertname):%!d(string=DiskFull) %!d(string=job):%!d(string=node) %!d(string=team):%!d(string=db)] alertname=DiskFull, job=node, team=db',
    ],
    [
      '{{ printf "%v %+v %#v" .CommonLabels.SortedPairs .CommonLabels.SortedPairs .CommonLabels.SortedPairs }}',
      'alertname=DiskFull, job=node, team=db alertname=DiskFull, job=node, team=db template.Pairs{template.Pair{Name:"alertname", Value:"DiskFull"}, template.Pair{Name:"job", Value:"node"}, template.Pair{Name:"team", Value:"db"}}',
    ],
    ['{{ printf "%x|%X|% x|%#x|%# X" "aé" "aé" "aé" "aé" "aé" }}', '61c3a9|61C3A9|61 c3 a9|0x61c3a9|0X61 0XC3 0XA9'],
    ['{{ printf "%10.3v|%-10v|%010v|%+d|%x" "abcdef" 1 2 3 -255 }}', '       abc|1         |0000000002|+3|-ff'],
    ['{{ printf "%[3]*.[2]*[1]f|%!|%" 12.0 2 6 }}', ' 12.00|%!!(int=2)|%!(NOVERB)'],
    [
      '{{ toJson (stringSlice) }} {{ toJson (list) }} {{ printf "%#v %#v" (stringSlice) (list) }} {{ toJson .CommonAnnotations.Names }}{{ toJson .CommonAnnotations.Values }}{{ toJson .CommonAnnotations.SortedPairs }} {{ toJson (slice (stringSlice) 0) }} {{ printf "%#v" (slice (stringSlice)) }}',
      '[] [] []string{} []interface {}{} [][][] [] []string{}',
    ],
    [
      '{{ printf "%#t|%+w|%x|%b|%U|%#g|%08.3f|%+q|%#q" "a" 5 2.5 1.0 128512 1.0 -3.14159 "é" "a" }}',
      '%!t(string=a)|%!w(int=5)|0x1.4p+01|4503599627370496p-52|U+1F600|1.00000|-003.142|"\\u00e9"|`a`',
    ],
    [
      '{{ printf "%[2]d %d|%[5]d|%.2s|%.1x|%6.2f%%" 1 2 }}',
      '2 %!d(MISSING)|%!d(BADINDEX)|%!s(MISSING)|%!x(MISSING)|%!f(MISSING)%',
    ],
    ['{{ printf "%.3g|%x|%v" 1i 2.5i 1+2i }}', '(0+1i)|(0x0p+00+0x1.4p+01i)|(1+2i)'],
  ])('%s', (template, answer) => {
    expect(rendered(template)).toBe(answer)
  })
})
