import type { Redis } from 'ioredis'
import { z } from 'zod'
import { type Keys, rowId } from './keys.ts'
import { owingArgs } from './groups.ts'
import { script } from './script.ts'

/** A notification that was given up, and kept. */
export const deadLetter = z.object({
  id: z.string(), // of its outbox row
  notification: z.string(),
  at: z.number(), // epoch ms
  group: z.string(), // id
  groupKey: z.string(),
  integration: z.string(),
  channel: z.string(),
  receiver: z.string(),
  team: z.string(), // common to its alerts, or ''
  severity: z.string(), // of its gravest alert, or ''
  rank: z.number(),
  reason: z.string(), // why it failed: notify's word, or one of the pipeline's
  detail: z.string(),
  attempts: z.number(),
  title: z.string(),
  alerts: z.array(z.string()), // fingerprints
  fallback: z.string(), // the receiver that is told in its place; '' for none
})
export type DeadLetter = z.infer<typeof deadLetter>

/** What a re-sent letter came to: owed, owed already, nothing is left to tell, or there is no such letter. */
export type Resent = 'owed' | 'waiting' | 'gone' | 'none'

const retryDead = script('retry-dead', z.enum(['owed', 'waiting', 'gone', 'none']))

export function deadLetterStore(redis: Redis, keys: Keys) {
  async function get(id: string): Promise<DeadLetter | undefined> {
    const text = await redis.get(keys.deadLetter(id))
    return text === null ? undefined : deadLetter.parse(JSON.parse(text))
  }

  return {
    get,

    /** What was given up, newest first, from the `offset`-th on. */
    async list(limit: number, offset = 0): Promise<DeadLetter[]> {
      const ids = await redis.zrange(keys.dead, offset, String(offset + limit - 1), 'REV')
      if (ids.length === 0) return []
      const texts = await redis.mget(ids.map((id) => keys.deadLetter(id)))
      return texts.flatMap((text) => (text === null ? [] : [deadLetter.parse(JSON.parse(text))]))
    },

    /** How many were given up since an instant, epoch ms: what is older is gone. */
    async count(since: number): Promise<number> {
      return redis.zcount(keys.dead, since, '+inf')
    },

    /** Owes again what a letter stands for; `notification` is its id from now on. Said twice, it is owed once. */
    async retry(letter: DeadLetter, notification: string, at: number): Promise<Resent> {
      const { id, group, integration, channel, rank } = letter
      return retryDead(
        redis,
        [
          keys.deadLetter(id),
          keys.dead,
          keys.group(group),
          keys.outbox(group),
          keys.owed,
          keys.nflog(group),
          keys.ledgerOf(group),
          keys.row(rowId(group, integration)),
        ],
        [id, at, group, ...owingArgs(group, [{ integration, channel, reason: 'dead letter', notification, rank }])],
      )
    },
  }
}
