import type { IncomingMessage } from 'node:http'
import { Router } from 'express'
import { z } from 'zod'
import { type Principal, suffices } from '../access/principal.ts'
import { isTheirAlert, isTheirs, teamOfReceiver } from '../access/scope.ts'
import { inboxEntry } from '../store/inbox.ts'
import type { Store } from '../store/store.ts'
import type { Feed, Told } from '../view/feed.ts'
import type { Authenticator } from './authenticate.ts'
import { receiverOf } from './deliveries.ts'
import { HttpError, cannotRead } from './error.ts'
import { sendMail } from './messages.ts'
import { principalOf } from './principals.ts'

/** Keeps proxies from closing a stream on which nothing happens, and asks anew who listens, ms. */
const HEARTBEAT = 15_000
const AUDIT_LISTED = 500
const asked = z.object({ limit: z.coerce.number().int().min(1).max(AUDIT_LISTED).default(AUDIT_LISTED) })
/** What a page that does not read may keep waiting here, bytes. */
const MOST_UNREAD = 4_000_000

const incidentEvent = z.object({ id: z.string() })

/** What it reads of. */
interface LiveDeps {
  deps: {
    store: {
      inbox: Pick<Store['inbox'], 'list'>
      audit: Pick<Store['audit'], 'list'>
      incidents: Pick<Store['incidents'], 'get'>
    }
    readonly routing: { config: { defaultTeam: string } }
  }
  feed: Pick<Feed, 'listen'>
  stopping: AbortSignal
  authenticator: Pick<Authenticator, 'identify'>
}

/** What pages read: the sandbox's inbox, who did what, and a stream of what happens. */
export function live({ deps, feed, stopping, authenticator }: LiveDeps, heartbeatEvery = HEARTBEAT): Router {
  const { store } = deps
  const router = Router()

  router.get('/inbox', async (request, response) => {
    response.json(await inboxOf(principalOf(request)))
  })

  router.get('/inbox/:id/html', async (request, response) => {
    const entry = (await inboxOf(principalOf(request))).find(({ id }) => id === request.params.id)
    sendMail(response, entry?.payload)
  })

  router.get('/audit', async (request, response) => {
    if (principalOf(request).teams !== undefined)
      throw new HttpError(403, 'the audit log is of all teams, which only an admin without teams may read')
    const wanted = asked.safeParse(request.query)
    if (!wanted.success) throw new HttpError(400, `limit: must be a number from 1 to ${AUDIT_LISTED}`)
    response.json(await store.audit.list(wanted.data.limit).catch(cannotRead))
  })

  router.get('/events', (request, response) => {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
    response.flushHeaders()
    response.write('retry: 1000\n\n')
    let principal = principalOf(request)
    const tell = (told: Told) => {
      if (response.writableEnded) return
      if (response.writableLength > MOST_UNREAD) return end() // it comes again, and goes on from where it was
      const id = 'place' in told ? `id: ${told.place}\n` : ''
      response.write(`${id}event: ${told.kind}\ndata: ${JSON.stringify(told.data)}\n\n`)
    }
    let telling = Promise.resolve() // in their order, though some take a look at the store first
    const hear = (told: Told) => {
      if (principal.teams === undefined) return tell(told)
      telling = telling.then(async () => {
        const theirs = await theirPart(principal, told)
        if (theirs) tell(theirs)
      })
    }
    const stopListening = feed.listen(hear, request.get('Last-Event-ID'))
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

  /** What of it may be told to who listens; undefined for nothing. */
  async function theirPart(principal: Principal, told: Told): Promise<Told | undefined> {
    switch (told.kind) {
      case 'hello':
      case 'away':
      case 'many alerts':
      case 'silences':
      case 'routing':
      case 'reload':
      case 'health':
        return told
      case 'alerts': {
        const { alerts, groups, gone } = told.data
        const { defaultTeam } = deps.routing.config
        const isTheirsNow = (labels: Record<string, string>) =>
          isTheirAlert(principal, new Map(Object.entries(labels)), defaultTeam)
        const shown = alerts.filter(({ labels }) => isTheirsNow(labels))
        const left = gone.filter(({ team }) => isTheirs(principal, team))
        if (shown.length + left.length === 0) return undefined
        const inside = new Set(shown.flatMap((alert) => alert.groups))
        const theirs = Object.fromEntries(Object.entries(groups).filter(([id]) => inside.has(id)))
        return { kind: 'alerts', data: { alerts: shown, groups: theirs, gone: left } }
      }
      case 'delivery':
        return isTheirs(principal, teamOfReceiver(receiverOf(told.data))) ? told : undefined
      case 'inbox': {
        const entry = inboxEntry.safeParse(told.data)
        return entry.success && isTheirs(principal, teamOfReceiver(entry.data.receiver)) ? told : undefined
      }
      case 'incident': {
        const about = incidentEvent.safeParse(told.data)
        const incident = about.success ? await store.incidents.get(about.data.id).catch(() => undefined) : undefined
        return incident && isTheirs(principal, incident.team) ? told : undefined
      }
      default:
        return told satisfies never
    }
  }

  return router
}
