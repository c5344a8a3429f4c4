import { setTimeout as sleep } from 'node:timers/promises'
import { formatDuration } from '../model/duration.ts'
import type { HeartbeatAddress } from '../notify/heartbeat.ts'
import { type Canary, canaryTimes } from './canary.ts'
import type { Deps } from './deps.ts'
import { WATCH, watchHeartbeats } from './missing-heartbeats.ts'
import { within } from './within.ts'

/** How often it is looked whether a canary or a call is due, ms; more often where that is due more often. */
const LOOK = 5000
/** How long the service outside has for its answer, ms. */
const CALL_DEADLINE = 10_000

export interface SelfWatchOptions {
  canary: Pick<Canary, 'send'>
  /** Calls the service outside: why it could not be, undefined where it was. Undefined: nothing leaves here. */
  call: ((address: HeartbeatAddress, signal: AbortSignal) => Promise<string | undefined>) | undefined
}

/**
 * Watches the heartbeats that come in, sends the canaries, and calls the service outside as long as they arrive: a timer alone
 * would go on calling while nothing is delivered any more. Each is done by one replica at a time, whichever comes first.
 */
export function startSelfWatch(deps: Deps, { canary, call }: SelfWatchOptions): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const { signal } = stopping
  const startedAt = deps.clock.now()
  const heartbeatOut = openHeartbeatOut(deps, startedAt)

  async function every(msOf: () => number, what: string, run: () => Promise<unknown>) {
    let isFailing = false
    while (!signal.aborted) {
      try {
        await run()
        if (isFailing) deps.log.info(`can ${what} again`)
        isFailing = false
      } catch (err) {
        if (!isFailing) deps.log.error({ err }, `cannot ${what}; trying again`)
        isFailing = true
      }
      await sleep(msOf(), undefined, { signal }).catch(() => {})
    }
  }

  const lookEvery = (parts: number) => Math.min(LOOK, canaryTimes(deps.routing.config).every / parts)
  const running = Promise.all([
    every(
      () => WATCH,
      'watch the heartbeats',
      () => watchHeartbeats(deps),
    ),
    every(
      () => lookEvery(4),
      'send the canary',
      async () => {
        const { every: due } = canaryTimes(deps.routing.config)
        if (await deps.store.heartbeats.claimTurn('canary', deps.clock.now(), due)) await canary.send(deps)
      },
    ),
    every(
      () => lookEvery(2),
      'send the heartbeat',
      () => heartbeatOut.look(call, signal),
    ),
  ])

  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

function openHeartbeatOut(deps: Deps, startedAt: number) {
  let whyNot: string | undefined // what was last told about it

  /** Told when it changes, not each time. */
  function tell(why: string | undefined): void {
    const { log } = deps
    if (why !== undefined && whyNot === undefined) log.error({ reason: why }, 'the heartbeat does not go out')
    if (why === undefined && whyNot !== undefined) log.info('the heartbeat goes out again')
    whyNot = why
  }

  return {
    async look(call: SelfWatchOptions['call'], stopping: AbortSignal): Promise<void> {
      const { store, clock, metrics, routing } = deps
      const { heartbeat } = routing.config
      const { canaryArrivedAt, calledAt } = await store.heartbeats.self()
      if (canaryArrivedAt !== undefined) metrics.canaryArrived.set(canaryArrivedAt / 1000)
      metrics.heartbeatSent.set(heartbeat && calledAt !== undefined ? calledAt / 1000 : 0)
      if (!heartbeat || !call) return
      const at = clock.now()
      const { patience } = canaryTimes(routing.config)
      if (canaryArrivedAt === undefined || at - canaryArrivedAt > patience) {
        // one that has just started may have none yet
        if (at - startedAt > patience) tell(`no alert of Tocsin's own arrived within ${formatDuration(patience)}`)
        return
      }
      const { interval } = heartbeat
      if (calledAt !== undefined && Math.abs(at - calledAt) < interval) return
      // a few tries within the interval, by whichever replica
      if (!(await store.heartbeats.claimTurn('call', at, Math.min(interval / 4, CALL_DEADLINE)))) return
      const why = await within(CALL_DEADLINE, stopping, (signal) => call(heartbeat, signal))
      if (stopping.aborted) return
      tell(why && `the service cannot be called: ${why}`)
      if (why !== undefined) return
      const now = clock.now()
      metrics.heartbeatSent.set(now / 1000)
      await store.heartbeats.called(now)
    },
  }
}
