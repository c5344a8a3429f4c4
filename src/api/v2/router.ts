import { type Request, type RequestHandler, Router } from 'express'
import type { ApiDeps } from '../deps.ts'
import { HttpError } from '../error.ts'
import { limitGets } from '../limit-gets.ts'
import { alerts } from './alerts.ts'
import { SchemaError, answerV2Error } from './answer.ts'
import { silences } from './silences.ts'
import { status } from './status.ts'

/** What there is, and by which methods. */
const resources: [path: RegExp, methods: string[]][] = [
  [/^\/status$/, ['GET']],
  [/^\/receivers$/, ['GET']],
  [/^\/alerts$/, ['GET', 'POST']],
  [/^\/alerts\/groups$/, ['GET']],
  [/^\/silences$/, ['POST', 'GET']],
  [/^\/silence\/[^/]+$/, ['DELETE', 'GET']],
]
const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** Alertmanager's API v2 (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml), as its own server answers. */
export function apiV2(api: ApiDeps): Router {
  const router = Router()
  router.use(crossOrigin, limitGets(api), resolve)
  router.use(alerts(api), silences(api), status(api))
  router.use(answerV2Error)
  return router
}

/** What browsers of other pages may do: read and post, as rs/cors has it there. */
const crossOrigin: RequestHandler = (request, response, next) => {
  const { origin } = request.headers
  const asked = request.headers['access-control-request-method']
  if (request.method === 'OPTIONS' && asked) {
    response.set('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
    if (origin && ['GET', 'POST', 'HEAD'].includes(asked)) {
      response.set('Access-Control-Allow-Origin', '*').set('Access-Control-Allow-Methods', asked)
      const headers = request.headers['access-control-request-headers']
      if (headers) response.set('Access-Control-Allow-Headers', headers)
    }
    response.status(204).end()
    return
  }
  response.set({ 'Cache-Control': 'no-store', Vary: 'Origin' })
  if (origin) response.set('Access-Control-Allow-Origin', '*')
  next()
}

/** Refuses what is not there, cannot be asked so or would not be understood, in the words of go-openapi. */
const resolve: RequestHandler = (request, response, next) => {
  const path = request.path.replace(/(?<=.)\/$/, '')
  const methods = request.path === '/silence/' ? undefined : resources.find(([pattern]) => pattern.test(path))?.[1]
  if (!methods) throw new HttpError(404, `path ${request.baseUrl}${request.path} was not found`)
  if (!methods.includes(request.method)) {
    response.set('Allow', methods.join(','))
    throw new HttpError(405, `method ${request.method} is not allowed, but [${methods.join(',')}] are`)
  }
  if (!admitsJson(request))
    throw new HttpError(406, 'unsupported media type requested, only [application/json] are available')
  const id = /^\/silence\/(.+)$/.exec(path)?.[1]
  if (id !== undefined && !uuid.test(id)) throw new SchemaError(601, `silenceID in path must be of type uuid: "${id}"`)
  next()
}

function admitsJson(request: Request): boolean {
  return request.headers.accept === undefined || request.accepts('application/json') !== false
}
