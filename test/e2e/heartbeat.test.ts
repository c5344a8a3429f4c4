import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { expect, test } from 'vitest'
import { repeats, seed, write } from '../chaos/tier.ts'
import { type Engine, eventually, startEngine } from '../helpers/engine.ts'
import { type HttpSink, openHttpSink } from '../helpers/http-sink.ts'
import { openRedis } from '../helpers/redis.ts'

const INTERVAL = 2000

const config = (service: HttpSink, ops: HttpSink, interval = INTERVAL) => `
route: { receiver: ops, group_wait: 0s, group_interval: 1s, routes: [{ matchers: [alertname="Watchdog"], receiver: nobody }] }
receivers: [{ name: ops, webhook_configs: [{ url: '${ops.url}' }] }, { name: nobody }]
heartbeat: { url: '${service.url}/s3cret', interval: ${interval}ms }
heartbeats: [{ name: eu, matchers: [alertname="Watchdog"], timeout: 5s }]
`

interface Health {
  status: string
  parts: { name: string; of?: string; status: string; reason: string }[]
}
const health = (engine: Engine) => engine.get<Health>('/api/tocsin/v1/health')
const partOf = ({ parts }: Health, name: string, of?: string) =>
  parts.find((part) => part.name === name && part.of === of)

/** Whether nothing is heard for so long that three heartbeats would have been. */
async function isSilent(service: HttpSink, interval = INTERVAL): Promise<boolean> {
  const before = service.requests.length
  await sleep(3 * interval)
  return service.requests.length === before
}

test('the service outside hears of Tocsin while it delivers: not when it is wedged, again when it is not, never when it is dead', async () => {
  await using service = await openHttpSink()
  await using ops = await openHttpSink()
  await using redis = await openRedis()
  await using engine = await startEngine({ config: config(service, ops), redis: redis.socket })
  await service.receives(3)
  expect(partOf(await health(engine), 'canary')).toMatchObject({ status: 'ok' })

  // the process is alive and answers, and its deliveries stand still
  const queue = new Queue('deliver-canary', { connection: { path: redis.socket }, prefix: '{tocsin}' })
  await queue.pause()
  const stopped = await engine.says(/^the heartbeat does not go out$/)
  expect(stopped).toMatchObject({ reason: "no alert of Tocsin's own arrived within 4s" })
  expect(await isSilent(service)).toBe(true)
  expect((await fetch(`${engine.url}/-/healthy`)).status).toBe(200)
  expect(partOf(await health(engine), 'canary')).toMatchObject({ status: 'down' })
  expect(engine.log.filter(({ message }) => message === 'the heartbeat does not go out')).toHaveLength(1)

  const before = service.requests.length
  await queue.resume()
  await queue.close()
  await service.receives(before + 2)
  await engine.says(/^the heartbeat goes out again$/)

  await engine.kill('SIGKILL')
  expect(await isSilent(service)).toBe(true)
  expect(JSON.stringify(engine.log)).not.toContain('s3cret')
  expect(ops.requests.every(({ body }) => body.includes('HeartbeatMissing'))).toBe(true) // the canary is nobody's business
}, 120_000)

const DEATHS = repeats(5, 20)
const title = `each of ${DEATHS} deaths is noticed outside, and so is each start`

test(
  title,
  async () => {
    const startedAt = Date.now()
    const often = 1000
    await using service = await openHttpSink()
    await using ops = await openHttpSink()
    await using redis = await openRedis()
    let noticed = 0
    for (let death = 0; death < DEATHS; death++) {
      const before = service.requests.length
      const engine = await startEngine({ config: config(service, ops, often), redis: redis.socket })
      await service.receives(before + 2) // not by chance
      await engine.kill('SIGKILL')
      if (await isSilent(service, often)) noticed += 1
    }
    const failures = DEATHS - noticed
    write({
      name: title,
      promises: 'P16',
      rounds: DEATHS,
      facts: DEATHS,
      failures,
      seed,
      took: Date.now() - startedAt,
      notes: [],
    })
    expect(failures).toBe(0)
  },
  600_000,
)

test('a service that refuses is told of once, tried again within the interval, and its URL is told nowhere', async () => {
  await using service = await openHttpSink({ status: 500 })
  await using ops = await openHttpSink()
  await using redis = await openRedis()
  await using engine = await startEngine({ config: config(service, ops), redis: redis.socket })
  expect(await engine.says(/^the heartbeat does not go out$/)).toMatchObject({
    reason: 'the service cannot be called: HTTP 500',
  })
  await service.receives(4)
  service.answer = () => ({ status: 200 })
  await engine.says(/^the heartbeat goes out again$/)
  expect(engine.log.filter(({ message }) => message === 'the heartbeat does not go out')).toHaveLength(1)
  const metrics = await (await fetch(`${engine.url}/metrics`)).text()
  expect(metrics).toMatch(/^tocsin_heartbeat_sent_timestamp_seconds 1\.?\d/m)
  expect(metrics).toMatch(/^tocsin_canary_arrived_timestamp_seconds 1\.?\d/m)
  expect(JSON.stringify(engine.log) + metrics + JSON.stringify(await health(engine))).not.toContain('s3cret')
}, 120_000)

test('of two replicas one calls for both, and the other goes on when it dies', async () => {
  await using service = await openHttpSink()
  await using ops = await openHttpSink()
  await using redis = await openRedis()
  const text = config(service, ops)
  await using one = await startEngine({ config: text, redis: redis.socket })
  await using two = await startEngine({ config: text, redis: redis.socket })
  await service.receives(4)
  const times = service.requests.map(({ at }) => at)
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0))
  expect(Math.min(...gaps)).toBeGreaterThan(INTERVAL / 2) // not each by itself
  await one.kill('SIGKILL')
  await service.receives(service.requests.length + 3)
  expect(await health(two)).toMatchObject({
    parts: expect.arrayContaining([expect.objectContaining({ name: 'heartbeat', status: 'ok' })]),
  })
}, 120_000)

test('a Prometheus that falls silent is paged for, and its page resolves when it is back', async () => {
  await using service = await openHttpSink()
  await using ops = await openHttpSink()
  await using redis = await openRedis()
  await using engine = await startEngine({ config: config(service, ops), redis: redis.socket })
  const watchdog = () => engine.post('/api/v2/alerts', [{ labels: { alertname: 'Watchdog' } }])
  expect((await watchdog()).status).toBe(200)
  await ops.receives(1)
  const missing = { alertname: 'HeartbeatMissing', heartbeat: 'eu', severity: 'critical' }
  expect(JSON.parse(ops.requests[0]?.body ?? '')).toMatchObject({ status: 'firing', commonLabels: missing })
  expect(partOf(await health(engine), 'awaited', 'eu')).toMatchObject({ status: 'degraded' })
  expect(await (await fetch(`${engine.url}/metrics`)).text()).toMatch(/^tocsin_heartbeat_missing\{heartbeat="eu"\} 1$/m)
  // people see it as any alert
  const alerts = await engine.get<{ labels: Record<string, string> }[]>('/api/v2/alerts')
  expect(new Set(alerts.map(({ labels }) => labels['alertname']))).toEqual(new Set(['HeartbeatMissing', 'Watchdog']))

  const beats = setInterval(() => void watchdog(), 1000)
  try {
    await ops.receives(2)
    expect(JSON.parse(ops.requests[1]?.body ?? '')).toMatchObject({ status: 'resolved', commonLabels: missing })
    await eventually(
      () => health(engine),
      (now) => partOf(now, 'awaited', 'eu')?.status === 'ok',
    )
  } finally {
    clearInterval(beats)
  }
}, 120_000)

test('nothing of the canary is to be seen', async () => {
  await using service = await openHttpSink()
  await using ops = await openHttpSink()
  await using redis = await openRedis()
  await using engine = await startEngine({ config: config(service, ops), redis: redis.socket })
  await service.receives(2)
  const shown = await Promise.all(
    [
      '/api/v2/alerts?silenced=true&inhibited=true',
      '/api/v2/alerts/groups?muted=true',
      '/api/v2/receivers',
      '/api/v2/status',
      '/api/tocsin/v1/incidents',
      '/api/tocsin/v1/deadletters',
      '/api/tocsin/v1/inbox',
    ].map(async (path) => JSON.stringify(await engine.get(path))),
  )
  expect(shown.join('\n')).not.toMatch(/canary|tocsin\/|s3cret|heartbeats/)
  expect(engine.log.filter((line) => JSON.stringify(line).includes('canary'))).toEqual([])
}, 60_000)

test('how Tocsin is, is answered within 2 s also while Redis is frozen, and while it is gone', async () => {
  await using service = await openHttpSink()
  await using ops = await openHttpSink()
  await using redis = await openRedis()
  await using engine = await startEngine({ config: config(service, ops), redis: redis.socket })
  await engine.post('/api/v2/alerts', [{ labels: { alertname: 'A' } }])
  const good = await eventually(
    () => health(engine),
    (now) => /was delivered/.test(partOf(now, 'delivery', 'webhook')?.reason ?? ''),
  )
  expect(good.parts.filter(({ name }) => name !== 'redis').map(({ name, of, status }) => [name, of, status])).toEqual([
    ['receiving', undefined, 'ok'],
    ['flush', undefined, 'ok'],
    ['queue', 'webhook', 'ok'],
    ['canary', undefined, 'ok'],
    ['heartbeat', undefined, 'ok'],
    ['awaited', 'eu', 'ok'],
    ['delivery', 'webhook', 'ok'],
    ['config', undefined, 'ok'],
  ])

  redis.process.kill('SIGSTOP')
  const start = performance.now()
  const frozen = await health(engine)
  expect(performance.now() - start).toBeLessThan(2500) // 1.5 s, on a machine that does other things
  redis.process.kill('SIGCONT')
  expect(frozen.status).toBe('down')
  expect(partOf(frozen, 'receiving')).toMatchObject({
    status: 'down',
    reason: 'alerts are answered with 503: Redis does not take writes',
  })
  expect(partOf(frozen, 'config')).toMatchObject({ status: 'ok' })

  redis.process.kill('SIGKILL')
  const gone = await eventually(
    () => health(engine),
    ({ status }) => status === 'down',
  )
  expect(partOf(gone, 'redis')).toMatchObject({ status: 'down' })
  expect((await fetch(`${engine.url}/-/healthy`)).status).toBe(200)
}, 60_000)
