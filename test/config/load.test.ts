import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, type Problem } from '../../src/config/error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { nearest } from '../../src/config/nearest.ts'
import { channels } from '../../src/notify/index.ts'
import { matchRoutes } from '../../src/route/tree.ts'

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-config-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function load(files: string | Record<string, string>, env: Record<string, string> = {}, sandbox = false) {
  const given = typeof files === 'string' ? { 'tocsin.yml': files } : files
  for (const [name, text] of Object.entries(given)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  return loadConfig(join(dir, 'tocsin.yml'), { env, sandbox, channels })
}

/** The problems of a file, each as `line:column path: message`. */
function problems(files: string | Record<string, string>, env: Record<string, string> = {}): string[] {
  try {
    load(files, env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(shown)
  }
}

function shown({ file, line, column, path, message }: Problem): string {
  return `${file.replace(`${dir}/`, '').replace('tocsin.yml', '')}${line}:${column} ${path}: ${message}`
}

const receivers = 'receivers: [{ name: ops }]\n'
const table = `
severities:
  critical: { notify: [slack], incident: true }
  info: { notify: [slack] }
`

test.each([
  ['', 'nothing', '1:1 : the file must hold a map of keys and values, such as route: and receivers:'],
  ['global: {}\n', 'no route', '1:1 : no route: the file needs route: with a receiver, or severities: and teams:'],
  ['[]', 'a list', '1:1 : the file must hold a map of keys and values, such as route: and receivers:'],
  ['route: {}\n', 'no receiver', '1:1 route.receiver: the root route needs a receiver'],
  [
    'route: { receiver: op }\n' + receivers,
    'a receiver that is none',
    '1:20 route.receiver: there is no receiver "op"; did you mean "ops"?',
  ],
  [
    'route: { receiver: ops, reciever: x }\n' + receivers,
    'an unknown key',
    '1:25 route.reciever: unknown key "reciever"; did you mean "receiver"?',
  ],
  [
    'roote: {}\nroute: { receiver: ops }\n' + receivers,
    'an unknown key at the top',
    '1:1 roote: unknown key "roote"; did you mean "route"?',
  ],
  [
    'route: { receiver: ops, group_wait: 5 }\n' + receivers,
    'a duration without a unit',
    '1:37 route.group_wait: "5" is not a duration; write it as 30s, 5m or 1h30m',
  ],
  [
    'route: { receiver: ops, group_interval: 0s }\n' + receivers,
    'no interval',
    '1:41 route.group_interval: cannot be zero',
  ],
  [
    'route: { receiver: ops, continue: true }\n' + receivers,
    'a root that continues',
    '1:35 route.continue: the root route cannot continue: it has no siblings',
  ],
  [
    'route: { receiver: ops, matchers: [a=b] }\n' + receivers,
    'a root with matchers',
    '1:35 route.matchers: the root route must take every alert: it cannot have matchers',
  ],
  [
    'route: { receiver: ops, group_by: [a, a] }\n' + receivers,
    'a label twice',
    '1:35 route.group_by: "a" stands in it twice',
  ],
  [
    'route: { receiver: ops, group_by: [..., a] }\n' + receivers,
    'all labels and one',
    '1:35 route.group_by: "..." means all labels; no other name can stand beside it',
  ],
  [
    'route:\n  receiver: ops\n  routes:\n    - matchers: ["team"]\n' + receivers,
    'a bad matcher',
    '4:18 route.routes.0.matchers.0: bad matcher format: team: unexpected end, expected an operator (=, !=, =~ or !~)',
  ],
  [
    'route:\n  receiver: ops\n  routes:\n    - matchers: ["team=~("]\n' + receivers,
    'a bad regex',
    '4:18 route.routes.0.matchers.0: error parsing regexp: missing closing ): `(`',
  ],
  [
    'route: { receiver: ops }\nreceivers: [{ name: ops }, { name: ops }]\n',
    'a receiver twice',
    '2:36 receivers.1.name: there is a receiver "ops" already; names must differ',
  ],
  [
    'route: { receiver: ops }\nreceivers: [{ name: ops, slack_config: [] }]\n',
    'a misspelt kind',
    '2:26 receivers.0.slack_config: unknown key "slack_config"; did you mean "slack_configs"?',
  ],
  [
    'route: { receiver: ops, mute_time_intervals: [night] }\n' + receivers,
    'an interval that is none',
    '1:47 route.mute_time_intervals.0: there is no time interval "night"',
  ],
  [
    'route: { receiver: ops }\nroute: {}\n' + receivers,
    'a key twice',
    '2:1 route: key "route" stands in line 1 already',
  ],
  ['route: [\n', 'YAML that does not end', /^\d:\d : /],
  ['a: *b\n', 'an anchor that is none', /there is no anchor of this name/],
  [table, 'a table without teams', '2:1 severities: there are severities, but no teams: to notify'],
  [table + 'teams: { a: { slack: "http://x" }, b: {} }\n', 'no default team', /one team must be the default/],
  [
    table + 'teams: { a: { default: true } }\n',
    'a severity that leads nowhere',
    /5:10 teams\.a: severity "critical" notifies slack, but neither team "a" nor the default team "a" has a slack destination; add slack: … to one of them/,
  ],
  [
    table.replace('[slack]', '[slak]') + 'teams: { a: { slack: "http://x" } }\n',
    'a misspelt channel',
    '3:24 severities.critical.notify.0: there is no channel "slak"; did you mean "slack"?',
  ],
  [
    table + 'teams: { a: { slack: "http://x", severities: { critcal: {} } } }\n',
    'a misspelt severity',
    '5:48 teams.a.severities.critcal: there is no severity "critcal"; did you mean "critical"?',
  ],
  [
    table + 'teams: { a: { slck: "http://x" } }\n',
    'a misspelt destination',
    '5:15 teams.a.slck: unknown key "slck"; did you mean "slack"?',
  ],
  [table + 'teams: { a: { slack: "no url" } }\n', 'a destination that is none', /teams\.a\.slack.*is not a URL/],
])('%j: %s', (text, _what, wanted) => {
  const found = problems(text)
  if (typeof wanted === 'string') expect(found).toContain(wanted)
  else expect(found.join('\n')).toMatch(wanted)
})

test('all problems are told at once, in the order of the file', () => {
  const found = problems(`route:
  reciever: x
  group_wait: 5
receivers:
  - name: db
    slack_configs:
      - api_url: not a url
        titel: x
`)
  expect(found.map((line) => line.split(' ')[0])).toEqual(['1:1', '2:3', '3:15', '7:18', '8:9'])
})

describe('files that would end a careless process', () => {
  test.each([
    ['100,000 brackets', '['.repeat(100_000)],
    ['100,000 dashes', `${'- '.repeat(100_000)}x`],
    ['a file of 2 MB', `x: ${'y'.repeat(2_000_000)}`],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((c, i) => `${c}: &${c} [${`*${'abcdefghi'[i]},`.repeat(9)}]`)
        .join('\n')}\n`,
    ],
    ['an alias of itself', 'a: &a [*a]\n'],
  ])('%s', (_name, text) => {
    expect(problems(text).length).toBeGreaterThan(0)
  })

  test('a file that is not there, and one that is a folder', () => {
    expect(() => loadConfig(join(dir, 'none.yml'), { env: {}, sandbox: false, channels })).toThrow(
      'there is no such file',
    )
    expect(() => loadConfig(dir, { env: {}, sandbox: false, channels })).toThrow('this is a directory')
  })
})

test('a byte order mark, CRLF and a second document do no harm', () => {
  expect(load(`\ufeffroute: { receiver: ops }\r\n${receivers}---\nother: document\n`).route.receiver).toBe('ops')
})

test('anchors and merge keys work', () => {
  const { route } = load(`
route:
  receiver: ops
  routes:
    - &quick { receiver: ops, group_wait: 1s, matchers: [a=b] }
    - { <<: *quick, matchers: [c=d] }
${receivers}`)
  expect(route.routes.map(({ groupWait, path }) => [groupWait, path])).toEqual([
    [1000, '{}/{a="b"}'],
    [1000, '{}/{a="b",c="d"}'], // matchers of both hold, as in Alertmanager
  ])
})

describe('variables', () => {
  const file = (value: string) =>
    `route: { receiver: ops }\nreceivers: [{ name: ops, webhook_configs: [{ url: "${value}" }] }]\n`

  test('are put in, with defaults', () => {
    expect(problems(file('${A}'), { A: 'http://x.example' })).toEqual([])
    expect(problems(file('http://${A:-localhost}/${B:-}'))).toEqual([])
    expect(problems(file('http://h/$A$$'))).toEqual([])
  })

  test('one that is not set is named, with its line', () => {
    expect(problems(file('http://${HOOK_HOST}/'))).toEqual([
      '2:51 receivers.0.webhook_configs.0.url: the environment variable HOOK_HOST is not set; set it, or give a default: ${HOOK_HOST:-…}',
    ])
  })

  test('may stand anywhere a text may, in lists and maps of one line too', () => {
    const { integrations } = load(
      'route: { receiver: ops, group_by: [${A}, ${B:-x, y}] }\nreceivers: [{ name: ops, webhook_configs: [{ url: ${URL} }, { url: "${URL}/${A}" }] }]\n',
      { A: 'a', URL: 'http://x.example' },
    )
    expect(integrations.size).toBe(2)
    expect(
      load('route: { receiver: ${A}, group_by: [${A}, ${B:-x, y}] }\nreceivers: [{ name: é \uf06a }]\n', {
        A: 'é \uf06a',
      }).route,
    ).toMatchObject({
      receiver: 'é \uf06a',
      groupBy: ['é \uf06a', 'x, y'],
    })
  })

  test('a value is never YAML, and never in an error', () => {
    expect(problems(file('${A}'), { A: 's3cret: [x' })).toEqual([
      '2:51 receivers.0.webhook_configs.0.url: is not a URL: its scheme is neither http nor https; write it as https://host/path',
    ])
  })
})

describe('included files', () => {
  const main = `include: [teams/*.yml]\n${table}`
  test('each holds its teams', () => {
    const { integrations } = load({
      'tocsin.yml': main,
      'teams/a.yml': 'teams: { a: { default: true, slack: "http://a.example" } }\n',
      'teams/b.yml': 'teams: { b: { slack: "http://b.example" } }\n',
    })
    expect([...integrations.keys()]).toEqual([
      'a/critical/slack/0',
      'a/info/slack/0',
      'b/critical/slack/0',
      'b/info/slack/0',
    ])
  })

  test('a mistake is told with its own file', () => {
    expect(
      problems({ 'tocsin.yml': main, 'teams/b.yml': 'teams: { b: { slack: "http://b.example", emial: x } }\n' }),
    ).toEqual(['teams/b.yml1:42 teams.b.emial: unknown key "emial"; did you mean "email"?'])
    expect(problems({ 'tocsin.yml': main, 'teams/b.yml': 'teams: { a: {} }\n' }).join()).toMatch(
      /team "a" stands in .*teams\/a\.yml:1 already/,
    )
  })
})

test("the file's own routes come before the table's", () => {
  const { route } = load(`${table}
teams: { a: { slack: "http://a.example" } }
route:
  routes: [{ receiver: audit, matchers: [audit=yes], continue: true }]
receivers: [{ name: audit }]
`)
  expect(
    matchRoutes(
      route,
      new Map([
        ['audit', 'yes'],
        ['severity', 'critical'],
      ]),
    ).map(({ receiver }) => receiver),
  ).toEqual(['audit', 'a/critical'])
})

test('one severity takes no times from another', () => {
  const { route } = load(`
severities:
  critical: { notify: [slack] }
  info: { notify: [slack], group_wait: 7s, default: true }
teams:
  a: { default: true, slack: "http://a.example" }
  b: { severities: { critical: { repeat_interval: 9h } } }
`)
  const [found] = matchRoutes(
    route,
    new Map([
      ['team', 'b'],
      ['severity', 'critical'],
    ]),
  )
  expect(found).toMatchObject({ groupWait: 30_000, repeatInterval: 9 * 3_600_000 })
  expect(matchRoutes(route, new Map([['team', 'b']]))[0]).toMatchObject({ receiver: 'b/info', groupWait: 7000 })
})

test('global settings fill what an entry lacks, and nothing it has', () => {
  expect(
    problems(`
global: { slack_api_url: "https://hooks.slack.com/x" }
route: { receiver: ops }
receivers: [{ name: ops, slack_configs: [{ channel: "#a" }, { api_url_file: /run/secrets/slack }] }]
`),
  ).toEqual([])
})

test('a setting given both ways is refused', () => {
  const both =
    'route: { receiver: ops }\nreceivers: [{ name: ops, webhook_configs: [{ url: "http://x.example", url_file: /x }] }]\n'
  expect(problems(both)).toEqual([
    '2:81 receivers.0.webhook_configs.0.url_file: cannot stand beside url; keep one of them',
  ])
})

describe('the table of the design, with nothing else', () => {
  const design = `
severities:
  critical: { notify: [pagerduty, slack], incident: true }
  warning:  { notify: [slack, email] }
  info:     { notify: [email] }
teams:
  platform: { default: true, slack: \${SLACK_PLATFORM_WEBHOOK}, pagerduty: \${PD_PLATFORM_KEY}, email: platform@example.com }
  quant:    { slack: \${SLACK_QUANT_WEBHOOK}, sms: ["+61400000000"], severities: { critical: { notify: [pagerduty, slack, sms] } } }
`
  test.each([
    ['a URL', 'receivers: [{ name: ops, webhook_configs: [{ url: "${KEY}" }] }]'],
    ['a name', 'receivers: [{ name: ops }, { name: "${KEY}" }, { name: "${KEY}" }]'],
    ['a duration', 'receivers: [{ name: ops }]\nglobal: { resolve_timeout: "${KEY}" }'],
    ['a matcher', 'receivers: [{ name: ops }]\ninhibit_rules: [{ source_matchers: ["${KEY}=="] }]'],
    ['a receiver that is none', 'receivers: [{ name: ops }]\nroute: { receiver: "x${KEY}" }'],
    ['a template', 'receivers: [{ name: ops, webhook_configs: [{ url: "https://x/{{ ${KEY} }}" }] }]'],
  ])('put in a place where its value is wrong, %s, it is not quoted', (_place, text) => {
    const config = text.includes('route:') ? text : `route: { receiver: ops }\n${text}`
    const found = problems(config, { KEY: 's3cret-value' })
    expect(found).not.toEqual([])
    expect(found.join('\n')).not.toContain('s3cret')
  })

  test('is enough for the sandbox', () => {
    const config = load(design, {}, true)
    expect(config.receivers.get('quant/critical')?.integrations.map(({ channel }) => channel)).toEqual([
      'pagerduty',
      'slack',
      'sms',
    ])
  })

  test('elsewhere it says what mail and SMS need', () => {
    const url = 'https://hooks.slack.com/x'
    const found = problems(design, {
      SLACK_PLATFORM_WEBHOOK: url,
      SLACK_QUANT_WEBHOOK: url,
      PD_PLATFORM_KEY: 'k',
    }).join('\n')
    expect(found).toContain('teams.platform.email.smarthost: is required; set it here, or smtp_smarthost in global')
    expect(found).toContain('teams.quant.sms.account_sid: is required; set it here, or twilio_account_sid in global')
  })
})

test('a template that does not parse is told at load', () => {
  const { warnings } = load(
    'route: { receiver: ops }\nreceivers: [{ name: ops, slack_configs: [{ api_url: "http://x.example", title: "{{ if }}" }] }]\n',
  )
  expect(warnings).toMatchObject([
    {
      line: 2,
      path: 'receivers.0.slack_configs.0.title',
      message: 'the template does not parse: template: :1: missing value for if',
    },
  ])
})

test('kinds that are not delivered yet load, and say so', () => {
  const { warnings } = load(
    'route: { receiver: ops }\nreceivers: [{ name: ops, discord_configs: [{ webhook_url: "http://x" }] }]\n',
  )
  expect(warnings).toMatchObject([
    {
      line: 2,
      path: 'receivers.0.discord_configs',
      message: 'Tocsin does not deliver there yet: nothing will be sent',
    },
  ])
})

test.each([
  ['reciever', 'receiver'],
  ['slakc', 'slack'],
  ['zzz', undefined],
])('the word nearest to %s is %s', (word, wanted) => {
  expect(nearest(word, ['receiver', 'slack', 'pagerduty'])).toBe(wanted)
})
