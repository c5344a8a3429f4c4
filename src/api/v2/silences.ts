import { type Request, Router } from 'express'
import type { Principal } from '../../access/principal.ts'
import { isTheirSilence } from '../../access/scope.ts'
import { SilenceFault, postedSilence } from '../../ingest/posted-silence.ts'
import { toJson } from '../../model/json.ts'
import { toRecord } from '../../model/labels.ts'
import { defaultLimits } from '../../model/limits.ts'
import type { SilenceAudit } from '../../store/silences.ts'
import { type SilenceWrite, silenceSize } from '../../store/silences.ts'
import {
  type Silence,
  type SilenceDraft,
  type SilenceState,
  compareSilences,
  endSilence,
  planSilence,
  sameMatcher,
  stateOf,
} from '../../suppress/silence.ts'
import { jsonBodyOf } from '../body.ts'
import type { ApiDeps } from '../deps.ts'
import { HttpError, cannotRead, cannotStore } from '../error.ts'
import { openOtherShelf } from '../other-bodies.ts'
import { actor, cameFrom, principalOf } from '../principals.ts'
import { BareError, SchemaError, sendJson, sendList } from './answer.ts'
import { parseBody } from './body.ts'
import { flag, matchersOf } from './query.ts'

/** How often a write is tried anew that another came before. */
const TRIES = 10

/** Silences: listed, made, changed, ended. What is another team's is not there. */
export function silences({ deps, silenceLimits }: ApiDeps): Router {
  const { store, clock, log } = deps
  const router = Router()

  router.get('/silences', async (request, response) => {
    const filters = matchersOf(request, 'filter', deps.routing.config.matcherMode)
    const states = new Set<SilenceState>(
      (['active', 'pending', 'expired'] as const).filter((state) => flag(request, state)),
    )
    await freshen()
    const at = clock.now()
    const principal = principalOf(request)
    const found = [...deps.silences.all()].filter(
      (silence) =>
        isTheirSilence(principal, silence.matchers) &&
        states.has(stateOf(silence, at)) &&
        filters.every((wanted) => silence.matchers.some((one) => sameMatcher(one, wanted))),
    )
    const sorted = found.sort(compareSilences(at))
    function* shown() {
      for (const silence of sorted) yield toText(silence, at)
    }
    await sendList(response, shown())
  })

  const jsonBody = jsonBodyOf(() => defaultLimits.bodyBytes, openOtherShelf(deps))
  router.post('/silences', jsonBody, async (request, response) => {
    const draft = read(request)
    sendJson(response, JSON.stringify({ silenceID: await set(draft, request) }))
  })

  router.get('/silence/:id', async (request, response) => {
    await freshen()
    sendJson(response, toText(known(request.params.id, principalOf(request)), clock.now()))
  })

  router.delete('/silence/:id', async (request, response) => {
    await retried(async () => {
      const principal = principalOf(request)
      const before = known(request.params.id, principal)
      const at = clock.now()
      const silence = endSilence(before, at)
      if (silence === before) return 'done'
      const what = { event: 'silence expired', silence: silence.id, by: actor(principal, '') } as const
      return write([{ before, silence }], what, request, at)
    })
    response.end()
  })

  async function freshen(): Promise<void> {
    await store
      .versions()
      .then((versions) => deps.silences.freshen(versions))
      .catch(cannotRead)
  }

  function known(id: string, principal: Principal): Silence {
    const silence = deps.silences.get(id)
    if (!silence || !isTheirSilence(principal, silence.matchers)) throw new BareError(404)
    return silence
  }

  function read(request: Request): SilenceDraft {
    try {
      return postedSilence(parseBody(request.body, 'silence'), clock.now(), deps.routing.config.matcherMode)
    } catch (error) {
      if (!(error instanceof SilenceFault)) throw error
      const { code, message } = error
      if (code === 'rule') throw new BareError(400, message)
      if (code === 400) throw new HttpError(400, `parsing silence body from "" failed, because ${message}`)
      throw new SchemaError(code, message)
    }
  }

  /** Returns the id in force. */
  async function set(draft: SilenceDraft, request: Request): Promise<string> {
    const principal = principalOf(request)
    if (!isTheirSilence(principal, draft.matchers)) {
      const teams = principal.teams?.map((team) => `team=${JSON.stringify(team)}`).join(' or ')
      throw new HttpError(403, `a silence of yours needs the matcher ${teams}`)
    }
    let id = ''
    await retried(async () => {
      const before = draft.id === '' ? undefined : deps.silences.get(draft.id)
      if (draft.id !== '' && (!before || !isTheirSilence(principal, before.matchers)))
        throw new BareError(404, 'silence not found')
      const at = clock.now()
      const { silence, isNew, expired } = planSilence(draft, before, at, deps.newId())
      const size = silenceSize(silence)
      if (silenceLimits.size > 0 && size > silenceLimits.size)
        throw new BareError(400, `silence exceeded maximum size: ${size} bytes (limit: ${silenceLimits.size} bytes)`)
      id = silence.id
      const writes: SilenceWrite[] = [{ before: isNew ? undefined : before, silence }]
      if (before && expired) writes.push({ before, silence: expired })
      const event = isNew ? 'silence created' : 'silence updated'
      const replaces = expired && { replaces: expired.id }
      return write(writes, { event, silence: id, ...replaces, by: actor(principal, silence.createdBy) }, request, at)
    })
    return id
  }

  let writing: Promise<unknown> = Promise.resolve()

  /** Writes of this replica are made one after the other; those of others make them start anew. */
  function retried(run: () => Promise<'done' | 'conflict'>): Promise<void> {
    const mine = writing.then(() => untilDone(run))
    writing = mine.catch(() => {})
    return mine
  }

  /** Runs over the newest silences until no other write comes between. */
  async function untilDone(run: () => Promise<'done' | 'conflict'>): Promise<void> {
    for (let left = TRIES; left > 0; left--) {
      await freshen()
      if ((await run()) === 'done') return
    }
    throw new HttpError(503, 'the silence changes all the time; try again', { retryAfter: 1 })
  }

  async function write(
    writes: readonly SilenceWrite[],
    what: Pick<SilenceAudit, 'event' | 'silence' | 'replaces' | 'by'>,
    request: Request,
    at: number,
  ): Promise<'done' | 'conflict'> {
    const entry: SilenceAudit = {
      at: new Date(at).toISOString(),
      ...what,
      ...cameFrom(request),
    }
    const { count: most } = silenceLimits
    const written = await store.silences.put(writes, entry, most, deps.newId()).catch(cannotStore)
    if (written.done === 'too many')
      throw new BareError(400, `exceeded maximum number of silences: ${written.count} (limit: ${most})`)
    if (written.done === 'conflict') return 'conflict'
    const { event, at: _at, ...fields } = entry
    log.info(fields, event)
    return 'done'
  }

  return router
}

function toText({ annotations, ...silence }: Silence, at: number): string {
  const iso = (instant: number) => new Date(instant).toISOString()
  return toJson({
    id: silence.id,
    status: { state: stateOf(silence, at) },
    updatedAt: iso(silence.updatedAt),
    ...(annotations.size > 0 && { annotations: toRecord(annotations) }),
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: iso(silence.endsAt),
    matchers: silence.matchers.map(({ isEqual, isRegex, name, value }) => ({ isEqual, isRegex, name, value })),
    startsAt: iso(silence.startsAt),
  })
}
