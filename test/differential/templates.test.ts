import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { templateRender } from '../../src/command/template-render.ts'
import { DIFFERENTIAL, LeftOut, amtool, amtoolVersion, collect, difference, forEach, oneOf } from '../helpers/amtool.ts'

// `amtool template render` must print of each template what ours prints, or both must fail.

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-templates-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

type Type = 'text' | 'html'
interface Case {
  type: Type
  template: string
}

const vectorFile = (name: string) => fileURLToPath(new URL(`../vectors/${name}`, import.meta.url))
const { vectors } = z
  .object({ vectors: z.array(z.object({ type: z.enum(['text', 'html']), template: z.string() })) })
  .parse(JSON.parse(readFileSync(vectorFile('template-vectors.json'), 'utf8')))

const text = oneOf(
  ['""', '"a"', '"db-1"', '"a <b> & \'c\'"', '"é日本"', '`raw\\`', '"a\\nb"', '"x y z"', '"%d"', '$.Status'],
  ['$.Receiver', '$.CommonLabels.alertname', '$.GroupLabels.team', '$.CommonLabels.nosuch', '$.ExternalURL'],
  ['(slice $.Receiver 1 3)', '(index $.Alerts 0).Labels.instance', '(index $.Alerts 0).Annotations.summary'],
  ['(index $.Alerts 2).Status', '(index $.CommonLabels "job")', '(index $.Alerts 0).Annotations.value'],
  ['(index $.Alerts 1).GeneratorURL'],
)
const integer = oneOf(
  ['0', '1', '2', '-1', '42', '0x1F', "'a'", '1_000', '(len $.Alerts)', '(len $.CommonLabels)'],
  ['(len $.Status)', '(len $.Alerts.Firing)', '(len $.GroupLabels.Names)'],
)
const float = oneOf(['1.5', '1e3', '-0.25', '3.0', '1e21', '0.000001', '123456789.0'])
const names = oneOf(
  ['$.CommonLabels.Values', '(stringSlice "b" "a")', '$.CommonLabels.Names', '(index $.Alerts 0).Labels.Names'],
  ['$.CommonLabels.SortedPairs.Names', '(slice $.GroupLabels.Names 1)'],
)
const labels = oneOf(
  ['$.CommonLabels', '$.CommonAnnotations', '(index $.Alerts 1).Labels'],
  ['($.CommonLabels.Remove (stringSlice "team"))', '($.CommonLabels.Remove $.GroupLabels.Names)'],
)
const many = fc.oneof(
  names,
  labels,
  oneOf(['$.Alerts', '$.Alerts.Firing', '$.Alerts.Resolved', '$.CommonLabels.SortedPairs', '(slice $.Alerts 1)']),
)
/** What is right in some places only. */
const odd = oneOf([
  '$x',
  '$n',
  '.Status',
  '.Name',
  '.Value',
  '.Labels.instance',
  '.Annotations',
  'nil',
  'true',
  'false',
])
const format = oneOf(
  ['"%s"', '"%v"', '"%q"', '"%d"', '"%5.2f|"', '"%-6s|"', '"%06d"', '"%x"', '"%+v"', '"%t"', '"%e"', '"%g"'],
  ['"%c%U"', '"%s-%s"', '"%[2]v %[1]v"', '"%*d"', '"%.1s"', '"%%"', '"%z"', '"%T"', '"%#v"', '"%08.3f"'],
  ['"% d"', '"%X"', '"%o"', '"%b"'],
)
const good = oneOf(['"^d"', '"[a-z]+"', '"\\\\d"', '`.+`', '"(\\\\w)(\\\\w)"', '"-"', '"x*"'])
const filter = oneOf([
  'toUpper',
  'len',
  'printf "%v!"',
  'html',
  'js',
  'urlquery',
  'eq "a"',
  'print',
  'title | print "x"',
])
const compare = fc.constantFrom('eq', 'ne', 'lt', 'le', 'gt', 'ge')
const space = fc.constantFrom(' ', ' ', ' ', '  ', '\n')

interface Words {
  call: string // that goes well
  wild: string // that may, or not
  argument: string
  piped: string
  expression: string
}
const { expression } = fc.letrec<Words>((tie: fc.LetrecTypedTie<Words>) => ({
  call: fc
    .oneof(
      { depthSize: 'small' },
      fc.tuple(fc.constantFrom('toUpper', 'toLower', 'title', 'len', 'html', 'js', 'urlquery', 'not', 'print'), text),
      fc.tuple(fc.constantFrom('html', 'js', 'urlquery', 'not', 'print'), tie('argument')),
      fc.tuple(compare, text, text),
      fc.tuple(compare, integer, integer),
      fc.tuple(compare, float, float),
      fc.tuple(fc.constantFrom('and', 'or', 'print', 'println'), tie('argument'), tie('argument')),
      fc.tuple(fc.constant('printf'), format, tie('argument'), tie('argument')),
      fc.tuple(fc.constant('printf'), format, fc.oneof(text, integer, float)),
      fc.tuple(fc.constant('join'), text, names),
      fc.tuple(fc.constant('len'), many),
      fc.tuple(fc.constant('index'), labels, text),
      fc.tuple(fc.constant('match'), good, text),
      fc.tuple(fc.constant('reReplaceAll'), good, oneOf(['"_"', '"$2$1"', '"$1x"', '"$$"', '""']), text),
    )
    .map((words) => words.join(' ')),
  wild: fc.oneof(
    { depthSize: 'small' },
    odd,
    fc.tuple(fc.constantFrom('toUpper', 'title', 'len'), tie('argument')).map((words) => words.join(' ')),
    fc.tuple(compare, tie('argument'), tie('argument')).map((words) => words.join(' ')),
    fc.tuple(fc.constantFrom('slice', 'index'), tie('argument'), integer, integer).map((words) => words.join(' ')),
    fc.tuple(fc.constantFrom('slice', 'index'), many, integer).map((words) => words.join(' ')),
  ),
  argument: fc.oneof(
    { depthSize: 'small' },
    text,
    text,
    fc.oneof(integer, float, many),
    fc.tuple(fc.constant('('), tie('call'), fc.constant(')')).map((parts) => parts.join('')),
  ),
  piped: fc.oneof(
    fc.tuple(text, filter).map((parts) => parts.join(' | ')),
    fc
      .tuple(tie('call'), oneOf(['printf "%q"', 'print "x"', 'not', 'printf "%s|%v" "y"']))
      .map((parts) => parts.join('|')),
  ),
  expression: fc.oneof({ depthSize: 'small' }, tie('argument'), tie('call'), tie('piped'), tie('call'), tie('wild')),
}))

const action = (words: fc.Arbitrary<string>) =>
  fc
    .tuple(
      fc.constantFrom('{{', '{{', '{{', '{{- '),
      fc.constantFrom('', ' '),
      words,
      fc.constantFrom('', ' '),
      fc.constantFrom('}}', '}}', '}}', ' -}}'),
    )
    .map((parts) => parts.join(''))
const keyword = (word: string, rest: fc.Arbitrary<string>) =>
  action(fc.tuple(space, rest).map(([gap, words]) => word + gap + words))
const end = action(fc.constant('end'))
const orElse = action(fc.constant('else'))
const literal = fc.constantFrom('', ' ', 'a', '\n', ' - ', '<b>', '}}', '.')

/** A template; what it declares first is there for all of it. */
const { template } = fc.letrec<{ template: string; body: string; piece: string }>((tie) => ({
  piece: fc.oneof(
    { maxDepth: 2 },
    action(expression),
    literal,
    action(fc.tuple(fc.constantFrom('$x := ', '$x = ', '$n = '), expression).map((parts) => parts.join(''))),
    action(fc.constant('/* said */')),
    fc.tuple(keyword('if', expression), tie('body'), end).map((parts) => parts.join('')),
    fc.tuple(keyword('if', expression), tie('body'), orElse, tie('body'), end).map((parts) => parts.join('')),
    fc
      .tuple(
        keyword('if', expression),
        tie('body'),
        keyword('else if', expression),
        tie('body'),
        orElse,
        tie('body'),
        end,
      )
      .map((parts) => parts.join('')),
    fc.tuple(keyword('with', expression), tie('body'), orElse, tie('body'), end).map((parts) => parts.join('')),
    fc.tuple(keyword('with $x :=', expression), tie('body'), end).map((parts) => parts.join('')),
    fc.tuple(keyword('range', many), tie('body'), end).map((parts) => parts.join('')),
    fc.tuple(keyword('range', many), tie('body'), orElse, tie('body'), end).map((parts) => parts.join('')),
    fc
      .tuple(
        keyword('range $n, $x :=', many),
        tie('body'),
        oneOf(['', '{{ . }}', '{{ break }}', '{{ continue }}', '{{ if $n }}{{ break }}{{ end }}']),
        end,
      )
      .map((parts) => parts.join('')),
    keyword('template "d"', expression),
    tie('body').map((body) => `{{ block "b" . }}${body}{{ end }}`),
  ),
  body: fc.array(tie('piece'), { maxLength: 3, depthIdentifier: 'body' }).map((parts) => parts.join('')),
  template: tie('body').map((body) => `{{ $x := "x" }}{{ $n := 1 }}${body}{{ define "d" }}[{{ . }}]{{ end }}`),
}))

const page = fc
  .tuple(
    oneOf(
      ['<p>#</p>', '<a href="#">x</a>', "<div title='#'></div>", '<div title=#></div>', '<script>var x = #;</script>'],
      [
        '<script>var s = "#";</script>',
        '<p onclick="f(#)">',
        '<style>p { color: # }</style>',
        '<img src="/x?q=#">',
        '<a href="/a/#/b">',
      ],
      ['<title>#</title>', '<textarea>#</textarea>', '<!-- # -->x', '<a style="color: #">', '<b>#<i>#</i></b>', '#'],
    ),
    fc.array(
      fc.oneof({ weight: 3, arbitrary: expression }, fc.constantFrom('safeHtml "<b>x</b>"', 'safeHtml .Status')),
      { minLength: 2, maxLength: 2 },
    ),
  )
  .map(([frame, given]) => frame.split('#').reduce((whole, part, i) => `${whole}{{ ${given[(i - 1) % 2]} }}${part}`))
  .map((html) => `{{ $x := "x" }}{{ $n := 1 }}${html}`)

const generated: Case[] = [
  ...fc.sample(template, { seed: 9, numRuns: 300 }).map((one): Case => ({ type: 'text', template: one })),
  ...fc.sample(page, { seed: 97, numRuns: 200 }).map((one): Case => ({ type: 'html', template: one })),
]
const cases = [...new Map([...vectors, ...generated].map((one) => [`${one.type} ${one.template}`, one])).values()]

/** What a binary built with an older Go, and with fewer functions, does not decide. */
const newer: [why: string, what: RegExp][] = [
  [
    'functions since 0.25',
    /\b(trimSpace|date|tz|since|humanizeDuration|safeUrl|urlUnescape|toJson|list|append|dict|now)\b/,
  ],
  ['a definition that uses them', /"jira\.default\.priority"/],
  ['fields since 0.25', /\.NotificationReason\b/],
  ['range over a number', /\{\{-?\s*range (\$\w+ := )?\d/],
  ['else with', /\{\{-?\s*else with /],
]
const beyond = amtoolVersion < 33 ? newer : []

/** What it prints otherwise, as can be seen in what it prints. */
const otherwise: [why: string, what: RegExp][] = [
  ['labels printed whole', /map(\[|%5b)|\[\{alertname |\{("|&#34;)alertname/],
  ['an unquoted attribute left empty', / title=>/],
]

/** Alertmanager's definitions as we carry them, without those that need what the binary lacks. */
const definitions = readFileSync(new URL('../../templates/alertmanager.tmpl', import.meta.url), 'utf8')
  .split(/^(?=\{\{ define )/m)
  .filter((definition) => !beyond.some(([, what]) => what.test(definition)))
  .join('')

describe.each(['text', 'html'] as const)('%s', (type) => {
  test(
    `amtool 0.${amtoolVersion} renders as we do`,
    async () => {
      const leftOut = new LeftOut()
      const glob = join(dir, `${type}.tmpl`)
      writeFileSync(glob, definitions)
      const dataFile = vectorFile('template-data.json')
      const ofType = cases.filter((one) => one.type === type)
      const held = ofType.filter(({ template: one }) => {
        const [why] = beyond.find(([, what]) => what.test(one)) ?? []
        if (why !== undefined) leftOut.add(why, one)
        return why === undefined
      })
      const disagreements: string[] = []
      let rendered = 0

      await forEach(held, async ({ template: given }) => {
        const [stdout, stderr] = [collect(), collect()]
        const code = await templateRender({
          templates: [],
          globs: [glob],
          dataFile,
          type,
          text: given,
          stdin: Readable.from([]),
          stdout: stdout.stream,
          stderr: stderr.stream,
          at: Date.UTC(2026, 2, 1, 10),
        })
        const ours = { ok: code === 0, stdout: stdout.text() }
        const theirs = await amtool(
          'template',
          'render',
          `--template.glob=${glob}`,
          `--template.data=${dataFile}`,
          `--template.type=${type}`,
          `--template.text=${given}`,
        )
        if (theirs.ok) rendered++
        if (ours.ok === theirs.ok && (!ours.ok || ours.stdout === theirs.stdout)) return
        const [why] = (beyond.length > 0 && otherwise.find(([, what]) => what.test(theirs.stdout))) || []
        if (ours.ok && theirs.ok && why !== undefined) leftOut.add(why, given)
        else if (ours.ok && theirs.ok)
          disagreements.push(`${JSON.stringify(given)}: ${difference(ours.stdout, theirs.stdout)}`)
        else disagreements.push(`${JSON.stringify(given)}: ours ${ours.ok}, theirs ${theirs.ok} ${stderr.text()}`)
      })
      leftOut.print(`${type} templates`)
      expect(disagreements).toEqual([])
      expect(leftOut.count).toBeLessThanOrEqual(amtoolVersion < 33 ? held.length / 4 : 0)
      expect(held.length).toBeGreaterThanOrEqual(type === 'text' ? 300 : 100)
      expect(rendered).toBeGreaterThan(held.length / 2)
    },
    DIFFERENTIAL,
  )
})
