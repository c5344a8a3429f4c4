import { Router } from 'express'
import type { ApiDeps } from './deps.ts'

/**
 * How each part of Tocsin is, for people and for pages. Answered with 200 whatever is wrong: it is no probe, and to restart a
 * replica mends no channel.
 */
export function health({ health: read }: ApiDeps): Router {
  const router = Router()
  router.get('/health', async (_request, response) => {
    response.set('Cache-Control', 'no-store').json(await read())
  })
  return router
}
