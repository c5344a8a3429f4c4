import { Router } from 'express'
import { formatReject } from '../ingest/reject.ts'
import { webhookAlerts } from '../ingest/webhook.ts'
import { jsonBody, parseJson } from './body.ts'
import type { ApiDeps } from './deps.ts'
import { takeAlerts } from './intake.ts'

/** What another Alertmanager posts. 400 where an alert is bad, after the good ones were taken. */
export function webhook(api: ApiDeps): Router {
  const router = Router()

  router.post('/webhook', ...jsonBody, async (request, response) => {
    const { rejects } = await takeAlerts(api, 'webhook', (at) =>
      webhookAlerts(parseJson(request.body), at, api.deps.routing.config.matcherMode),
    )
    if (rejects.length === 0) {
      response.json({ status: 'ok' })
      return
    }
    const errors = rejects.map(({ index, field, reason }) => ({ index, field, reason }))
    response.status(400).json({ code: 400, message: rejects.map(formatReject).join('\n'), errors })
  })

  return router
}
