import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { matchRoutes } from '../../src/route/tree.ts'
import { channels } from '../../src/notify/index.ts'
import { ConfigError } from '../../src/config/error.ts'

const folder = join(import.meta.dirname, '../../routing')
const config = loadConfig(join(folder, 'tocsin.yml'), { env: {}, sandbox: true, channels })
const teams = ['platform', 'database', 'backend', 'quant', 'data', 'security', 'infrastructure']

/** The channels that an alert of these labels reaches, and whether it opens an incident. */
function told(labels: Record<string, string>) {
  const receivers = matchRoutes(config.route, new Map(Object.entries(labels))).map((route) => route.receiver)
  const integrations = receivers.flatMap((name) => config.receivers.get(name)?.integrations ?? [])
  return {
    channels: integrations.map(({ channel }) => channel),
    incident: config.policy(labels['severity'] ?? '', labels['team'] ?? ''),
  }
}
const high = { incident: true, priority: 'high', deadline: 3_600_000 }
const none = { incident: false, priority: 'normal', deadline: 24 * 3_600_000 }

test('the shipped files are the seven teams', () => {
  expect(readdirSync(join(folder, 'teams')).sort()).toEqual(teams.map((team) => `${team}.yml`).sort())
  expect(config.warnings).toEqual([])
})

// seed-system.md, "Routing table to ship"
describe.each([...teams, 'unknown', undefined])('team %s', (team) => {
  const critical = team === 'quant' ? ['pagerduty', 'slack', 'sms'] : ['pagerduty', 'slack']
  test.each([
    ['critical', critical, high],
    ['warning', ['slack', 'email'], none],
    ['info', ['email'], none],
    ['unknown', ['email'], none],
    ['', ['email'], none],
    [undefined, ['email'], none],
  ])('severity %s', (severity, wanted, incident) => {
    const labels = { alertname: 'A', ...(team !== undefined && { team }), ...(severity !== undefined && { severity }) }
    expect(told(labels)).toEqual({ channels: wanted, incident })
  })
})

test("a critical alert of quant adds its text to nobody else's", () => {
  expect(told({ severity: 'critical', team: 'quant' }).channels).toContain('sms')
  expect(told({ severity: 'critical', team: 'data' }).channels).not.toContain('sms')
  expect(told({ severity: 'critical' }).channels).not.toContain('sms')
})

test.each([
  ['quant', 'SLACK_QUANT_WEBHOOK'],
  ['data', 'SLACK_DATA_WEBHOOK'],
  ['backend', 'SLACK_PLATFORM_WEBHOOK'],
  ['nobody', 'SLACK_PLATFORM_WEBHOOK'],
])("Slack of team %s is %s: a team's own, else the default team's", (team, variable) => {
  const only = (set: string) =>
    loadConfig(join(folder, 'tocsin.yml'), {
      env: { ...secrets, [set]: 'https://hooks.slack.com/here' },
      sandbox: false,
      channels,
    })
  const [route] = matchRoutes(
    only(variable).route,
    new Map([
      ['team', team],
      ['severity', 'critical'],
    ]),
  )
  expect(
    only(variable)
      .receivers.get(route?.receiver ?? '')
      ?.integrations.some(({ channel }) => channel === 'slack'),
  ).toBe(true)
})

test('outside the sandbox every secret that is not set is named, all at once', () => {
  try {
    loadConfig(join(folder, 'tocsin.yml'), { env: {}, sandbox: false, channels })
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    const named = (error instanceof ConfigError ? error.problems : []).map(
      ({ message }) => /variable (\w+)/.exec(message)?.[1],
    )
    expect(new Set(named)).toEqual(new Set(Object.keys(secrets)))
  }
})

const secrets = {
  SLACK_PLATFORM_WEBHOOK: 'https://hooks.slack.com/p',
  SLACK_QUANT_WEBHOOK: 'https://hooks.slack.com/q',
  SLACK_DATA_WEBHOOK: 'https://hooks.slack.com/d',
  PD_PLATFORM_KEY: 'key',
  TWILIO_ACCOUNT_SID: 'AC1',
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_FROM: '+15005550006',
}
