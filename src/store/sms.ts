import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'
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

/** Whether nothing comes after it. */
export function isFinal(status: SmsStatus): boolean {
  return ranks[status] === ranks.delivered
}

/** What is known of a message that Twilio took. */
export interface SmsState {
  status: SmsStatus
  at: number // when it was said, epoch ms
  error: string // Twilio's code; '' for none
}

/** What a message was about. */
export interface SmsPage {
  group: string // id
  integration: string
  rank: number
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
    /**
     * A page with this reference is sent to this number: an answer from there with it means this incident, '' for none, and
     * not what its group opens later.
     */
    async remember(number: string, reference: string, incident: string): Promise<void> {
      await redis.set(key(number, reference), incident, 'PX', KEPT)
    },

    /** The incident that a page was about; undefined where there was none, or no page with this reference went to this number. */
    async incidentOf(number: string, reference: string): Promise<string | undefined> {
      return (await redis.get(key(number, reference))) || undefined
    },

    /** Twilio took a message, and is to say until `deadline`, epoch ms, what became of it. */
    async sent(sid: string, { group, integration, rank }: SmsPage, deadline: number): Promise<void> {
      const status = keys.smsStatus(sid)
      await execAll(
        redis
          .multi()
          .hset(status, { group, integration, severityRank: rank })
          .pexpire(status, KEPT)
          .zadd(keys.smsAwaited, deadline, sid),
      )
    },

    /** Messages of which nothing was heard in time, and what became of those that were. */
    async overdue(at: number): Promise<string[]> {
      return redis.zrangebyscore(keys.smsAwaited, '-inf', at, 'LIMIT', 0, 100)
    },

    /** Is waited for no more. */
    async settled(sid: string): Promise<void> {
      await redis.zrem(keys.smsAwaited, sid)
    },

    /** What a message was about; undefined where that is not known. */
    async page(sid: string): Promise<SmsPage | undefined> {
      const [group, integration, rank] = await redis.hmget(keys.smsStatus(sid), 'group', 'integration', 'severityRank')
      return group && integration ? { group, integration, rank: Number(rank) } : undefined
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
