import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Alert } from '../../src/alert/alert.ts'
import { changeIncident } from '../../src/api/change-incident.ts'
import { watchAnomalies } from '../../src/pipeline/anomalies.ts'
import { openTally } from '../../src/pipeline/tally.ts'
import { keysFor } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/store.ts'
import { MOST_NAMES } from '../../src/store/tallies.ts'
import { DAY, readKpis, readPatterns } from '../../src/view/insights.ts'
import { readSeries } from '../../src/view/series.ts'
import { eventually } from '../helpers/engine.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const noon = Date.UTC(2026, 10, 26, 12)
const HOUR = 3_600_000
const config = `
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 4h
  routes: [{ receiver: quant, matchers: ['service="quant"'] }]
receivers:
  - { name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }
  - { name: quant, webhook_configs: [{ url: 'http://x.invalid' }] }
`
const names = (count: number, prefix = 'A') => Array.from({ length: count }, (_none, i) => `${prefix}${i}`)

describe('a tally', () => {
  const open = (prefix: string) => {
    const store = openStore(server.redis, prefix)
    return { store, tally: openTally(store, { now: () => noon }), replica: openTally(store, { now: () => noon }) }
  }

  test('tells so many names apart, over all replicas and writes, and loses no count', async () => {
    const { store, tally, replica } = open('tally1')
    for (const name of names(400)) tally.countNamed('alert type', name)
    for (const name of names(80, 'B')) replica.countNamed('alert type', name)
    await replica.write()
    await tally.write()
    for (const name of names(80, 'B')) replica.countNamed('alert type', name)
    await replica.write()
    for (const grain of ['minute', 'hour'] as const) {
      const [bucket] = await store.tallies.read(grain, [noon])
      const counted = bucket?.counts.named.get('alert type') ?? new Map<string, number>()
      expect(counted.size).toBe(MOST_NAMES + 1)
      expect([...counted.values()].reduce((sum, count) => sum + count, 0)).toBe(560)
      expect(counted.get('B7')).toBe(2)
    }
  })

  test('keeps what Redis does not take for the next time', async () => {
    const { store, tally } = open('tally2')
    const key = keysFor('tally2').tally('minute', noon)
    await server.redis.set(key, 'no hash')
    tally.count('alerts', 3)
    await expect(tally.write()).rejects.toThrow('WRONGTYPE')
    await server.redis.del(key)
    tally.count('alerts')
    await tally.write()
    const [bucket] = await store.tallies.read('minute', [noon])
    expect(bucket?.counts.counters.get('alerts')).toBe(4)
  })

  test('what routes caught is kept by the hour for a day, and for the next time where Redis does not take it', async () => {
    const { store, tally, replica } = open('tally4')
    const key = keysFor('tally4').caught(noon)
    await server.redis.set(key, 'no hash')
    tally.caught('{}/{team="quant"}')
    await expect(tally.write()).rejects.toThrow('WRONGTYPE')
    await server.redis.del(key)
    tally.caught('{}/{team="quant"}')
    replica.caught('{}')
    await Promise.all([tally.write(), replica.write()])
    expect(Object.fromEntries(await store.catches.lately(noon + 24.9 * HOUR))).toEqual({
      '{}': 1,
      '{}/{team="quant"}': 2,
    })
    expect([...(await store.catches.lately(noon + 25 * HOUR))]).toEqual([])
    expect(Math.round((await server.redis.pttl(key)) / HOUR)).toBe(25)
  })

  test('is gone after its time', async () => {
    const { tally } = open('tally3')
    tally.count('alerts')
    await tally.write()
    const { tally: key } = keysFor('tally3')
    const lives = await Promise.all([key('minute', noon), key('hour', noon)].map((one) => server.redis.pttl(one)))
    expect(lives.map((ms) => Math.round(ms / HOUR))).toEqual([3, 8 * 24 + 1])
  })
})

const look = async ({ deps }: Story) => {
  await deps.tally.write()
  await watchAnomalies(deps)
}

/** Fifteen minutes with one alert each. */
async function quietMinutes(story: Story): Promise<void> {
  for (const name of names(15, 'Quiet')) {
    await story.fire(name)
    await story.advance('30s')
    await look(story)
    await story.advance('30s')
  }
}

const own = ({ lines }: Story) => lines.filter((line) => /AlertStorm|DeliveryErrorSpike/.test(line))

describe('an anomaly', () => {
  test('a storm raises an alert, once, that counts for nothing itself', async () => {
    await using story = await tell(server, config)
    await quietMinutes(story)
    expect(own(story)).toEqual([])
    await story.fire(...names(51, 'Storm'))
    await look(story)
    await story.advance('6s')
    await look(story)
    await story.advance('30s')
    expect(own(story)).toEqual(['900s ops/webhook/0 firing first notification: AlertStorm'])
    const alert = await find(story, 'AlertStorm')
    expect(Object.fromEntries(alert?.labels ?? [])).toEqual({ alertname: 'AlertStorm', severity: 'warning' })
    expect(Object.fromEntries(alert?.annotations ?? [])).toMatchObject({
      count: '51',
      threshold: '50',
      type: 'alert_storm',
    })

    const { alerts, anomalies } = await readPatterns(HOUR, story.deps)
    expect(alerts.total).toBe(15 + 51)
    expect(alerts.types.map(({ name }) => name)).not.toContain('AlertStorm')
    expect(anomalies).toMatchObject([{ type: 'alert_storm', count: 51 }])
    // it ends by itself
    await story.advance('12m')
    expect(own(story).at(-1)).toMatch(/resolved .*: -AlertStorm$/)
  })

  test('fifty alerts are none, however quiet it was', async () => {
    await using story = await tell(server, config)
    await quietMinutes(story)
    await story.fire(...names(50, 'Few'))
    await look(story)
    await story.advance('1m')
    expect(own(story)).toEqual([])
  })

  test('nor is a start: all that fires comes at once', async () => {
    await using story = await tell(server, config)
    await story.fire(...names(500))
    await look(story)
    await story.advance('5m')
    await look(story)
    expect(own(story)).toEqual([])
  })

  test('failed deliveries raise one, whose own failures are not counted', async () => {
    await using story = await tell(server, config)
    await quietMinutes(story)
    const failed = { state: 'failed', reason: 'client error', detail: 'HTTP 404' } as const
    story.answers.push(...names(11).map(() => failed))
    await story.fire(...names(11, 'Failing'))
    await story.advance('0s')
    story.answers.push(failed) // of the alert itself
    await look(story)
    await story.advance('0s')
    expect(own(story)).toEqual(['900s ops/webhook/0 failed firing first notification: DeliveryErrorSpike'])
    await story.deps.tally.write()
    const { deliveries } = await readPatterns(HOUR, story.deps)
    expect(deliveries).toMatchObject({
      total: 11,
      attempts: 15 + 11,
      types: [{ name: 'client error', count: 11 }],
      affectedServices: [{ name: 'none', count: 11 }],
    })
  })
})

async function find({ deps }: Story, alertname: string): Promise<Alert | undefined> {
  for await (const alerts of deps.store.alerts.scan()) {
    const found = alerts.find(({ labels }) => labels.get('alertname') === alertname)
    if (found) return found
  }
  return undefined
}

describe('what is counted', () => {
  test('an occurrence once, however often it is sent; again when it fires anew', async () => {
    await using story = await tell(server, config)
    const startsAt = new Date(Date.UTC(2026, 10, 23, 10)).toISOString()
    const alert = { labels: { alertname: 'A', service: 'api' }, startsAt }
    for (let i = 0; i < 5; i++) await story.post(alert)
    await story.advance('1m')
    await story.post({ ...alert, endsAt: '2026-11-23T10:00:30Z' })
    await story.advance('10m')
    await story.post({ ...alert, startsAt: '2026-11-23T10:11:00Z' })
    await story.deps.tally.write()
    const { alerts } = await readPatterns(HOUR, story.deps)
    expect(alerts).toMatchObject({
      total: 2,
      types: [{ name: 'A', count: 2 }],
      affectedServices: [{ name: 'api', count: 2 }],
    })
  })
})

const paging = `
severities:
  critical: { notify: [slack], incident: true, group_by: [alertname], group_wait: 0s, group_interval: 10s, repeat_interval: 4h }
teams: { platform: { default: true, slack: 'http://x.invalid/services/a' }, quant: { slack: 'http://x.invalid/services/b' } }
`

test('KPIs of a day of pages with known answers', async () => {
  await using story = await tell(server, paging)
  const { deps } = story
  const at = () => new Date(deps.clock.now()).toISOString()
  const alert = (alertname: string, service: string, rest = {}) => ({
    labels: { alertname, service, severity: 'critical', team: 'platform' },
    ...rest,
  })
  const startsAt = at()
  const far = { startsAt, endsAt: new Date(deps.clock.now() + 24 * HOUR).toISOString() }
  await story.post(alert('Noise', 'api', far), alert('Real', 'api', far))
  await story.advance('1s')
  const real = (await deps.store.incidents.list(10)).find(({ title }) => title.includes('Real'))
  if (!real) throw new Error('there is no incident')
  await story.advance('59s')
  await changeIncident(real.id, 'acknowledged', { name: 'vera', from: '' }, deps)
  await story.advance('1m')
  await story.post(alert('Noise', 'api', { startsAt, endsAt: at() })) // after two minutes, and nobody took it
  await story.advance('18m')
  await story.post(alert('Real', 'api', { startsAt, endsAt: at() })) // after twenty
  await story.advance('1m')
  deps.tally.count('requests taken', 3)
  const read = async () => {
    await deps.tally.write()
    const { kpis } = await readKpis(DAY, deps)
    return new Map(kpis.map(({ name, value, of }) => [name, { value, of }]))
  }
  const kpis = await eventually(read, (now) => now.get('mttr')?.of === 2)
  expect(kpis.get('mtta')).toEqual({ value: 60, of: 1 })
  // each is resolved at the flush after its end, 10 s later at the most
  expect(kpis.get('mttr')?.value).toBeGreaterThanOrEqual((120 + 1200) / 2)
  expect(kpis.get('mttr')?.value).toBeLessThanOrEqual((130 + 1210) / 2)
  expect(kpis.get('noise_ratio')).toEqual({ value: 0.5, of: 2 })
  expect(kpis.get('accept_availability')).toEqual({ value: 1, of: 3 })
  expect(kpis.get('delivery_availability')?.value).toBe(1)
  expect(kpis.get('coverage')).toEqual({ value: 1, of: 1 })
  // most flushes had nothing new to say
  expect(kpis.get('repeats_suppressed_ratio')?.value).toBeGreaterThan(0.9)
})

test('points for charts: what each ten seconds brought, of the last hour', async () => {
  await using story = await tell(server, config)
  const { deps } = story
  const start = deps.clock.now()
  const read = async (after = 0) => {
    await deps.tally.write()
    return (await readSeries(after, deps)).map(({ at, counts, ...more }) => ({
      at: (at - start) / 1000,
      ...Object.fromEntries(counts),
      ...more,
    }))
  }
  story.answers.push({ state: 'failed', reason: 'client error', detail: 'HTTP 404' })
  await story.post({ labels: { alertname: 'A' } }, { labels: { alertname: 'B' } })
  await story.advance('0s')
  expect((await read()).filter(({ at }) => at >= 0)).toEqual([]) // they are not over
  await deps.tally.write()
  await story.advance('15s')
  await story.post({ labels: { alertname: 'A' } })
  await deps.tally.write()
  await story.advance('17s')
  const points = (await read()).filter(({ at }) => at >= 0)
  expect(points).toEqual([
    // it took no time: within the first bucket, up to 5 ms
    { at: 0, received: 2, 'told:webhook': 1, 'failed:webhook': 1, latency: { p50: 0.0025, p95: 0.00475 } },
    { at: 10, received: 1 },
    { at: 20 },
  ])
  expect(await read(start + 10_000)).toEqual([{ at: 20 }])
  await story.advance('2h')
  expect(await read()).toHaveLength(360)
})
