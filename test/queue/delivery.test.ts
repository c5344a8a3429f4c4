import { once } from 'node:events'
import { type AddressInfo, type Socket, createConnection, createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DeliveryQueue, type DeliveryQueueOptions, openDeliveryQueue } from '../../src/queue/delivery.ts'
import { blockingConnection, storeConnection } from '../../src/store/redis.ts'
import { eventually } from '../helpers/engine.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

/** A way to Redis on which what is connected can go silent, as behind a firewall that has forgotten it. */
async function openWay(socket: string) {
  const clients = new Set<Socket>()
  const proxy = createServer((client) => {
    const redis = createConnection(socket)
    clients.add(client)
    for (const end of [client, redis]) end.on('error', () => {})
    client.pipe(redis).pipe(client)
    client.once('close', () => {
      clients.delete(client)
      redis.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    silence() {
      for (const client of clients) {
        client.unpipe()
        client.pause()
      }
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}

let opened = 0

/** A queue of one channel whose workers come by `address`; its owner adds directly. */
function open(address: () => string, options: Pick<DeliveryQueueOptions, 'run' | 'stuck'> & { patience?: number }) {
  const adding = storeConnection(server.socket, 'queue')
  const workers: ReturnType<typeof blockingConnection>[] = []
  const queue = openDeliveryQueue({
    channels: [
      { name: 'webhook', deadline: 10_000 },
      { name: 'by job', deadline: 10_000, byJobOnly: true },
    ],
    prefix: `{queue${(opened += 1)}}`,
    connection: adding,
    blocking: () => {
      const connection = blockingConnection(address(), 'queue')
      workers.push(connection)
      return connection
    },
    failed: () => {},
    ...options,
  })
  return {
    queue,
    adding,
    async [Symbol.asyncDispose]() {
      // one that is cut off never hears that it is closed
      for (const connection of [...workers, adding]) connection.disconnect()
      await Promise.race([queue.close().catch(() => {}), new Promise((done) => setTimeout(done, 500))])
    },
  }
}

const wake = (row: string, delay = 0, channel = 'webhook') => ({
  row,
  channel,
  integration: 'i',
  notification: 'n',
  turn: 0,
  rank: 0,
  delay,
})
const ready = (connection: ReturnType<typeof storeConnection>) =>
  eventually(
    async () => connection.status,
    (status) => status === 'ready',
  )
/** Looks, as the engine does each few seconds, until it is so. */
const lookUntil = (queue: DeliveryQueue, isSo: () => boolean) =>
  eventually(async () => void (await queue.look().catch(() => {})), isSo)

test('a worker that is cut off from Redis without knowing is built anew, and what waits is delivered', async () => {
  await using way = await openWay(server.socket)
  const ran: string[] = []
  const said: string[] = []
  await using line = open(() => way.url, {
    run: async (row) => void ran.push(row),
    stuck: (_channel, verdict) => void said.push(verdict),
    patience: 1500,
  })
  await ready(line.adding)
  line.queue.start()
  await line.queue.wake([wake('first')])
  await eventually(
    async () => ran,
    (rows) => rows.length === 1,
  )
  way.silence()
  // more than are run without a job
  const rows = Array.from({ length: 20 }, (_none, i) => `row ${i}`)
  await line.queue.wake(rows.map((row) => wake(row)))
  await lookUntil(line.queue, () => ran.length === 21)
  expect(said).toEqual(['rebuild'])
  expect(new Set(ran)).toEqual(new Set(['first', ...rows]))
})

test('where a new one takes nothing either, it is hopeless', async () => {
  const said: string[] = []
  await using line = open(() => 'redis://127.0.0.1:1', {
    run: async () => {},
    stuck: (_channel, verdict) => void said.push(verdict),
    patience: 300,
  })
  await ready(line.adding)
  line.queue.start()
  await line.queue.wake(Array.from({ length: 20 }, (_none, i) => wake(`row ${i}`))) // more than are run without a job
  await lookUntil(line.queue, () => said.includes('hopeless'))
  expect(said.slice(0, 2)).toEqual(['rebuild', 'hopeless'])
})

test('one that is idle, or has its hands full, is left in peace', async () => {
  const said: string[] = []
  let end = () => {}
  const held = new Promise<void>((resolve) => (end = resolve))
  await using line = open(() => server.socket, {
    run: async (row) => (row === 'held' ? held : undefined),
    stuck: (_channel, verdict) => void said.push(verdict),
    patience: 300,
  })
  await ready(line.adding)
  line.queue.start()
  for (let looks = 0; looks < 10; looks++) {
    await line.queue.look()
    await new Promise((pass) => setTimeout(pass, 50))
  }
  await line.queue.wake([wake('held')])
  for (let looks = 0; looks < 10; looks++) {
    await line.queue.look()
    await new Promise((pass) => setTimeout(pass, 50))
  }
  end()
  expect(said).toEqual([])
  expect((await line.queue.look()).get('webhook')?.idleFor).toBeLessThan(10_000)
})

test('a job for later does not hold up the sweep’s for now, whose clock may be right', async () => {
  const ran: string[] = []
  await using line = open(() => server.socket, { run: async (row) => void ran.push(row), stuck: () => {} })
  await ready(line.adding)
  line.queue.start()
  await line.queue.wake([wake('row', 3_600_000)])
  await line.queue.wake([wake('row', 3_600_000)])
  expect((await line.queue.look()).get('webhook')?.jobs).toBe(1)
  await line.queue.wake([wake('row')])
  await eventually(
    async () => ran,
    (rows) => rows.length === 1,
  )
})

test('what is woken while the channel is idle runs at once, and once; more waits for its job', async () => {
  const ran: string[] = []
  const ends: (() => void)[] = []
  await using line = open(() => server.socket, {
    run: async (row) => {
      ran.push(row)
      await new Promise<void>((end) => ends.push(end))
    },
    stuck: () => {},
  })
  await ready(line.adding)
  await line.queue.wake([wake('before')]) // it has not begun: the job is there when it does
  expect(ran).toEqual([])
  line.queue.start()
  await eventually(
    async () => ran,
    (rows) => rows.length === 1,
  )
  const added = line.queue.wake(Array.from({ length: 50 }, (_none, i) => wake(`row ${i}`)))
  expect(ran).toHaveLength(8)
  await added
  const endAll = setInterval(() => ends.shift()?.(), 1)
  await eventually(
    async () => (await line.queue.look()).get('webhook')?.jobs,
    (jobs) => jobs === 0,
  )
  clearInterval(endAll)
  expect(ran.toSorted()).toEqual(['before', ...Array.from({ length: 50 }, (_none, i) => `row ${i}`)].toSorted())
})

test('what is passed on runs without a job where there is a hand for it, else it gets one', async () => {
  const ran: string[] = []
  const ends: (() => void)[] = []
  await using line = open(() => server.socket, {
    run: async (row) => {
      ran.push(row)
      await new Promise<void>((end) => ends.push(end))
    },
    stuck: () => {},
  })
  await ready(line.adding)
  line.queue.start()
  const names = Array.from({ length: 20 }, (_none, i) => `row ${i}`)
  await line.queue.pass(names.map((row) => wake(row)))
  expect(ran.length).toBeGreaterThanOrEqual(16)
  await eventually(
    async () => ran,
    (rows) => rows.length === 20,
  )
  expect((await line.queue.look()).get('webhook')?.jobs).toBe(4)
  await line.queue.pass([wake('later', 3_600_000)])
  expect((await line.queue.look()).get('webhook')?.jobs).toBe(5)
  for (const end of ends) end()
  expect(ran.toSorted()).toEqual(names.toSorted())
})

test('a run without a job that fails gets one', async () => {
  const ran: string[] = []
  await using line = open(() => server.socket, {
    run: async (row) => {
      ran.push(row)
      if (ran.length === 1) throw new Error('Redis is away')
    },
    stuck: () => {},
  })
  await ready(line.adding)
  line.queue.start()
  await line.queue.wake([wake('row')])
  await eventually(
    async () => ran,
    (rows) => rows.length === 2,
  )
})

test('the canary goes by its job', async () => {
  const ran: string[] = []
  await using line = open(() => server.socket, { run: async (row) => void ran.push(row), stuck: () => {} })
  await ready(line.adding)
  line.queue.start()
  const woken = line.queue.wake([wake('row', 0, 'by job')])
  expect(ran).toEqual([])
  await woken
  await eventually(
    async () => ran,
    (rows) => rows.length === 1,
  )
})
