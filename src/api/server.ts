import { randomUUID } from 'node:crypto'
import { type RequestListener, type Server, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import express, { type Request, type RequestHandler, Router } from 'express'
import { access, security } from './access.ts'
import { compressed } from './compressed.ts'
import { acknowledge } from './acknowledge.ts'
import { callbacks } from './callbacks/router.ts'
import { limitConnections } from './connections.ts'
import type { TlsSettings, WebConfig } from '../config/web/load.ts'
import { type Context, within } from '../record/context.ts'
import type { Log } from '../record/log.ts'
import { type Tracing, traceIdOf } from '../record/tracing.ts'
import type { ApiDeps } from './deps.ts'
import { deliveries } from './deliveries.ts'
import { answerError, notFound } from './error.ts'
import { health } from './health.ts'
import { incidents } from './incidents.ts'
import { insights } from './insights.ts'
import { live } from './live.ts'
import { logLevel } from './log-level.ts'
import { management } from './management.ts'
import { messages } from './messages.ts'
import { now } from './now.ts'
import { page } from './page.ts'
import { session } from './session.ts'
import { whyNotLetIn } from './tls.ts'
import { apiV2 } from './v2/router.ts'
import { webhook } from './webhook.ts'

const MOST_CONNECTIONS = 2000

export interface Door {
  server: Server
  /** From here on the engine answers. */
  open(api: ApiDeps): void
}

export interface DoorOptions {
  /** What the answer says until there is an engine. */
  why(): string
  web(): WebConfig
  log: Log
}

/**
 * The engine's HTTP side; not listening yet. Until there is an engine behind it (it waits for its Redis, say) it answers that
 * it lives, and 503 with `why` to all else.
 */
export function openServer({ why, web, log }: DoorOptions): Door {
  let answer: RequestListener = (request, response) => {
    const path = request.url?.replace(/\?.*$/, '') ?? ''
    const isHealth = request.method === 'GET' && path.endsWith('/-/healthy')
    response.writeHead(isHealth ? 200 : 503, {
      'Content-Type': 'text/plain; charset=utf-8',
      ...(!isHealth && { 'Retry-After': '5' }),
    })
    response.end(isHealth ? 'OK' : why())
  }
  const handle: RequestListener = (request, response) => answer(request, response)
  // a listener may be slow to read, never slow to send
  const patience = {
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: 16 * 1024,
  }
  const { tls } = web()
  const server = tls ? tlsServer(tls) : createServer(patience, handle)
  limitConnections(server, MOST_CONNECTIONS)
  return { server, open: (api) => void (answer = routes(api)) }

  function tlsServer({ context, clientAuth }: TlsSettings): Server {
    const asks = { requestCert: clientAuth !== 'none', rejectUnauthorized: clientAuth === 'require and verify' }
    const secured = createTlsServer({ ...patience, ...context, ...asks, handshakeTimeout: 10_000 }, handle)
    secured.prependListener('secureConnection', (socket: TLSSocket) => {
      const current = web().tls
      const refused = current && whyNotLetIn(socket, current)
      if (refused === undefined) return
      log.info({ from: socket.remoteAddress, why: refused }, 'a client was not let in')
      socket.destroy()
    })
    return secured
  }
}

/** All that is answered. */
export function routes(api: ApiDeps): express.Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.use(observe(api), security)
  if (api.routePrefix === '') app.use(everything(api))
  else {
    app.get('/', (_request, response) => response.redirect(302, api.routePrefix))
    app.use(withSlash(api.routePrefix), Router().use(api.routePrefix, everything(api)))
  }
  app.use(notFound)
  app.use(answerError(api.deps))
  return app
}

/** All that stands under the route prefix. */
function everything(api: ApiDeps): Router {
  const router = Router()
  router.use(access(api), compressed)
  router.use(webhook(api))
  router.use(withSlash('/api/v2'), Router().use('/api/v2', apiV2(api)))
  router.use('/api/v1', apiV1())
  router.use(
    '/api/tocsin/v1',
    incidents(api),
    deliveries(api),
    messages(api),
    live(api),
    now(api),
    health(api),
    session(api),
    insights(api),
    logLevel(api),
  )
  router.use(acknowledge(api))
  router.use('/callbacks', callbacks(api))
  router.use(management(api))
  router.use(page(api))
  return router
}

/** What is a folder is asked for with a slash behind it, as Go's mux has it. */
function withSlash(path: string): RequestHandler {
  return (request, response, next) => {
    if (request.path !== path) return next()
    const query = /\?.*$/.exec(request.originalUrl)?.[0] ?? ''
    response.redirect(301, `${request.baseUrl}${path}/${query}`)
  }
}

const GONE =
  'The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please use the equivalent route in the v2 API'

/** What Alertmanager says of its first API. */
function apiV1(): Router {
  const router = Router()
  router.all(['/status', '/receivers', '/alerts', '/silences', '/silence/:id'], (_request, response) => {
    response.status(410).setHeader('Content-Type', 'application/json')
    response.end(`${JSON.stringify({ status: 'deprecated', error: GONE })}\n`)
  })
  return router
}

/**
 * Counts every request by the route's pattern, never by the path: a label of its own for each path would fill the memory; and
 * gives it the ids by which the log's lines and the trace that belong to it are found.
 */
function observe({ deps: { metrics, tally }, tracing, routePrefix }: ApiDeps): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now()
    const sentBefore = request.socket.bytesWritten
    const context = contextOf(request, tracing)
    response.set('X-Request-Id', context.requestId)
    response.on('close', () => {
      const seconds = (performance.now() - startedAt) / 1000
      const route: unknown = request.route?.path
      const handler = typeof route === 'string' ? handlerName(`${request.baseUrl}${route}`, routePrefix) : 'other'
      const { statusCode: code } = response
      const method = known(request.method)
      const go = method.toLowerCase() // as Alertmanager writes it
      metrics.http.observe({ handler, method: go, code }, seconds)
      metrics.httpSize.observe({ handler, method: go }, Math.max(0, request.socket.bytesWritten - sentBefore))
      metrics.httpDuration.observe({ method, endpoint: handler }, seconds)
      if (method === 'POST' && ingesting.has(handler)) tally.count(code >= 500 ? 'requests refused' : 'requests taken')
      context.span?.name(`${method} ${handler}`)
      context.span?.set({ method, endpoint: handler, status: code, request_id: context.requestId })
      if (code >= 500) context.span?.fail(`status ${code}`)
      context.span?.end()
    })
    within(context, next)
  }
}

/** Where alerts come in. */
const ingesting = new Set(['/api/v2/alerts', '/webhook'])
/** What is asked for all the time, by machines, and worth no trace. */
const untraced = /\/(?:metrics|-\/(?:healthy|ready)|api\/tocsin\/v1\/events)$/

/** Under the caller's request id and in its trace, where it names them and they are what they should be. */
function contextOf(request: Request, tracing: Tracing | undefined): Context & { requestId: string } {
  const given = request.get('x-request-id')
  const traceparent = request.get('traceparent')
  const made = randomUUID().replaceAll('-', '')
  const requestId = given !== undefined && /^[\w.:=+/-]{1,128}$/.test(given) ? given : made
  if (!tracing || untraced.test(request.path)) return { requestId, traceId: traceIdOf(traceparent) ?? made }
  const span = tracing.start('request', { kind: 'server', ...(traceparent && { parents: [traceparent] }) })
  return { requestId, traceId: span.traceId, span }
}

/** As in Alertmanager: without the prefix, and the one parameter there under its name. */
function handlerName(path: string, routePrefix: string): string {
  return path.slice(routePrefix.length).replace('/api/v2/silence/:id', '/api/v2/silence/{silenceID}')
}

function known(method: string): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'].includes(method) ? method : 'OTHER'
}
