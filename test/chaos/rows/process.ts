import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Engine, eventually } from '../../helpers/engine.ts'
import { type Arena, openArena } from '../arena.ts'
import type { Findings } from '../findings.ts'
import { evaluate, inspected } from '../inspector.ts'
import type { Request } from '../ledger.ts'
import { acceptsAgain, supervise, underLoad } from '../load.ts'
import { figure, isLong, longRow, row } from '../tier.ts'

// Fault matrix A, beside crash.ts and points.ts. Elsewhere: one of three replicas frozen and one killed, against what
// Alertmanager would tell (test/e2e/peers.test.ts); a stop in the middle of a send (test/e2e/delivery.test.ts).

/** For a webhook: longer than its lease and BullMQ's lock. ms */
const OUTLIVED = figure(16_000, 45_000)

/** As src/pipeline/deliver.ts has it: after so many deaths the plainest words, after so many the dead letter. */
const POISON = 3
const DEADLY = 5

/** Ways for a bug to come to light. */
const bugs = ['throw new Error("a bug")', 'Promise.reject(new Error("a bug"))']

/** Engines with less than they need: they refuse or end, and are started again as they were. */
const starved: Record<
  string,
  { start: { env?: Record<string, string>; wrap?: string[] }; pad: number; perSecond: number }
> = {
  memory: { start: { env: { NODE_OPTIONS: '--max-old-space-size=64' } }, pad: 60_000, perSecond: 200 },
  'file descriptors': { start: { wrap: ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'] }, pad: 0, perSecond: 300 },
}

export function processFaults(): void {
  longRow({
    name: 'a crash loop: killed each second',
    promises: 'P1–P5',
    rounds: 1,
    ms: 400_000,
    run: (seed, findings) =>
      underLoad(seed, findings, {}, async (arena) => {
        const KILLS = 60
        for (let kill = 0; kill < KILLS; kill++) {
          await sleep(1000)
          const [engine] = arena.engines
          if (engine) await arena.kill(engine)
          await arena.start()
        }
        return { kills: KILLS, grace: 60_000 } // nobody lives long enough to tell much
      }),
  })

  row({
    name: 'a rolling deploy: each replica is stopped and replaced, a second signal comes in the middle of it',
    promises: 'P1–P5, P11',
    rounds: figure(1, 5),
    ms: 240_000,
    run: (seed, findings) =>
      underLoad(seed, findings, { replicas: 2 }, async (arena) => {
        for (let roll = 0; roll < figure(2, 10); roll++) {
          await arena.start()
          const [oldest] = arena.engines
          if (!oldest) throw new Error('there is no replica')
          const stopped = arena.kill(oldest, 'SIGTERM')
          await sleep(20)
          oldest.process.kill('SIGTERM')
          await stopped
          findings.holds('P11', oldest.process.exitCode === 0, () => `a stop ended with ${oldest.process.exitCode}`)
          await sleep(arena.random() * 300)
        }
        for (const { at, doneAt, result } of arena.sent())
          findings.holds('P11', result !== 'refused' || doneAt - at < 1000, () => `a refusal took ${doneAt - at} ms`)
        return { repeats: 0 }
      }),
  })

  row({
    name: 'a replica stands still for longer than its leases, and comes back',
    promises: 'P1–P5',
    rounds: 1,
    ms: 180_000,
    run: (seed, findings) =>
      underLoad(seed, findings, { replicas: 2 }, async (arena) => {
        const [one] = arena.engines
        if (!one) throw new Error('there is no replica')
        arena.engines.shift()
        arena.announce()
        one.process.kill('SIGSTOP')
        await sleep(OUTLIVED)
        one.process.kill('SIGCONT')
        arena.engines.push(one)
        arena.announce()
        return { kills: 1, grace: OUTLIVED + 5000, lateCopies: true } // of what was on its way when it stopped
      }),
  })

  row({
    name: 'a timer survives a restart (grafana/oncall#1206)',
    promises: 'P2, P11',
    rounds: figure(1, 5),
    ms: 90_000,
    async run(seed, findings) {
      const WAIT = 4000
      await using arena = await openArena({ seed, kinds: ['webhook'] })
      writeFileSync(arena.configFile, arena.config.replace('group_wait: 50ms', `group_wait: ${WAIT}ms`))
      const first = await arena.start()
      const postedAt = Date.now()
      await arena.post({ id: 'Timer.0', group: 'Timer', team: 'red', severity: 'warning' })
      await sleep(arena.random() * 2000)
      await arena.kill(first)
      await arena.start()
      await arena.settle(findings)
      const told = arena.channels.get('webhook')?.read()[0]
      const after = (told?.at ?? 0) - postedAt
      findings.holds('P11', after >= WAIT, () => `told ${after} ms after it was posted, and group_wait is ${WAIT} ms`)
      findings.holds('P11', after <= WAIT + 5000, () => `told ${after - WAIT} ms late`)
    },
  })

  longRow({
    name: 'everything but the channels stands still for a minute, as when a machine is suspended',
    promises: 'P1–P5',
    rounds: 1,
    ms: 240_000,
    run: (seed, findings) =>
      underLoad(seed, findings, { replicas: 2 }, async (arena) => {
        const all = [...arena.engines.map(({ process }) => process), arena.redis.process]
        for (const process of all) process.kill('SIGSTOP')
        await sleep(60_000)
        for (const process of all) process.kill('SIGCONT')
        await acceptsAgain(arena, Date.now())
        return { kills: 2, grace: 70_000, lateCopies: true }
      }),
  })

  row({
    name: 'the event loop is blocked for 5 s',
    promises: 'P1–P5',
    rounds: figure(1, 5),
    ms: 120_000,
    run: (seed, findings) =>
      underLoad(seed, findings, {}, async (arena) => {
        const [first] = arena.engines
        if (first) await arena.kill(first, 'SIGTERM')
        const engine = await arena.start({ env: inspected })
        await sleep(1000)
        await evaluate(engine, 'const end = Date.now() + 5000; while (Date.now() < end);')
        await acceptsAgain(arena, Date.now())
        return { repeats: 0, grace: 8000 } // no lock is lost in that time
      }),
  })

  row({
    name: 'an exception that nobody catches ends the engine, and the next goes on',
    promises: 'P1–P5',
    rounds: figure(1, 3),
    ms: 120_000,
    run: (seed, findings) =>
      underLoad(seed, findings, {}, async (arena) => {
        const [first] = arena.engines
        if (first) await arena.kill(first, 'SIGTERM')
        let kills = 0
        for (const what of figure(bugs.slice(1), bugs)) {
          const engine = await arena.start({ env: inspected })
          await sleep(500)
          const ended = once(engine.process, 'exit')
          await evaluate(engine, `setTimeout(() => { ${what} }, 0)`)
          await ended
          kills += 1
          findings.holds('P1', engine.process.exitCode === 1, () => `it ended with ${engine.process.exitCode}`)
          const said = engine.log.some(({ level, message }) => level === 'fatal' && String(message).startsWith('a bug'))
          findings.holds('P1', said, () => 'the log does not say why it ended')
          await arena.kill(engine)
        }
        await arena.start()
        return { kills }
      }),
  })

  row({
    name: 'a notification over which the engine ends each time goes out in the plainest words, and costs no other its turn',
    promises: 'P1–P5, P7',
    rounds: figure(1, 5),
    ms: 300_000,
    run: (seed, findings) => poison(seed, findings, false),
  })

  longRow({
    name: 'a notification over which the engine ends whatever its words is given up, and costs no other its turn',
    promises: 'P1–P5, P7',
    rounds: 3,
    ms: 300_000,
    run: (seed, findings) => poison(seed, findings, true),
  })

  for (const [what, { start, pad, perSecond }] of Object.entries(starved)) {
    longRow({
      name: `the engine has too little of ${what}`,
      promises: 'P1–P5',
      rounds: 2,
      ms: 240_000,
      run: (seed, findings) =>
        underLoad(seed, findings, { plan: { pad, perSecond } }, async (arena) => {
          const [first] = arena.engines
          if (first) await arena.kill(first, 'SIGTERM')
          const starve = (): Promise<Engine> => arena.start(start)
          const end = supervise(arena, starve)
          await sleep(15_000)
          const kills = await end()
          for (const engine of arena.engines.slice()) await arena.kill(engine, 'SIGTERM')
          await arena.start()
          findings.notes.push(`ended ${kills} times`)
          return { kills: kills + 1, grace: 30_000, patience: 120_000 }
        }),
    })
  }
}

/** What a team's Slack shows of a notification that ends the engine whenever it is sent; `always`: in the plainest words, too. */
async function poison(seed: number, findings: Findings, always: boolean): Promise<void> {
  const plan = { criticalShare: 0.3 }
  await underLoad(seed, findings, { options: { kinds: ['slack'] }, plan }, async (arena) => {
    const slack = arena.channels.get('slack')
    const [first] = arena.engines
    if (!slack || !first) throw new Error('there is no engine, or no Slack')
    const isPoison = ({ body }: Request) => body.includes('Poison')
    const isPlain = ({ body }: Request) => body.includes('plainest words')
    slack.behave = (request) => {
      // others are in the air whenever it ends
      if (!isPoison(request) || (isPlain(request) && !always)) return { does: 'ok', after: 300 + arena.random() * 700 }
      return { does: 'run', what: () => void endAll() }
    }
    const endAll = async () => {
      while (arena.engines.length === 0) await sleep(20) // it sends before it has said that it is up
      for (const { process } of arena.engines) process.kill('SIGKILL')
    }
    const engines = [first]
    const end = supervise(arena, async () => {
      if (!isLong) await endLeases(arena)
      const engine = await arena.start()
      engines.push(engine)
      return engine
    })
    const asked = () => slack.read().filter((line): line is Request => 'body' in line)
    const letters = async () => {
      const [engine] = arena.engines
      return (await engine?.get<{ groupKey: string; reason: string }[]>('/api/tocsin/v1/deadletters')) ?? []
    }
    await arena.post({ id: 'Poison.0', group: 'Poison', team: 'red', severity: 'critical' })
    await eventually(
      async () => (always ? (await letters().catch(() => [])).length > 0 : asked().some(isPlain)),
      (isOver) => isOver,
      200_000,
    )
    const kills = await end()

    const poisoned = asked().filter(isPoison)
    const most = always ? DEADLY : POISON
    findings.holds('P7', kills === most, () => `it ended ${kills} engines, and ${most} turns are to be enough`)
    for (const [i, request] of poisoned.entries())
      findings.holds('P7', isPlain(request) === i >= POISON, () => `its turn ${i + 1} was ${request.body}`)
    const quarantined = async () =>
      new Set(
        engines
          .flatMap(({ log }) => log)
          .filter(({ message }) => String(message).endsWith('plainest words'))
          .map(({ row: id }) => id),
      )
    // the log may come later than what it tells of
    const rows = await eventually(quarantined, ({ size }) => size > 0).catch(quarantined)
    findings.holds('P7', rows.size === 1, () => `${rows.size} notifications were taken for those that end engines`)
    const given = (await letters()).map(({ groupKey, reason }) => `${reason} ${groupKey}`)
    const isRight = always ? given.length === 1 && /^quarantined .*Poison/.test(given[0] ?? '') : given.length === 0
    findings.holds('P7', isRight, () => `in the dead letter: ${given.join(', ') || 'nothing'}`)

    const answered = new Set(slack.read().flatMap((line) => ('answered' in line ? [line.n] : [])))
    const innocent = asked().filter((request) => !isPoison(request) && !answered.has(request.n)).length
    findings.holds('P7', innocent > 0, () => 'nothing else was in the air when the engine ended')
    findings.notes.push(`${kills} kills, ${innocent} others in the air`)
    return { kills, grace: 60_000, patience: 120_000, unread: isPlain }
  })
}

/** Leases of who died end now, and not when their time is up. */
async function endLeases({ redis: { redis } }: Arena): Promise<void> {
  const owed = '{tocsin}:owed'
  for (const id of await redis.zrange(owed, 0, '-1')) await redis.zadd(owed, 'XX', String(Date.now() - 10_000), id)
}
