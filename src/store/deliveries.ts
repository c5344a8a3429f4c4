import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'
import { waits } from './outbox.ts'

const entry = z.object({
  at: z.string(), // RFC 3339, UTC
  row: z.string(),
  notification: z.string(),
  integration: z.string(),
  channel: z.string(),
  attempt: z.number(),
  possibleRepeat: z.boolean(),
  owedAt: z.string().exactOptional(), // RFC 3339, UTC
  waitedFor: z.enum(waits).exactOptional(), // before this turn, last
  how: z.enum(['told', 'dropped', 'retry', 'back', 'dead']),
  word: z.string().exactOptional(), // the ledger's, where the turn was the last
  groupKey: z.string().exactOptional(),
  reason: z.string().exactOptional(), // why the integration is told
  toldAs: z.string().exactOptional(), // the message's id, which goes by what it says
  status: z.string().exactOptional(),
  outcome: z
    .object({
      state: z.enum(['delivered', 'failed', 'unknown']),
      id: z.string().exactOptional(), // the channel's own
      reason: z.string().exactOptional(),
      detail: z.string().exactOptional(),
      retryAfter: z.number().exactOptional(), // ms
    })
    .exactOptional(),
  digestOf: z.number().exactOptional(), // how many groups it told of
  message: z.object({ to: z.string(), title: z.string(), text: z.string() }).exactOptional(),
  alerts: z.array(z.string()).exactOptional(), // fingerprints
})

/** One turn of a delivery, as the delivery log has it. */
export type Delivery = z.infer<typeof entry> & { id: string }

/** An entry of the log; undefined where another version wrote what this one cannot read. */
export function toDelivery(id: string, text: string): Delivery | undefined {
  const read = entry.safeParse(JSON.parse(text))
  return read.success ? { id, ...read.data } : undefined
}

/** The delivery log: every turn of the last ten thousand or so. */
export function deliveryStore(redis: Redis, keys: Keys) {
  return {
    /** Up to `count` turns before an id, newest first; from the newest on for ''. `last` is where to go on, '' at the end. */
    async before(id: string, count: number): Promise<{ deliveries: Delivery[]; last: string }> {
      const found = await redis.xrevrange(keys.deliveries, id === '' ? '+' : `(${id}`, '-', 'COUNT', count)
      return {
        deliveries: found.flatMap(([one, fields]) => toDelivery(one, fields[1] ?? '') ?? []),
        last: found.length < count ? '' : (found.at(-1)?.[0] ?? ''),
      }
    },
  }
}
