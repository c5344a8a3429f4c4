import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config/error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'

// The settings of delivery that are Tocsin's own: budgets, fallbacks, deadlines, on_unconfirmed.

const load = (text: string) => loadConfig('tocsin.yml', { text, env: {}, sandbox: false, channels })

const tree = (rest: string, receiver = '', entry = '') => `
route: { receiver: ops }
receivers:
  - { name: ops${receiver}, webhook_configs: [{ url: 'http://x.invalid'${entry} }] }
  - { name: lead, webhook_configs: [{ url: 'http://y.invalid' }] }
${rest}`
const table = (severity = '', team = '', teams = '') => `
severities: { critical: { notify: [webhook]${severity} }, info: { notify: [webhook], default: true } }
teams:
  platform: { default: true, webhook: 'http://x.invalid'${team} }
  ${teams}`

test('where nothing is said, the channels’ own budgets hold, a page is tried for an hour, anything else for a day', () => {
  const config = load(table())
  expect(config.budgets.get('slack')).toEqual({ burst: 3, refill: 1000, inFlight: 2, digestAbove: 20 })
  expect(config.budgets.get('pagerduty')).toMatchObject({ burst: 20, refill: 600 })
  expect(config.policy('critical', 'platform').deadline).toBe(3_600_000)
  expect(config.policy('info', 'nobody').deadline).toBe(24 * 3_600_000)
  expect(load(tree('')).policy('critical', '').deadline).toBe(3_600_000)
  expect(config.receivers.get('platform/critical')?.fallback).toBe('')
})

test('a severity that opens incidents is a page, whatever it is called', () => {
  const config = load(
    table().replaceAll('critical', 'sev1').replace('[webhook] }, info', '[webhook], incident: true }, info'),
  )
  expect(config.policy('sev1', 'platform')).toMatchObject({ incident: true, deadline: 3_600_000 })
})

test('what is said holds', () => {
  const config = load(
    `${table(', deadline: 10m', ', fallback: lead, severities: { info: { deadline: 2h } }', "lead: { webhook: 'http://y.invalid' }")}
budgets: { slack: { rate: 30/m, burst: 5, in_flight: 1, digest_above: 0 }, webhook: { rate: unlimited } }`,
  )
  expect(config.budgets.get('slack')).toEqual({ burst: 5, refill: 2000, inFlight: 1, digestAbove: 0 })
  expect(config.budgets.get('webhook')?.refill).toBe(0)
  expect(config.policy('critical', 'platform').deadline).toBe(600_000)
  expect(config.policy('info', 'platform').deadline).toBe(7_200_000)
  expect(config.receivers.get('platform/critical')?.fallback).toBe('lead/critical')
  expect(load(tree('', ', fallback: lead')).receivers.get('ops')?.fallback).toBe('lead')
  expect(load(tree('', '', ', on_unconfirmed: skip')).integrations.get('ops/webhook/0')?.onUnconfirmed).toBe('skip')
  expect(load(tree('')).integrations.get('ops/webhook/0')?.onUnconfirmed).toBe('resend')
})

test.each([
  [tree('budgets: { slak: { rate: 1/s } }'), /6:12: budgets\.slak: there is no channel "slak"; did you mean "slack"/],
  [tree('budgets: { slack: { rate: 1 } }'), /6:27: budgets\.slack\.rate: "1" is not a rate; write it as 1\/s/],
  [tree('budgets: { slack: { rate: 0/s } }'), /"0\/s" is not a rate/],
  [tree('budgets: { slack: { burst: 0 } }'), /6:28: budgets\.slack\.burst: must be at least 1/],
  [tree('budgets: { slack: { brst: 1 } }'), /unknown key "brst"; did you mean "burst"/],
  [tree('', ', fallback: laed'), /4:28: receivers\.0\.fallback: there is no receiver "laed"; did you mean "lead"/],
  [tree('', ', fallback: ops'), /receivers\.0\.fallback: a receiver cannot be its own fallback/],
  [tree('', '', ', on_unconfirmed: later'), /4:\d+: receivers\.0\.webhook_configs\.0\.on_unconfirmed: /],
  [table('', ', fallback: nobody'), /teams\.platform\.fallback: there is no team "nobody"/],
  [table('', ', fallback: platform'), /teams\.platform\.fallback: a team cannot be its own fallback/],
  [table(', deadline: 0s'), /severities\.critical\.deadline: cannot be zero/],
])('%# is refused with what is wrong and where', (text, message) => {
  expect(() => load(text)).toThrow(ConfigError)
  expect(() => load(text)).toThrow(message)
})
