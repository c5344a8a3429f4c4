import { expect, test } from 'vitest'
import type { TemplateData } from '../../../src/template/data.ts'
import { TemplateError, parseTemplates } from '../../../src/template/templates.ts'

const data: TemplateData = {
  receiver: 'ops',
  status: 'firing',
  notificationReason: 'first notification',
  alerts: [],
  groupLabels: new Map(),
  commonLabels: new Map(),
  commonAnnotations: new Map(),
  routeLabels: new Map(),
  externalURL: '',
}
const templates = parseTemplates([{ name: 'own.tmpl', text: '{{ define "E" }}<a href="{{ end }}' }])
const render = (source: string): string => templates.html(source, data, 0)

test.each([
  ['<a href="/s?q={{ "a b" }}">', '<a href="/s?q=a%20b">'],
  ['<script>`x` / {{.Status}} / 2</script>', '<script>`x` / firing / 2</script>'],
  [
    '<style>a{b:"x?{{"a b"}}";c:"{{"javascript:a b"}}"}</style>',
    '<style>a{b:"x?a%20b";c:"javascript%3aa%20b"}</style>',
  ],
  ['<meta content="x url={{"javascript:a b"}}; {{"javascript:"}}">', '<meta content="x url=#ZgotmplZ; javascript:">'],
  ['<script>x{ /{{.Status}}/</script>', '<script>x{ /firing/</script>'],
  ['<meta content={{"a b"}}>', '<meta content=a&#32;b>'],
  ['<script type="text/template">{{.Status}}</script>', '<script type="text/template">firing</script>'],
  ['<script type="">{{.Status}}</script>', '<script type="">"firing"</script>'],
  ['{{ (dict).x | html }} {{ html (dict).x "a" }}', '&lt;no value&gt; &lt;nil&gt;a'],
  ['<script>{{ (dict).x }}{{ 1i }}</script>', '<script> null  /* json: unsupported type: complex128 */null </script>'],
  // whether a slash begins a regexp
  ['<script>a.return / {{.Status}} / 2</script>', '<script>a.return / "firing" / 2</script>'],
  ['<script>#return / {{.Status}} / 2</script>', '<script>#return / "firing" / 2</script>'],
  ['<script>yield / {{.Status}}/</script>', '<script>yield / firing/</script>'],
  ['<script>return\u3000/ {{.Status}}/</script>', '<script>return\u3000/ firing/</script>'],
  ['<script>`a${b}${/{{.Status}}/}`</script>', '<script>`a${b}${/firing/}`</script>'],
  ['<script>a /* \n */ / {{.Status}} / b</script>', '<script>a \n / "firing" / b</script>'],
  ['<script>a <!-- c\n / {{.Status}} --> c\n / b</script>', '<script>a \n / "firing" \n / b</script>'],
  ['<meta content="1; URL = {{"javascript:a b"}}">', '<meta content="1; URL = #ZgotmplZ">'],
  [
    '<x srclang="{{"javascript:"}}" ontology="{{"a"}}" {{"tİtle"}}="">',
    '<x srclang="javascript:" ontology="&#34;a&#34;" title="">',
  ],
  ['<script type="\ufefftext/javascript">{{"a<b"}}</script>', '<script type="\ufefftext/javascript">a&lt;b</script>'],
  [
    '<script type="\u0085text/javaScrİpt">{{"a<b"}}</script>',
    '<script type="\u0085text/javaScrİpt">"a\\u003cb"</script>',
  ],
  // the template itself
  ['{{if eq (print .) "<"}}{{.}}{{else}}{{template "" "<"}}{{end}}', '&lt;'],
  ['{{define ""}}<b>{{.Status}}</b>{{end}}', '<b>firing</b>'],
])('%s', (source, output) => {
  expect(render(source)).toBe(output)
})

test.each([
  ['<a =x>', 'html/template: expected space, attr name, or end of tag, but got "=x>"'],
  ['<a a"b>', 'html/template: "\\"" in attribute name: " a\\"b>"'],
  ['<script>/[{{.}}]/</script>', 'html/template: unfinished JS regexp charset: "["'],
  ['{{template "nosuch"}}', 'html/template::1:11: no such template "nosuch"'],
  [
    '{{template "E"}}',
    'html/template: ends in a non-text context: {stateURL delimDoubleQuote urlPartNone jsCtxRegexp [] attrURL elementNone <nil>}',
  ],
  [
    '<a href="{{if .Status}}x{{else}}?y{{end}}{{.Status}}">',
    'html/template::1:43: {{.Status}} appears in an ambiguous context within a URL',
  ],
  ['<a x=a"b>\n{{.Status | html | print}}', 'html/template::2:2: predefined escaper "html" disallowed in template'],
])('%s is refused', (source, message) => {
  expect(() => render(source)).toThrow(new TemplateError(message))
})
