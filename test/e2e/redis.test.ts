import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, eventually, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { freePort } from '../helpers/port.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'

const config = `
route: { receiver: nobody, group_wait: 0s, group_by: [alertname] }
receivers: [{ name: nobody }]
`
const toSink = (url: string) => `
route: { receiver: sink, group_wait: 0s, group_by: [alertname] }
receivers: [{ name: sink, webhook_configs: [{ url: '${url}' }] }]
`

async function postTo(engine: Engine) {
  const asked = Date.now()
  const answer = await engine.post('/api/v2/alerts', [{ labels: { alertname: 'Good' } }])
  const retryAfter = answer.headers.get('retry-after')
  return { status: answer.status, retryAfter, took: Date.now() - asked, text: await answer.text() }
}
async function readinessOf(engine: Engine) {
  const answer = await fetch(`${engine.url}/-/ready`)
  return { status: answer.status, text: await answer.text() }
}
/** How many alerts are kept, Tocsin's own canary aside. */
async function alertsIn({ redis }: TestRedis): Promise<number> {
  return (await redis.hkeys('{tocsin}:alerts')).filter((fingerprint) => fingerprint !== 'canary').length
}
const is = (status: number) => (answer: { status: number }) => answer.status === status

describe('what Redis may have, and how it passes', () => {
  let redis: TestRedis
  let engine: Engine
  let dir: string
  beforeAll(async () => {
    redis = await openRedis('--enable-debug-command', 'yes', '--lua-time-limit', '100', '--appendonly', 'yes')
    dir = String((await redis.redis.config('GET', 'dir'))[1])
    engine = await startEngine({ config, redis: redis.socket })
  })
  afterAll(async () => {
    await engine[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  interface Fault {
    what: string
    /** Returns how it ends. */
    begin(by: Redis): Promise<() => Promise<unknown>>
    says: RegExp
  }
  const set = async (by: Redis, name: string, value: string) => {
    const before = String((await by.config('GET', name))[1])
    await by.config('SET', name, value)
    return () => by.config('SET', name, before)
  }
  const faults: Fault[] = [
    {
      what: 'a script that does not end',
      async begin(by) {
        const other = by.duplicate()
        other.on('error', () => {})
        void other.eval('while true do end', 0).catch(() => {})
        return async () => {
          await by.script('KILL')
          other.disconnect()
        }
      },
      says: /held up by a script|does not answer/,
    },
    {
      what: 'CLIENT PAUSE',
      async begin(by) {
        await by.client('PAUSE', 6000, 'ALL')
        return async () => {}
      },
      says: /does not answer within 2 s/,
    },
    {
      what: 'DEBUG SLEEP',
      begin: async (by) => (void by.debug('SLEEP', '4').catch(() => {}), async () => {}),
      says: /does not answer within 2 s/,
    },
    { what: 'full memory', begin: (by) => set(by, 'maxmemory', '1mb'), says: /maxmemory|limits\.redis_memory/ },
    { what: 'too few replicas', begin: (by) => set(by, 'min-replicas-to-write', '1'), says: /min-replicas-to-write/ },
    {
      what: 'a failover that makes it a replica',
      async begin(by) {
        await by.replicaof('127.0.0.1', '1')
        return () => by.replicaof('NO', 'ONE')
      },
      says: /is a replica and takes no writes|cannot be reached/,
    },
    {
      what: 'a disk that takes nothing',
      async begin(by) {
        mkdirSync(join(dir, 'dump.rdb')) // a snapshot cannot be renamed to it
        await by.config('SET', 'save', '3600 1000000')
        await by.bgsave()
        await eventually(
          () => by.info('persistence'),
          (info) => info.includes('rdb_last_bgsave_status:err'),
        )
        return () => by.config('SET', 'save', '')
      },
      says: /cannot write to its disk/,
    },
    {
      what: 'an eviction policy',
      begin: (by) => set(by, 'maxmemory-policy', 'allkeys-lru'),
      says: /throw away accepted alerts/,
    },
  ]

  test.each(faults)(
    '$what: 503 with Retry-After soon, not ready, alive; then all is well by itself',
    async ({ begin, says }) => {
      await eventually(() => postTo(engine), is(200))
      const by = redis.redis.duplicate()
      const end = await begin(by)
      const refused = await eventually(() => postTo(engine), is(503))
      expect(refused.retryAfter).toBe('5')
      expect(refused.text).toMatch(says)
      expect(refused.took).toBeLessThan(6000) // 2 s
      expect((await readinessOf(engine)).status).toBe(503)
      expect((await fetch(`${engine.url}/-/healthy`)).status).toBe(200)
      await end()
      by.disconnect()
      await eventually(() => postTo(engine), is(200), 30_000)
      await eventually(() => readinessOf(engine), is(200))
    },
  )

  test('another password: not ready, says so, does not storm; then all is well by itself', async () => {
    const by = redis.redis.duplicate()
    redis.redis.disconnect() // it would be counted
    await by.config('SET', 'requirepass', 'changed')
    await by.call('AUTH', 'changed')
    const connections = String(await by.client('LIST'))
      .trim()
      .split('\n').length
    await by.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await eventually(
      () => readinessOf(engine),
      ({ text }) => text.includes('asks for another user or password'),
    )
    expect(await postTo(engine)).toMatchObject({ status: 503, retryAfter: '5' })
    const received = async () => Number(/total_connections_received:(\d+)/.exec(await by.info('stats'))?.[1])
    const before = await received()
    const since = performance.now()
    await new Promise((pass) => setTimeout(pass, 5000))
    const seconds = (performance.now() - since) / 1000
    expect((await received()) - before).toBeLessThanOrEqual(connections * (seconds + 2)) // once a second each
    await by.config('SET', 'requirepass', '')
    by.disconnect()
    await eventually(() => readinessOf(engine), is(200), 30_000)
    expect(await postTo(engine)).toMatchObject({ status: 200 })
  })
})

test('less durable than asked for: not ready while it is, also when it changes at run time', async () => {
  await using redis = await openRedis('--appendonly', 'yes', '--appendfsync', 'always')
  await using engine = await startEngine({
    config,
    redis: redis.socket,
    args: ['--redis.min-durability=always'],
  })
  const level = async () =>
    /^tocsin_redis_durability\{level="(\w+)"\} 1$/m.exec(await (await fetch(`${engine.url}/metrics`)).text())?.[1]
  expect(await readinessOf(engine)).toMatchObject({ status: 200 })
  await redis.redis.config('SET', 'appendfsync', 'everysec')
  const unready = await eventually(() => readinessOf(engine), is(503), 30_000)
  expect(unready.text).toBe('Redis keeps what is accepted by "everysec", and --redis.min-durability asks for "always"')
  expect(await level()).toBe('everysec')
  expect(await postTo(engine)).toMatchObject({ status: 503, retryAfter: '5' })
  await redis.redis.config('SET', 'appendfsync', 'always')
  await eventually(() => readinessOf(engine), is(200), 30_000)
  expect(await level()).toBe('always')
  expect(await postTo(engine)).toMatchObject({ status: 200 })
})

test('a Redis that forbids CONFIG, as managed ones do: unknown, one warning, and alerts are taken', async () => {
  await using redis = await openRedis('--appendonly', 'yes', '--rename-command', 'CONFIG', '')
  await using engine = await startEngine({ config, redis: redis.socket })
  expect(engine.log.filter(({ message }) => /does not tell its appendfsync/.test(String(message)))).toHaveLength(1)
  expect(await (await fetch(`${engine.url}/metrics`)).text()).toContain('tocsin_redis_durability{level="unknown"} 1')
  expect(await postTo(engine)).toMatchObject({ status: 200 })
})

test('Redis is away at the start: alive and 503 until it comes', async () => {
  const [port, redisPort] = [await freePort(), await freePort()]
  const starting = startEngine({
    config,
    redis: `redis://127.0.0.1:${redisPort}`,
    args: [`--web.listen-address=127.0.0.1:${port}`],
  })
  const url = `http://127.0.0.1:${port}`
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(url + path, init).catch(() => undefined)
    return { status: answer?.status ?? 0, retryAfter: answer?.headers.get('retry-after'), text: await answer?.text() }
  }
  await eventually(() => ask('/-/healthy'), is(200))
  const ready = await eventually(
    () => ask('/-/ready'),
    ({ text }) => text?.includes('Redis cannot be reached') ?? false,
  )
  expect(ready).toMatchObject({ status: 503, retryAfter: '5' })
  const posted = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '[]' }
  expect(await ask('/api/v2/alerts', posted)).toMatchObject({ status: 503, retryAfter: '5' })
  await using redis = await openRedis('--port', String(redisPort))
  await using engine = await starting
  expect(await postTo(engine)).toMatchObject({ status: 200 })
  expect(await alertsIn(redis)).toBe(1)
  expect(await engine.says(/Redis cannot be reached; waiting for it/)).toMatchObject({ level: 'error' })
})

test('a stop while Redis is awaited is a stop', async () => {
  const port = await freePort()
  const starting = startEngine({
    config,
    redis: `redis://127.0.0.1:${await freePort()}`,
    args: [`--web.listen-address=127.0.0.1:${port}`],
  })
  const ended = expect(starting).rejects.toThrow(/the engine ended/)
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${port}/-/healthy`).catch(() => undefined))?.status,
    (status) => status === 200,
  )
  const { pid } = await eventually(
    async () => processOf(port),
    ({ pid: found }) => found > 0,
  )
  process.kill(pid, 'SIGTERM')
  await ended
})

test('with a replica to wait for: accepted once it has it, else 503, and taken again when it is back', async () => {
  const [primaryPort, replicaPort] = [await freePort(), await freePort()]
  await using primary = await openRedis('--port', String(primaryPort))
  await using replica = await openRedis('--port', String(replicaPort), '--replicaof', `127.0.0.1 ${primaryPort}`)
  await eventually(
    () => primary.redis.info('replication'),
    (info) => info.includes('state=online'),
    30_000,
  )
  await using engine = await startEngine({ config, redis: primary.socket, args: ['--redis.wait-replicas=1'] })
  expect(await postTo(engine)).toMatchObject({ status: 200 })
  expect(await alertsIn(replica)).toBe(1)
  // a script that Redis has forgotten is sent again, behind what was waited for
  await primary.redis.script('FLUSH')
  expect(await postTo(engine)).toMatchObject({ status: 200 })

  replica.process.kill('SIGSTOP')
  const refused = await Promise.all(Array.from({ length: 20 }, () => postTo(engine)))
  for (const one of refused) {
    expect(one).toMatchObject({ status: 503, retryAfter: '5' })
    expect(one.text).toContain('fewer replicas of Redis than --redis.wait-replicas')
    expect(one.took).toBeLessThan(6000) // 0.6 s
  }
  replica.process.kill('SIGCONT')
  await eventually(() => postTo(engine), is(200))
})

describe('data that is gone', () => {
  test('while it runs: said at once, told to the default receiver once, and what is sent again pages once', async () => {
    await using sink = await openHttpSink()
    await using redis = await openRedis()
    const start = () => startEngine({ config: toSink(sink.url), redis: redis.socket })
    await using engine = await start()
    await using other = await start()
    const firing = webhookPayload({ labels: { alertname: 'Before' }, startsAt: new Date().toISOString() })
    await engine.post('/webhook', firing)
    await sink.receives(1)
    await redis.redis.flushall()
    for (const one of [engine, other]) await one.says(/Redis has lost all that it kept for Tocsin/)
    const told = () => sink.requests.filter(({ body }) => body.includes('TocsinStateLost'))
    await eventually(
      async () => told().length,
      (count) => count === 1,
    )
    await other.post('/webhook', firing)
    await engine.post('/webhook', firing)
    const repeats = () => sink.requests.filter(({ body }) => body.includes('"alertname":"Before"'))
    await eventually(
      async () => repeats().length,
      (count) => count === 2,
    )
    await new Promise((pass) => setTimeout(pass, 2500)) // two more looks at the epoch
    expect([told().length, repeats().length]).toEqual([1, 2])
    expect(told()[0]?.body).toContain('"severity":"critical"')
    expect(await (await fetch(`${engine.url}/metrics`)).text()).toContain('tocsin_state_lost_total 1')
    expect(await readinessOf(engine)).toMatchObject({ status: 200 })
  })

  test('while nothing ran: noticed at the start by the file beside the data, and not before', async () => {
    await using sink = await openHttpSink()
    using dir = tempDir()
    const start = () => startEngine({ config: toSink(sink.url), dir: dir.path })
    for (let round = 0; round < 2; round++) {
      const engine = await start()
      await engine.kill('SIGTERM')
      expect(engine.log.some(({ message }) => /has lost all/.test(String(message)))).toBe(false)
    }
    rmSync(join(dir.path, 'data', 'appendonlydir'), { recursive: true })
    await using engine = await start()
    await engine.says(/Redis has lost all that it kept for Tocsin/)
    const [first] = await sink.receives(1)
    expect(first?.body).toContain('TocsinStateLost')
  })
})

test('workers that were idle while Redis was away for 9 s take up what comes, soon', async () => {
  await using sink = await openHttpSink()
  using dir = tempDir()
  const settings = ['--port', String(await freePort()), '--appendonly', 'yes', '--dir', dir.path]
  const first = await openRedis(...settings)
  await using engine = await startEngine({ config: toSink(sink.url), redis: `redis://127.0.0.1:${settings[1]}` })
  await engine.post('/webhook', webhookPayload({ labels: { alertname: 'Before' } }))
  await sink.receives(1)
  await first[Symbol.asyncDispose]()
  await eventually(() => postTo(engine), is(503))
  await new Promise((pass) => setTimeout(pass, 9000)) // longer than a worker's own wait
  await using second = await openRedis(...settings)
  await eventually(() => engine.post('/webhook', webhookPayload({ labels: { alertname: 'After' } })), is(200))
  const back = performance.now()
  await sink.receives(2)
  expect(performance.now() - back).toBeLessThan(15_000) // 2 s
  // the one that was answered 503 may be there, too: what became of it was not known
  const kept = (await second.redis.hvals('{tocsin}:alerts')).join()
  for (const name of ['Before', 'After']) expect(kept).toContain(name)
  expect(engine.log.filter(({ message }) => /has lost all/.test(String(message)))).toEqual([])
})

/** The process that listens on a port. */
function processOf(port: number): { pid: number } {
  const { stdout } = spawnSync('pgrep', ['-f', `web.listen-address=127.0.0.1:${port}`])
  return { pid: Number(stdout.toString().split('\n')[0]) }
}

test('over TLS, by a rediss:// address', async () => {
  using dir = tempDir()
  const [key, cert] = [join(dir.path, 'key.pem'), join(dir.path, 'cert.pem')]
  const made = spawnSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.split(
      ' ',
    ),
  )
  expect(made.status).toBe(0)
  const port = await freePort()
  const tls = ['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert]
  await using redis = await openRedis(...tls, '--tls-auth-clients', 'no', '--requirepass', '')
  await using engine = await startEngine({
    config,
    redis: `rediss://127.0.0.1:${port}`,
    env: { NODE_EXTRA_CA_CERTS: cert },
  })
  expect(await postTo(engine)).toMatchObject({ status: 200 })
  const kept = await redis.redis.hkeys('{tocsin}:alerts')
  expect(kept.filter((fingerprint) => fingerprint !== 'canary')).toHaveLength(1)
})
