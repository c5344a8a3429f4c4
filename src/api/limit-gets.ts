import type { RequestHandler } from 'express'
import type { ApiDeps } from './deps.ts'
import { whenOver } from './over.ts'

/** Long answers take memory until they are read. */
export function limitGets({ deps, getConcurrency: most }: ApiDeps): RequestHandler {
  let inFlight = 0
  const count = (by: number) => {
    inFlight += by
    deps.metrics.httpInFlight.inc({ method: 'get' }, by)
  }
  return (request, response, next) => {
    if (request.method !== 'GET') return next()
    if (inFlight >= most) {
      deps.metrics.httpTooMany.inc({ method: 'get' })
      response.status(503).type('text').send(`Limit of concurrent GET requests reached (${most}), try again later.\n`)
      return
    }
    count(1)
    whenOver(response, () => count(-1))
    next()
  }
}
