import { Router } from 'express'
import { formatReject } from '../ingest/reject.ts'
import { webhookBatch } from '../ingest/webhook.ts'
import { parseJson } from './body.ts'
import type { ApiDeps } from './deps.ts'
import { takeAlerts } from './intake.ts'

/** Of more bad alerts the rest is only counted. */
const MOST_TOLD = 100

/** What another Alertmanager posts. 400 where an alert is bad, after the good ones were taken. */
export function webhook(api: ApiDeps): Router {
  const router = Router()

  router.post('/webhook', ...api.admission.handlers, async (request, response) => {
    const { matcherMode, limits } = api.deps.routing.config
    const { rejects } = await takeAlerts(api, 'webhook', request, (at) =>
      webhookBatch(parseJson(request.body), at, matcherMode, limits),
    )
    if (rejects.length === 0) {
      response.json({ status: 'ok' })
      return
    }
    const told = rejects.slice(0, MOST_TOLD)
    const errors = told.map(({ index, field, reason }) => ({ index, field, reason }))
    const more = rejects.length > told.length ? [`and ${rejects.length - told.length} more`] : []
    response.status(400).json({ code: 400, message: [...told.map(formatReject), ...more].join('\n'), errors })
  })

  return router
}
