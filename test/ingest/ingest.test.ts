import { describe, expect, test } from 'vitest'
import { postedAlerts } from '../../src/ingest/posted-alerts.ts'
import { IngestError, formatReject } from '../../src/ingest/reject.ts'
import { webhookAlerts } from '../helpers/webhook-alerts.ts'

const now = Date.UTC(2026, 10, 23, 10)
const TIMEOUT = 300_000
const post = (...alerts: unknown[]) => postedAlerts(alerts, now, TIMEOUT)
const hook = (...alerts: unknown[]) => webhookAlerts({ version: '4', alerts }, now)

describe('POST /api/v2/alerts', () => {
  test.each([
    // what                             times given                                starts       ends              ended by
    ['no times', {}, 0, TIMEOUT, 'timeout'],
    ['a start', { startsAt: at(-60) }, -60_000, TIMEOUT, 'timeout'],
    ['both', { startsAt: at(-60), endsAt: at(60) }, -60_000, 60_000, 'sender'],
    ['an end alone is the start too', { endsAt: at(60) }, 60_000, 60_000, 'sender'],
    [
      "Go's zero times",
      { startsAt: '0001-01-01T00:00:00Z', endsAt: '0001-01-01T00:00:00.000Z' },
      0,
      TIMEOUT,
      'timeout',
    ],
    ['null times', { startsAt: null, endsAt: null }, 0, TIMEOUT, 'timeout'],
  ])('%s', (_what, times, starts, ends, endedBy) => {
    const { alerts, rejects } = post({ labels: { a: 'b' }, ...times })
    expect(rejects).toEqual([])
    expect(alerts).toMatchObject([{ startsAt: now + starts, endsAt: now + ends, endedBy, updatedAt: now }])
  })

  test('null is an empty list', () => {
    expect(postedAlerts(null, now, TIMEOUT)).toEqual({ alerts: [], texts: [], again: [], rejects: [], truncated: 0 })
  })

  test('empty labels are left out, before the fingerprint is made', () => {
    expect(post({ labels: { a: 'b', c: '' } }).alerts[0]?.fingerprint).toBe(
      post({ labels: { a: 'b' } }).alerts[0]?.fingerprint,
    )
  })

  test('__proto__, constructor and toString are label names', () => {
    const body: unknown = JSON.parse('[{"labels":{"__proto__":"x","constructor":"y","toString":"z"}}]')
    const [alert] = postedAlerts(body, now, TIMEOUT).alerts
    expect([...(alert?.labels ?? [])]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['toString', 'z'],
    ])
  })

  test("the sender's spelling of a time is kept where it says more than the instant", () => {
    const [alert] = post({ labels: { a: 'b' }, startsAt: '2026-11-23T10:00:00.123456789+02:00', endsAt: at(60) }).alerts
    expect(alert?.startsText).toBe('2026-11-23T10:00:00.123456789+02:00')
    expect(alert?.endsText).toBeUndefined()
  })

  test.each<[string, unknown, string]>([
    ['no object', 7, 'alerts[1].: must be an object, not 7'],
    ['no labels', {}, 'alerts[1].labels: is required'],
    ['labels no object', { labels: ['a'] }, 'alerts[1].labels: must be an object of strings, not a list'],
    ['a label no string', { labels: { a: 1 } }, 'alerts[1].labels.a: must be a string, not 1'],
    ['no labels left', { labels: { a: '' } }, 'alerts[1].labels: at least one label pair required'],
    [
      'an empty name',
      { labels: { '': 'x' } },
      'alerts[1].labels: "" is not a name; it must be valid UTF-8 and not empty',
    ],
    ['half a surrogate pair', { labels: { a: '\ud800' } }, 'alerts[1].labels.a: the value is not valid UTF-8'],
    [
      'an annotation no string',
      { labels: { a: 'b' }, annotations: { s: {} } },
      'alerts[1].annotations.s: must be a string, not an object',
    ],
    [
      'end before start',
      { labels: { a: 'b' }, startsAt: at(5), endsAt: at(4) },
      'alerts[1].endsAt: start time must be before end time',
    ],
    [
      'a time that is none',
      { labels: { a: 'b' }, startsAt: 'yesterday' },
      'alerts[1].startsAt: "yesterday" is not a time; write it as 2026-01-02T15:04:05Z',
    ],
    ['a URL no string', { labels: { a: 'b' }, generatorURL: 3 }, 'alerts[1].generatorURL: must be a string, not 3'],
  ])('a bad alert is named, its neighbours are kept: %s', (_what, bad, message) => {
    const { alerts, rejects } = post({ labels: { n: '0' } }, bad, { labels: { n: '2' } })
    expect(alerts.map((alert) => alert.labels.get('n'))).toEqual(['0', '2'])
    expect(rejects.map(formatReject)).toEqual([message])
  })

  test.each([[{}], ['x'], [3], [undefined]])('%j is no list', (body) => {
    expect(() => postedAlerts(body, now, TIMEOUT)).toThrow(IngestError)
  })
})

describe('POST /webhook', () => {
  const firing = { status: 'firing', labels: { a: 'b' }, startsAt: at(-60), endsAt: '0001-01-01T00:00:00Z' }

  test('a firing alert has no end and gets none', () => {
    expect(hook(firing).alerts).toMatchObject([{ startsAt: now - 60_000, endsAt: 0, endedBy: 'resolve' }])
  })

  test('a firing alert has no end, even where the sender writes one', () => {
    expect(hook({ ...firing, endsAt: at(60) }).alerts).toMatchObject([{ endsAt: 0 }])
  })

  test('a resolved alert has the end it came with', () => {
    expect(hook({ ...firing, status: 'resolved', endsAt: at(-5) }).alerts).toMatchObject([
      { endsAt: now - 5000, endedBy: 'sender' },
    ])
  })

  test('a resolved alert without an end ends now', () => {
    expect(hook({ ...firing, status: 'resolved' }).alerts).toMatchObject([{ endsAt: now }])
  })

  test('truncatedAlerts is told', () => {
    expect(webhookAlerts({ version: '4', alerts: [firing], truncatedAlerts: 3 }, now).truncated).toBe(3)
  })

  test('severity and team are read from the labels, not from the top of the alert', () => {
    const { alerts } = hook({ ...firing, severity: 'critical', team: 'quant' })
    expect([...(alerts[0]?.labels.keys() ?? [])]).toEqual(['a'])
  })

  test.each<[string, unknown, string]>([
    ['no status', { ...firing, status: undefined }, 'alerts[1].status: must be "firing" or "resolved", not nothing'],
    [
      'another status',
      { ...firing, status: 'pending' },
      'alerts[1].status: must be "firing" or "resolved", not "pending"',
    ],
    ['no labels', { status: 'firing' }, 'alerts[1].labels: is required'],
  ])('a bad alert is named, its neighbours are kept: %s', (_what, bad, message) => {
    const { alerts, rejects } = hook(firing, bad, firing)
    expect(alerts).toHaveLength(2)
    expect(rejects.map(formatReject)).toEqual([message])
  })

  test.each([
    [[], 'the body must be an Alertmanager webhook object, not a list'],
    [{}, 'alerts: must be a list of alerts, not nothing'],
    [{ alerts: {} }, 'alerts: must be a list of alerts, not an object'],
    [{ version: '3', alerts: [] }, 'version: "3" is not supported; Alertmanager\'s webhook has version "4"'],
  ])('%j is no payload', (body, message) => {
    expect(() => webhookAlerts(body, now)).toThrow(new IngestError(message))
  })
})

function at(seconds: number): string {
  return new Date(now + seconds * 1000).toISOString()
}

test.each([
  ['fallback', 'a b', undefined],
  ['utf8-strict-mode', 'a b', undefined],
  ['classic-mode', 'a_b', undefined],
  ['classic-mode', 'a b', '"a b" is not a name; it must be [a-zA-Z_][a-zA-Z0-9_]*'],
] as const)('in %s a label may be called %j: %s', (mode, name, reason) => {
  const alerts = [{ status: 'firing', labels: { [name]: 'x' } }]
  for (const { rejects } of [postedAlerts(alerts, now, TIMEOUT, mode), webhookAlerts({ alerts }, now, mode)])
    expect(rejects[0]?.reason).toBe(reason)
})
