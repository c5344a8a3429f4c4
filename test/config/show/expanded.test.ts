import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { loadConfig } from '../../../src/config/load.ts'
import { printConfig } from '../../../src/config/show/print.ts'
import { formatMatchers } from '../../../src/match/matcher.ts'
import { channels } from '../../../src/notify/index.ts'
import type { Route } from '../../../src/route/route.ts'

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-expanded-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function load(text: string) {
  const file = join(dir, 'tocsin.yml')
  writeFileSync(file, text)
  return loadConfig(file, { env: {}, sandbox: false, channels })
}

/** All that a tree decides by. */
function shown({ matchers, routes, muteTimeIntervals, activeTimeIntervals, ...options }: Route): unknown {
  return {
    ...options,
    matchers: formatMatchers(matchers),
    labels: [...options.labels],
    muteTimeIntervals: [...muteTimeIntervals],
    activeTimeIntervals: [...activeTimeIntervals],
    routes: routes.map(shown),
  }
}
const compiled = ({ route, receivers }: ReturnType<typeof load>) => ({
  route: shown(route),
  receivers: [...receivers.values()].map(({ name, integrations }) => ({
    name,
    // kinds are told side by side: only their own order counts
    integrations: new Map(integrations.map(({ id, sendResolved }) => [id, sendResolved])),
  })),
})

const word = fc.constantFrom(
  'a',
  'b',
  'severity',
  'team',
  'x y',
  'é',
  '日本',
  '__proto__',
  'constructor',
  'q"q',
  'b\\d',
)
const value = fc.oneof(
  fc.constantFrom('', 'x', 'critical', 'yes', '007', '{x}', 'l\nn', '"', '~'),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
)
const regex = fc.constantFrom('', '.*', 'a|b', 'x{2,3}', '\\d+', '[^"]', '(?i)crit', 'a b')
const quoted = (text: string) => `"${text.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`))}"`
const matcher = fc
  .tuple(word, fc.constantFrom('=', '!=', '=~', '!~'), value, regex)
  .map(
    ([name, operator, text, pattern]) => `${quoted(name)}${operator}${quoted(operator.endsWith('~') ? pattern : text)}`,
  )
const duration = fc.constantFrom('1ms', '30s', '1h30m', '1d', '2w', '1y', '90d')
const options = {
  group_by: fc.option(fc.constantFrom([], ['...'], ['alertname'], ['team', 'x y']), { nil: undefined }),
  group_wait: fc.option(fc.oneof(duration, fc.constant('0s')), { nil: undefined }),
  group_interval: fc.option(duration, { nil: undefined }),
  repeat_interval: fc.option(duration, { nil: undefined }),
  labels: fc.option(fc.constantFrom({ owner: 'db' }, { owner: '{{ .Status }}', b: 'x' }), { nil: undefined }),
}
const { route } = fc.letrec<{ route: object }>((tie) => ({
  route: fc.record({
    ...options,
    receiver: fc.option(fc.constantFrom('ops', 'dev/x'), { nil: undefined }),
    matchers: fc.option(fc.array(matcher, { maxLength: 3 }), { nil: undefined }),
    match: fc.option(fc.constantFrom({ a: 'x' }, { a: '', b: 'y' }), { nil: undefined }),
    match_re: fc.option(fc.constantFrom({ a: 'x|y' }, { b: '' }), { nil: undefined }),
    continue: fc.option(fc.boolean(), { nil: undefined }),
    mute_time_intervals: fc.option(fc.constant(['night']), { nil: undefined }),
    active_time_intervals: fc.option(fc.constant(['night']), { nil: undefined }),
    routes: fc.option(fc.array(tie('route'), { maxLength: 3 }), { nil: undefined, depthSize: 'small' }),
  }),
}))
const severity = fc.record({
  group_wait: options.group_wait,
  repeat_interval: options.repeat_interval,
  notify: fc.subarray(['slack', 'sms', 'webhook', 'pagerduty', 'email'], { minLength: 1 }),
})
const file = fc.record({
  global: fc.constant({
    smtp_from: 'tocsin@example.com',
    smtp_smarthost: 'smtp.example.com:587',
    slack_api_url: 'https://slack.example.com/s3cret',
    twilio_account_sid: 'AC00000000000000000000000000000001',
    twilio_auth_token: 's3cret',
    twilio_from: '+61400000000',
  }),
  severities: fc.record({ critical: severity, info: severity }),
  teams: fc.record({
    core: fc.constant({
      default: true,
      slack: 'https://slack.example.com/s3cret',
      sms: ['+61400000001', '+61400000002'],
      webhook: 'https://hooks.example.com/s3cret',
      pagerduty: 's3cret',
      email: 'core@example.com',
    }),
    quant: fc.record({
      slack: fc.option(fc.constant('https://slack.example.com/s3cret2'), { nil: undefined }),
      severities: fc.option(fc.record({ critical: severity }), { nil: undefined }),
    }),
  }),
  time_intervals: fc.constant([
    { name: 'night', time_intervals: [{ times: [{ start_time: '22:00', end_time: '24:00' }] }] },
  ]),
  route: fc.record({ ...options, routes: fc.array(route, { maxLength: 4 }) }),
  receivers: fc.constant([
    {
      name: 'ops',
      slack_configs: [{ channel: '#ops', timestamp: true }],
      discord_configs: [{ webhook_url: 'https://discord.example.com/s3cret' }],
    },
    {
      name: 'dev/x',
      sms_configs: [{ to: '+61400000003' }],
      webhook_configs: [{ url: 'https://{{ .Status }}.example.com/s3cret' }],
    },
  ]),
})

test('what --expanded prints loads to the same tree, and holds no secret', () => {
  fc.assert(
    fc.property(file, (given) => {
      const config = load(stringify(given, { version: '1.1' }))
      const expanded = printConfig(config.printable, 'Tocsin')
      expect(expanded).not.toContain('s3cret')
      expect(compiled(load(expanded))).toEqual(compiled(config))
      // once global's defaults are written out, a print stands still
      const again = printConfig(load(expanded).printable, 'Tocsin')
      expect(printConfig(load(again).printable, 'Tocsin')).toBe(again)
    }),
    { numRuns: 60 },
  )
})

test('what Alertmanager is shown has none of Tocsin’s own keys, and every receiver', () => {
  fc.assert(
    fc.property(file, (given) => {
      const config = load(stringify(given, { version: '1.1' }))
      const shownToAlertmanager = printConfig(config.printable, 'Alertmanager')
      expect(shownToAlertmanager).not.toMatch(/sms_configs|twilio|timestamp:|severities|s3cret|^ *labels:\n *owner/m)
      const again = load(shownToAlertmanager)
      expect([...again.receivers.keys()]).toEqual([...config.receivers.keys()])
      expect([...again.routes.keys()]).toEqual([...config.routes.keys()])
    }),
    { numRuns: 25 },
  )
})
