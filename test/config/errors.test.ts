import { describe, expect, test } from 'vitest'
import { load, problemsOf } from '../helpers/config.ts'

const plain = 'route: { receiver: r }\nreceivers: [{ name: r }]\n'
const receiver = (rest: string) => `route: { receiver: r }\nreceivers: [{ name: r, ${rest} }]\n`

describe('an unknown key is held against the keys of its own place', () => {
  test.each([
    ['recievers: []', 'recievers', 'receivers'],
    ['global: { \u00a0smtp_from: x }', '\\u00a0smtp_from', 'smtp_from'],
    ['global: { smtp_form: x }', 'smtp_form', 'smtp_from'],
    ['global: { http_config: { proxi_url: x } }', 'proxi_url', 'proxy_url'],
    ['global: { http_config: { tls_config: { ca_fil: x } } }', 'ca_fil', 'ca_file'],
    ['global: { http_config: { oauth2: { client_id: a, token_url: b, scope: [] } } }', 'scope', 'scopes'],
    ['global: { http_config: { oauth2: { client_id: a, token_url: b, tls_config: { kee: x } } } }', 'kee', 'key'],
    ['global: { http_config: { http_headers: { A: { value: [x] } } } }', 'value', 'values'],
    ['time_intervals: [{ name: a, time_intervals: [{ weekday: [monday] }] }]', 'weekday', 'weekdays'],
    ['time_intervals: [{ name: a, time_intervals: [{ times: [{ start: x }] }] }]', 'start', 'start_time'],
    ['inhibit_rules: [{ source_matcher: [] }]', 'source_matcher', 'source_matchers'],
    ['tracing: { endpoint: a, tls_config: { certfile: x } }', 'certfile', 'cert_file'],
    ['event_recorder: { file_outputs: [{ pathh: x }] }', 'pathh', 'path'],
    ['severities: { critical: { notfy: [] } }', 'notfy', 'notify'],
    ['incidents: { reopen_with: 5m }', 'reopen_with', 'reopen_within'],
  ])('%s', (yaml, wrong, right) => {
    expect(problemsOf(`${yaml}\n${plain}`).join('\n')).toContain(`unknown key "${wrong}"; did you mean "${right}"?`)
  })

  test.each([
    ['slack_confgs: []', 'slack_confgs', 'slack_configs'],
    ['slack_configs: [{ api_url: http://x, chanel: x }]', 'chanel', 'channel'],
    ['slack_configs: [{ api_url: http://x, fields: [{ title: a, vlue: b }] }]', 'vlue', 'value'],
    ['slack_configs: [{ api_url: http://x, actions: [{ typ: a, text: b, url: c }] }]', 'typ', 'type'],
    [
      'slack_configs: [{ api_url: http://x, actions: [{ type: a, text: b, url: c, confirm: { txt: x } }] }]',
      'txt',
      'text',
    ],
    ['slack_configs: [{ api_url: http://x, http_config: { basic_auth: { user: x } } }]', 'user', 'username'],
    ['pagerduty_configs: [{ routing_key: x, images: [{ scr: x }] }]', 'scr', 'src'],
    ['pagerduty_configs: [{ routing_key: x, links: [{ herf: x }] }]', 'herf', 'href'],
    ['email_configs: [{ to: a, from: b, smarthost: "c:1", treading: {} }]', 'treading', 'threading'],
    ['email_configs: [{ to: a, from: b, smarthost: "c:1", threading: { enable: yes } }]', 'enable', 'enabled'],
    ['webhook_configs: [{ url: http://x, maxalerts: 5 }]', 'maxalerts', 'max_alerts'],
    ['webhook_configs: [{ url: http://x, http_config: { authorization: { cred: x } } }]', 'cred', 'credentials'],
    ['sms_configs: [{ to: "+61400000000", txt: x }]', 'txt', 'text'],
    ['opsgenie_configs: [{ api_key: x, responders: [{ idd: x, type: team }] }]', 'idd', 'id'],
    [
      'jira_configs: [{ api_url: http://x, project: a, issue_type: b, summary: { templat: x } }]',
      'templat',
      'template',
    ],
    ['telegram_configs: [{ bot_token: a, chatid: 5 }]', 'chatid', 'chat_id'],
    ['mattermost_configs: [{ webhook_url: http://x, attachments: [{ fotter: x }] }]', 'fotter', 'footer'],
    ['mattermost_configs: [{ webhook_url: http://x, props: { cart: x } }]', 'cart', 'card'],
    ['rocketchat_configs: [{ token: a, token_id: b, actions: [{ mgs: x }] }]', 'mgs', 'msg'],
    ['sns_configs: [{ topic_arn: a, sigv4: { regoin: x } }]', 'regoin', 'region'],
    ['discord_configs: [{ webhook_url: http://x, avatar: x }]', 'avatar', 'avatar_url'],
    ['incidentio_configs: [{ url: http://x, urlfile: x }]', 'urlfile', 'url_file'],
    ['msteams_configs: [{ webhook_url: http://x, sumary: x }]', 'sumary', 'summary'],
    ['msteamsv2_configs: [{ webhook_url: http://x, titel: x }]', 'titel', 'title'],
    ['pushover_configs: [{ user_key: a, token: b, devise: x }]', 'devise', 'device'],
    ['victorops_configs: [{ api_key: a, routing_key: b, message_typ: x }]', 'message_typ', 'message_type'],
    ['webex_configs: [{ room: x, http_config: { authorization: {} } }]', 'room', 'room_id'],
    ['wechat_configs: [{ api_secret: a, corpid: b }]', 'corpid', 'corp_id'],
  ])('%s', (rest, wrong, right) => {
    const found = problemsOf(receiver(rest)).join('\n')
    expect(found).toContain(`unknown key "${wrong}"; did you mean "${right}"?`)
  })
})

test('everything that is wrong is said at once, each with its place', () => {
  const found = problemsOf(`
global:
  smtp_smarthost: nowhere
route:
  receiver: nobody
  group_wait: 5 minutes
  routes:
    - receiver: opps
      mute_time_intervals: [never]
      matchers: [a=]
    - group_bye: [a]
      match_re: { a: '(' }
receivers:
  - name: ops
    slack_configs:
      - channel: '#a'
    webhook_configs:
      - url: here
        max_alerts: '5'
inhibit_rules:
  - equal: ['']
time_intervals:
  - name: night
    time_intervals: [{ location: Nowhere }]
`)
  expect(found.map((one) => one.slice(0, one.indexOf(': ')))).toEqual([
    '3:19 global.smtp_smarthost',
    '5:13 route.receiver',
    '6:15 route.group_wait',
    '8:17 route.routes.0.receiver',
    '9:29 route.routes.0.mute_time_intervals.0',
    '11:7 route.routes.1.group_bye',
    '12:22 route.routes.1.match_re.a',
    '16:9 receivers.0.slack_configs.0.api_url',
    '18:14 receivers.0.webhook_configs.0.url',
    '19:21 receivers.0.webhook_configs.0.max_alerts',
    '21:13 inhibit_rules.0.equal.0',
    '24:34 time_intervals.0.time_intervals.0.location',
  ])
})

test.each([
  ['a: [b', 'a bracket or brace before this is not closed: ] is missing'],
  ['a: "b\nc: d\n', '1:4 : missing closing "quote'],
  ['a: b: c', 'put a text that holds ": " in quotes'],
  ['a: "\\d"', 'a backslash in double quotes begins an escape'],
  ['a:\n\t- b', 'a tab cannot indent; use spaces'],
  ['a: @b', 'an unquoted text cannot begin with this character'],
  ['a:\n  b: 1\n c: 2', 'the indentation does not fit'],
  ['route: { receiver: a }\nroute: {}', '2:1 route: key "route" stands in line 1 already'],
  ['a: &b { c: *b }', '1:12 a.c.c: this alias stands in what it means'],
  ['a: *b', 'there is no anchor of this name before; put a text that begins with * in quotes'],
])('what is no YAML is explained: %j', (yaml, wanted) => {
  expect(problemsOf(yaml).join('\n')).toContain(wanted)
})

const SECRET = 's3cr3t'
test.each([
  `global: { smtp_auth_password: [${SECRET}] }\n${plain}`,
  `global: { smtp_auth_password: *${SECRET} }\n${plain}`,
  `global: { smtp_auth_password: @${SECRET} }\n${plain}`,
  `global: { smtp_auth_password: "\\q${SECRET}" }\n${plain}`,
  `global: { smtp_auth_password: "${SECRET} }\n${plain}`,
  `global: { smtp_auth_password: ${SECRET}: x }\n${plain}`,
  `global:\n  smtp_auth_password: x\n ]${SECRET}\n${plain}`,
  `global: { slack_api_url: ${SECRET} }\n${plain}`,
  `global: { slack_api_url: 'http://x/${SECRET} y:%zz' }\n${plain}`,
  `global: { opsgenie_api_url: 'htp://user:${SECRET}@host' }\n${plain}`,
  `global: { http_config: { proxy_url: 'http://user:${SECRET}@ho st' } }\n${plain}`,
  `global: { opsgenie_api_url: 'http://user:${SECRET}/pw@host' }\n${plain}`,
  `global: { opsgenie_api_url: 'htp://host/a@${SECRET}' }\n${plain}`,
  `global: { opsgenie_api_url: 'htp://host?token=${SECRET}' }\n${plain}`,
  `global: { opsgenie_api_url: 'htp://host/${SECRET}' }\n${plain}`,
  `global: { opsgenie_api_url: 'htp://host#${SECRET}' }\n${plain}`,
  `global: { opsgenie_api_url: 'http://host:${SECRET}' }\n${plain}`,
  `global: { opsgenie_api_url: ${SECRET} }\n${plain}`,
  receiver(`webhook_configs: [{ url: 'x://${SECRET}' }]`),
  receiver(`webhook_configs: [{ url: '{{ ${SECRET} }}' }]`),
  receiver(`pagerduty_configs: [{ routing_key: ${SECRET}, service_key: [${SECRET}] }]`),
  receiver(`telegram_configs: [{ bot_token: ${SECRET}, bot_token_file: x }]`),
  receiver(`discord_configs: [{ webhook_url: ${SECRET} }]`),
  receiver(`slack_configs: [{ api_url: 'http://x', http_config: { http_headers: { A: { secrets: ${SECRET} } } } }]`),
])('no error holds a secret: %j', (yaml) => {
  const found = problemsOf(yaml)
  expect(found).not.toEqual([])
  expect(found.join('\n')).not.toContain(SECRET)
})

describe('what is of another kind is told with both kinds, and without its text', () => {
  const withoutPlace = (problem: string) => problem.replace(/^\S+ /, '')
  const map = 'must be a map of keys and values'
  test.each([
    ['route: { receiver: [a] }', 'route.receiver: must be a text, not a list'],
    [`global: []\n${plain}`, `global: ${map}, not a list`],
    [`templates: x\n${plain}`, 'templates: must be a list, not a text'],
    [`global: { smtp_smarthost: [a] }\n${plain}`, 'global.smtp_smarthost: must be a text, not a list'],
    [
      `global: { smtp_smarthost: nowhere }\n${plain}`,
      'global.smtp_smarthost: "nowhere" is not host:port; write it as smtp.example.com:587',
    ],
    [receiver('webhook_configs: [{ url: [x] }]'), 'receivers.0.webhook_configs.0.url: must be a text, not a list'],
    [
      receiver('email_configs: [{ to: a, from: b, smarthost: "c:1", headers: [a] }]'),
      `receivers.0.email_configs.0.headers: ${map}, not a list`,
    ],
    [
      receiver('webhook_configs: [{ url: http://x, http_config: 5 }]'),
      `receivers.0.webhook_configs.0.http_config: ${map}, not a number`,
    ],
    [receiver('webhook_configs: [5]'), `receivers.0.webhook_configs.0: ${map}, not a number`],
    [
      receiver('slack_configs: [{ api_url: http://x, fields: [yes] }]'),
      `receivers.0.slack_configs.0.fields.0: ${map}, not a boolean`,
    ],
    [receiver('opsgenie_configs: [5]'), `receivers.0.opsgenie_configs.0: ${map}, not a number`],
    [`incidents: 5\n${plain}`, `incidents: ${map}, not a number`],
    [`tracing: 5\n${plain}`, `tracing: ${map}, not a number`],
    [`inhibit_rules: [yes]\n${plain}`, `inhibit_rules.0: ${map}, not a boolean`],
    [`severities: 5\n${plain}`, `severities: ${map}, not a number`],
    [`teams: x\n${plain}`, 'teams: must be a map of team names, not a text'],
    [`receivers: 5\nroute: { receiver: r }`, 'receivers: must be a list, not a number'],
    ['route: { receiver: r, routes: [1] }\nreceivers: [{ name: r }]', `route.routes.0: ${map}, not a number`],
    ['route: { receiver: r, match: [a] }\nreceivers: [{ name: r }]', `route.match: ${map}, not a list`],
  ])('%s', (yaml, wanted) => expect(problemsOf(yaml).map(withoutPlace)).toEqual([wanted]))

  test.each(['incidents: 5', 'tracing: {}', 'inhibit_rules: [yes]', 'severities: { low: { notify: 5 } }'])(
    'and hides nothing else that is wrong: %s',
    (wrong) => {
      const rest = 'route: { receiver: q }\nreceivers: [{ name: r }]\nteams: { a: { x: 1 } }\n'
      expect(problemsOf(`${wrong}\n${rest}`)).toEqual([
        expect.stringMatching(/^1:/),
        '2:20 route.receiver: there is no receiver "q"; did you mean "r"?',
        '4:15 teams.a.x: unknown key "x"; known: default, fallback, severities, slack, pagerduty, email, sms, webhook',
      ])
    },
  )
})

describe('what stands in braces', () => {
  const bad = `'${SECRET}{{ ${SECRET}' `
  const warningsOf = (rest: string) => load(receiver(rest)).warnings.map(({ path, message }) => `${path}: ${message}`)
  const email = 'to: a@b, from: b@c, smarthost: "c:1"'

  test.each([
    `email_configs: [{ ${email}, auth_username: u, auth_password: ${bad} }]`,
    `email_configs: [{ ${email}, auth_username: ${bad}, auth_identity: ${bad}, auth_secret: ${bad}, hello: ${bad} }]`,
    `webhook_configs: [{ url: http://x, http_config: { bearer_token: ${bad} } }]`,
    `webhook_configs: [{ url: http://x, http_config: { authorization: { credentials: ${bad} } } }]`,
    `webhook_configs: [{ url_file: ${bad} }]`,
    `sms_configs: [{ to: "+61400000000", account_sid: AC1, from: x, auth_token: ${bad} }]`,
  ])('is no template in %s', (rest) => expect(warningsOf(rest).join('\n')).not.toContain('template'))

  test.each([
    [`pagerduty_configs: [{ routing_key: ${bad} }]`, 'pagerduty_configs.0.routing_key'],
    [`opsgenie_configs: [{ api_key: ${bad} }]`, 'opsgenie_configs.0.api_key'],
    [`pushover_configs: [{ user_key: a, token: ${bad} }]`, 'pushover_configs.0.token'],
  ])('is told of, and not shown, in %s', (rest, path) => {
    const warnings = warningsOf(rest)
    expect(warnings).toContain(
      `receivers.0.${path}: the template does not parse or render; it is secret, and not shown`,
    )
    expect(warnings.join('\n')).not.toContain(SECRET)
  })

  test('is shown elsewhere', () => {
    const rest = "slack_configs: [{ api_url: http://x, text: '{{ oops' }]"
    expect(warningsOf(rest).join('\n')).toMatch(/slack_configs\.0\.text: the template does not parse: .*oops/)
  })

  test('a template that fails when it is tried is not shown where it is secret', () => {
    const { fields } = load(receiver(`webhook_configs: [{ url: 'http://x/{{ .${SECRET} }}' }]`))
    expect(fields.map(({ problem }) => problem(`fails at ${SECRET}`).message).join()).not.toContain(SECRET)
    expect(fields).toHaveLength(1)
  })
})

test.each([
  ['htp://host/a?token=b', '"htp://host/…" is not a URL: its scheme is neither http nor https'],
  ['htp://host:80', '"htp://host:80" is not a URL: its scheme is neither http nor https'],
  ['http://us er@host/', '"http://…" is not a URL: its user or password is not escaped'],
  ['host/a', 'is not a URL: it has no scheme'],
])('of a URL no more than its scheme and host is quoted: %s', (url, wanted) => {
  expect(problemsOf(`global: { opsgenie_api_url: '${url}' }\n${plain}`)).toEqual([
    `1:29 global.opsgenie_api_url: ${wanted}; write it as https://host/path`,
  ])
})

test.each([
  ['http_config: { proxi_url: x }', 'global.http_config.proxi_url'],
  ['http_config: { tls_config: { min_version: a } }', 'global.http_config.tls_config.min_version'],
  ['smtp_smarthost: nowhere', 'global.smtp_smarthost'],
  ['slack_api_url: x', 'global.slack_api_url'],
])('what is wrong in global is told there, and not at those who inherit it: %s', (wrong, path) => {
  const found = problemsOf(`global: { ${wrong}, smtp_from: a@b }
route: { receiver: a }
receivers:
- { name: a, webhook_configs: [{ url: http://x }, { url: http://y }], slack_configs: [{ channel: x }] }
- { name: b, opsgenie_configs: [{ api_key: x }], email_configs: [{ to: a@b }], webhook_configs: [{ url: bad }] }
`)
  const own = ['receivers.1.webhook_configs.0.url']
  if (!wrong.startsWith('slack')) own.unshift('receivers.0.slack_configs.0.api_url')
  if (!wrong.startsWith('smtp')) own.splice(-1, 0, 'receivers.1.email_configs.0.smarthost')
  expect(found.map((problem) => problem.replace(/^\S+ (\S+):.*/, '$1'))).toEqual([path, ...own])
})

test('an entry that has its own is told of its own', () => {
  const entry = '{ url: http://x, http_config: { proxi_url: x } }'
  const found = problemsOf(`global: { http_config: { proxi_url: x } }\n${receiver(`webhook_configs: [${entry}]`)}`)
  expect(found).toHaveLength(2)
})

test('what is wrong deep in a list hides nothing else', () => {
  const found = problemsOf(`route: { receiver: slak, matchers: [a=b] }
receivers: [{ name: slack }]
time_intervals:
  - name: night
    time_intervals: [{ weekdays: ['saturday:funday'], times: [{ start_time: '25:00', end_time: '9:00' }] }]
`)
  expect(found.map((one) => one.slice(0, one.indexOf(': ')))).toEqual([
    '1:20 route.receiver',
    '1:36 route.matchers',
    '5:35 time_intervals.0.time_intervals.0.weekdays.0',
    '5:63 time_intervals.0.time_intervals.0.times.0',
  ])
})

test('what a broken table would have made is no mistake of the tree', () => {
  const found = problemsOf(`severities: { critical: { notify: [webhook] } }
teams: { core: { webhoook: 'https://hooks.example.com/x' } }
route: { group_by: [team], routes: [{ matchers: [a=b], receiver: core/critical }] }
`)
  expect(found).toEqual([expect.stringMatching(/^2:18 teams\.core\.webhoook: /)])
})

const noRoute = 'no route: the file needs route: with a receiver, or severities: and teams:'
test.each([
  ['teams: {}', `1:1 : ${noRoute}`],
  ['severities: {}', `1:1 : ${noRoute}`],
  ['severities: {}\nteams: {}', `1:1 : ${noRoute}`],
  ['teams: {}\nroute: {}', '2:1 route.receiver: the root route needs a receiver'],
])('an empty table makes no route: %j', (yaml, wanted) => expect(problemsOf(yaml)).toEqual([wanted]))
