import { type Response, Router, json } from 'express'
import { z } from 'zod'
import type { Incident } from '../incident/incident.ts'
import { refuseDeep } from './body.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError } from './error.ts'

const LISTED = 500

const change = z.object({ by: z.string().trim().min(1).max(200).default('anonymous') }).default({ by: 'anonymous' })

/** Incidents: listed newest first, acknowledged and resolved by whoever says so in `{"by": "…"}`. */
export function incidents({ deps: { store, clock, events, log } }: ApiDeps): Router {
  const router = Router()

  router.get('/incidents', async (_request, response) => {
    response.json(await store.incidents.list(LISTED))
  })

  router.get('/incidents/:id', async (request, response) => {
    const incident = await store.incidents.get(request.params.id)
    if (!incident) throw unknown(request.params.id)
    response.json(incident)
  })

  router.post('/incidents/:id/ack', json({ limit: '10kb', verify: refuseDeep }), async (request, response) => {
    await become(request.params['id'] ?? '', 'acknowledged', request.body, response)
  })

  router.post('/incidents/:id/resolve', json({ limit: '10kb', verify: refuseDeep }), async (request, response) => {
    await become(request.params['id'] ?? '', 'resolved', request.body, response)
  })

  async function become(id: string, to: 'acknowledged' | 'resolved', body: unknown, response: Response): Promise<void> {
    const parsed = change.safeParse(body)
    if (!parsed.success) throw new HttpError(400, 'by: must be a name of 1 to 200 characters')
    const changed = await store.incidents.change(id, to, parsed.data.by, clock.now())
    if (!changed) throw unknown(id)
    if (changed.done === 'no')
      throw new HttpError(409, `incident ${id} is ${changed.incident.state}; it cannot be ${to}`)
    if (changed.done === 'yes') {
      log.info({ incident: id, by: parsed.data.by }, `incident ${to}`)
      events.publish('incident', { id, event: to } satisfies { id: Incident['id']; event: string })
    }
    response.json(changed.incident)
  }

  return router
}

function unknown(id: string): HttpError {
  return new HttpError(404, `there is no incident ${JSON.stringify(id.slice(0, 40))}`)
}
