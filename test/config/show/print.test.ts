import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { parseDuration } from '../../../src/model/duration.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { channels } from '../../../src/notify/index.ts'
import { printConfig, toRouteSettings } from '../../../src/config/show/print.ts'
import { readSource } from '../../../src/config/read/source.ts'
import { matcher } from '../../../src/match/matcher.ts'
import { fileOf, load, problemsOf } from '../../helpers/config.ts'

const print = (yaml: string): string => printConfig(load(yaml).printable, 'Alertmanager')

const { vectors } = z
  .object({ vectors: z.array(z.object({ name: z.string(), yaml: z.string(), ok: z.boolean() })) })
  .parse(JSON.parse(readFileSync(new URL('../../vectors/config-vectors.json', import.meta.url), 'utf8')))

test.each(vectors.filter(({ ok }) => ok))('$name: the print loads, and prints the same again', ({ yaml }) => {
  const printed = print(yaml)
  expect(problemsOf(printed)).toEqual([])
  expect(print(printed)).toBe(printed)
})

const example = `
global:
  slack_app_token: s3cret
  slack_api_url: https://slack.com/api/chat.postMessage
  opsgenie_api_key: s3cret
  smtp_smarthost: mail:587
  smtp_from: a@b
  smtp_auth_password: s3cret
  http_config: { proxy_url: 'http://me:s3cret@proxy', bearer_token: s3cret }
  twilio_auth_token: s3cret
route:
  receiver: yes
  group_by: [007]
  routes:
    - { receiver: all, group_by: [], match: { a: }, matchers: [b=c], labels: { d: e } }
receivers:
  - name: yes
    sms_configs: [{ to: '+61400000000', from: '+61400000001', account_sid: AC1, auth_token: s3cret }]
  - name: all
    slack_configs:
      - { http_config: { tls_config: { cert: a, key: s3cret } } }
      - { api_url: http://hooks/s3cret, timestamp: true, title: "" }
    webhook_configs: [{ url: http://s3cret, payload: { a: [1.50, yes, 2026-01-01, x], on: 5 } }]
    opsgenie_configs: [{}]
    email_configs: [{ to: c@d }]
    pagerduty_configs: [{ routing_key: s3cret, client: me, details: { firing: x, more: { z: 1 } } }]
inhibit_rules: [{}]
`

test('defaults are filled in, secrets hidden, foreign keys left out', () => {
  const printed: unknown = parse(print(example), { version: '1.1' })
  const httpConfig = {
    follow_redirects: true,
    enable_http2: true,
    proxy_url: 'http://me:xxxxx@proxy',
    authorization: { type: 'Bearer', credentials: '<secret>' },
  }
  const byDefault = Object.fromEntries(
    ['title_link', 'pretext', 'text', 'footer', 'fallback', 'callback_id', 'icon_emoji', 'icon_url'].map((key) => [
      key,
      `{{ template "slack.default.${key.replace('_', '')}" . }}`,
    ]),
  )
  const slack = {
    send_resolved: false,
    username: '{{ template "slack.default.username" . }}',
    color: '{{ template "slack.default.color" . }}',
    ...byDefault,
    short_fields: false,
    link_names: false,
  }
  expect(printed).toMatchObject({
    global: {
      resolve_timeout: '5m',
      slack_app_token: '<secret>',
      opsgenie_api_key: '<secret>',
      smtp_hello: 'localhost',
      smtp_require_tls: true,
      smtp_auth_password: '<secret>',
      http_config: httpConfig,
    },
    route: {
      receiver: 'yes',
      group_by: ['007'],
      continue: false,
      routes: [{ receiver: 'all', group_by: [], match: { a: '' }, matchers: ['b="c"'], continue: false }],
    },
    receivers: [
      { name: 'yes' },
      {
        name: 'all',
        slack_configs: [
          {
            ...slack,
            app_token: '<secret>',
            title: '{{ template "slack.default.title" . }}',
            http_config: { tls_config: { cert: 'a', key: '<secret>', insecure_skip_verify: false } },
          },
          { ...slack, api_url: '<secret>', title: '' },
        ],
        webhook_configs: [{ url: 'http://<secret>', max_alerts: 0, http_config: httpConfig }],
        opsgenie_configs: [{ api_key: '<secret>', api_url: 'https://api.opsgenie.com/', http_config: httpConfig }],
        email_configs: [{ to: 'c@d', from: 'a@b', smarthost: 'mail:587', auth_password: '<secret>' }],
        pagerduty_configs: [{ client: 'me', details: { firing: 'x', more: { z: 1 }, num_firing: expect.any(String) } }],
      },
    ],
    inhibit_rules: [{}],
    templates: [],
  })
  const text = print(example)
  expect(text).toContain('payload:\n          a:\n            - 1.5\n            - true\n            - "2026-01-01"\n')
  for (const foreign of ['s3cret', 'twilio', 'sms_configs', 'timestamp', 'slack_api_url', 'd: e'])
    expect(text).not.toContain(foreign)
})

test('what a file does not say of settings that Alertmanager 0.25 lacks is not printed: its amtool would refuse it', () => {
  const text = print(example)
  for (const key of ['app_url', 'update_message', 'timeout: 0s', 'url_file', 'labels:', 'smtp_tls_config'])
    expect(text).not.toContain(key)
  const asked = print(`
route: { receiver: r }
receivers: [{ name: r, labels: { tier: 1 }, webhook_configs: [{ url: 'http://x', timeout: 5s }] }]`)
  expect(parse(asked)).toMatchObject({
    receivers: [{ name: 'r', labels: { name: 'r', tier: '1' }, webhook_configs: [{ timeout: '5s' }] }],
  })
})

test('what the print means is what the original means', () => {
  const yaml = example.replace(/ {2}slack_api_url.*\n/, '').replace(', labels: { d: e }', '')
  const [original, printed] = [load(yaml), load(print(yaml))]
  expect(JSON.stringify(printed.route)).toBe(JSON.stringify(original.route))
})

test.each([
  'yes',
  '007',
  '1e3',
  '2026-01-01',
  '12:30',
  '~',
  '',
  ' a',
  'a\n\tb',
  '\n\n',
  'a: b',
  '# a',
  '<<',
  '=',
  'é😀',
  'a\u2028b\u0085c',
  '\u0007',
  '- a\n- b\n',
  '"\'\\',
])('the text %j stays what it is', (text) => {
  const config = {
    global: {},
    route: { receiver: 'r' },
    receivers: [
      { name: 'r', labels: {}, integrations: new Map([['webhook_configs', [{ url: 'http://x', payload: [text] }]]]) },
    ],
  }
  const printed: unknown = parse(printConfig(config, 'Alertmanager'), { version: '1.1' })
  expect(printed).toMatchObject({ receivers: [{ webhook_configs: [{ payload: [text] }] }] })
  const source = readSource(fileOf(printConfig(config, 'Alertmanager')), { env: {}, sandbox: false })
  expect(source.problems).toEqual([])
  expect(source.value).toMatchObject({ receivers: [{ webhook_configs: [{ payload: [text] }] }] })
})

test('a compiled route is printed in the keys of the file', () => {
  const child = {
    matchers: [],
    continue: false,
    muteTimeIntervals: [],
    activeTimeIntervals: [],
    routes: [],
    labels: new Map(),
  }
  expect(
    toRouteSettings({
      ...child,
      receiver: 'r',
      groupBy: 'all',
      groupWait: parseDuration('90s') ?? 0,
      matchers: [matcher('team', 'a"b', { isRegex: false, isEqual: true })],
      muteTimeIntervals: ['night'],
      routes: [{ ...child, groupBy: [] }],
    }),
  ).toMatchObject({
    receiver: 'r',
    group_by: ['...'],
    group_wait: '1m30s',
    matchers: [String.raw`team="a\"b"`],
    mute_time_intervals: ['night'],
    routes: [{ group_by: [] }],
  })
})

test('values of variables are not shown, but where a name, a matcher or a URL is made of them', () => {
  const env = {
    HEADER: 'Basic s3cret',
    USER: 's3cret-user',
    PAYLOAD: 's3cret-key',
    HOST: 'hooks.example.com',
    TEAM: 'database',
  }
  const file = fileOf(`
route: { receiver: ops, routes: [{ matchers: ['team="\${TEAM}"'] }] }
global: { smtp_auth_username: "\${USER}", opsgenie_api_url: "https://\${HOST}/", smtp_from: "a@\${HOST:-x}" }
receivers:
  - name: ops
    webhook_configs:
      - url: https://\${HOST}/x
        payload: { key: "a \${PAYLOAD}", text: '{{ reReplaceAll "(?P<host>.*)" "\${host}" .Receiver }}' }
        http_config: { http_headers: { X: { values: ["\${HEADER}"] } } }
`)
  const config = loadConfig(file, { env, sandbox: false, channels })
  for (const reader of ['Alertmanager', 'Tocsin'] as const) {
    const printed = printConfig(config.printable, reader)
    expect(printed).not.toContain('s3cret')
    for (const kept of [
      'a ${PAYLOAD}',
      '${HEADER}',
      '${USER}',
      'team="database"',
      'https://hooks.example.com/',
      '"${host}"',
    ])
      expect(printed).toContain(kept)
    const again = loadConfig(fileOf(printed), { env, sandbox: false, channels })
    expect(printConfig(again.printable, reader)).toBe(printed)
  }
})
