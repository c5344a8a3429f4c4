import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'
import { script } from './script.ts'

/** How far a message got. A higher rank is later; the last four are final, and the first of them to come stays. */
const ranks = {
  accepted: 0,
  scheduled: 0,
  queued: 1,
  sending: 2,
  sent: 3,
  delivered: 10,
  undelivered: 10,
  failed: 10,
  canceled: 10,
} as const
export type SmsStatus = keyof typeof ranks

export function isSmsStatus(word: string): word is SmsStatus {
  return Object.hasOwn(ranks, word)
}

/** What is known of a message that Twilio took. */
export interface SmsState {
  status: SmsStatus
  at: number // when it was said, epoch ms
  error: string // Twilio's code; '' for none
}

/** How long both are kept, ms: a page that nobody answered in a week is not answered any more. */
const KEPT = 7 * 86_400_000

const advance = script('sms-status', z.number())
const state = z.object({ status: z.string().refine(isSmsStatus), at: z.coerce.number(), error: z.string() })

/** What comes back of text messages: how far they got, and which pages their references name. */
export function smsStore(redis: Redis, keys: Keys) {
  const key = (number: string, reference: string) =>
    // a number is somebody's own: Redis holds it hashed
    keys.smsReference(createHash('sha256').update(`${number}\n${reference.toUpperCase()}`).digest('hex').slice(0, 32))

  return {
    /** A page with this reference was sent to this number: an answer from there with it means this group. */
    async remember(number: string, reference: string, group: string): Promise<void> {
      await redis.set(key(number, reference), group, 'PX', KEPT)
    },

    /** The group that a page was about; undefined where no page with this reference went to this number. */
    async groupOf(number: string, reference: string): Promise<string | undefined> {
      return (await redis.get(key(number, reference))) ?? undefined
    },

    /** Takes in what Twilio says; false where it is no news, as late or repeated. */
    async advance(sid: string, status: SmsStatus, at: number, error: string): Promise<boolean> {
      return (await advance(redis, [keys.smsStatus(sid)], [status, ranks[status], at, error, KEPT])) === 1
    },

    async status(sid: string): Promise<SmsState | undefined> {
      const parsed = state.safeParse(await redis.hgetall(keys.smsStatus(sid)))
      return parsed.success ? parsed.data : undefined
    },
  }
}
