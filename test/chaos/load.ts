import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from '../helpers/engine.ts'
import { type Arena, type ArenaOptions, type Settling, openArena } from './arena.ts'
import type { Findings } from './findings.ts'
import type { Sent } from './ledger.ts'
import type { Plan } from './sender.ts'

export interface Load {
  options?: Partial<ArenaOptions>
  replicas?: number
  plan?: Partial<Plan>
  args?: string[] // of the engines
  prepare?: (arena: Arena) => Promise<void> // before the first engine
  sendFor?: [number, number] // ms under load before the fault and after it
}

/** A fault under load: replicas, a sender that goes on all the time, and the checker at the end. */
export async function underLoad(
  seed: number,
  findings: Findings,
  {
    options = {},
    replicas = 1,
    plan = {},
    args = [],
    prepare = async () => {},
    sendFor: [before, after] = [500, 1000],
  }: Load,
  fault: (arena: Arena) => Promise<Partial<Settling> | void>,
): Promise<void> {
  await using arena = await openArena({ seed, ...options })
  for (const channel of arena.channels.values()) channel.behave = () => ({ does: 'ok', after: 5 + arena.random() * 45 })
  await prepare(arena)
  for (let n = 0; n < replicas; n++) await arena.start({ args })
  const sender = await arena.openSender(plan)
  await sleep(before)
  const how = (await fault(arena)) ?? {}
  await sleep(after)
  await sender.stop()
  await arena.settle(findings, how)
  findings.notes.push(`${arena.sent().filter(({ result }) => result === 'acked').length} requests accepted`)
}

/** What was posted between two instants. */
export function sentBetween(arena: Arena, from: number, to: number): Sent[] {
  return arena.sent().filter(({ at }) => at >= from && at <= to)
}

/** Every request in a time of trouble was answered: taken, or refused; none hung until its sender gave up. */
export function allAnswered(arena: Arena, from: number, to: number, findings: Findings): void {
  for (const { result, at, doneAt } of sentBetween(arena, from, to))
    findings.holds('P1', result !== 'unknown', () => `a request hung for ${doneAt - at} ms`)
}

/** Resolves with how long it took until something was accepted again, ms. */
export async function acceptsAgain(arena: Arena, since: number): Promise<number> {
  for (;;) {
    const sent = arena.sent().find(({ at, result }) => at >= since && result === 'acked')
    if (sent) return sent.doneAt - since
    if (Date.now() - since > 60_000) throw new Error('nothing was accepted within a minute')
    await sleep(50)
  }
}

/** Starts an engine again whenever it ends, as a supervisor does; returns how to stop that, which tells how often. */
export function supervise(arena: Arena, start: () => Promise<Engine>): () => Promise<number> {
  let isOver = false
  let restarts = 0
  const running = (async () => {
    while (!isOver) {
      const dead = arena.engines.filter(({ process }) => process.exitCode !== null || process.signalCode !== null)
      for (const engine of dead) {
        await arena.kill(engine)
        restarts += 1
        await start().catch(() => {}) // tried again
      }
      if (arena.engines.length === 0) await start().catch(() => {})
      await sleep(50)
    }
  })()
  return async () => {
    isOver = true
    await running
    return restarts
  }
}
