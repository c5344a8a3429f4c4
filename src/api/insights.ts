import { type Request, Router } from 'express'
import { LONGEST } from '../insight/window.ts'
import { formatDuration, parseDuration } from '../model/duration.ts'
import { DAY, readKpis, readPatterns } from '../view/insights.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError, cannotRead } from './error.ts'
import { principalOf } from './principals.ts'

const SHORTEST = 60_000

/** Error patterns and KPIs, over `?window=`, 24 h where nothing is said. */
export function insights({ deps }: ApiDeps): Router {
  const router = Router()

  router.get('/patterns', async (request, response) => {
    response.json(await readPatterns(windowOf(request), deps).catch(cannotRead))
  })

  router.get('/kpis', async (request, response) => {
    response.json(await readKpis(windowOf(request), deps).catch(cannotRead))
  })

  return router
}

/** The window that is asked for, ms. Throws HttpError where there is none, or nothing to be seen. */
function windowOf(request: Request): number {
  if (principalOf(request).teams !== undefined)
    throw new HttpError(403, 'these figures are of all teams together, which only somebody without teams may read')
  const { window } = request.query
  if (window === undefined) return DAY
  const length = typeof window === 'string' ? parseDuration(window) : undefined
  if (length === undefined || length < SHORTEST || length > LONGEST)
    throw new HttpError(
      400,
      `window: it must be a duration from ${formatDuration(SHORTEST)} to ${formatDuration(LONGEST)}, as 24h`,
    )
  return length
}
