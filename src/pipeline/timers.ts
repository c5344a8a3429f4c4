import { setTimeout as sleep } from 'node:timers/promises'
import type { Deps } from './deps.ts'
import { audit } from './audit.ts'
import { LOOK, watchAnomalies } from './anomalies.ts'
import { ABSENCE, CALM, bridgeAbsence } from './absence.ts'
import { flushDue } from './flush.ts'
import { missArrivals } from './texts.ts'
import { forgetRules } from './presence.ts'

/** How often to look for groups that other replicas have made due, ms. */
const POLL = 200
const SWEEP = 5000
const MARK = 5000
/** How late an owed row must be before the sweep takes its job for lost, ms. */
const GRACE = 2000
const COLLECT = 60_000
const TALLY = 1000
const SWEEP_BATCH = 500

export interface Timers {
  /** A group is due at this instant: flush then, not only at the next look. */
  nudge(dueAt: number): void
  /** Ends after the flushes in hand. */
  stop(): Promise<void>
}

/** Runs what is due: flushes (not before `from`, epoch ms), the sweep for owed rows without a job, the forgetting of what is over. */
export function startTimers(deps: Deps, from: number): Timers {
  const stopping = new AbortController()
  let soonest = Number.POSITIVE_INFINITY // of the groups that this process has made since it last looked
  let wake: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined

  const untilDue = () => Math.min(POLL, Math.max(0, soonest - deps.clock.now()))
  const pause = () =>
    new Promise<void>((resolve) => {
      wake = resolve
      timer = setTimeout(resolve, untilDue())
    })

  async function flushes() {
    const wait = from - deps.clock.now()
    if (wait > 0) {
      await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {})
      marked = deps.clock.now()
    }
    while (!stopping.signal.aborted) {
      if (soonest <= deps.clock.now()) soonest = Number.POSITIVE_INFINITY
      const taken = await lookAfterDue().catch((err: unknown) => {
        deps.log.error({ err }, 'cannot look for groups that are due; trying again')
        soonest = Number.POSITIVE_INFINITY // not at once
        return 0
      })
      if (taken === 0 && !stopping.signal.aborted) await pause()
    }
  }

  let marked = deps.clock.now() // when this replica last noted that it looks after what is due

  async function lookAfterDue(): Promise<number> {
    const now = deps.clock.now()
    if (now - marked > ABSENCE) {
      deps.calmUntil = now + CALM // also where another replica has bridged it
      await bridgeAbsence(deps)
      await deps.store.peers.alive(now)
      marked = now
    }
    const taken = await flushDue(deps)
    if (now - marked >= MARK) {
      await deps.store.peers.alive(now)
      marked = now
    }
    return taken
  }

  async function every(ms: number, what: string, run: () => Promise<unknown>) {
    while (!stopping.signal.aborted) {
      await run().catch((err: unknown) => deps.log.error({ err }, `cannot ${what}; trying again`))
      await sleep(ms, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const running = Promise.all([
    flushes(),
    every(SWEEP, 'sweep the outbox', () => sweep(deps)),
    every(SWEEP, 'look after text messages', () => missArrivals(deps)),
    every(TALLY, 'write what was counted', () => deps.tally.write()),
    every(LOOK, 'look for anomalies', () => watchAnomalies(deps)),
    every(COLLECT, 'forget resolved alerts', () => deps.store.alerts.collect(deps.clock.now())),
    every(COLLECT, 'forget expired silences', () => forgetSilences(deps)),
    every(COLLECT, 'forget inhibitions', () => forgetRules(deps)),
    every(COLLECT, 'audit the ledger', async () => {
      if (deps.clock.now() > from + COLLECT) await audit(deps) // not before what was due at the start is done
    }),
  ])

  return {
    nudge(dueAt) {
      if (dueAt >= soonest) return
      soonest = dueAt
      clearTimeout(timer)
      timer = setTimeout(() => wake?.(), untilDue())
    },
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      wake?.()
      await running
      await deps.tally.write().catch(() => {}) // what was counted last; figures are worth no wait
    },
  }
}

/** Wakes what is owed and has no job: a job may be lost, what it stood for may not. */
export async function sweep({ store, queue, clock, metrics, retention }: Deps): Promise<void> {
  const overdue = await store.outbox.overdue(clock.now() - GRACE, SWEEP_BATCH)
  await queue.wake(overdue.map(({ id, ...row }) => ({ ...row, row: id, delay: 0 })))
  metrics.owed.set(await store.outbox.depth())
  metrics.deadLetters.set(await store.deadLetters.count(clock.now() - retention))
}

async function forgetSilences({ store, clock, retention, metrics }: Deps): Promise<void> {
  const done = metrics.silenceCollection.begin()
  try {
    await store.silences.collect(clock.now() - retention)
  } catch (error) {
    metrics.silenceCollectionErrors.inc()
    throw error
  } finally {
    done()
  }
}
