import { hostname } from 'node:os'
import type { Request, RequestHandler, Response } from 'express'
import { clientNetwork } from '../access/backoff.ts'
import { type BucketSize, Buckets } from '../access/bucket.ts'
import { whyForeign } from '../access/origin.ts'
import { type Principal, anybody, suffices } from '../access/principal.ts'
import { type Limited, type Rule, ruleFor } from '../access/routes.ts'
import { authenticates } from '../config/web/load.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError } from './error.ts'
import { setPrincipal } from './principals.ts'

/** Far more than people and their tools need; far less than what fills a store. */
const limits: Record<Limited, BucketSize> = {
  login: { burst: 20, every: 3000 },
  silences: { burst: 10_000, every: 10 },
  queries: { burst: 2000, every: 10 },
  changes: { burst: 1000, every: 100 },
}

const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Who may call what. Everything under the route prefix goes through here first. */
export function access({ deps, web, authenticator }: ApiDeps): RequestHandler {
  const buckets = Object.fromEntries(Object.entries(limits).map(([name, size]) => [name, new Buckets(size)])) as Record<
    Limited,
    Buckets
  >
  let together: { of: unknown; buckets: Buckets } | undefined

  return async (request, response, next) => {
    const { rateLimit, headers } = web()
    for (const [name, value] of headers) response.set(name, value)
    const rule = ruleFor(request.method, request.path)
    const isIngest = rule?.needed === 'ingest'
    if (rateLimit && !isIngest && rule?.needed !== 'open') {
      const shared = together?.of === rateLimit ? together : { of: rateLimit, buckets: new Buckets(rateLimit) }
      together = shared
      take(shared.buckets, '')
    }
    if (!reading.has(request.method)) refuseForeign(request, rule?.needed !== 'open')
    const principal = rule?.needed === 'open' ? anybody : await authenticator.identify(request, isIngest)
    if (!principal) return challenge(request, response)
    if (!may(principal, rule, request.method)) {
      deps.log.info(
        { by: principal.name, role: principal.role, method: request.method, path: request.path.slice(0, 200) },
        'refused: the role does not allow it',
      )
      throw new HttpError(403, `the role ${principal.role} does not allow this${needs(rule)}`)
    }
    if (rule?.limited) take(buckets[rule.limited], clientOf(principal, request))
    setPrincipal(request, principal)
    next()
  }

  function refuseForeign(request: Request, isIdentified: boolean): void {
    const current = web()
    // a token is nothing that a browser sends along by itself; where nobody has to log in, none is looked at, so any would do
    if (isIdentified && authenticates(current) && /^bearer /i.test(request.headers.authorization ?? '')) return
    const { origin, host } = request.headers
    const fetchSite = request.get('sec-fetch-site')
    const why = whyForeign(
      { fetchSite, origin, host, secure: 'encrypted' in request.socket },
      {
        external: deps.externalURL,
        allowed: current.allowedOrigins,
        anonymous: !authenticates(current),
        hostname: hostname(),
      },
    )
    if (why !== undefined) throw new HttpError(403, `refused: ${why}; see allowed_origins in docs/security.md`)
  }

  function challenge(request: Request, response: Response): void {
    response.status(401)
    // as exporter-toolkit answers; the page asks for name and password itself, and no browser is to do it in its place
    if (request.get('X-Tocsin-Page') === undefined) response.set('WWW-Authenticate', authenticator.challenge())
    response.type('text').send('Unauthorized\n')
  }

  function take(from: Buckets, client: string): void {
    const wait = from.take(client, performance.now())
    if (wait > 0)
      throw new HttpError(429, 'this is asked too often; wait a moment', { retryAfter: Math.ceil(wait / 1000) })
  }
}

function may(principal: Principal, rule: Rule | undefined, method: string): boolean {
  if (principal.role === 'admin' || rule?.needed === 'open' || rule?.needed === 'anyone') return true
  // a preflight asks for nothing
  if (method === 'OPTIONS') return true
  return rule !== undefined && suffices(principal.role, rule.needed)
}

function needs(rule: Rule | undefined): string {
  return rule ? `; it takes ${rule.needed}` : ''
}

function clientOf({ name }: Principal, request: Request): string {
  return name ? `name ${name}` : `address ${clientNetwork(request.socket.remoteAddress ?? '')}`
}

/** What every answer says to browsers; pages may say it more closely. */
export const security: RequestHandler = (request, response, next) => {
  response.set({
    'Content-Security-Policy': "default-src 'self'; frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  })
  if ('encrypted' in request.socket) response.set('Strict-Transport-Security', 'max-age=31536000')
  next()
}
