import type { Redis } from 'ioredis'
import { z } from 'zod'
import { matcher } from '../match/matcher.ts'
import type { Silence } from '../suppress/silence.ts'
import { type AuditEntry, type SilenceAudit, auditEntry } from './audit-log.ts'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'
import { script } from './script.ts'

/** A silence to be written, and what must be there now: nothing, or this. */
export interface SilenceWrite {
  before: Silence | undefined
  silence: Silence
}

export type Written = { done: 'yes' } | { done: 'conflict' } | { done: 'too many'; count: number }

const put = script('put-silences', z.tuple([z.number(), z.number()]))
/** At a time, of those that are forgotten. */
const COLLECTED = 500

export function silenceStore(redis: Redis, keys: Keys) {
  return {
    /** Writes all or none: see put-silences.lua. `most`: how many there may be, 0 for no limit. */
    async put(writes: readonly SilenceWrite[], audit: SilenceAudit, most: number, epoch: string): Promise<Written> {
      const [done, count] = await put(
        redis,
        [keys.silences, keys.versions, keys.silenceChanges, keys.silenceEnds, keys.audit],
        [
          epoch,
          most,
          JSON.stringify(audit),
          ...writes.flatMap(({ before, silence }) => [
            silence.id,
            before ? toBody(before) : '',
            toBody(silence),
            silence.endsAt,
          ]),
        ],
      )
      if (done === 1) return { done: 'yes' }
      return done === 0 ? { done: 'conflict' } : { done: 'too many', count }
    },

    /** Those written after a version, all there are for 0. */
    async changedSince(version: number): Promise<Silence[]> {
      const ids = await redis.zrangebyscore(keys.silenceChanges, `(${version}`, '+inf')
      if (ids.length === 0) return []
      const bodies = await redis.hmget(keys.silences, ...ids)
      return ids.flatMap((id, i) => {
        const body = bodies[i]
        return body ? [fromBody(id, body)] : []
      })
    },

    /** Forgets silences that ended before an instant. Returns how many. */
    async collect(before: number): Promise<number> {
      const ids = await redis.zrangebyscore(keys.silenceEnds, '-inf', `(${before}`, 'LIMIT', 0, COLLECTED)
      if (ids.length === 0) return 0
      // nothing that has ended changes any more
      const all = redis
        .multi()
        .hdel(keys.silences, ...ids)
        .zrem(keys.silenceChanges, ...ids)
        .zrem(keys.silenceEnds, ...ids)
      await execAll(all)
      return ids.length
    },

    /** What happened last, newest first. */
    async audit(limit: number): Promise<AuditEntry[]> {
      const entries = await redis.xrevrange(keys.audit, '+', '-', 'COUNT', limit)
      return entries.map(([, fields]) => auditEntry.parse(JSON.parse(fields[1] ?? '')))
    },
  }
}

const stored = z.object({
  matchers: z.array(z.tuple([z.string(), z.string(), z.boolean(), z.boolean()])), // name, value, isRegex, isEqual
  startsAt: z.number(),
  endsAt: z.number(),
  updatedAt: z.number(),
  createdBy: z.string(),
  comment: z.string(),
  annotations: z.array(z.tuple([z.string(), z.string()])),
})

/** What a silence takes in the store, bytes. */
export function silenceSize(silence: Silence): number {
  return Buffer.byteLength(toBody(silence))
}

/** The stored form: the same text for the same silence. */
function toBody({ matchers, startsAt, endsAt, updatedAt, createdBy, comment, annotations }: Silence): string {
  return JSON.stringify({
    matchers: matchers.map(({ name, value, isRegex, isEqual }) => [name, value, isRegex, isEqual]),
    startsAt,
    endsAt,
    updatedAt,
    createdBy,
    comment,
    annotations: [...annotations],
  })
}

function fromBody(id: string, body: string): Silence {
  const { matchers, annotations, ...rest } = stored.parse(JSON.parse(body))
  return {
    id,
    ...rest,
    matchers: matchers.map(([name, value, isRegex, isEqual]) => matcher(name, value, { isRegex, isEqual })),
    annotations: new Map(annotations),
  }
}
