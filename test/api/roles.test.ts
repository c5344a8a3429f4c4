import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { roles } from '../../src/access/principal.ts'
import { isKnown, ruleFor } from '../../src/access/routes.ts'
import { as, webFile } from '../helpers/access.ts'
import { type Engine, startEngine, tempDir } from '../helpers/engine.ts'
import { routesOf } from '../helpers/routes.ts'

// Who may call what, as a table of its own beside the server's: a new route needs a row here too.

const open = ['nobody', 'ingest', 'view', 'respond', 'admin']
const anyone = ['ingest', 'view', 'respond', 'admin']
const ingest = ['ingest', 'admin']
const view = ['view', 'respond', 'admin']
const respond = ['respond', 'admin']
const admin = ['admin']

const table: Record<string, readonly string[]> = {
  'GET /-/healthy': open,
  'GET /-/ready': open,
  'POST /-/reload': admin,
  'GET /metrics': view,
  'POST /webhook': ingest,
  'POST /api/v2/alerts': ingest,
  'GET /api/v2/alerts': view,
  'GET /api/v2/alerts/groups': view,
  'GET /api/v2/silences': view,
  'POST /api/v2/silences': respond,
  'GET /api/v2/silence/:id': view,
  'DELETE /api/v2/silence/:id': respond,
  'GET /api/v2/status': view,
  'GET /api/v2/receivers': view,
  'GET /api/tocsin/v1/incidents': view,
  'GET /api/tocsin/v1/incidents/:id': view,
  'POST /api/tocsin/v1/incidents/:id/ack': respond,
  'POST /api/tocsin/v1/incidents/:id/resolve': respond,
  'POST /api/tocsin/v1/incidents/:id/notes': respond,
  'GET /api/tocsin/v1/incidents/:id/alerts': view,
  'GET /api/tocsin/v1/deliveries': view,
  'GET /api/tocsin/v1/alerts': view,
  'GET /api/tocsin/v1/why': view,
  'GET /api/tocsin/v1/routing': view,
  'GET /api/tocsin/v1/series': view,
  'GET /ack/:incident': view,
  'GET /ack.js': view,
  'GET /ack.css': view,
  'GET /api/tocsin/v1/deadletters': view,
  'GET /api/tocsin/v1/deadletters/:id': view,
  'POST /api/tocsin/v1/deadletters/:id/retry': admin,
  'POST /api/tocsin/v1/deadletters/retry': admin,
  'GET /api/tocsin/v1/notifications': view,
  'GET /api/tocsin/v1/ledger': view,
  'GET /api/tocsin/v1/health': view,
  'GET /api/tocsin/v1/patterns': view,
  'GET /api/tocsin/v1/kpis': view,
  'GET /api/tocsin/v1/log-level': admin,
  'PUT /api/tocsin/v1/log-level': admin,
  'GET /api/tocsin/v1/audit': admin,
  'GET /api/tocsin/v1/message': view,
  'GET /api/tocsin/v1/message/html': view,
  'GET /api/tocsin/v1/inbox': view,
  'GET /api/tocsin/v1/inbox/:id/html': view,
  'GET /api/tocsin/v1/events': view,
  'POST /api/tocsin/v1/session': open,
  'GET /api/tocsin/v1/session': anyone,
  'DELETE /api/tocsin/v1/session': open,
  'POST /callbacks/slack': open,
  'POST /callbacks/pagerduty': open,
  'POST /callbacks/twilio/status': open,
  'POST /callbacks/twilio/sms': open,
  'GET /': open,
  'GET /icon.svg': open,
  'GET /assets/*': open,
  'GET /inbox': open,
}

/** No routes at all, and then only an admin learns so. */
const elsewhere: Record<string, readonly string[]> = {
  'GET /nope': admin,
  'GET /.env': admin,
  'PUT /api/v2/silences': admin,
  'DELETE /api/tocsin/v1/incidents/:id': admin,
  'PATCH /metrics': admin,
  'PUT /-/reload': admin,
  'GET /api/v1/alerts': anyone,
  'POST /api/v1/alerts': anyone,
  // what Express takes for the same
  'GET /API/v2/Alerts/': view,
  'POST /API/V2/SILENCES/': respond,
  'HEAD /api/v2/alerts': view,
}

let engine: Engine
const dir = tempDir()
beforeAll(async () => {
  const web = webFile(dir.path, roles)
  engine = await startEngine({
    config: join(import.meta.dirname, '../../routing/tocsin.yml'),
    args: ['--sandbox', `--web.config.file=${web}`],
  })
}, 60_000)
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  dir[Symbol.dispose]()
})

test('every route that the server has stands in the table, and has a rule', () => {
  const all = [...new Set([...routesOf(false), ...routesOf(true)])]
  expect(all.length).toBeGreaterThan(35)
  for (const route of all) {
    const [method = '', path = ''] = route.split(' ')
    if (method === 'ALL') expect(isKnown(path), route).toBe(true)
    else expect(Object.keys(table), route).toContain(route)
  }
  const rules = Object.keys(table).filter((route) => {
    const [method = '', path = ''] = route.split(' ')
    return ruleFor(method, path) === undefined
  })
  expect(rules).toEqual([])
})

test.each(
  Object.entries({ ...table, ...elsewhere }).flatMap(([route, allowed]) =>
    ['nobody', ...roles].map((role) => ({ route, role, allowed: allowed.includes(role) })),
  ),
)('$route as $role: $allowed', async ({ route, role, allowed }) => {
  const [method = '', pattern = ''] = route.split(' ')
  const path = pattern
    .replace('/silence/:id', '/silence/00000000-0000-4000-8000-000000000000')
    .replace(/:\w+/, '1')
    .replace('*', 'index.js')
  const stop = new AbortController()
  const sends = ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method)
  const answer = await fetch(engine.url + path, {
    method,
    headers: { ...as(role === 'nobody' ? undefined : role), ...(sends && { 'Content-Type': 'application/json' }) },
    ...(sends && { body: '{}' }),
    redirect: 'manual',
    signal: stop.signal,
  })
  stop.abort() // a stream has no end
  if (allowed) expect([401, 403]).not.toContain(answer.status)
  else expect(answer.status).toBe(role === 'nobody' ? 401 : 403)
  expect(answer.status).toBeLessThan(500)
})
