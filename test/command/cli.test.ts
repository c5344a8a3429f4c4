import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { builtCli } from '../helpers/built.ts'

// The built binary, as a person or a script runs it.

const cli = builtCli()
let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-cli-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function tocsin(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: dir, input, encoding: 'utf8' })
  return { status, stdout, stderr }
}
function file(name: string, text: string): string {
  writeFileSync(join(dir, name), text)
  return name
}
const jsonLines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')
const answers = ({ stdout }: { stdout: string }): unknown[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const config = `
templates: ['*.tmpl']
route:
  receiver: default
  routes:
    - matchers: ['severity=~"critical|page"', team=db]
      receiver: db-pager
      continue: true
    - match_re: { severity: warn.*|crit.* }
      match: { team: db }
      receiver: db-slack
      routes: [{ matchers: [window=night], receiver: db-night }]
    - matchers: [team=web, '"odd name"!~".*x"']
      receiver: web
receivers: [{ name: default }, { name: db-pager }, { name: db-slack }, { name: db-night }, { name: web }]
`

describe('config routes', () => {
  // as amtool 0.33.1 draws it
  const tree = `Routing tree:
.
└── default-route  receiver: default
    ├── {severity=~"critical|page",team="db"}  continue: true  receiver: db-pager
    ├── {severity=~"^(?:warn.*|crit.*)$",team="db"}  receiver: db-slack
    │   └── {window="night"}  receiver: db-night
    └── {"odd name"!~".*x",team="web"}  receiver: web

`
  test.each([[['routes']], [['routes', 'show']]])('config %s draws the tree', (words) => {
    expect(tocsin(['config', ...words, `--config.file=${file('a.yml', config)}`])).toEqual({
      status: 0,
      stdout: tree,
      stderr: '',
    })
  })

  test.each([
    [['team=db', 'severity=critical'], 0, 'db-pager,db-slack\n'],
    [['team=db', 'severity=critical', '--verify.receivers=db-pager,db-slack'], 0, 'db-pager,db-slack\n'],
    [
      ['team=db', 'severity=critical', '--verify.receivers=db-pager'],
      1,
      'db-pager,db-slack\nWARNING: Expected receivers did not match resolved receivers.\n',
    ],
    [[], 0, 'default\n'],
    [['team=web', '"odd name"=box'], 0, 'default\n'],
    [
      ['--tree', 'team=db', 'severity=critical', 'window=night'],
      0,
      `Matching routes:
.
└── default-route
    ├── {severity=~"critical|page",team="db"}  receiver: db-pager
    └── {severity=~"^(?:warn.*|crit.*)$",team="db"}
        └── {window="night"}  receiver: db-night


db-pager,db-night
`,
    ],
  ])('test %j: %d', (args, status, stdout) => {
    expect(tocsin(['config', 'routes', 'test', `--config.file=${file('a.yml', config)}`, ...args])).toEqual({
      status,
      stdout,
      stderr: '',
    })
  })

  test.each([
    ['team', /failed to parse labels: .*team/],
    ['team=~db', /team=~db: a label is written as name=value/],
  ])('test %s: what is wrong with it', (label, wanted) => {
    const { status, stdout, stderr } = tocsin([
      'config',
      'routes',
      'test',
      `--config.file=${file('a.yml', config)}`,
      label,
    ])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(wanted)
  })

  test('test --batch: a line for a line, an empty one for what is none', () => {
    const input = `${jsonLines({ team: 'db', severity: 'page' }, {})}[]\n${jsonLines({ team: 5 }, { team: 'web' })}`
    const { status, stdout, stderr } = tocsin(
      ['config', 'routes', 'test', `--config.file=${file('a.yml', config)}`, '--batch'],
      input,
    )
    expect({ status, stdout }).toEqual({ status: 1, stdout: 'db-pager\ndefault\n\n\nweb\n' })
    expect(stderr).toMatch(/line 3 is no label set.*\n.*line 4 is no label set/)
  })

  test('a bad file: every mistake with its place', () => {
    const bad = file('bad.yml', 'route: { receiver: defualt }\nreceivers: [{ name: default, slak_configs: [] }]\n')
    const { status, stderr } = tocsin(['config', 'routes', 'show', `--config.file=${bad}`])
    expect(status).toBe(1)
    expect(stderr).toMatch(/bad\.yml:1:20: route\.receiver: .*did you mean "default"[^]*bad\.yml:2:30: .*slak_configs/)
  })
})

describe('config show', () => {
  const table = `
severities: { critical: { notify: [slack, sms] }, info: { notify: [slack] } }
teams: { core: { default: true, slack: 'https://slack.example.com/s3cret', sms: ['+61400000000'] } }
global: { twilio_account_sid: AC1, twilio_auth_token: s3cret, twilio_from: '+61400000001' }
`
  test('in Alertmanager’s language, without its secrets and what only Tocsin knows', () => {
    const { status, stdout } = tocsin(['config', 'show', `--config.file=${file('table.yml', table)}`])
    expect(status).toBe(0)
    expect(stdout).toContain('    - receiver: core/critical\n      matchers:\n        - severity="critical"\n')
    expect(stdout).not.toMatch(/s3cret|sms|twilio|severities|teams/)
  })

  test('--expanded: with them, and it loads to the same tree', () => {
    const { stdout } = tocsin(['config', 'show', '--expanded', `--config.file=${file('table.yml', table)}`])
    expect(stdout).toMatch(/ {4}sms_configs:\n {6}- send_resolved: true\n( {8}.*\n)* {8}auth_token: <secret>\n/)
    expect(stdout).not.toContain('s3cret')
    const show = (name: string) => tocsin(['config', 'routes', `--config.file=${name}`]).stdout
    expect(show(file('expanded.yml', stdout))).toBe(show('table.yml'))
  })
})

describe('check-config', () => {
  test('good files, and what is surely not meant in them', () => {
    const { status, stdout, stderr } = tocsin([
      'check-config',
      file('a.yml', config.replace('name: web', 'name: web }, { name: dev')),
    ])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^Checking 'a\.yml' {2}SUCCESS\nFound:\n - 5 routes\n - 6 receivers\n/)
    expect(stdout).toContain('no route uses receiver "dev"')
  })

  test.each([
    ['a key that is none', 'rout: {}\n', /x\.yml:1:1: rout: unknown key "rout"; did you mean "route"/],
    ['no such file', undefined, /nofile\.yml:1:1: there is no such file/],
    ['a template that does not parse', config, /^template: bad\.tmpl:1: function "nope" not defined$/m],
  ])('%s: exit code 1', (what, text, wanted) => {
    if (what.startsWith('a template')) file('bad.tmpl', '{{ define "x" }}{{ nope }}{{ end }}')
    const name = text === undefined ? 'nofile.yml' : file('x.yml', text)
    const { status, stdout, stderr } = tocsin(['check-config', name])
    rmSync(join(dir, 'bad.tmpl'), { force: true })
    expect(status).toBe(1)
    expect(stdout).toContain(`Checking '${name}'  FAILED`)
    expect(stderr).toMatch(wanted)
    expect(stderr).toContain('failed to validate 1 file(s)')
  })

  test('from standard input', () => {
    expect(tocsin(['check-config'], config)).toMatchObject({ status: 0, stderr: '' })
  })
})

describe('template render', () => {
  test('a template with definitions of a glob, of a routing file and of Alertmanager', () => {
    file('own.tmpl', '{{ define "own" }}own of {{ .Receiver }}{{ end }}')
    file('more.tmpl', '{{ define "more" }}more{{ end }}')
    const text = '{{ template "own" . }}, {{ template "more" . }}, {{ template "slack.default.username" . }}'
    const args = [`--template.text=${text}`, '--template.glob=own.tmpl']
    expect(tocsin(['template', 'render', ...args, '--template.glob=more.tmpl'])).toEqual({
      status: 0,
      stdout: 'own of receiver, more, Alertmanager',
      stderr: '',
    })
    expect(tocsin(['template', 'render', ...args, `--config.file=${file('a.yml', config)}`]).stdout).toBe(
      'own of receiver, more, Alertmanager',
    )
  })

  test('data of a file, escaped for HTML', () => {
    const data = { status: 'firing', alerts: [{ labels: { a: '<b>' } }] }
    const args = ['--template.type=html', `--template.data=${file('data.json', JSON.stringify(data))}`]
    expect(
      tocsin(['template', 'render', ...args, '--template.text={{ range .Alerts }}{{ .Labels.a }}{{ end }}']).stdout,
    ).toBe('&lt;b&gt;')
  })

  // what amtool 0.33 answers
  test.each([
    [
      {},
      '{{ toJson . }}',
      '{"receiver":"","status":"","alerts":null,"notification_reason":"","groupLabels":null,"commonLabels":null,"commonAnnotations":null,"externalURL":""}',
    ],
    [
      { alerts: [{ status: 'firing', annotations: {} }], commonLabels: {}, groupLabels: null },
      '{{ toJson .Alerts }} {{ toJson .CommonLabels }} {{ toJson .GroupLabels }} {{ len .GroupLabels }}',
      '[{"status":"firing","labels":null,"annotations":{},"startsAt":"0001-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":""}] {} null 0',
    ],
    [
      { commonLabels: {} },
      '{{ printf "%#v %#v %#v %p" .Alerts .GroupLabels .CommonLabels .Alerts }} {{ eq .Alerts .Alerts }} {{ eq .GroupLabels .CommonLabels }} {{ toJson .Alerts.Firing }} {{ toJson (slice .Alerts 0 0) }}',
      'template.Alerts(nil) template.KV(nil) template.KV{} 0x0 true false [] null',
    ],
  ])('what data %j says nothing of is nil: %s', (data, text, answer) => {
    const args = [`--template.text=${text}`, `--template.data=${file('nil.json', JSON.stringify(data))}`]
    expect(tocsin(['template', 'render', ...args])).toMatchObject({ stdout: answer, stderr: '' })
  })

  test.each([
    [['--template.text={{ nope }}'], /template: :1: function "nope" not defined/],
    [['--template.text=x', '--template.data=none.json'], /none\.json: ENOENT/],
    [[], /--template\.text is required, or --batch/],
    [['--template.text=x', '--template.type=xml'], /'xml' is invalid/],
  ])('%j fails', (args, wanted) => {
    const { status, stdout, stderr } = tocsin(['template', 'render', ...args])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(wanted)
  })

  test('--batch: an answer a line', () => {
    const input = `${jsonLines(
      { text: '{{ .Status }}' },
      { text: '{{ nope }}' },
      { text: '{{ .Status }}', data: { status: 'firing' } },
      { text: '{{ .Status }}', data: { status: 5 } },
    )}no JSON\n`
    expect(answers(tocsin(['template', 'render', '--batch'], input))).toEqual([
      { ok: true, out: 'alertstatus' },
      { ok: false, error: 'template: :1: function "nope" not defined' },
      { ok: true, out: 'firing' },
      { ok: false, error: 'status of the data must be a text' },
      { ok: false, error: 'the line must be a JSON object with a text' },
    ])
  })
})

describe('matchers parse', () => {
  test('--batch: an answer a line', () => {
    expect(answers(tocsin(['matchers', 'parse', '--batch'], `${jsonLines('a=b,"c d"!~"e"', '{}', '==')}5\n`))).toEqual([
      {
        ok: true,
        matchers: [
          { name: 'a', value: 'b', isRegex: false, isEqual: true },
          { name: 'c d', value: 'e', isRegex: true, isEqual: false },
        ],
      },
      { ok: true, matchers: [] },
      { ok: false, error: expect.stringContaining('==') },
      { ok: false, error: 'the line is no JSON text' },
    ])
  })

  test.each([
    ['fallback', [], true],
    ['classic', ['--enable-feature=classic-mode'], false],
    ['strict', ['--enable-feature=utf8-strict-mode'], true],
  ])('%s grammar', (_mode, args, ok) => {
    const { status, stdout } = tocsin(['matchers', 'parse', ...args, '"a b"=c'])
    expect(status).toBe(ok ? 0 : 1)
    expect(JSON.parse(stdout)).toMatchObject({ ok })
  })
})

test.each([
  ['classic-mode,utf8-strict-mode', /exclude each other/],
  ['clasic-mode', /there is no feature "clasic-mode"/],
])('--enable-feature=%s is told', (features, wanted) => {
  const { status, stderr } = tocsin(['check-config', `--enable-feature=${features}`, file('a.yml', config)])
  expect(status).toBe(1)
  expect(stderr).toMatch(wanted)
})

describe('what cannot be read or written is said in a line, without a stack', () => {
  test.each([
    [
      'a directory of templates',
      ['template', 'render', '--template.glob=DIR', '--template.text=x'],
      /DIR is a directory; write it as DIR\/\*\.tmpl$/,
    ],
    ['a directory of data', ['template', 'render', '--template.data=DIR', '--template.text=x'], /DIR: EISDIR/],
    ['a directory for a file', ['config', 'show', '--config.file=DIR'], /^DIR:1:1: this is a directory/],
  ])('%s', (_what, args, wanted) => {
    const { status, stderr } = tocsin(args.map((arg) => arg.replace('DIR', dir)))
    expect(status).toBe(1)
    expect(stderr.replaceAll(dir, 'DIR').trim()).toMatch(wanted)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test('a disk that is full', () => {
    const full = openSync('/dev/full', 'w')
    const args = [cli, 'matchers', 'parse', 'a=b']
    const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
    closeSync(full)
    expect(status).toBe(1)
    expect(stderr).toMatch(/^tocsin: error: ENOSPC.*\n$/)
  })

  test('whoever reads no more ends it quietly', async () => {
    const child = spawn(process.execPath, [cli, 'matchers', 'parse', '--batch'], { cwd: dir, stdio: 'pipe' })
    let complaints = ''
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
    child.stdin.on('error', () => {}) // it reads no more either
    child.stdout.once('data', () => child.stdout.destroy())
    child.stdin.write(jsonLines(...Array.from({ length: 50_000 }, () => 'a=b')))
    const [status] = await once(child, 'exit')
    expect({ status, complaints }).toEqual({ status: 0, complaints: '' })
  })
})

test.each([[['serve']], [['audit']]])('%j tells that it has no address of a Redis, and not what it has', (command) => {
  const { status, stdout, stderr } = tocsin([...command, '--redis.url=redis//:s3cret@host:6379'])
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/^tocsin: error: --redis\.url or REDIS_URL: it begins with neither redis:/)
  expect(stderr).not.toContain('s3cret')
})
