import { type Server, createServer } from 'node:http'
import { join } from 'node:path'
import express, { type RequestHandler } from 'express'
import type { ApiDeps } from './deps.ts'
import { answerError, notFound } from './error.ts'
import { incidents } from './incidents.ts'
import { ingest } from './ingest.ts'
import { live } from './live.ts'
import { management } from './management.ts'

/** The engine's HTTP side; not listening yet. */
export function openServer(api: ApiDeps): Server {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(observe(api))
  app.use(ingest(api))
  app.use('/api/tocsin/v1', incidents(api), live(api))
  app.use(management(api))
  if (api.sandbox) {
    app.use(pages(api.webRoot))
    app.get('/', (_request, response) => response.redirect('inbox'))
  }
  app.use(notFound)
  app.use(answerError(api.deps.log))

  // a listener may be slow to read, never slow to send
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16 * 1024,
    },
    app,
  )
  server.maxConnections = 2000
  return server
}

/** Times every request by the route's pattern, never by the path: a label of its own for each path would fill the memory. */
function observe({ deps: { metrics } }: ApiDeps): RequestHandler {
  return (request, response, next) => {
    const done = metrics.http.startTimer()
    response.on('close', () => {
      const route: unknown = request.route?.path
      const handler = typeof route === 'string' ? `${request.baseUrl}${route}` : 'other'
      done({ handler, method: known(request.method), code: response.statusCode })
    })
    next()
  }
}

function known(method: string): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'].includes(method) ? method : 'other'
}

const security = {
  'Content-Security-Policy': "default-src 'self'; frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
}

function pages(webRoot: string): RequestHandler[] {
  return [
    (request, response, next) => {
      if (request.path === '/inbox' || request.path.startsWith('/inbox/')) response.set(security)
      if (request.path === '/inbox') return response.sendFile(join(webRoot, 'inbox.html'))
      next()
    },
    express.Router().use('/inbox', express.static(webRoot, { index: false })),
  ]
}
