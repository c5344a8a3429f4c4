import { type Request, type Response, Router, json } from 'express'
import { z } from 'zod'
import { isTheirs } from '../access/scope.ts'
import type { Incident } from '../incident/incident.ts'
import { refuseDeep } from './body.ts'
import { addNote, changeIncident, unknownIncident } from './change-incident.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError } from './error.ts'
import { jsonOnly } from './json-only.ts'
import { actor, principalOf } from './principals.ts'

const LISTED = 500

const change = z.object({ by: z.string().trim().min(1).max(200).default('anonymous') }).default({ by: 'anonymous' })

const note = z.object({
  by: z.string().trim().min(1).max(200).default('anonymous'),
  text: z.string().trim().min(1).max(4000),
})

/**
 * Incidents: listed newest first, acknowledged, resolved and commented on by who is logged in. Where nobody has to, by whoever says so in
 * `{"by": "…"}`. What is another team's is not there.
 */
export function incidents({ deps }: ApiDeps): Router {
  const { store } = deps
  const router = Router()

  router.get('/incidents', async (request, response) => {
    const principal = principalOf(request)
    response.json(await store.incidents.list(LISTED, ({ team }) => isTheirs(principal, team)))
  })

  router.get('/incidents/:id', async (request, response) => {
    response.json(await theirs(request.params.id, request))
  })

  router.post(
    '/incidents/:id/ack',
    jsonOnly,
    json({ limit: '10kb', verify: refuseDeep }),
    async (request, response) => {
      await become('acknowledged', request, response)
    },
  )

  router.post(
    '/incidents/:id/resolve',
    jsonOnly,
    json({ limit: '10kb', verify: refuseDeep }),
    async (request, response) => {
      await become('resolved', request, response)
    },
  )

  router.post(
    '/incidents/:id/notes',
    jsonOnly,
    json({ limit: '10kb', verify: refuseDeep }),
    async (request, response) => {
      const parsed = note.safeParse(request.body)
      if (!parsed.success) throw new HttpError(400, 'text: must be 1 to 4,000 characters; by: a name of 1 to 200')
      const { id } = await theirs(String(request.params['id']), request)
      const by = { name: actor(principalOf(request), parsed.data.by), from: request.socket.remoteAddress ?? '' }
      response.status(201).json(await addNote(id, parsed.data.text, by, deps))
    },
  )

  async function become(to: 'acknowledged' | 'resolved', request: Request, response: Response): Promise<void> {
    const parsed = change.safeParse(request.body)
    if (!parsed.success) throw new HttpError(400, 'by: must be a name of 1 to 200 characters')
    const { id } = await theirs(String(request.params['id']), request)
    const by = { name: actor(principalOf(request), parsed.data.by), from: request.socket.remoteAddress ?? '' }
    response.json(await changeIncident(id, to, by, deps))
  }

  async function theirs(id: string, request: Request): Promise<Incident> {
    const incident = await store.incidents.get(id)
    if (!incident || !isTheirs(principalOf(request), incident.team)) throw unknownIncident(id)
    return incident
  }

  return router
}
