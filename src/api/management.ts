import { Router } from 'express'
import type { ApiDeps } from './deps.ts'
import { HttpError } from './error.ts'

/** Alertmanager's management paths: health, readiness, reload, metrics. */
export function management({ deps: { metrics }, reload, notReady }: ApiDeps): Router {
  const router = Router()

  router.get('/-/healthy', (_request, response) => {
    response.type('text').send('OK')
  })

  router.get('/-/ready', async (_request, response) => {
    const reason = await notReady()
    if (reason) response.status(503).set('Retry-After', '5').type('text').send(reason)
    else response.type('text').send('OK')
  })

  router.post('/-/reload', async (_request, response) => {
    await reload().catch((error: unknown) => {
      throw new HttpError(500, `failed to reload config: ${error instanceof Error ? error.message : String(error)}`)
    })
    response.end()
  })

  router.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })

  return router
}
