import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-lint-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** A file's warnings, each as `line:column path: message`. */
function warnings(text: string): string[] {
  const file = join(dir, 'tocsin.yml')
  writeFileSync(file, text)
  return loadConfig(file, { env: {}, sandbox: false, channels }).warnings.map(
    ({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`,
  )
}
const tree = (...routes: string[]) =>
  `route:\n  receiver: ops\n  routes:\n${routes.map((route) => `  - ${route}\n`).join('')}receivers: [{ name: ops }]\n`

test.each([
  [
    'a sibling takes every alert',
    tree('{ receiver: ops }', '{ matchers: [a=b] }'),
    '5:5 route.routes.1: can never be reached: routes.0 before it takes every alert, and does not continue',
  ],
  [
    'a sibling takes more',
    tree('{ matchers: [a=b] }', '{ matchers: [c=d, a=b] }'),
    '5:5 route.routes.1: can never be reached: routes.0 before it takes all that has {a="b"}, and does not continue',
  ],
  [
    'a sibling’s regex takes it',
    tree('{ matchers: ["a=~b.*"] }', '{ matchers: [a=bc] }'),
    '5:5 route.routes.1: can never be reached: routes.0 before it takes all that has {a=~"b.*"}, and does not continue',
  ],
  [
    'a sibling’s regex takes each of its words',
    tree('{ match_re: { a: b|c|d } }', '{ matchers: ["a=~c|d"] }'),
    '5:5 route.routes.1: can never be reached: routes.0 before it takes all that has {a=~"^(?:b|c|d)$"}, and does not continue',
  ],
  [
    'it contradicts its parent',
    tree('{ matchers: [a=b], routes: [{ matchers: [a!=b] }] }'),
    '4:33 route.routes.0.routes.0: can never be reached: no alert fits both a="b" and a!="b"',
  ],
  [
    'it contradicts itself',
    tree('{ match: { a: b }, match_re: { a: c|d } }'),
    '4:5 route.routes.0: can never be reached: no alert fits both a=~"^(?:c|d)$" and a="b"',
  ],
  [
    'a receiver that nobody uses',
    'route: { receiver: ops }\nreceivers: [{ name: ops }, { name: dev }]\n',
    '2:30 receivers.1.name: no route uses receiver "dev"',
  ],
  [
    'an interval that nobody uses',
    'route: { receiver: ops }\nreceivers: [{ name: ops }]\ntime_intervals: [{ name: night, time_intervals: [] }]\n',
    '3:20 time_intervals.0.name: no route uses time interval "night"',
  ],
  [
    'repeats sooner than anybody looks',
    'route: { receiver: ops, repeat_interval: 1m }\nreceivers: [{ name: ops }]\n',
    '1:25 route.repeat_interval: repeats are looked at every group_interval (5m), which is longer than repeat_interval (1m)',
  ],
  [
    'repeats later than is remembered',
    'route: { receiver: ops, repeat_interval: 30d }\nreceivers: [{ name: ops }]\n',
    '1:25 route.repeat_interval: what was told is remembered for 5d: repeats come that often, not every 30d',
  ],
  [
    'templates that are not there',
    'templates: [own.tmpl]\nroute: { receiver: ops }\nreceivers: [{ name: ops }]\n',
    '1:13 templates.0: no file fits this pattern',
  ],
  [
    'an include of nothing',
    'include: [teams/*.yml]\nroute: { receiver: ops }\nreceivers: [{ name: ops }]\n',
    '1:11 include.0: no file fits this pattern',
  ],
  [
    'an inhibition of nothing',
    'route: { receiver: ops }\nreceivers: [{ name: ops }]\ninhibit_rules: [{ equal: [a] }]\n',
    '3:17 inhibit_rules.0: never inhibits: every alert is both its source and its target',
  ],
  [
    "redirects of global's http_config",
    'global: { http_config: { follow_redirects: true } }\nroute: { receiver: ops }\n' +
      'receivers: [{ name: ops, webhook_configs: [{ url: "http://x" }, { url: "http://y" }] }]\n',
    '3:44 receivers.0.webhook_configs.0: http_config.follow_redirects of global holds here; it is read and checked, but webhook does not obey it',
  ],
  [
    'redirects of its own',
    'route: { receiver: ops }\nreceivers: [{ name: ops, webhook_configs: [{ url: "http://x", http_config: { follow_redirects: true } }] }]\n',
    /2:\d+ receivers\.0\.webhook_configs\.0\.http_config\.follow_redirects: is read and checked, but not obeyed$/,
  ],
  ['traces', 'tracing: { endpoint: "t:1" }\n' + tree(), '1:1 tracing: is read and checked, but not in force yet'],
  ['events', 'event_recorder: {}\n' + tree(), '1:1 event_recorder: is read and checked, but not in force yet'],
  ...(
    [
      ['notify: []', '1:23 severities.info.notify: names no channel: nobody is told'],
      ['notify: [webhook], priority: hgih', '1:42 severities.info.priority: nobody knows "hgih"; it is high or normal'],
    ] as const
  ).map(([severity, wanted]): [string, string, string] => [
    `a severity with ${severity}`,
    `severities: { info: { ${severity} } }\nteams: { core: { webhook: "https://x" } }\n`,
    wanted,
  ]),
  [
    'matchers of the old grammar',
    tree('{ matchers: ["a=b c"] }'),
    /^4:18 route\.routes\.0\.matchers\.0: .*classic.*\{?a="b c"\}?/,
  ],
])('%s', (_what, text, wanted) => {
  const found = warnings(text)
  if (typeof wanted === 'string') expect(found).toContain(wanted)
  else expect(found.join('\n')).toMatch(wanted)
})

test.each([
  ['siblings with other values', tree('{ matchers: [a=b] }', '{ matchers: [a=c] }')],
  ['a sibling that continues', tree('{ receiver: ops, continue: true }', '{ matchers: [a=b] }')],
  ['a sibling that wants more', tree('{ matchers: [a=b, c=d] }', '{ matchers: [a=b] }')],
  ['a regex that may fit', tree('{ matchers: ["a=~b.*"] }', '{ matchers: ["a=~.*c"] }')],
  ['a label that is not looked at before', tree('{ matchers: [a!=b] }', '{ matchers: [c=d] }')],
  ['a last route for the rest', tree('{ matchers: [a=b] }', '{ receiver: ops }')],
  ['a parent’s narrower child', tree('{ matchers: ["a=~b|c"], routes: [{ matchers: [a=b] }, { matchers: [a=c] }] }')],
  [
    'redirects that are not followed',
    'route: { receiver: ops }\nreceivers: [{ name: ops, webhook_configs: [{ url: "http://x", http_config: { follow_redirects: false } }] }]\n',
  ],
  ...[
    'proxy_url: "socks5://p:1", no_proxy: a',
    'tls_config: { ca_file: a }',
    'oauth2: { client_id: a, token_url: b }',
  ].map((setting): [string, string] => [
    setting,
    `global: { http_config: { ${setting} } }\nroute: { receiver: ops }\nreceivers: [{ name: ops, webhook_configs: [{ url: "http://x" }] }]\n`,
  ]),
])('nothing to warn of: %s', (_what, text) => {
  expect(warnings(text)).toEqual([])
})

test('what is of global is told once a channel', () => {
  const text = `global: { http_config: { follow_redirects: true } }
route: { receiver: ops }
receivers: [{ name: ops, webhook_configs: [{ url: "http://x" }, { url: "http://y" }], slack_configs: [{ api_url: "http://z" }] }]
`
  expect(warnings(text)).toHaveLength(2)
})

// Held pairwise against each other, they took a quarter of a minute.
test.each([
  ['a value', (i: number) => `"severity=critical", "team=t${i}"`],
  ['words of a regex', (i: number) => `"team=~t${i}|u${i}"`],
])('8,000 siblings, each with %s of its own, are looked through at once', (_what, matchersOf) => {
  const routes = Array.from({ length: 8000 }, (_, i) => `{ matchers: [${matchersOf(i)}] }`)
  const startedAt = process.cpuUsage()
  expect(warnings(tree(...routes, `{ matchers: [a=b, ${matchersOf(7000)}] }`))).toEqual([
    expect.stringContaining('route.routes.8000: can never be reached: routes.7000 before it takes'),
  ])
  const { user, system } = process.cpuUsage(startedAt)
  expect((user + system) / 1000).toBeLessThan(5000)
})

test('the first of the siblings that cover a route is named', () => {
  const text = tree('{ matchers: ["a=~b.*"] }', '{ matchers: [c=d] }', '{ matchers: [a=bc, c=d] }', '{ receiver: ops }')
  const swapped = tree('{ matchers: [c=d] }', '{ matchers: ["a=~b.*"] }', '{ matchers: [a=bc, c=d] }')
  for (const found of [warnings(text), warnings(swapped)])
    expect(found).toEqual([expect.stringContaining('routes.2: can never be reached: routes.0 before it takes')])
})

test('a route that keeps everything from the table', () => {
  const text = `severities: { info: { notify: [webhook] } }
teams: { core: { webhook: "https://hooks.example.com/core" } }
route: { routes: [{ matchers: [a=b] }, { receiver: ops }] }
receivers: [{ name: ops }]
`
  expect(warnings(text)).toEqual([
    '3:40 route.routes.1: takes every alert, and does not continue: the table behind it is never reached',
  ])
})
