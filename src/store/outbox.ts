import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { GivenUp, Told } from '../dedup/dedup.ts'
import { groupKeys, pairs, toEntry } from './groups.ts'
import { type Keys, rowId } from './keys.ts'
import { execAll } from './redis.ts'
import { script } from './script.ts'

/** What an integration is owed about a group, claimed for one attempt. */
export interface Row {
  id: string
  group: string
  integration: string
  channel: string
  reason: string // why the flush spoke; the delivery decides again
  notification: string // id
  rank: number
  owedAt: number
  attempt: number // from 1: this one
  unconfirmed: boolean // an attempt before may have arrived
}

/** A row that should be awake: what its job needs to know. */
export interface Waking {
  id: string
  channel: string
  notification: string
  attempt: number // made so far
  rank: number
}

/** How an attempt ended, and what follows. Instants in epoch ms. */
export type Ending =
  | { how: 'told'; told: Told; nflogTtl: number }
  | { how: 'dropped'; keepsResolved: boolean } // nothing is to be told now; the group's resolved alerts go, or wait
  | { how: 'retry'; retryAt: number; unconfirmed: boolean }
  | { how: 'back' } // nothing was tried: it is another replica's
  // `givenUp`: what is not tried again until there is other news; undefined where the next flush tries again. `told`: the
  // notification log without what is not told any more
  | { how: 'dead'; givenUp: GivenUp | undefined; told: Told | undefined; nflogTtl: number; letter: DeadLetter }

/** A notification that was given up, and kept. */
export const deadLetter = z.object({
  id: z.string(), // of its outbox row
  notification: z.string(),
  at: z.number(),
  groupKey: z.string(),
  integration: z.string(),
  channel: z.string(),
  receiver: z.string(),
  reason: z.string(), // why it failed: notify's word, or 'receiver removed'
  detail: z.string(),
  attempts: z.number(),
  title: z.string(),
})
export type DeadLetter = z.infer<typeof deadLetter>

const claimRow = script('claim-row', z.array(z.string()))
const recordScript = script('record', z.tuple([z.number(), z.number()]))

/** `keepResolved`: as for alerts, ms. */
export function outboxStore(redis: Redis, keys: Keys, keepResolved: number) {
  return {
    /** Claims a row for one attempt of at most `lease` ms; undefined where nothing is owed now or another is at it. */
    async claim(id: string, at: number, lease: number): Promise<Row | undefined> {
      const fields = new Map(pairs(await claimRow(redis, [keys.row(id), keys.owed], [id, at, at + lease])))
      if (fields.size === 0) return undefined
      return {
        id,
        group: fields.get('group') ?? '',
        integration: fields.get('integration') ?? '',
        channel: fields.get('channel') ?? '',
        reason: fields.get('reason') ?? '',
        notification: fields.get('notification') ?? '',
        rank: Number(fields.get('rank') ?? 0),
        owedAt: Number(fields.get('owedAt') ?? 0),
        attempt: Number(fields.get('attempt') ?? 1),
        unconfirmed: fields.get('unconfirmed') === '1',
      }
    },

    /**
     * Writes down how an attempt ended; see record.lua. `log` and `timeline` are JSON, '' for none.
     * `nextNotification` is the id to go by if news came during the attempt.
     */
    async record(
      row: Row,
      ending: Ending,
      { log, timeline, nextNotification }: { log: string; timeline: string; nextNotification: string },
      at: number,
    ): Promise<{ newest: boolean; owedAgain: boolean }> {
      const told = ending.how === 'told' || ending.how === 'dead' ? ending.told : undefined
      const givenUp = ending.how === 'dead' ? ending.givenUp : undefined
      const keepsResolved = ending.how === 'dropped' ? ending.keepsResolved : ending.how === 'dead' && !givenUp
      const ttl = ending.how === 'told' || ending.how === 'dead' ? ending.nflogTtl : 0
      const [newest, again] = await recordScript(
        redis,
        [
          ...groupKeys(keys, row.group),
          keys.nflog(row.group),
          keys.outbox(row.group),
          keys.owed,
          keys.row(row.id),
          keys.deliveries,
          keys.incidentOf(row.group),
          keys.dead,
          keys.deadLetter(row.id),
        ],
        [
          row.id,
          `${row.notification} ${row.attempt}`,
          at,
          row.group,
          row.integration,
          ending.how,
          told ? toEntry(told) : '',
          givenUp ? toEntry(givenUp) : '',
          ttl,
          ending.how === 'retry' ? ending.retryAt : 0,
          ending.how === 'retry' && ending.unconfirmed ? 1 : 0,
          log,
          keys.incidentPrefix,
          timeline,
          ending.how === 'dead' ? JSON.stringify(ending.letter) : '',
          at + keepResolved,
          nextNotification,
          keepsResolved ? 1 : 0,
        ],
      )
      return { newest: newest === 1, owedAgain: again === 1 }
    },

    /** Rows that are owed and were due before `at`: what a job should be about. */
    async overdue(at: number, limit: number): Promise<Waking[]> {
      return this.wakings(await redis.zrangebyscore(keys.owed, '-inf', at, 'LIMIT', 0, limit))
    },

    /** What the jobs of these rows need to know; rows that are gone are left out. */
    async wakings(ids: readonly string[]): Promise<Waking[]> {
      const pipeline = redis.pipeline()
      for (const id of ids) pipeline.hmget(keys.row(id), 'channel', 'notification', 'attempt', 'rank')
      return (await execAll(pipeline)).flatMap((fields, i) => {
        const [channel, notification, attempt, rank] = rowFields.parse(fields)
        const id = ids[i]
        if (!channel || id === undefined) return []
        return [{ id, channel, notification: notification ?? '', attempt: Number(attempt), rank: Number(rank) }]
      })
    },

    /** How many notifications are owed. */
    async depth(): Promise<number> {
      return redis.zcard(keys.owed)
    },

    /** What was given up, newest first. */
    async deadLetters(limit: number): Promise<DeadLetter[]> {
      const ids = await redis.zrange(keys.dead, 0, String(limit - 1), 'REV')
      if (ids.length === 0) return []
      const texts = await redis.mget(ids.map((id) => keys.deadLetter(id)))
      return texts.flatMap((text) => (text === null ? [] : [deadLetter.parse(JSON.parse(text))]))
    },

    rowId,
  }
}

const rowFields = z.array(z.string().nullable()).length(4)
