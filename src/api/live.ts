import type { IncomingMessage } from 'node:http'
import { Router } from 'express'
import { z } from 'zod'
import { type Principal, suffices } from '../access/principal.ts'
import { isTheirs, teamOfReceiver } from '../access/scope.ts'
import type { Events, LiveEvent } from '../record/events.ts'
import { inboxEntry } from '../store/inbox.ts'
import type { Store } from '../store/store.ts'
import type { Authenticator } from './authenticate.ts'
import { HttpError } from './error.ts'
import { principalOf } from './principals.ts'

/** Keeps proxies from closing a stream on which nothing happens, and asks anew who listens, ms. */
const HEARTBEAT = 15_000
const AUDIT_LISTED = 500
/** What a page that does not read may keep waiting here, bytes. */
const MOST_UNREAD = 1_000_000

const mail = z.object({ html: z.string() })
const incidentEvent = z.object({ id: z.string() })

/** What it reads of. */
interface LiveDeps {
  deps: {
    store: {
      inbox: Pick<Store['inbox'], 'list'>
      silences: Pick<Store['silences'], 'audit'>
      incidents: Pick<Store['incidents'], 'get'>
    }
    events: Events
  }
  stopping: AbortSignal
  authenticator: Pick<Authenticator, 'identify'>
}

/** What pages read: the sandbox's inbox, who did what, and a stream of what happens. */
export function live(
  { deps: { store, events }, stopping, authenticator }: LiveDeps,
  heartbeatEvery = HEARTBEAT,
): Router {
  const router = Router()

  router.get('/inbox', async (request, response) => {
    response.json(await inboxOf(principalOf(request)))
  })

  // a document of its own, for a frame: what a mail's HTML may do is nothing but have its styles
  router.get('/inbox/:id/html', async (request, response) => {
    const entry = (await inboxOf(principalOf(request))).find(({ id }) => id === request.params.id)
    const html = mail.safeParse(entry?.payload)
    if (!html.success) throw new HttpError(404, 'there is no such mail')
    response.set(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
    )
    response.set('X-Content-Type-Options', 'nosniff')
    response.type('html').send(html.data.html)
  })

  router.get('/audit', async (request, response) => {
    if (principalOf(request).teams !== undefined)
      throw new HttpError(403, 'the audit log is of all teams, which only an admin without teams may read')
    response.json(await store.silences.audit(AUDIT_LISTED))
  })

  router.get('/events', (request, response) => {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
    response.flushHeaders()
    response.write('retry: 1000\n\n')
    let principal = principalOf(request)
    const tell = ({ id, kind, data }: LiveEvent) => {
      if (response.writableEnded) return
      if (response.writableLength > MOST_UNREAD) return end() // it comes again, and reads the list anew
      response.write(`id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`)
    }
    const stopListening = events.listen((event) => {
      if (principal.teams === undefined) return tell(event)
      void isTheirEvent(principal, event).then((theirs) => (theirs ? tell(event) : undefined))
    })
    const heartbeat = setInterval(() => {
      response.write(': still here\n\n')
      void stillThere(request, principal).then((now) => (now ? (principal = now) : end()))
    }, heartbeatEvery)
    const end = () => {
      stopListening()
      clearInterval(heartbeat)
      stopping.removeEventListener('abort', end)
      response.end()
    }
    request.on('close', end)
    stopping.addEventListener('abort', end)
  })

  /** Who listens, as of now: a stream must not outlive a session, a user or a role. Undefined where it is over. */
  async function stillThere(request: IncomingMessage, before: Principal): Promise<Principal | undefined> {
    try {
      const now = await authenticator.identify(request, false)
      return now && suffices(now.role, 'view') ? now : undefined
    } catch (error) {
      // nobody can say while Redis is away; whoever has to wait to be let in is not
      return error instanceof HttpError && error.status < 500 ? undefined : before
    }
  }

  /** What belongs to a team is told to that team's; of the sandbox's messages those of the table's receivers have one. */
  async function inboxOf(principal: Principal) {
    const entries = await store.inbox.list()
    return entries.filter(({ receiver }) => isTheirs(principal, teamOfReceiver(receiver)))
  }

  async function isTheirEvent(principal: Principal, { kind, data }: LiveEvent): Promise<boolean> {
    if (kind === 'inbox') {
      const entry = inboxEntry.safeParse(data)
      return entry.success && isTheirs(principal, teamOfReceiver(entry.data.receiver))
    }
    const about = incidentEvent.safeParse(data)
    const incident = about.success ? await store.incidents.get(about.data.id).catch(() => undefined) : undefined
    return incident !== undefined && isTheirs(principal, incident.team)
  }

  return router
}
