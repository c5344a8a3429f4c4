import { execFileSync } from 'node:child_process'
import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Arena } from '../arena.ts'
import { tempDir } from '../../helpers/engine.ts'
import { acceptsAgain, allAnswered, underLoad } from '../load.ts'
import { type Proxy, openProxy } from '../proxy.ts'
import { durable, everysec, openServer } from '../server.ts'
import { figure, longRow, row } from '../tier.ts'

// Fault matrix B. Elsewhere: a wrong policy, a version that is too old, an embedded server adopted, frozen or killed
// (test/e2e/start.test.ts); 503 while it is frozen, full, read-only or gone (test/e2e/intake.test.ts).

/** What attempts may repeat of which the record was lost with the connection: as many as were in flight. */
const IN_FLIGHT = 100

/** Ways in which Redis stands still for so many ms. */
const freezes: Record<string, (arena: Arena, ms: number) => Promise<void>> = {
  async SIGSTOP({ redis }, ms) {
    redis.process.kill('SIGSTOP')
    await sleep(ms)
    redis.process.kill('SIGCONT')
  },
  async 'CLIENT PAUSE'({ redis }, ms) {
    await redis.redis.client('PAUSE', ms, 'ALL')
    await sleep(ms)
  },
  async 'a busy Lua script'({ redis }, ms) {
    const busy = new Redis(redis.socket, { maxRetriesPerRequest: 0 })
    const looping = busy.eval('while true do end', 0).catch(() => {})
    await sleep(ms)
    const killer = new Redis(redis.socket, { enableReadyCheck: false })
    while ((await killer.script('KILL').catch(() => 'no')) !== 'OK') await sleep(100)
    await looping
    busy.disconnect()
    killer.disconnect()
  },
  async 'DEBUG SLEEP'({ redis }, ms) {
    await redis.redis.call('DEBUG', 'SLEEP', String(ms / 1000))
  },
}

/** What a bad line does to what passes, and what makes it good again. */
const lines: Record<string, (arena: Arena) => Promise<void>> = {
  async 'is slow (200 ms each way)'({ proxy }) {
    proxy.delay = 200
    await sleep(figure(3000, 10_000))
    proxy.delay = 0
  },
  async 'loses connections at random'({ proxy }) {
    proxy.loss = 0.01
    await sleep(figure(3000, 20_000))
    proxy.loss = 0
  },
  async 'breaks in the middle of answers'({ proxy, random }) {
    for (let n = 0; n < figure(8, 40); n++) {
      proxy.resetMidReply = true
      await sleep(random() * 500)
    }
    proxy.resetMidReply = false
  },
  async 'swallows requests'({ proxy }) {
    proxy.blackhole = 'requests'
    await sleep(figure(4000, 15_000))
    proxy.blackhole = undefined
    proxy.cut() // what was swallowed does not come back on the same connection
    proxy.mend()
  },
  async 'swallows answers'({ proxy }) {
    proxy.blackhole = 'answers'
    await sleep(figure(4000, 15_000))
    proxy.blackhole = undefined
    proxy.cut()
    proxy.mend()
  },
}

export function redisFaults(): void {
  for (const [level, settings] of [
    ['always', durable],
    ['everysec', everysec],
  ] as const) {
    const declare = level === 'always' ? row : longRow
    declare({
      name: `Redis (appendfsync ${level}) is killed, and comes back after a while`,
      promises: 'P1–P5',
      rounds: figure(1, 5),
      ms: figure(180_000, 400_000),
      run: (seed, findings) =>
        underLoad(seed, findings, { options: { redis: { settings } } }, async (arena) => {
          const KILLS = figure(1, 20)
          for (let kill = 0; kill < KILLS; kill++) {
            const from = Date.now()
            await arena.redis.kill()
            await sleep(arena.random() * (kill === 0 ? figure(2500, 25_000) : 3000))
            await arena.redis.restart()
            allAnswered(arena, from, Date.now() - 3000, findings)
            const took = await acceptsAgain(arena, Date.now())
            findings.holds('P1', took < 10_000, () => `nothing was accepted for ${took} ms after Redis was back`)
            await sleep(300)
          }
          return { repeats: KILLS * IN_FLIGHT, grace: 30_000 }
        }),
    })
  }

  for (const [seconds, isBusy] of [
    [3, false],
    [9, false],
    [9, true],
    [25, true],
    [120, false],
  ] as const) {
    longRow({
      name: `Redis is down for ${seconds} s while workers are ${isBusy ? 'busy' : 'idle'}`,
      promises: 'P1–P5',
      rounds: 1,
      ms: 60_000 + seconds * 2000,
      run: (seed, findings) =>
        underLoad(seed, findings, { plan: isBusy ? {} : { perSecond: 0.5 } }, async (arena) => {
          await arena.redis.kill()
          await sleep(seconds * 1000)
          await arena.redis.restart()
          await acceptsAgain(arena, Date.now())
          return { repeats: IN_FLIGHT, grace: 30_000 }
        }),
    })
  }

  longRow({
    name: 'Redis comes back without its data',
    promises: 'P1–P5',
    rounds: 3,
    ms: 120_000,
    run: (seed, findings) =>
      underLoad(seed, findings, {}, async (arena) => {
        await arena.redis.kill()
        arena.redis.loseData()
        await sleep(500) // what was in the air has landed
        const before = Date.now()
        await arena.redis.restart()
        await acceptsAgain(arena, Date.now())
        for (const { process } of arena.engines)
          findings.holds('P1', process.exitCode === null, () => 'the engine ended when the data was gone')
        return { repeats: IN_FLIGHT, loss: { before, most: Number.POSITIVE_INFINITY }, grace: 30_000 }
      }),
  })

  for (const [how, freeze] of Object.entries(freezes)) {
    for (const seconds of [2, 10, 30]) {
      const declare = how === 'SIGSTOP' && seconds === 2 ? row : longRow
      declare({
        name: `Redis stands still for ${seconds} s by ${how}`,
        promises: 'P1–P5',
        rounds: 1,
        ms: 60_000 + seconds * 2000,
        run: (seed, findings) =>
          underLoad(seed, findings, {}, async (arena) => {
            const from = Date.now()
            await freeze(arena, seconds * 1000)
            allAnswered(arena, from, Date.now() - 5500, findings)
            await acceptsAgain(arena, Date.now())
            return { repeats: IN_FLIGHT, grace: 10_000 + seconds * 1000 }
          }),
      })
    }
  }

  for (const [how, spoil] of Object.entries(lines)) {
    const declare = how.startsWith('breaks') ? row : longRow
    declare({
      name: `the line to Redis ${how}`,
      promises: 'P1–P5',
      rounds: figure(1, 3),
      ms: 120_000,
      run: (seed, findings) =>
        underLoad(seed, findings, {}, async (arena) => {
          await spoil(arena)
          await acceptsAgain(arena, Date.now())
          return { repeats: 10 * IN_FLIGHT, grace: 30_000 }
        }),
    })
  }

  row({
    name: 'Redis is full for a while',
    promises: 'P1–P5',
    rounds: figure(1, 5),
    ms: 120_000,
    run: (seed, findings) =>
      underLoad(seed, findings, {}, async (arena) => {
        const from = Date.now()
        await arena.redis.redis.config('SET', 'maxmemory', '1mb')
        await sleep(3000)
        await arena.redis.redis.config('SET', 'maxmemory', '0')
        allAnswered(arena, from, Date.now() - 1000, findings)
        await acceptsAgain(arena, Date.now())
        return { repeats: IN_FLIGHT, grace: 30_000 }
      }),
  })

  for (const [level, settings] of [
    ['always', durable],
    ['everysec', everysec],
  ] as const) {
    longRow({
      name: `the disk under Redis (appendfsync ${level}) is full for a while`,
      promises: 'P1–P5',
      rounds: 2,
      ms: 150_000,
      run: (seed, findings) => {
        const wrap = ['sh', '-c', `trap '' XFSZ; exec prlimit --fsize=400000:unlimited "$@"`, 'sh']
        return underLoad(seed, findings, { options: { redis: { settings, wrap } } }, async (arena) => {
          const isRefused = () => arena.sent().some(({ result }) => result === 'refused')
          const isGone = () => arena.redis.process.exitCode !== null || arena.redis.process.signalCode !== null
          const end = Date.now() + 60_000
          while (!isRefused() && !isGone() && Date.now() < end) await sleep(50)
          findings.holds('P1', isRefused() || isGone(), () => 'the disk was never full')
          await sleep(2000)
          if (isGone()) await arena.redis.restart({ settings })
          else execFileSync('prlimit', ['--pid', String(arena.redis.process.pid), '--fsize=unlimited:unlimited'])
          await acceptsAgain(arena, Date.now())
          return { repeats: IN_FLIGHT, grace: 30_000 }
        })
      },
    })
  }

  longRow({
    name: 'the last record of the AOF is torn',
    promises: 'P1–P5',
    rounds: 5,
    ms: 120_000,
    run: (seed, findings) =>
      underLoad(seed, findings, {}, async (arena) => {
        await arena.redis.kill()
        const dir = join(arena.redis.dir, 'appendonlydir')
        for (const name of readdirSync(dir).filter((file) => file.endsWith('.incr.aof'))) {
          const { size } = statSync(join(dir, name))
          if (size > 7) truncateSync(join(dir, name), size - 7)
        }
        const before = Date.now()
        await arena.redis.restart()
        await acceptsAgain(arena, Date.now())
        return { repeats: IN_FLIGHT, loss: { before, most: 3 }, grace: 30_000 } // one alert has three channels
      }),
  })

  for (const waits of [false, true]) {
    longRow({
      name: `the primary dies with a replica behind, which takes over, ${waits ? 'with' : 'without'} --redis.wait-replicas=1`,
      promises: 'P1–P5',
      rounds: 3,
      ms: 120_000,
      async run(seed, findings) {
        using dir = tempDir()
        await using replica = await openServer(dir.path)
        let link: Proxy | undefined
        const prepare = async ({ redis }: Arena) => {
          link = await openProxy({ path: redis.socket })
          await replica.redis.replicaof('127.0.0.1', new URL(link.url).port)
          while (!/master_link_status:up/.test(await replica.redis.info('replication'))) await sleep(50)
        }
        const args = waits ? ['--redis.wait-replicas=1'] : []
        await underLoad(seed, findings, { args, prepare }, async (arena) => {
          await sleep(1000)
          link?.cut()
          const cutAt = Date.now()
          await sleep(2000) // what is accepted now is on one machine only
          await arena.redis.kill()
          await sleep(500) // what was in the air has landed
          const before = Date.now()
          await link?.[Symbol.asyncDispose]()
          await replica.redis.replicaof('NO', 'ONE')
          arena.proxy.upstream = { path: replica.socket }
          arena.redis.redis.disconnect()
          arena.redis.redis = replica.redis
          const [engine] = arena.engines
          if (waits && engine) {
            // nobody follows the new one: an engine that waits for that would take nothing
            await arena.kill(engine, 'SIGTERM')
            await arena.start()
          }
          await acceptsAgain(arena, Date.now())
          const most = waits ? 0 : Number.POSITIVE_INFINITY
          // what was sent before has its mark on the replica, where that was waited for
          const since = waits ? cutAt : 0
          return { repeats: 10 * IN_FLIGHT, loss: { before, most, since }, grace: 30_000 }
        })
      },
    })
  }

  row({
    name: 'Redis forgets its scripts again and again',
    promises: 'P1–P5',
    rounds: figure(1, 3),
    ms: 90_000,
    run: (seed, findings) =>
      underLoad(seed, findings, {}, async (arena) => {
        const from = Date.now()
        for (let n = 0; n < figure(10, 50); n++) {
          await arena.redis.redis.script('FLUSH')
          await sleep(100)
        }
        for (const { result, status } of arena.sent().filter(({ at }) => at >= from))
          findings.holds('P1', result === 'acked', () => `a request got ${status} while scripts were forgotten`)
        return {}
      }),
  })

  longRow({
    name: 'the password of Redis changes, and changes back',
    promises: 'P1–P5',
    rounds: 2,
    ms: 120_000,
    run: (seed, findings) =>
      underLoad(seed, findings, {}, async (arena) => {
        const { redis, proxy } = arena
        await redis.redis.config('SET', 'requirepass', 'another')
        const connections = proxy.connections
        proxy.cut()
        proxy.mend()
        const seconds = 10
        await sleep(seconds * 1000)
        const [engine] = arena.engines
        const ready = engine && (await fetch(`${engine.url}/-/ready`)).status
        findings.holds('P1', ready === 503, () => `ready says ${ready} with a Redis that it may not use`)
        const made = proxy.connections - connections
        // each of an engine's connections comes back once a second at the most, after a few quick tries
        findings.holds('P1', made < 30 * (seconds + 8), () => `${made} connections in ${seconds} s`)
        await redis.redis.config('SET', 'requirepass', '')
        await acceptsAgain(arena, Date.now())
        return { repeats: IN_FLIGHT, grace: 30_000 }
      }),
  })
}
