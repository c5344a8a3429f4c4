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
const definitions = [
  '{{ define "E" }}<a href="{{ end }}',
  '{{ define "v" }}{{ . }}{{ end }}',
  '{{ define "q" }}?{{ . }}{{ end }}',
  '{{ define "loop" }}{{ . }}{{ if ne . "z" }}{{ template "loop" "z" }}{{ end }}{{ end }}',
]
const templates = parseTemplates([{ name: 'own.tmpl', text: definitions.join('') }])
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
  // attributes
  [`<p title='{{"a'b"}}' class={{"a b"}} id=x{{""}}>`, `<p title='a&#39;b' class=a&#32;b id=xZgotmplZ>`],
  [
    '<p {{"title"}}="x" {{"onclick"}}="x" {{"style"}}=y {{"data-x"}}>',
    '<p title="x" ZgotmplZ="x" ZgotmplZ=y ZgotmplZ>',
  ],
  [
    '<p data-src="{{"javascript:"}}" data-x="{{"javascript:"}}" xlink:href="{{"javascript:"}}" xmlns:v="{{"javascript:"}}">',
    '<p data-src="#ZgotmplZ" data-x="javascript:" xlink:href="#ZgotmplZ" xmlns:v="#ZgotmplZ">',
  ],
  ['<a href={{"a b"}}>', '<a href=a%20b>'],
  ['<a href={{"javascript:x"}}>', '<a href=#ZgotmplZ>'],
  ['<a href="{{"http://x/?a=b&c"}}" src="/{{"javascript:"}}">', '<a href="http://x/?a=b&amp;c" src="/javascript:">'],
  ['<a href=" {{"javascript:x"}}">', '<a href=" #ZgotmplZ">'],
  ['<a href="?{{"a&b"}}&amp;{{"c d"}}#{{"é"}}">', '<a href="?a%26b&amp;c%20d#%c3%a9">'],
  ['<a href="{{safeUrl "javascript:x y"}}">', '<a href="javascript:x%20y">'],
  ['<a title="{{safeHtml "<i title=\\">\\">a</i> & b"}}">', '<a title="a & b">'],
  ['<a title={{safeHtml "<i>a</i>"}}>', '<a title=a>'],
  ['<a href="&quest;{{"a&b"}}" title="&lt;{{"<"}}">', '<a href="&quest;a%26b" title="&lt;&lt;">'],
  ['<img srcset="{{"a.png 1x, javascript:x 2x, b c.png d"}}">', '<img srcset="a.png 1x,#ZgotmplZ,#ZgotmplZ">'],
  ['<img srcset="{{"a b"}} 1x, {{"javascript:x"}} 2x">', '<img srcset="a b 1x, #ZgotmplZ 2x">'],
  ['<img srcset="{{safeUrl "a,b c"}}">', '<img srcset="a%2cb%20c">'],
  ['<img srcset={{"a.png 2x"}}>', '<img srcset=a.png&#32;2x>'],
  // text
  [
    '<title>{{"<b>"}}</title><textarea>{{safeHtml "<b>&amp;"}}</textarea>',
    '<title>&lt;b&gt;</title><textarea>&lt;b&gt;&amp;</textarea>',
  ],
  [`1 < 2 <3 <!doctype html><b>{{"'"}}</b>`, '1 &lt; 2 &lt;3 <!doctype html><b>&#39;</b>'],
  ['<!-- {{"a"}} -->b<!-- c --><!--[if mso]>{{"a"}}<![endif]-->', 'b'],
  ['<![if !mso]>{{"<"}}<![endif]>', '&lt;![if !mso]>&lt;&lt;![endif]>'],
  ['{{"\\xff<\\x00"}}', '�&lt;�'],
  ['<p title="{{"\\xff\\""}}">', '<p title="�&#34;">'],
  ['<p title={{"\\xff \\ufdd0"}}>', '<p title=&#xfffd;&#32;&#xfdd0;>'],
  // styles
  [
    '<p style="color: {{"red"}}; width: {{"10px"}}; x: {{"expression(x)"}}; y: {{"a;b"}}">',
    '<p style="color: red; width: 10px; x: ZgotmplZ; y: ZgotmplZ">',
  ],
  [
    '<p style="background: url({{"a b.png"}}), url({{"javascript:x"}})">',
    '<p style="background: url(a%20b.png), url(#ZgotmplZ)">',
  ],
  [
    `<p style="background: url('/{{"a'b"}}'); font: '{{"a'b"}}'">`,
    `<p style="background: url('/a%27b'); font: 'a\\27 b'">`,
  ],
  [
    '<style>p { color: {{"#fff"}}; /* {{"c"}} */ content: "?{{"a b"}}" } // {{"d"}}\n{{"e"}}</style>',
    '<style>p { color: #fff;    content: "?a%20b" } \ne</style>',
  ],
  ['<p style="&quot;{{"a b"}}&quot; &eacute;url({{"a:b c"}}">', '<p style="&quot;a b&quot; &eacute;url(a:b c">'],
  ['<p style=color:{{"a b"}}>', '<p style=color:a&#32;b>'],
  // scripts
  [
    '<script>var a = {{"</script>"}}, b = [{{1}}, {{true}}, {{list 1 "a" nil}}], c = {{dict "k" "<"}};</script>',
    '<script>var a = "\\u003c/script\\u003e", b = [ 1 ,  true , [1,"a",null]], c = {"k":"\\u003c"};</script>',
  ],
  [
    '<script>var s = "{{"a\\"</script>"}}" + \'{{"\'"}}\' + `{{"`${x}"}}${ {{"y"}} }`</script>',
    '<script>var s = "a\\u0022\\u003c\\/script\\u003e" + \'\\u0027\' + `\\u0060\\u0024\\u007bx\\u007d${ "y" }`</script>',
  ],
  [
    '<script>s = "</script>" + /<\\/script/ + "<!--"</script>',
    '<script>s = "\\x3C/script>" + /<\\/script/ + "\\x3C!--"</script>',
  ],
  ['<script>/{{"a.b/c"}}/ / {{1}} / /{{""}}/</script>', '<script>/a\\.b\\/c/ /  1  / /(?:)/</script>'],
  [
    '<script>a // {{"b"}}\nc /* {{"d"}} */ e <!-- f\ng --> h\n#! i\n{{1}}</script>',
    '<script>a \nc    e \ng \n\n 1 </script>',
  ],
  [
    `<button onclick="f({{"a"}}, '{{"it's"}}'); g(&quot;{{"<"}}&quot;)">`,
    `<button onclick="f(&#34;a&#34;, 'it\\u0027s'); g(&quot;\\u003c&quot;)">`,
  ],
  ['<button onclick=f({{"a"}})>', '<button onclick=f(&#34;a&#34;)>'],
  [
    '<script type="application/ld+json">{"a": {{"x"}}, "b": "{{"y\\""}}"}</script>',
    '<script type="application/ld+json">{"a": "x", "b": "y\\u0022"}</script>',
  ],
  ['<script type="text/x-template"><b>{{"<"}}</b></script>', '<script type="text/x-template"><b>&lt;</b></script>'],
  ['<script>{{safeHtml "<b>"}}{{.CommonLabels.nosuch}}</script>', '<script>"\\u003cb\\u003e"""</script>'],
  ['<script>`${ {a: {{1}} } } {{"`"}}`</script>', '<script>`${ {a:  1  } } \\u0060`</script>'],
  // branches and loops
  ['<a href="{{if false}}/x{{else}}/y{{end}}/{{"a b"}}">', '<a href="/y/a%20b">'],
  ['<a href={{if true}}{{"a b"}}{{end}}>', '<a href=a%20b>'],
  ['{{range list "<" ">"}}{{.}}{{break}}<p{{end}}', '&lt;'],
  ['<script>{{if true}}a{{else}}b /{{end}}; /{{"."}}/</script>', '<script>a; /\\./</script>'],
  ['<ul>{{range $i, $e := list "<" 1}}{{if $i}}, {{end}}{{$e}}{{else}}none{{end}}</ul>', '<ul>&lt;, 1</ul>'],
  // definitions
  [
    '{{template "v" "<"}}<p title="{{template "v" "\\""}}" style="{{template "v" "a;b"}}"><a href="{{template "v" "javascript:"}}{{template "v" "a b"}}{{template "q" "a&b"}}{{template "v" "a&b"}}"><script>{{template "v" "x"}}</script>',
    '&lt;<p title="&#34;" style="ZgotmplZ"><a href="#ZgotmplZa%20b?a%26ba%26b"><script>"x"</script>',
  ],
  [
    '{{template "loop" "<"}}<p title="{{template "loop" "<"}}"><script>[{{template "loop" "a"}}]</script>',
    '&lt;z<p title="&lt;z"><script>["a""z"]</script>',
  ],
  ['{{template "E"}}{{"javascript:"}}">', '<a href="#ZgotmplZ">'],
  ['{{define "own"}}<{{.}}>{{end}}<p title="{{template "own" "\\""}}">', '<p title="<&#34;>">'],
  ['{{block "b" "<"}}{{.}}{{end}}', '&lt;'],
  // escapers
  [
    '{{"<" | html}} <p title="{{"\\"" | html}}"> <a href="{{"a b" | urlquery}}?{{"a b" | urlquery}}"> {{"a b" | urlquery}} {{html "<" ">"}}',
    '&lt; <p title="&#34;"> <a href="a&#43;b?a&#43;b"> a&#43;b &lt;&gt;',
  ],
  ['<script>{{"<" | js}} {{"<" | html}}</script>', '<script>"\\\\u003C" "\\u0026lt;"</script>'],
  ['{{$x := "<"}}{{$x}}', '&lt;'],
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
  ['<a x=a`b>', 'html/template: "`" in unquoted attr: "a`b"'],
  [
    '<p {{if true}}title="{{end}}>',
    'html/template::1:8: {{if}} branches end in different contexts: {stateAttr delimDoubleQuote urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}, {stateTag delimNone urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}',
  ],
  [
    '<a href="{{range list 1}}?{{end}}{{"a"}}">',
    'html/template::1:35: {{"a"}} appears in an ambiguous context within a URL',
  ],
  ['{{range list 1}}<p {{end}}>', 'html/template::1: on range loop re-entry: "<" in attribute name: "<p "'],
  [
    '{{range list 1}}{{if true}}<p title="{{break}}{{end}}{{end}}',
    'html/template::1:39: at range loop break: {{range}} branches end in different contexts: {stateText delimNone urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}, {stateAttr delimDoubleQuote urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}',
  ],
  [
    '{{range list 1}}{{if true}}<p>{{continue}}{{end}}<p {{end}}',
    'html/template::1:32: at range loop continue: {{range}} branches end in different contexts: {stateTag delimNone urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}, {stateText delimNone urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}',
  ],
  ['<script>{{if true}}a{{end}} / b</script>', `html/template: '/' could start a division or regexp: "/ b"`],
  ['<script>"\\', 'html/template: unfinished escape sequence in JS string: "\\\\"'],
  ['<script>"a\\{{1}}"</script>', 'html/template: unfinished escape sequence in JS string: "a\\\\"'],
  ['<style>p { content: "\\{{1}}" }</style>', 'html/template: unfinished escape sequence in CSS string: "\\\\"'],
  [
    '<script>var a = {{1}}',
    'html/template: ends in a non-text context: {stateJS delimNone urlPartNone jsCtxDivOp [] attrNone elementScript <nil>}',
  ],
  [
    '<!-- {{1}}',
    'html/template: ends in a non-text context: {stateHTMLCmt delimNone urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}',
  ],
  [
    `<p title=x onclick="'`,
    'html/template: ends in a non-text context: {stateJSSqStr delimDoubleQuote urlPartNone jsCtxRegexp [] attrScript elementNone <nil>}',
  ],
  ['<a href={{"a" | html | print}}>', 'html/template::1:10: predefined escaper "html" disallowed in template'],
  ['<a title={{"a" | html}}>', 'html/template::1:11: predefined escaper "html" disallowed in template'],
  [
    '<script>"</script>',
    'html/template: ends in a non-text context: {stateJSDqStr delimNone urlPartNone jsCtxRegexp [] attrNone elementScript <nil>}',
  ],
  ['<a href="{{template "nosuch" .}}">', 'html/template::1:20: no such template "nosuch"'],
  [
    '{{define "r"}}{{if .}}"{{template "r" ""}}{{end}}{{end}}<p title="{{template "r" "a"}}>',
    'html/template: "\\"" in attribute name: "\\""',
  ],
  [
    '{{if true}}<p>{{else}}<p{{end}}>',
    'html/template::1:5: {{if}} branches end in different contexts: {stateText delimNone urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}, {stateTag delimNone urlPartNone jsCtxRegexp [] attrNone elementNone <nil>}',
  ],
  ['<p title="a"title="b" =>', 'html/template: expected space, attr name, or end of tag, but got "=>"'],
  [`<p 'x'>`, `html/template: "'" in attribute name: " 'x'>"`],
])('%s is refused', (source, message) => {
  expect(() => render(source)).toThrow(new TemplateError(message))
})

// html/template takes its second use to end where it began, and lets any URL through
test('a definition that ends in another context is followed each time that it is called', () => {
  const link = '{{template "E"}}{{"javascript:alert(1)"}}">'
  expect(render(link + link)).toBe('<a href="#ZgotmplZ"><a href="#ZgotmplZ">')
})

// html/template never comes back from the first
test.each([
  ['one level deeper with each call', '', 'exceeded maximum template depth (500)'],
  ['that, and long', '{{.}}'.repeat(1000), 'more than 200000 nodes in all contexts'],
])('contexts without end: %s', (_what, begins, message) => {
  const source = `{{define "deep"}}${begins}\`\${ {{if .}}{{template "deep" ""}}{{end}}{{end}}<script>{{template "deep" .}}`
  expect(() => render(source)).toThrow(new TemplateError(`html/template: ${message}`))
})

test('what one template makes of definitions is nothing to the next', () => {
  expect(render('<a href="{{template "v" "a b"}}">')).toBe('<a href="a%20b">')
  expect(render('{{define "v"}}<b>{{end}}<a title="{{template "v"}}">')).toBe('<a title="<b>">')
  expect(render('<a href="{{template "v" "a b"}}">{{template "v" "<"}}')).toBe('<a href="a%20b">&lt;')
})
