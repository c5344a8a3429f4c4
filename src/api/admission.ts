import type { RequestHandler } from 'express'
import type { Deps } from '../pipeline/deps.ts'
import type { Watch } from '../pipeline/watch.ts'
import { limitKeys } from '../model/limits.ts'
import { jsonBodyOf } from './body.ts'
import { HttpError } from './error.ts'
import { type Gate, openGate } from './gate.ts'
import { type Senders, watchSenders } from './senders.ts'
import { openShelf } from './shelf.ts'

/** When a sender that was refused is to come again, s: of what clears soon, and of what takes a while. */
const SOON = 1
const LATER = 5
/** ms */
const TELL_EVERY = 10_000
/** Alerts on their way to Redis: more only wait for each other there, until its time is up (10,000 take some 200 ms). */
const AT_ONCE = 10_000
/** How long alerts wait for their turn, ms: a sender waits for 3 s or so. */
const PATIENCE = 1500

export interface Admission {
  /** Handlers before one that takes alerts: refuse what cannot be taken now before its body is read, then read it. */
  readonly handlers: RequestHandler[]
  /** Through which alerts go to Redis, by their number. */
  readonly gate: Gate
  readonly senders: Senders
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
  const toldAt = new Map<string, number>() // by reason: a flood is told of once in a while
  /** What to throw: counted, and told once in a while. */
  const refused = (reason: string, message: string, retryAfter: number): HttpError => {
    metrics.refused.inc({ reason })
    const now = performance.now()
    if (now - (toldAt.get(reason) ?? Number.NEGATIVE_INFINITY) > TELL_EVERY) {
      toldAt.set(reason, now)
      log.warn({ reason }, `alerts are refused: ${message}`)
    }
    return new HttpError(503, `${message}; send them again`, { retryAfter })
  }
  const most = () => deps.routing.config.limits.bodiesInFlight
  const noRoom = () =>
    refused(
      'bodies in flight',
      `too many alerts are being read, at most ${most()} bytes at once (limits.${limitKeys.bodiesInFlight})`,
      SOON,
    )
  const shelf = openShelf(most, noRoom, (used) => metrics.bodiesInFlight.set(used))
  const tooMany = () => refused('too many at once', 'more alerts come than Redis takes', SOON)
  const gate = openGate(AT_ONCE, PATIENCE, tooMany)

  const admit: RequestHandler = (_request, _response, next) => {
    if (stopping.aborted) throw refused('stopping', 'Tocsin is stopping', LATER)
    const refusal = watch.refusal()
    if (refusal) throw refused(refusal.reason, refusal.message, LATER)
    if (gate.backlog >= AT_ONCE) throw tooMany()
    if (shelf.used >= most()) throw noRoom()
    next()
  }
  return {
    gate,
    senders: watchSenders(stopping),
    handlers: [admit, jsonBodyOf(() => deps.routing.config.limits.bodyBytes, shelf)],
  }
}
