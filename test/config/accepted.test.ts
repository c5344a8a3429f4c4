import { expect, test } from 'vitest'
import { load, problemsOf } from '../helpers/config.ts'

const receiver = (rest: string) => `route: { receiver: r }\nreceivers: [{ name: r, ${rest} }]\n`
const httpConfig = (rest: string) => `global: { http_config: { ${rest} } }\n${receiver('')}`
const route = (rest: string) => `route: { receiver: r, routes: [{ ${rest} }] }\nreceivers: [{ name: r }]\n`
const plain = receiver('')

// Alertmanager 0.33.1's verdicts, from comparing mutated files with it.
test.each<[what: string, yaml: string, isOk: boolean]>([
  ['no text behind the first document counts', `${plain}---\n: [`, true],
  ['nor behind its end', `${plain}...\nfoo`, true],
  ['what follows it without a mark does', `route: { receiver: r }\nreceivers:\n  - name: r\n ]  x:\n`, false],
  ['a document that is empty is the first, too', `---\n---\n${plain}`, false],
  ['YAML 1.1 may be declared', `%YAML 1.1\n---\n${plain}`, true],
  ['YAML 1.2 may not', `%YAML 1.2\n---\n${plain}`, false],
  ['an unknown directive', `%FOO bar\n---\n${plain}`, false],
  ['marks of byte order at the start of lines', `\ufeffroute: { receiver: r }\n\ufeffreceivers: [{ name: r }]`, true],
  ['a quoted text that goes on at the left', receiver("slack_configs: [{ api_url: 'http://x', title: 'a\nb' }]"), true],
  ['brackets that go on at the left', 'route: {\nreceiver: r,\ngroup_by: [a,\nb]}\nreceivers: [\n{name: r}\n]', true],
  [
    'one line of JSON with many keys',
    JSON.stringify({
      route: { receiver: 'r', routes: Array.from({ length: 99 }, (_, i) => ({ match: { a: String(i) } })) },
      receivers: [{ name: 'r' }],
    }).replaceAll(':', ': '),
    true,
  ],
  ['a question mark between brackets', receiver('webhook_configs: [{ url: http://x/?a }]'), false],
  ['the same in quotes', receiver("webhook_configs: [{ url: 'http://x/?a' }]"), true],
  ['a colon that touches a brace', receiver('webhook_configs: [{ url: http://x, url_file:}]'), false],
  ['a tag that touches a bracket', receiver('webhook_configs: [{ url: http://x, url_file: !!str}]'), false],

  ['a merge of a text', 'route: { receiver: r, <<: x }\nreceivers: [{ name: r }]', false],
  ['a merge of nothing', 'route: { receiver: r, <<: }\nreceivers: [{ name: r }]', false],
  ['a quoted << is a key', 'route: { receiver: r, "<<": {} }\nreceivers: [{ name: r }]', false],
  ['two merges', 'route: { <<: { receiver: r }, <<: { group_wait: 1s } }\nreceivers: [{ name: r }]', true],
  ['a label both written and merged', route('match: { a: b, <<: { a: c } }'), false],
  ['maps of labels in two merged routes', route('<<: { match: { a: b } }, match: { a: c }'), false],
  ['a receiver both written and merged', 'route: { <<: { receiver: x }, receiver: r }\nreceivers: [{ name: r }]', true],
  ['an alias as a key', 'route: { &k receiver : r, routes: [{ *k : r }] }\nreceivers: [{ name: r }]', true],

  ['!!int', receiver('webhook_configs: [{ url: http://x, max_alerts: !!int "5" }]'), true],
  ['!!int that is none', receiver('webhook_configs: [{ url: http://x, max_alerts: !!int x }]'), false],
  ['!!bool', receiver('webhook_configs: [{ url: http://x, send_resolved: !!bool "yes" }]'), true],
  ['!!null', route('group_wait: !!null ""'), true],
  ['!!str', receiver('webhook_configs: [{ url: http://x, max_alerts: !!str 5 }]'), false],
  ['!!binary', 'route: { receiver: !!binary aGVsbG8= }\nreceivers: [{ name: hello }]', true],
  ['!!binary that is none', 'route: { receiver: !!binary "%%" }\nreceivers: [{ name: r }]', false],
  ['a tag of its own', 'route: { receiver: !x r }\nreceivers: [{ name: r }]', true],

  ['an empty URL', `global: { jira_api_url: '' }\n${plain}`, false],
  ['an empty URL beside a token', receiver("slack_configs: [{ api_url: '', app_token: x }]"), false],
  [
    'Slack: a token, and a client that brings another',
    `global: { http_config: { bearer_token: x } }\n${receiver('slack_configs: [{ app_token: x }]')}`,
    false,
  ],
  [
    'Slack: a client with a token, but nowhere to send to',
    receiver('slack_configs: [{ http_config: { bearer_token: x } }]'),
    false,
  ],
  [
    'Slack: a URL and a token in global that go together',
    `global: { slack_app_token: x, slack_api_url: 'https://slack.com/api/chat.postMessage' }\n${receiver('slack_configs: [{}, { http_config: { bearer_token: x } }]')}`,
    true,
  ],
  [
    'Slack: messages that change, by a token of its own',
    receiver('slack_configs: [{ app_token: x, update_message: true }]'),
    false,
  ],
  [
    'Webex: an old form of authorization',
    receiver('webex_configs: [{ room_id: x, http_config: { bearer_token: x } }]'),
    true,
  ],
  ['an unknown key with nothing behind it', receiver('opsgenie_configs: [{ api_key: x, nope: }]'), false],
  [
    'an empty address, which global gives',
    `global: { smtp_from: a, smtp_smarthost: 'a:1' }\n${receiver("email_configs: [{ to: a, from: '' }]")}`,
    true,
  ],
  ['a proxy of another scheme', httpConfig('proxy_url: socks5://x'), true],
  ['a proxy that is no URL', httpConfig('proxy_url: 1:30'), false],
  ['no_proxy beside an empty proxy_url', httpConfig("proxy_url: '', no_proxy: x"), true],
  ['another grant type', httpConfig('oauth2: { client_id: a, token_url: b, grant_type: c }'), true],
  [
    'a certificate key twice, not in use',
    httpConfig('oauth2: { client_id: a, token_url: b, client_certificate_key: c, client_certificate_key_file: d }'),
    true,
  ],
  ['an external id without a role', receiver('sns_configs: [{ topic_arn: a, sigv4: { external_id: x } }]'), false],
  [
    'an empty kind of Jira',
    receiver("jira_configs: [{ api_url: http://x, project: a, issue_type: b, api_type: '' }]"),
    false,
  ],
  ['another priority', receiver('mattermost_configs: [{ webhook_url: http://x, priority: { priority: x } }]'), true],
  ['incident.io without a token', receiver('incidentio_configs: [{ url: http://x }]'), true],
  [
    'incident.io without a token, with a client',
    receiver('incidentio_configs: [{ url: http://x, http_config: {} }]'),
    false,
  ],
  [
    'keys of a Rocket.Chat action',
    receiver('rocketchat_configs: [{ token: a, token_id: b, actions: [{ imageurl: x, iswebview: yes }] }]'),
    true,
  ],
  ['an empty image', receiver('pagerduty_configs: [{ routing_key: k, images: [null], links: [null] }]'), true],
  ['64 bits', receiver('webhook_configs: [{ url: http://x, max_alerts: 9223372036854775807 }]'), true],
  ['more than 64 bits', receiver('webhook_configs: [{ url: http://x, timeout: 999999999999999999999 }]'), false],
  ['an empty kind of client', `tracing: { endpoint: a, client_type: '' }\n${plain}`, false],
  ['a timeout that is none', `tracing: { endpoint: a, timeout: x }\n${plain}`, false],
  ['outputs of events', `event_recorder: { file_outputs: [{ path: x }], kafka_outputs: [{}] }\n${plain}`, true],
  ['an output without a path', `event_recorder: { file_outputs: [{}] }\n${plain}`, false],
  ['an unknown key of an output', `event_recorder: { webhook_outputs: [{ url: http://x, path: x }] }\n${plain}`, false],
  ['an empty time interval', `${plain}time_intervals: [null]\n`, true],
])('%s: %j, %s', (_what, yaml, isOk) => {
  if (isOk) expect(problemsOf(yaml)).toEqual([])
  else expect(problemsOf(yaml)).not.toEqual([])
})

// Where Tocsin answers otherwise than 0.33.1 on purpose, and why.
test.each<[why: string, yaml: string, isOk: boolean]>([
  ['labels of a route are of 0.34', route('labels: { a: b }'), true],
  ['no panic: an empty route is an error', 'route: { receiver: r, routes: [null] }\nreceivers: [{ name: r }]', false],
  [
    'a reference needs its store, which 0.33 finds out when it starts',
    httpConfig('basic_auth: { password_ref: x }'),
    false,
  ],
  [
    'nothing behind a key keeps its default, also where 0.33 then misses the address',
    `global: { pagerduty_url: }\n${receiver('pagerduty_configs: [{ routing_key: k }]')}`,
    true,
  ],
  ['an empty action is a mistake', receiver('slack_configs: [{ api_url: http://x, actions: [null] }]'), false],
  ['variables are put in', receiver('webhook_configs: [{ url: "http://x/${NOT_SET}" }]'), false],
])('%s', (_why, yaml, isOk) => {
  if (isOk) expect(problemsOf(yaml)).toEqual([])
  else expect(problemsOf(yaml)).not.toEqual([])
})

test.each<[what: string, routes: string, paths: string[]]>([
  ['matchers of both hold', '[{ <<: { matchers: [a=b] }, matchers: [c=d] }]', ['{}/{a="b",c="d"}']],
  ['labels of both hold', '[{ <<: { match: { a: b } }, match: { c: d } }]', ['{}/{a="b",c="d"}']],
  ['of a list of maps the first counts', '[{ <<: [{ match: { a: b } }, { match: { c: d } }] }]', ['{}/{a="b",c="d"}']],
])('a merge fills up what is there: %s', (_what, routes, paths) => {
  const { route: root } = load(`route: { receiver: r, routes: ${routes} }\nreceivers: [{ name: r }]\n`)
  expect(root.routes.map(({ path }) => path)).toEqual(paths)
})

test('a merge that comes later counts', () => {
  const { route: root } = load('route: { receiver: r, <<: { receiver: s } }\nreceivers: [{ name: r }, { name: s }]\n')
  expect(root.receiver).toBe('s')
})
