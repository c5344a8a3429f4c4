import type { Redis } from 'ioredis'
import { z } from 'zod'
import { type Incident, type IncidentFields, type TimelineEntry, mayBecome } from '../incident/incident.ts'
import type { Keys } from './keys.ts'
import { pairs } from './groups.ts'
import { execAll } from './redis.ts'
import { script } from './script.ts'

/** How many of the newest a list looks at, whosever they are. */
const LOOKED_AT = 2000
/** How many are read at once. */
const PAGE = 250

const change = script('change-incident', z.number())

const fields = z.object({
  title: z.string(),
  description: z.string(),
  team: z.string(),
  severity: z.string(),
  priority: z.string(),
  receiver: z.string(),
  groupKey: z.string(),
}) satisfies z.ZodType<IncidentFields>

const timelineEntry = z.object({
  at: z.string(),
  event: z.enum(['opened', 'reopened', 'notified', 'acknowledged', 'resolved', 'noted']),
  by: z.string().exactOptional(),
  channel: z.string().exactOptional(),
  receiver: z.string().exactOptional(),
  to: z.string().exactOptional(),
  detail: z.string().exactOptional(),
})

export function incidentStore(redis: Redis, keys: Keys) {
  const hash = (id: string) => `${keys.incidentPrefix}${id}`
  const timeline = (id: string) => `${hash(id)}:timeline`

  async function get(id: string): Promise<Incident | undefined> {
    const [incident] = await getAll([id])
    return incident
  }

  /** Those that are there, in the order of their ids. */
  async function getAll(ids: readonly string[]): Promise<Incident[]> {
    const pipeline = redis.pipeline()
    for (const id of ids) pipeline.hgetall(hash(id)).lrange(timeline(id), 0, -1)
    const replies = await execAll(pipeline)
    return ids.flatMap((_id, i) => toIncident(replies[2 * i], replies[2 * i + 1]) ?? [])
  }

  return {
    get,

    /** The newest `limit` of those that are wanted, newest first; no further back than LOOKED_AT goes. */
    async list(limit: number, wanted: (incident: Incident) => boolean = () => true): Promise<Incident[]> {
      const found: Incident[] = []
      for (let from = 0; found.length < limit && from < LOOKED_AT; from += PAGE) {
        const ids = await redis.zrange(keys.incidents, from, String(from + PAGE - 1), 'REV')
        found.push(...(await getAll(ids)).filter(wanted))
        if (ids.length < PAGE) break
      }
      return found.slice(0, limit)
    },

    /** How many of the newest LOOKED_AT are in which state. */
    async states(): Promise<Record<Incident['state'], number>> {
      const ids = await redis.zrange(keys.incidents, 0, String(LOOKED_AT - 1), 'REV')
      const pipeline = redis.pipeline()
      for (const id of ids) pipeline.hget(hash(id), 'state')
      const counts = { open: 0, acknowledged: 0, resolved: 0 }
      for (const reply of ids.length === 0 ? [] : await execAll(pipeline)) {
        const state = stored.shape.state.safeParse(reply)
        if (state.success) counts[state.data] += 1
      }
      return counts
    },

    /** The one that a group has opened last. */
    async ofGroup(group: string): Promise<Incident | undefined> {
      const id = await redis.get(keys.incidentOf(group))
      return id === null ? undefined : get(id)
    },

    /** The last one of the group that PagerDuty knows by a key. */
    async ofDedupKey(key: string): Promise<Incident | undefined> {
      const group = await redis.get(keys.groupOfDedup(key))
      return group === null ? undefined : this.ofGroup(group)
    },

    /**
     * Acknowledges or resolves by hand. Undefined where there is no such incident; `no` where it is
     * resolved already and cannot be acknowledged. A second call changes nothing.
     */
    async change(
      id: string,
      to: 'acknowledged' | 'resolved',
      by: string,
      at: number,
    ): Promise<{ incident: Incident; done: 'yes' | 'already' | 'no' } | undefined> {
      const before = await get(id)
      if (!before) return undefined
      const done = mayBecome(before.state, to)
      if (done !== 'yes') return { incident: before, done }
      const entry = JSON.stringify({ at: new Date(at).toISOString(), event: to, by })
      const changed = await change(redis, [hash(id), timeline(id)], [before.state, to, at, by, entry])
      const incident = await get(id)
      if (!incident) return undefined
      // another was quicker: say how it stands now
      return { incident, done: changed === 1 ? 'yes' : incident.state === to ? 'already' : 'no' }
    },

    /** Writes a note into the timeline of an incident that there is. */
    async note(id: string, text: string, by: string, at: number): Promise<void> {
      const entry = { at: new Date(at).toISOString(), event: 'noted', by, detail: text } satisfies TimelineEntry
      await redis.rpushx(timeline(id), JSON.stringify(entry))
    },
  }
}

const stored = z.object({
  id: z.string(),
  state: z.enum(['open', 'acknowledged', 'resolved']),
  createdAt: z.string(),
  fields: z.string(),
  acknowledgedAt: z.string().exactOptional(),
  acknowledgedBy: z.string().exactOptional(),
  resolvedAt: z.string().exactOptional(),
})

function toIncident(hash: unknown, entries: unknown): Incident | undefined {
  const given = stored.safeParse(Array.isArray(hash) ? Object.fromEntries(pairs(hash.map(String))) : hash)
  if (!given.success) return undefined
  const { id, state, createdAt, acknowledgedAt, acknowledgedBy, resolvedAt } = given.data
  const iso = (at: string) => new Date(Number(at)).toISOString()
  return {
    id,
    state,
    ...fields.parse(JSON.parse(given.data.fields)),
    createdAt: iso(createdAt),
    ...(acknowledgedAt !== undefined && { acknowledgedAt: iso(acknowledgedAt) }),
    ...(acknowledgedBy !== undefined && { acknowledgedBy }),
    ...(resolvedAt !== undefined && { resolvedAt: iso(resolvedAt) }),
    timeline: z
      .array(z.string())
      .parse(entries)
      .map((text) => timelineEntry.parse(JSON.parse(text))),
  }
}
