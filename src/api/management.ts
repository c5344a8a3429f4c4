import { type RequestHandler, Router } from 'express'
import { formatInstant } from '../model/instant.ts'
import type { ApiDeps } from './deps.ts'
import { actor, principalOf } from './principals.ts'

function onlyBy(methods: string): RequestHandler {
  return (_request, response) => {
    response.status(405).set({ Allow: methods, 'X-Content-Type-Options': 'nosniff' })
    response.type('text').send('Method Not Allowed\n')
  }
}

/** Alertmanager's management paths: health, readiness, reload, metrics. */
export function management({ deps, metrics, reload, notReady }: ApiDeps): Router {
  const { log } = deps
  const router = Router()

  router.get('/-/healthy', (_request, response) => {
    response.type('text').send('OK')
  })

  router.get('/-/ready', async (_request, response) => {
    const reason = await notReady()
    if (reason) response.status(503).set('Retry-After', '5').type('text').send(reason)
    else response.type('text').send('OK')
  })

  router.post('/-/reload', async (request, response) => {
    const [by, from] = [actor(principalOf(request), ''), request.socket.remoteAddress ?? '']
    log.info({ by, from }, 'a reload is asked for')
    const line = { at: formatInstant(deps.clock.now()), event: 'reload asked for', by, from } as const
    await deps.store.audit.add(line).catch((err: unknown) => log.warn({ err }, 'the audit log does not have it'))
    try {
      await reload()
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      response.status(500).set('X-Content-Type-Options', 'nosniff').type('text')
      response.send(`failed to reload config: ${why}\n`)
      return
    }
    response.end()
  })

  router.all(['/-/healthy', '/-/ready'], onlyBy('GET, HEAD'))
  router.all('/-/reload', onlyBy('OPTIONS, POST'))

  router.get('/metrics', async (request, response) => {
    const { text, type } = await metrics(/\bapplication\/openmetrics-text\b/.test(request.get('accept') ?? ''))
    response.type(type).send(text)
  })

  return router
}
