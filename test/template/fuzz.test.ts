import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TemplateData } from '../../src/template/data.ts'
import { TemplateError, parseTemplates } from '../../src/template/templates.ts'
import { randomFrom } from '../helpers/random.ts'

const builtin = readFileSync(new URL('../../templates/alertmanager.tmpl', import.meta.url), 'utf8')
const templates = parseTemplates([{ name: 'alertmanager.tmpl', text: builtin }])
const at = Date.UTC(2026, 2, 1, 10)
const labels = new Map([
  ['alertname', 'DiskFull'],
  ['__proto__', 'a label'],
  ['constructor', 'another'],
  ['instance', 'db-1:9100'],
])
const data: TemplateData = {
  receiver: 'team-db',
  status: 'firing',
  notificationReason: 'first notification',
  alerts: [1, 2, 3].map((i) => ({
    status: i === 3 ? 'resolved' : 'firing',
    labels,
    annotations: new Map([['summary', `<almost> full & "hot" ${i}`]]),
    startsAt: '2026-03-01T09:05:07.123456789Z',
    endsAt: i === 3 ? '2026-03-01T09:10:00+02:00' : '0001-01-01T00:00:00Z',
    generatorURL: '',
    fingerprint: `a59c05c9f1b1973${i}`,
  })),
  groupLabels: labels,
  commonLabels: labels,
  commonAnnotations: new Map(),
  routeLabels: new Map(),
  externalURL: 'https://am.example.com',
}

const written = [
  '{{ define "x" }}{{ range .Alerts }}- {{ .Labels.instance }}: {{ .Annotations.summary }}\n{{ else }}none{{ end }}{{ end }}{{ template "x" . }}',
  '{{ range $i, $a := .Alerts }}{{ if $i }}, {{ end }}{{ $a.Labels.instance }}{{ if eq $a.Status "firing" }}{{ break }}{{ else if gt 1 2 }}{{ continue }}{{ end }}{{ end }}',
  '{{- with $x := index .Alerts 0 -}} {{ $x.Labels.alertname | toUpper | printf "%q" }} {{- end -}}',
  '{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := (print $x "a") }}{{ $y }}{{ end }}{{ $x }}',
  '{{ block "y" .CommonLabels }}{{ range .SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}{{ end }}',
  '{{ (index .Alerts 0).StartsAt.Format "2006-01-02" }}{{/* c */}}{{ .CommonLabels.Remove (stringSlice "job") }}',
  'a {{- /* c */ -}} b {{ `raw` }} {{ \'a\' }} {{ 0x1F }} {{ 1.5e3i }} {{ printf "%-8.3d|%+v" 1 (dict "k" nil) }}',
  '{{ $s := "xx" }}{{ range 30 }}{{ $s = print $s $s }}{{ end }}{{ len $s }}',
  '{{ $l := list 1 "a" nil 2.5 }}{{ range 9 }}{{ $l = append $l $l }}{{ end }}{{ toJson $l }}',
  '{{ reReplaceAll "(a+)+b?" "$1$0" "aaaaaaaaaaab" }}{{ match "^x" .Status }}{{ title .Status }}{{ tz "Europe/Berlin" (index .Alerts 0).EndsAt }}',
  '{{ define "r" }}{{ range 3 }}{{ template "r" . }}{{ end }}{{ end }}{{ if .Alerts.Firing }}{{ humanizeDuration 3.5 }}{{ slice .Status 1 3 }}{{ end }}',
]
/** The definitions that come with Tocsin, each with a call of it. */
const definitions = [builtin, readFileSync(new URL('../../templates/tocsin.tmpl', import.meta.url), 'utf8')]
  .flatMap((text) => text.split(/^(?=\{\{-? *define)/m))
  .filter((text) => text.includes('define') && text.length < 3000)
  .map((text) => `${text}{{ template ${/"[^"]+"/.exec(text)?.[0]} . }}`)
const markup =
  '<a href="/x?q={{ .Status }}" title=\'{{ .Receiver }}\' onclick="f({{ .CommonLabels }})" style="color: {{ .Status }}">{{ range .Alerts }}<b>{{ .Labels.alertname }}</b>{{ else }}<i>{{ end }}</a><script>var x = {{ toJson . }}; /* {{ .Status }} */</script><!-- {{ 1 }} --><style>p { a: "{{ .Status }}" }</style>'

const pieces =
  '{{|}}|{{-|-}}|(|)|.|$|"|`|\'|:=|=|,|/*|*/|{{end}}|{{else}}|{{ if . }}|{{ range 99999999 }}|{{ range . }}|{{ template "x" . }}|\\|1|nil|_|.constructor|.__proto__|.Alerts|$x|\n|é|😀|%1000000d|-|+|9223372036854775807|(list 1)|(index .Alerts 0)|print |toJson |printf |<a |<script>|<!--|>|</|style=|href=|{{ define "x" }}'.split(
    '|',
  )

function mutated(seeds: readonly string[], next: () => number): string {
  const below = (count: number) => Math.floor(next() * count)
  let text = seeds[below(seeds.length)] ?? ''
  for (let i = below(4); i >= 0; i--) {
    const from = below(text.length + 1)
    const to = from + below(6)
    const put = next() < 0.6 ? (pieces[below(pieces.length)] ?? '') : ''
    text = text.slice(0, from) + put + text.slice(next() < 0.5 ? from : to)
  }
  return text
}

/** Processor time that a call takes, in ms. */
function cpuOf(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

// the bound is 100 ms on a core of one's own; a collection of garbage may fall into any of them
const MOST_MS = 300

test.each([
  ['text', 'written', 40_000, written],
  ['text', 'that come with Tocsin', 20_000, definitions],
  ['html', 'written', 20_000, [...written, ...Array.from({ length: 5 }, () => markup)]],
  ['html', 'that come with Tocsin', 20_000, definitions],
] as const)(
  'as %s, any of those %s renders or says why not, soon and without a trace of JavaScript',
  {
    timeout: 120_000,
  },
  (how, _what, count, seeds) => {
    const next = randomFrom(0.33 * 2 ** 32)
    let rendered = 0
    const render = (source: string) => () => {
      try {
        const output = templates[how](source, data, at)
        rendered += 1
        if (/\[object |\bundefined\b|native code/.test(output)) throw new Error(`${source}: ${output}`)
      } catch (error) {
        if (!(error instanceof TemplateError)) throw new Error(source, { cause: error })
      }
    }
    for (let i = 0; i < count; i++) {
      const run = render(mutated(seeds, next))
      const ms = cpuOf(run)
      if (ms > MOST_MS) expect(cpuOf(run)).toBeLessThan(MOST_MS)
    }
    expect(rendered).toBeGreaterThan(count / 20)
  },
)

const large = '{{ $s := printf "%0100000d" 0 }}'
const manyVariables = Array.from({ length: 3000 }, (_, i) => `{{ $a${i} := 1 }}`).join('')
const manyKeys = Array.from({ length: 5000 }, (_, i) => `"k${(i * 7919) % 5000}" 1`).join(' ')
const endless = (action: string): string => `${large}{{ range 10000000 }}{{ $x := ${action} }}{{ end }}`

// each of these would take Go itself minutes, or all memory
test.each([
  ['ranges in ranges', '{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}'],
  ['the largest range', '{{ range 9223372036854775807 }}{{ end }}'],
  ['a text that doubles', '{{ $s := "xx" }}{{ range 100 }}{{ $s = print $s $s }}{{ end }}'],
  ['a list that doubles', '{{ $s := list 1 }}{{ range 100 }}{{ $s = list $s $s }}{{ end }}{{ print $s }}'],
  ['a list that doubles, as JSON', '{{ $s := list 1 }}{{ range 100 }}{{ $s = list $s $s }}{{ end }}{{ toJson $s }}'],
  ['a list that doubles, compared', '{{ $s := list 1 }}{{ range 100 }}{{ $s = list $s $s }}{{ end }}{{ eq $s $s }}'],
  ['a deep list', '{{ $s := list 1 }}{{ range 1000000 }}{{ $s = list $s }}{{ end }}{{ print $s }}'],
  ['a template in itself', '{{ define "x" }}{{ template "x" . }}{{ template "x" . }}{{ end }}{{ template "x" . }}'],
  ['wide printing', '{{ printf "%10000000d" 1 }}'],
  ['wide printing, again and again', '{{ range 1000000 }}{{ $x := printf "%1000000d" 1 }}{{ end }}'],
  ['a wide list', '{{ $l := list 1 2 3 4 5 6 7 8 9 }}{{ printf "%1000000d" (list $l $l $l) }}'],
  ['one argument many times', `${large}{{ printf "${'%[1]s'.repeat(1000)}" $s }}`],
  ['replacements that grow', `${large}{{ reReplaceAll "0" $s $s }}`],
  ['a replacement of many groups', `${large}{{ reReplaceAll "0+" "${'$0'.repeat(10_000)}" $s }}`],
  ['a large pattern', `{{ match "${'(a{1,1000})'.repeat(300)}" "aaa" }}`],
  ['a wide join', `${large}{{ join $s (stringSlice ${'"a" '.repeat(100)}) }}`],
  ['upper case', endless('toUpper $s')],
  ['title case', endless('title $s')],
  ['quotes', endless('printf "%q" $s')],
  ['a pattern', endless('match "(0?0?0?)*1" (print $s "1")')],
  ['brackets', `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`],
  ['branches', '{{ if 1 }}'.repeat(3000) + '{{ end }}'.repeat(3000)],
  ['a far year', '{{ (index .Alerts 0).StartsAt.AddDate 9223372036854775807 0 0 }}'],
  ['a long and', `{{ range 100000 }}{{ $x := and ${'1 '.repeat(5000)}}}{{ end }}`],
  ['many fields', `{{ range 100000 }}{{ $x := or ${'$.GroupLabels.x '.repeat(500)}}}{{ end }}`],
  ['many variables', `${manyVariables}{{ range 100000 }}{{ $z := $a0 }}{{ end }}`],
  [
    'many variables in a template',
    `{{ define "x" }}${manyVariables}{{ end }}{{ range 100000 }}{{ template "x" }}{{ end }}`,
  ],
  ['small numbers', '{{ range 1000000 }}{{ $x := printf "%.99f %.99f" 5e-324 5e-324 }}{{ end }}'],
  [
    'a list of small numbers',
    `{{ $l := list ${'5e-324 '.repeat(2000)}}}{{ range 1000 }}{{ $x := printf "%.300f" $l }}{{ end }}`,
  ],
  ['pairs of pairs', '{{ range 100000 }}{{ range $.CommonLabels.SortedPairs }}{{ .Name }}{{ end }}{{ end }}'],
  ['keys that are sorted', `{{ range 10000 }}{{ range dict ${manyKeys}}}{{ end }}{{ end }}`],
  ['a wide join by a method', `${large}{{ $l := stringSlice ${'"a" '.repeat(100)}}}{{ $l.Join $s }}`],
  ['dates', '{{ range 100000 }}{{ $x := toDate "2006-01-02 15:04:05" "2026-01-02 10:11:12" }}{{ end }}'],
  ['summer times', '{{ range 100000 }}{{ $x := (tz "Europe/Paris" (index $.Alerts 0).StartsAt).IsDST }}{{ end }}'],
  ['a pattern as long as a text', `${large}{{ match $s $s }}`],
  ['base64', endless('base64decode (base64encode $s)')],
  [
    'halves',
    '{{ define "x" }}{{ if . }}{{ template "x" (slice . 1) }}{{ template "x" (slice . 1) }}{{ end }}{{ end }}{{ template "x" "0123456789012345678901234567890123456789" }}',
  ],
  ['more tokens than there may be', '{{ print 1 }}\n'.repeat(10_000)],
  ['more text than there may be', `${' '.repeat(1_000_000)}{{ 1 }}`],
  ['more actions in a pipeline than there may be', `{{ 1${' | print'.repeat(60_000)} }}`],
])('%s: an error, and soon', { timeout: 10_000 }, (_what, source) => {
  const run = () => expect(() => templates.text(source, data, at)).toThrow(TemplateError)
  if (cpuOf(run) > MOST_MS) expect(cpuOf(run)).toBeLessThan(MOST_MS)
})

test('names of JavaScript are labels, or nothing', () => {
  const source =
    '{{ .CommonLabels.__proto__ }}, {{ .CommonLabels.constructor }}, {{ index .CommonLabels "__proto__" }}, [{{ .CommonLabels.toString }}]'
  expect(templates.text(source, data, at)).toBe('a label, another, a label, []')
  for (const name of ['constructor', '__proto__', 'toString', 'length', 'fields'])
    expect(() => templates.text(`{{ .${name} }}`, data, at)).toThrow(/can't evaluate field/)
})

test('a thousand alerts are no hostility', () => {
  const many = Array.from({ length: 15 }, (_, i) => [i === 0 ? 'alertname' : `label_${i}`, `value & ${i}`] as const)
  const alerts = Array.from({ length: 334 }, () => data.alerts)
    .flat()
    .map((alert) => ({ ...alert, labels: new Map([...many, ['alertname', 'DiskFull']]) }))
  for (const name of ['opsgenie.default.description', 'telegram.default.message', 'msteams.default.text'])
    expect(templates.text(`{{ template "${name}" . }}`, { ...data, alerts }, at)).toContain('DiskFull')
  expect(templates.html('{{ template "email.default.html" . }}', { ...data, alerts }, at)).toContain('DiskFull')
  expect(templates.text('{{ toJson . }}', { ...data, alerts }, at)).toContain('DiskFull')
})
