import { expect, test } from 'vitest'
import { type Engine, eventually, startEngine } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { type Several, openRedisCluster, openSentinel } from '../helpers/redis-several.ts'
import { tocsin } from '../helpers/tocsin.ts'

const configFor = (url: string) => `
route:
  receiver: sink
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
  routes: [{ matchers: [team=broken], receiver: broken }]
receivers:
  - { name: sink, webhook_configs: [{ url: '${url}/sink' }] }
  - { name: broken, webhook_configs: [{ url: '${url}/broken' }] }
inhibit_rules: [{ source_matchers: [alertname=Source], target_matchers: [alertname=Target], equal: [dc] }]
`
const post = async (engine: Engine, ...alerts: { labels: Record<string, string>; endsAt?: string }[]) =>
  (await engine.post('/api/v2/alerts', alerts)).status
const firing = (alertname: string, labels = {}) => ({ labels: { alertname, severity: 'critical', ...labels } })
const names = async (engine: Engine) =>
  (await engine.get<{ labels: { alertname: string }; status: { state: string } }[]>('/api/v2/alerts'))
    .map(({ labels, status }) => `${labels.alertname} ${status.state}`)
    .sort()

/** A webhook receiver that refuses what comes to /broken for good. */
const openSink = () => openHttpSink(({ path }) => (path === '/broken' ? { status: 404 } : { status: 200 }))
type Sink = Awaited<ReturnType<typeof openSink>>
const told = ({ requests }: Sink) =>
  requests.flatMap(({ path, body }) => {
    const { status, alerts } = JSON.parse(body) as { status: string; alerts: { labels: { alertname: string } }[] }
    return path === '/sink' ? alerts.map(({ labels }) => `${labels.alertname} ${status}`) : []
  })

/** In the order of a day: all that keeps something in Redis. */
async function everything(engine: Engine, sink: Sink, address: string): Promise<void> {
  await engine.post('/api/v2/silences', {
    matchers: [{ name: 'alertname', value: 'Silenced', isRegex: false, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    createdBy: 'test',
    comment: 'several',
  })
  expect(await post(engine, firing('Source', { dc: 'a' }))).toBe(200)
  expect(
    await post(
      engine,
      firing('Target', { dc: 'a' }),
      firing('Silenced'),
      firing('Plain'),
      firing('Lost', { team: 'broken' }),
    ),
  ).toBe(200)
  await eventually(
    async () => told(sink).toSorted(),
    (lines) => lines.length === 2,
  )
  expect(told(sink).toSorted()).toEqual(['Plain firing', 'Source firing'])
  expect(await names(engine)).toEqual([
    'Lost active',
    'Plain active',
    'Silenced suppressed',
    'Source active',
    'Target suppressed',
  ])
  const letters = () => engine.get<{ id: string }[]>('/api/tocsin/v1/deadletters')
  await eventually(letters, ({ length }) => length === 1)

  const endsAt = new Date().toISOString()
  expect(await post(engine, { ...firing('Plain'), endsAt })).toBe(200)
  await eventually(
    async () => told(sink),
    (lines) => lines.includes('Plain resolved'),
  )
  const audit = await tocsin('audit', `--redis.url=${address}`)
  expect(audit).toMatchObject({ code: 0, out: expect.stringContaining('nothing is missing') })
}

test('on a cluster of three nodes everything works, and two prefixes may be on two nodes', async () => {
  await using cluster: Several = await openRedisCluster()
  await using sink = await openSink()
  await using engine = await startEngine({ config: configFor(sink.url), redis: cluster.address })
  await everything(engine, sink, cluster.address)

  // {tocsin} is in slot 148, {other} in 11,361
  await using other = await startEngine({
    config: configFor(sink.url),
    redis: cluster.address,
    args: ['--redis.prefix=other'],
  })
  expect(await names(other)).toEqual([])
  expect(await post(other, firing('Elsewhere'))).toBe(200)
  await eventually(
    async () => told(sink),
    (lines) => lines.includes('Elsewhere firing'),
  )
  expect(await names(engine)).not.toContain('Elsewhere active')
  const keys = await Promise.all(cluster.nodes.map(({ redis }) => redis.keys('*')))
  const holding = (prefix: string) => keys.map((some) => some.some((key) => key.startsWith(`{${prefix}}`)))
  expect(holding('tocsin').filter(Boolean)).toHaveLength(1)
  expect(holding('other').filter(Boolean)).toHaveLength(1)
  expect(holding('tocsin')).not.toEqual(holding('other'))
})

test('a slot that moves to another node is followed', async () => {
  await using cluster: Several = await openRedisCluster()
  await using sink = await openSink()
  await using engine = await startEngine({ config: configFor(sink.url), redis: cluster.address })
  expect(await post(engine, firing('Before'))).toBe(200)
  await sink.receives(1)
  const [first] = cluster.nodes
  const slot = await first?.redis.cluster('KEYSLOT', '{tocsin}')
  if (!first || slot === undefined) throw new Error('no node')
  const ids = await Promise.all(cluster.nodes.map(({ redis }) => redis.cluster('MYID')))
  const sizes = await Promise.all(cluster.nodes.map(({ redis }) => redis.dbsize()))
  const from = sizes.findIndex((size) => size > 0)
  const to = (from + 1) % 3
  const [source, target] = [cluster.nodes[from], cluster.nodes[to]]
  if (!source || !target) throw new Error('no node')
  await target.redis.cluster('SETSLOT', slot, 'IMPORTING', String(ids[from]))
  await source.redis.cluster('SETSLOT', slot, 'MIGRATING', String(ids[to]))
  for (;;) {
    const keys = await source.redis.cluster('GETKEYSINSLOT', slot, 1000)
    if (keys.length === 0) break
    await source.redis.call('MIGRATE', ['127.0.0.1', target.port, '', 0, 5000, 'KEYS', ...keys])
  }
  for (const { redis } of [target, source, ...cluster.nodes])
    await redis.cluster('SETSLOT', slot, 'NODE', String(ids[to]))

  await eventually(
    () => post(engine, firing('After')),
    (status) => status === 200,
  )
  await eventually(
    async () => told(sink),
    (lines) => lines.includes('After firing'),
  )
  expect(await names(engine)).toEqual(['After active', 'Before active'])
  expect(told(sink).filter((line) => line === 'Before firing')).toHaveLength(1)
})

test('a cluster that was away altogether is found again', async () => {
  await using cluster: Several = await openRedisCluster()
  await using sink = await openSink()
  await using engine = await startEngine({ config: configFor(sink.url), redis: cluster.address })
  expect(await post(engine, firing('Before'))).toBe(200)
  let isAway = () => {}
  const away = new Promise<void>((done) => (isAway = done))
  const restarted = cluster.nodes.map((node) => node.restart(() => away))
  await eventually(
    () => post(engine, firing('Meanwhile')),
    (status) => status === 503,
  )
  isAway()
  await Promise.all(restarted)
  await eventually(
    () => post(engine, firing('After')),
    (status) => status === 200,
    30_000,
  )
  await eventually(
    async () => told(sink),
    (lines) => lines.includes('After firing'),
    30_000,
  )
  expect(await names(engine)).toContain('Before active')
})

test('by Sentinel: everything works, and goes on with the replica when the primary is gone', async () => {
  await using several = await openSentinel()
  await using sink = await openSink()
  await using engine = await startEngine({
    config: configFor(sink.url),
    redis: several.address,
    args: ['--redis.wait-replicas=0'],
  })
  await everything(engine, sink, several.address)

  await eventually(
    async () => several.sentinel.redis.call('SENTINEL', ['REPLICAS', 'tocsin']),
    (replicas) => JSON.stringify(replicas).includes('"master-link-status","ok"'), // else it is not promoted
  )
  several.primary.process.kill('SIGKILL')
  await eventually(
    () => post(engine, firing('After')),
    (status) => status === 200,
    30_000,
  )
  await eventually(
    async () => told(sink),
    (lines) => lines.includes('After firing'),
    30_000,
  )
  expect(await names(engine)).toContain('Source active')
  expect(await several.replica.redis.exists('{tocsin}:alerts')).toBe(1)
})
