import type { RequestHandler } from 'express'
import type { Deps } from '../pipeline/deps.ts'
import type { Watch } from '../pipeline/watch.ts'
import { jsonBodyOf } from './body.ts'
import { HttpError } from './error.ts'

/** When a sender that was refused is to come again, s: of what clears soon, and of what takes a while. */
const SOON = 1
const LATER = 5
/** ms */
const TELL_EVERY = 10_000

export interface Admission {
  /** Handlers before one that takes alerts: refuse what cannot be taken now before its body is read, then read it. */
  readonly handlers: RequestHandler[]
}

/**
 * Lets requests with alerts in, as long as Redis can keep what they bring and their bodies fit into memory together. Else 503,
 * never 429, which Alertmanager takes as final.
 */
export function openAdmission(
  deps: Pick<Deps, 'routing' | 'metrics' | 'log'>,
  watch: Pick<Watch, 'refusal'>,
  stopping: AbortSignal,
): Admission {
  const { metrics, log } = deps
  let inFlight = 0
  const set = (bytes: number) => {
    inFlight = bytes
    metrics.bodiesInFlight.set(bytes)
  }
  const toldAt = new Map<string, number>() // by reason: a flood is told of once in a while
  const refuse = (reason: string, message: string, retryAfter: number): never => {
    metrics.refused.inc({ reason })
    const now = performance.now()
    if (now - (toldAt.get(reason) ?? Number.NEGATIVE_INFINITY) > TELL_EVERY) {
      toldAt.set(reason, now)
      log.warn({ reason }, `alerts are refused: ${message}`)
    }
    throw new HttpError(503, `${message}; send them again`, { retryAfter })
  }
  const checkRoom = (more: number) => {
    const { bodiesInFlight: most } = deps.routing.config.limits
    // one by itself is never too much
    if (inFlight > 0 && inFlight + more > most)
      refuse(
        'bodies in flight',
        `too many alerts are being read, ${most} bytes at once (limits.bodies_in_flight)`,
        SOON,
      )
  }

  const admit: RequestHandler = (_request, _response, next) => {
    if (stopping.aborted) refuse('stopping', 'Tocsin is stopping', LATER)
    const refusal = watch.refusal()
    if (refusal) refuse(refusal.reason, refusal.message, LATER)
    checkRoom(0)
    next()
  }
  const shelf = {
    put(bytes: number) {
      checkRoom(bytes)
      set(inFlight + bytes)
    },
    take: (bytes: number) => set(inFlight - bytes),
  }
  return { handlers: [admit, jsonBodyOf(() => deps.routing.config.limits.bodyBytes, shelf)] }
}
