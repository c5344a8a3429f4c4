import type { IncomingMessage } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { type Batch, insteadOf, readOn, unread } from '../ingest/batch.ts'
import { IngestError, type Ingested } from '../ingest/reject.ts'
import { limitKeys } from '../model/limits.ts'
import { accept } from '../pipeline/accept.ts'
import type { Full } from '../store/alerts.ts'
import { faultOf } from '../store/fault.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError, cannotStore } from './error.ts'

/** So many alerts are read before others get their turn: some 5 ms. */
const TURN = 500
/** There being less takes longer than Redis coming back, s. */
const RETRY_FULL = 10

/**
 * Takes the alerts that `read` finds in a request; resolves once Redis has them. Rejects with 503 where it does not take
 * them, or there are too many, and with 400 where the request as a whole is none. Bad alerts never cost their neighbours,
 * unless `check` throws.
 */
export async function takeAlerts(
  { deps, timers, admission }: Pick<ApiDeps, 'deps' | 'timers' | 'admission'>,
  source: 'v2' | 'webhook',
  request: IncomingMessage,
  read: (at: number) => Batch,
  check: (ingested: Ingested) => void = () => {},
): Promise<Ingested> {
  const ingested = await readOrRefuse()
  check(ingested)
  const late = await admission.senders.hasLeft(request)
  const { soonest, full } = await admission.gate.pass(ingested.alerts.length + ingested.again.length, () =>
    accept(ingested, source, deps, { late }).catch((error: unknown) => {
      deps.metrics.refused.inc({ reason: faultOf(error).reason })
      return cannotStore(error)
    }),
  )
  if (soonest !== -1) timers.nudge(soonest)
  if (ingested.rejects.length > 0) {
    const rejects = ingested.rejects.slice(0, 10).map(({ index, field, reason }) => ({ index, field, reason }))
    deps.log.warn({ source, rejects }, 'alerts were rejected; their neighbours were taken')
  }
  if (full.size > 0) refuseFull(full)
  return ingested

  async function readOrRefuse(): Promise<Ingested> {
    try {
      return await readInTurns(read(deps.clock.now()))
    } catch (error) {
      deps.metrics.refused.inc({ reason: error instanceof IngestError ? error.kind : 'malformed' })
      if (!(error instanceof Error)) throw error
      deps.log.warn({ source, reason: error.message }, 'a request with alerts was refused')
      throw error instanceof IngestError ? new HttpError(400, error.message) : error
    }
  }

  function refuseFull(lacking: ReadonlyMap<Full, number>): never {
    const { limits } = deps.routing.config
    const said = [...lacking].map(([what, count]) => {
      deps.metrics.refused.inc({ reason: words[what].reason })
      return `${count} ${count === 1 ? 'alert was' : 'alerts were'} not taken, ${words[what].said} ${limits[what]} (limits.${limitKeys[what]})`
    })
    const message = said.join('; ')
    deps.log.error({ source }, message)
    throw new HttpError(503, `${message}; send them again`, { retryAfter: RETRY_FULL })
  }
}

async function readInTurns(batch: Batch): Promise<Ingested> {
  const ingested = unread(batch)
  while (readOn(batch, ingested, TURN)) await setImmediate()
  const instead = insteadOf(batch, ingested)
  return instead ? readInTurns(instead) : ingested
}

const words: Readonly<Record<Full, { reason: string; said: string }>> = {
  alerts: { reason: 'alerts', said: 'since there are as many as may be,' },
  groups: { reason: 'groups', said: 'since there are as many groups as may be,' },
  alertsPerGroup: { reason: 'alerts per group', said: 'since their group has as many as may be,' },
}
