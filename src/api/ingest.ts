import { Router } from 'express'
import { postedAlerts } from '../ingest/posted-alerts.ts'
import { IngestError, type Ingested, formatReject } from '../ingest/reject.ts'
import { webhookAlerts } from '../ingest/webhook.ts'
import { accept } from '../pipeline/accept.ts'
import { jsonBody, parseJson } from './body.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError, cannotStore } from './error.ts'

/**
 * The two ways in. 200 once Redis has the alerts; 503 where it does not take them; 400 where one is
 * bad, after the good ones were taken.
 */
export function ingest({ deps, timers, stopping }: ApiDeps): Router {
  const router = Router()

  router.post('/webhook', ...jsonBody, async (request, response) => {
    const { rejects } = await take('webhook', request.body, (body, at) =>
      webhookAlerts(body, at, deps.routing.config.matcherMode),
    )
    if (rejects.length === 0) {
      response.json({ status: 'ok' })
      return
    }
    const errors = rejects.map(({ index, field, reason }) => ({ index, field, reason }))
    response.status(400).json({ code: 400, message: rejects.map(formatReject).join('\n'), errors })
  })

  router.post('/api/v2/alerts', ...jsonBody, async (request, response) => {
    const { rejects } = await take('v2', request.body, (body, at) =>
      postedAlerts(body, at, deps.routing.config.resolveTimeout, deps.routing.config.matcherMode),
    )
    // Alertmanager's error body is a bare JSON string
    if (rejects.length > 0) response.status(400).json(rejects.map(formatReject).join('\n'))
    else response.end()
  })

  async function take(
    source: 'v2' | 'webhook',
    bytes: unknown,
    read: (body: unknown, at: number) => Ingested,
  ): Promise<Ingested> {
    if (stopping.aborted) throw new HttpError(503, 'Tocsin is stopping', { retryAfter: 5 })
    const ingested = readOr400(source, () => read(parseJson(bytes), deps.clock.now()))
    const { soonest } = await accept(ingested, source, deps).catch((error: unknown) => {
      deps.metrics.refused.inc({ reason: 'store' })
      return cannotStore(error)
    })
    if (soonest !== -1) timers.nudge(soonest)
    if (ingested.rejects.length > 0) {
      deps.log.warn(
        { source, rejects: ingested.rejects.slice(0, 10) },
        'alerts were rejected; their neighbours were taken',
      )
    }
    return ingested
  }

  function readOr400(source: 'v2' | 'webhook', read: () => Ingested): Ingested {
    try {
      return read()
    } catch (error) {
      deps.metrics.refused.inc({ reason: 'malformed' })
      if (error instanceof IngestError) throw new HttpError(400, error.message)
      if (error instanceof HttpError)
        deps.log.warn({ source, reason: error.message }, 'a request with alerts was refused')
      throw error
    }
  }

  return router
}
