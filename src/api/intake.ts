import { IngestError, type Ingested } from '../ingest/reject.ts'
import { accept } from '../pipeline/accept.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError, cannotStore } from './error.ts'

/**
 * Takes the alerts that `read` makes of a request; resolves once Redis has them. Rejects with 503 where it does not take
 * them, and with 400 where the request as a whole is none. Bad alerts never cost their neighbours.
 */
export async function takeAlerts(
  { deps, timers, stopping }: ApiDeps,
  source: 'v2' | 'webhook',
  read: (at: number) => Ingested,
): Promise<Ingested> {
  if (stopping.aborted) throw new HttpError(503, 'Tocsin is stopping', { retryAfter: 5 })
  const ingested = readOrRefuse()
  const { soonest } = await accept(ingested, source, deps).catch((error: unknown) => {
    deps.metrics.refused.inc({ reason: 'store' })
    return cannotStore(error)
  })
  if (soonest !== -1) timers.nudge(soonest)
  if (ingested.rejects.length > 0) {
    const rejects = ingested.rejects.slice(0, 10).map(({ index, field, reason }) => ({ index, field, reason }))
    deps.log.warn({ source, rejects }, 'alerts were rejected; their neighbours were taken')
  }
  return ingested

  function readOrRefuse(): Ingested {
    try {
      return read(deps.clock.now())
    } catch (error) {
      deps.metrics.refused.inc({ reason: 'malformed' })
      if (!(error instanceof Error)) throw error
      deps.log.warn({ source, reason: error.message }, 'a request with alerts was refused')
      throw error instanceof IngestError ? new HttpError(400, error.message) : error
    }
  }
}
