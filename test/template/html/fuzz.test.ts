import { expect, test } from 'vitest'
import type { TemplateData } from '../../../src/template/data.ts'
import { TemplateError, parseTemplates } from '../../../src/template/templates.ts'
import { randomFrom } from '../../helpers/random.ts'

/** What would end or change a context. */
const hostile = [
  '<script>evil()</script>',
  '"><img src=x onerror=evil()>',
  "' onmouseover='evil()",
  ' onfocus=evil() autofocus ',
  'javascript:evil()',
  'JavaScript:evil()//',
  '</title></textarea><b>evil',
  '--><!--evil',
  '&quot;&gt;evil',
  '`evil`',
  '\0<evil\u2028>',
  '\udc80"evil>',
  'evil; behavior: expression(evil)',
  'Expression evil',
  '',
]
const data: TemplateData = {
  receiver: 'ops',
  status: 'firing',
  notificationReason: 'first notification',
  alerts: hostile.map((text) => ({
    status: 'firing',
    labels: new Map([['alertname', text]]),
    annotations: new Map(),
    startsAt: '2026-03-01T09:05:07Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: text,
    fingerprint: 'a59c05c9f1b19730',
  })),
  groupLabels: new Map(),
  commonLabels: new Map(hostile.map((text, i) => [`l${i}`, text])),
  commonAnnotations: new Map(),
  routeLabels: new Map(),
  externalURL: 'https://am.example.com',
}
const files = [
  '{{ define "v" }}{{ . }}{{ end }}',
  '{{ define "again" }}{{ . }}{{ if ne (print .) "z" }}{{ template "again" "z" }}{{ end }}{{ end }}',
  '{{ define "open" }}<a href="{{ end }}',
  '{{ define "any" }}{{ if . }}?{{ end }}{{ end }}',
]
const templates = parseTemplates([{ name: 'own.tmpl', text: files.join('') }])

const pieces =
  '<p |<a href=|<a href="|<img srcset="|<p style="|<b onclick="|<script>|</script>|<style>|</style>|<title>|</title>|<!--|-->|<meta content="|url=|"|\'|>|=| |x|title|onload|/|//|/*|*/|\n|`|${|{|}|[|]|(|)|url(|\\|?|#|:|;|,|&|&quot;|&#x27;|return|++|é|\u2028|{{ . }}|{{ .CommonLabels.l1 }}|{{ .CommonLabels }}|{{ .Alerts }}|{{ .CommonLabels.l4 | html }}|{{ .CommonLabels.l4 | urlquery }}|{{ safeHtml "<b>" }}|{{ safeUrl "x:y" }}|{{ 1 }}|{{ if true }}|{{ if .CommonLabels.nosuch }}|{{ else }}|{{ end }}|{{ end }}|{{ range .Alerts }}|{{ range list 1 2 }}|{{ break }}|{{ continue }}|{{ template "v" 1 }}|{{ template "again" "a" }}|{{ template "open" }}|{{ template "any" 1 }}|{{ template "" "" }}|{{ define "v" }}'.split(
    '|',
  )

test('any HTML renders or says why not', { timeout: 60_000 }, () => {
  const random = randomFrom(1)
  const below = (count: number) => Math.floor(random() * count)
  let rendered = 0
  for (let i = 0; i < 10_000; i++) {
    const source = Array.from({ length: 1 + below(10) }, () => pieces[below(pieces.length)]).join('')
    try {
      templates.html(source, data, 0)
      rendered += 1
    } catch (error) {
      expect(error, source).toBeInstanceOf(TemplateError)
    }
  }
  expect(rendered).toBeGreaterThan(1000)
})

/** A place for a value, and what may stand there. */
const places: [before: string, after: string, harmless: RegExp][] = [
  ['<b>', '</b>', /^[^<>"'\0]*$/],
  ['<title>', '</title>', /^[^<>"'\0]*$/],
  ['<p title="', '">', /^[^<>"'\0]*$/],
  ["<p class='", "'>", /^[^<>"'\0]*$/],
  ['<p id=', '>', /^[^\t\n\f\r <>"'`=\0]+$/],
  ['<p ', '="">', /^[a-z0-9]+$|^ZgotmplZ$/],
  ['<a href="', '">', /^(?!\s*javascript)[^\t\n\f\r <>"'\0]*$/i],
  ["<img src='", "'>", /^(?!\s*javascript)[^\t\n\f\r <>"'\0]*$/i],
  ['<a href=', '>', /^(?!\s*javascript)[^\t\n\f\r <>"'`=\0]*$/i],
  ['<a href="/x?y=', '">', /^[A-Za-z0-9%._~-]*$/],
  ['<img srcset="', ' 2x">', /^(?!\s*javascript)[^<>"'\0]*$/i],
  ['<meta content="1; url=', '">', /^(?!\s*javascript)[^<>"'\0]*$/i],
  ['<p style="color: ', '">', /^(?!.*expression)[^<>"':;()\0]*$/i],
  ['<p style="background: url(', ')">', /^(?!\s*javascript)[^\t\n\f\r <>"'()\0]*$/i],
  ['<script>x = "', '"</script>', /^[^<>"'`\n\u2028\0]*$/],
  ['<script>x = `', '`</script>', /^[^<>"'`$\n\u2028\0]*$/],
  ['<script>x = ', '</script>', /^ ?[[{"][^<>\n\u2028\0]*[\]}"] ?$/],
  ['<p onclick="f(', ')">', /^[^<>"'\n\u2028\0]*$/],
  ['<!-- ', '-->', /^$/],
]
const shapes: ((value: string) => string)[] = [
  (value) => `{{ ${value} }}`,
  (value) => `{{ if true }}{{ ${value} }}{{ else }}{{ ${value} }}{{ end }}`,
  (value) => `{{ range list ${value} }}{{ . }}{{ end }}`,
  (value) => `{{ template "v" ${value} }}`,
  (value) => `{{ $x := ${value} }}{{ $x }}`,
  (value) => `{{ range 3 }}{{ if . }}{{ break }}{{ end }}{{ end }}{{ ${value} }}`,
]

const values = [...hostile.keys()].flatMap((i) => [
  `$.CommonLabels.l${i}`,
  `print $.CommonLabels.l${i} $.CommonLabels.l${(i * 5 + 1) % hostile.length}`,
  `$.CommonLabels.l${i} | printf "%s "`,
])
const composed = ['$.CommonLabels', '$.Alerts', '$.CommonLabels.Values', '$.CommonLabels.SortedPairs']

test('no value gets out of its place', () => {
  for (const [before, after, harmless] of places) {
    for (const shape of shapes) {
      for (const value of [...values, ...composed]) {
        const source = before + shape(value.includes(' ') ? `(${value})` : value) + after
        const output = templates.html(source, data, 0)
        const begin = before === '<!-- ' ? '' : before
        const end = after === '-->' ? '' : after
        expect(output.startsWith(begin) && output.endsWith(end), source).toBe(true)
        expect(output.slice(begin.length, output.length - end.length), source).toMatch(harmless)
      }
    }
  }
})
