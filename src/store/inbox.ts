import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'

/** A message of the sandbox, as its receiver would have seen it. */
export const inboxEntry = z.object({
  id: z.string(),
  notificationId: z.string(),
  channel: z.string(),
  receiver: z.string(),
  integration: z.string(),
  to: z.string(),
  at: z.string(), // RFC 3339, UTC
  status: z.enum(['firing', 'resolved']),
  title: z.string(),
  text: z.string(),
  attempt: z.number(),
  possibleRepeat: z.boolean(),
  payload: z.unknown(),
})
export type InboxEntry = z.infer<typeof inboxEntry>

const KEPT = 1000

export function inboxStore(redis: Redis, keys: Keys) {
  return {
    /** Puts a message on top; the oldest beyond the newest 1,000 go. */
    async add(entry: InboxEntry): Promise<void> {
      const replies = await redis
        .multi()
        .lpush(keys.inbox, JSON.stringify(entry))
        .ltrim(keys.inbox, 0, KEPT - 1)
        .exec()
      for (const [error] of replies ?? []) if (error) throw error
    },

    /** Newest first. */
    async list(): Promise<InboxEntry[]> {
      const texts = await redis.lrange(keys.inbox, 0, -1)
      return texts.map((text) => inboxEntry.parse(JSON.parse(text)))
    },
  }
}
