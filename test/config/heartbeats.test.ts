import { describe, expect, test } from 'vitest'
import { printConfig } from '../../src/config/show/print.ts'
import { formatMatchers } from '../../src/match/matcher.ts'
import { load, problemsOf } from '../helpers/config.ts'

const plain = `
route: { receiver: ops }
receivers: [{ name: ops }]
`
const table = `
severities: { page: { notify: [email] }, note: { notify: [email] } }
teams: { core: { default: true, email: core@example.com }, quant: {} }
global: { smtp_from: t@example.com, smtp_smarthost: 'smtp.example.com:587' }
`

/** The heartbeats of a file as the tests read them. */
const heartbeatsOf = (text: string) =>
  load(text).heartbeats.map(({ name, matchers, timeout, labels }) => [
    name,
    formatMatchers(matchers),
    timeout,
    Object.fromEntries(labels),
  ])

const ours = { alertname: 'HeartbeatMissing', heartbeat: 'eu' }

describe('heartbeats that are awaited', () => {
  test.each([
    [
      'as little as can be said',
      plain,
      `{ name: eu, matchers: ['alertname="Watchdog"'] }`,
      300_000,
      { ...ours, severity: 'critical' },
    ],
    [
      'all of it',
      plain,
      `{ name: eu, matchers: ['alertname="Watchdog"'], timeout: 90s, severity: warning, team: quant, labels: { site: fra, empty: '' } }`,
      90_000,
      { ...ours, severity: 'warning', team: 'quant', site: 'fra' },
    ],
    [
      'the gravest severity of a table',
      table,
      `{ name: eu, matchers: ['alertname="Watchdog"'] }`,
      300_000,
      { ...ours, severity: 'page' },
    ],
    ['no severity', plain, `{ name: eu, matchers: ['alertname="Watchdog"'], severity: '' }`, 300_000, ours],
  ])('%s', (_what, base, entry, timeout, labels) => {
    expect(heartbeatsOf(`${base}\nheartbeats: [${entry}]`)).toEqual([['eu', '{alertname="Watchdog"}', timeout, labels]])
  })

  test('there are none where the file has none', () => {
    expect(load(plain)).toMatchObject({ heartbeats: [], heartbeat: undefined })
  })

  test.each([
    [`- { matchers: [a="b"] }`, 'heartbeats.0.name: is required'],
    [`- { name: '', matchers: [a="b"] }`, 'heartbeats.0.name: needs a name'],
    [`- { name: eu }`, 'heartbeats.0.matchers: is required'],
    [`- { name: eu, matchers: [] }`, 'heartbeats.0.matchers: needs a matcher'],
    [`- { name: eu, matchers: ['a=~"("'] }`, 'heartbeats.0.matchers.0: '],
    [`- { name: eu, matchers: [a="b"], timeout: 0s }`, 'heartbeats.0.timeout: cannot be zero'],
    [`- { name: eu, matchers: [a="b"], timout: 5m }`, 'did you mean "timeout"?'],
    [`- { name: eu, matchers: [a="b"] }\n- { name: eu, matchers: [a="c"] }`, 'there is a heartbeat "eu" already'],
    [`- { name: eu, matchers: [a="b"], labels: { alertname: X } }`, '"alertname" is set by Tocsin'],
    [`- { name: eu, matchers: [a="b"], labels: { team: x } }`, '"team" has a key of its own'],
    [`- { name: eu, matchers: [a="b"], labels: { '': x } }`, '"" is not a label name'],
  ])('%s is refused', (entries, message) => {
    const problems = problemsOf(`${plain}heartbeats:\n${entries}\n`)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(message)
  })

  test.each([
    ['severity: grave', 'there is no severity "grave"; known: page, note; it counts as the default'],
    ['team: quand', 'there is no team "quand"; did you mean "quant"?; its page goes to the default team'],
  ])('%s is told', (setting, message) => {
    const { warnings } = load(`${table}\nheartbeats: [{ name: eu, matchers: ['a="b"'], ${setting} }]`)
    expect(warnings.map((one) => one.message)).toEqual([message])
  })
})

describe('the heartbeat that goes out', () => {
  test.each([
    ['{ url: https://hc.example.com/s3cret }', { interval: 60_000, urlFile: undefined }],
    ['{ url_file: /run/url, interval: 30s }', { interval: 30_000, urlFile: '/run/url', url: undefined }],
  ])('%s', (given, expected) => {
    expect(load(`${plain}heartbeat: ${given}`).heartbeat).toMatchObject(expected)
  })

  test.each([
    ['{}', 'heartbeat.url: needs url or url_file'],
    ['{ url: https://a.example.com/s3cret, url_file: b }', 'heartbeat.url_file: cannot stand beside url'],
    ['{ url: ftp://a.example.com/s3cret }', 'heartbeat.url: is not a URL: its scheme is neither http nor https'],
    ['{ url: https://a.example.com/s3cret, interval: 999ms }', 'heartbeat.interval: must be 1s or more'],
  ])('%s is refused, and nothing of the URL is told', (given, message) => {
    const problems = problemsOf(`${plain}heartbeat: ${given}`)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(message)
    expect(problems[0]).not.toContain('s3cret')
  })
})

test('both are shown to Tocsin so that they load again, without the secret, and not to Alertmanager', () => {
  const given = `${table}
heartbeats:
  - { name: eu, matchers: ['alertname="Watchdog"', 'cluster=~"eu|us"'], timeout: 1h, team: quant, labels: { site: fra } }
heartbeat: { url: https://hc.example.com/s3cret, interval: 30s }
`
  const config = load(given)
  const expanded = printConfig(config.printable, 'Tocsin')
  expect(expanded).not.toContain('s3cret')
  expect(heartbeatsOf(expanded)).toEqual(heartbeatsOf(given))
  expect(load(expanded).heartbeat).toMatchObject({ interval: 30_000 })
  expect(printConfig(load(expanded).printable, 'Tocsin')).toBe(
    printConfig(load(printConfig(load(expanded).printable, 'Tocsin')).printable, 'Tocsin'),
  )
  expect(printConfig(config.printable, 'Alertmanager')).not.toMatch(/heartbeat|Watchdog|hc\.example/)
})

test("nobody may have a receiver of the name that is Tocsin's own", () => {
  const problems = problemsOf(`route: { receiver: tocsin/canary }\nreceivers: [{ name: tocsin/canary }]`)
  expect(problems).toEqual([
    expect.stringContaining('2:21 receivers.0.name: "tocsin/canary" is the name of a receiver'),
  ])
})
