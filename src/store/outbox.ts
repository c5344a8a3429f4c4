import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { GivenUp, Told } from '../dedup/dedup.ts'
import type { Budget } from '../model/delivery.ts'
import type { DeadLetter } from './dead-letters.ts'
import {
  type Bound,
  type Group,
  type Owing,
  groupKeys,
  groupReply,
  owingArgs,
  pairs,
  toEntry,
  toGroup,
} from './groups.ts'
import { type Keys, digestOf, rowId } from './keys.ts'
import { execAll } from './redis.ts'
import { faultOf } from './fault.ts'
import { script } from './script.ts'
import { type Versions, toVersions } from './versions.ts'

/** What an integration is owed about a group, claimed for one turn. */
export interface Row {
  id: string
  group: string
  integration: string
  channel: string
  reason: string // why the flush spoke; the delivery decides again
  notification: string // id
  rank: number
  owedAt: number
  newsAt: number // since when it is as grave as it is: its deadline counts from then
  turn: number // the fencing number: only the newest may write
  attempt: number // messages that have left so far
  starts: number // turns without an end, this one included: more than a few and it kills engines
  unconfirmed: boolean // an attempt before may have arrived
  content: string // digest of what that told; '' where it is not known
  alone: boolean // in no digest: one was refused
  said: string // how the attempt before ended; '' before the first
  waitedFor: WaitsFor | undefined // before this turn, last
  afterDead: boolean // owed again for news that came while its message was given up
}

/** A row that should be awake: what its job needs to know. */
export interface Waking {
  id: string
  channel: string
  integration: string
  notification: string
  turn: number // taken so far
  rank: number
}

/**
 * What a claim came to: a turn with what there is to decide about; that it has to wait for another row that may kill engines; or
 * that it stands in its destination's line, until the instant `until`, epoch ms, where nobody before it wakes it.
 */
export type Claim =
  | { row: Row; group: Group | undefined; versions: Versions }
  | { busy: Waking }
  | { standing: Waking; until: number; isWoken: boolean }

/** What a row waits for: tokens, what the destination asked for, its breaker, or attempts that are in the air. */
export const waits = ['budget', 'asked', 'breaker', 'flight'] as const
export type WaitsFor = (typeof waits)[number]

/** A message that is ready to leave. */
export interface Asking {
  destination: string
  cost: number // tokens
  audience: string // who reads it there: only what the same people read is put together
  budget: Budget | undefined // undefined: it takes everything
  lease: number // ms
  digestMargin: number // how much longer the lease of a digest is, ms
  until: number // the latest instant to wait for, epoch ms
  content: string // digest of what is told
}

/** Whether it may leave: then with its number, and with the rows that a digest is to tell along. */
export type Begun =
  | { state: 'go'; attempt: number; along: readonly { id: string; turn: number }[] }
  // isWoken: by who is before it; woken: who takes its place in the air
  | { state: 'wait'; until: number; waitsFor: WaitsFor; isWoken: boolean; woken: Recorded['woken'] }
  | { state: 'late'; waitsFor: WaitsFor } // it would have to wait for longer than it may; the claim holds
  | { state: 'lost' }

const unlimited: Budget = { burst: 0, refill: 0, inFlight: 0, digestAbove: 0 }

/** How a turn ended, and what follows. Instants in epoch ms; `word` is the ledger's. */
export type Ending =
  // `keepsResolved`: the group's resolved alerts wait to be told, else they go
  | { how: 'told'; word: string; told: Told; nflogTtl: number; keepsResolved: boolean }
  | { how: 'dropped'; word: string; keepsResolved: boolean } // nothing is to be told now
  // `content`: digest of what may have arrived; `alone`: in no digest
  | { how: 'retry'; retryAt: number; unconfirmed: boolean; content: string; said: string; alone?: boolean }
  | { how: 'back' } // nothing was tried: it is another replica's
  // `givenUp`: what is not tried again until there is other news; undefined where the next flush tries again. `told`: the
  // notification log without what is not told any more. `instead`: what is owed in its place
  | {
      how: 'dead'
      word: string
      givenUp: GivenUp | undefined
      told: Told | undefined
      nflogTtl: number
      letter: DeadLetter
      instead: readonly Owing[]
    }

/** What an attempt says of its destination: it takes messages, it answers at least, or it does not. */
export interface Standing {
  destination: string
  standing: 'good' | 'answered' | 'bad' | 'silent' // silent: it was not asked
  askedUntil: number // until when it wants to be left alone, epoch ms; 0: nothing was asked
}

export interface Recorded {
  newest: boolean // false: another has taken over
  owedAgain: boolean
  opened: number // failures in a row by which the destination's breaker has opened; 0: it has not
  woken: readonly (Waking & { at: number })[] // other rows that come sooner now, and when: epoch ms
}

/** A row as people see it. */
export interface Owed {
  id: string
  group: string
  integration: string
  channel: string
  reason: string
  notification: string
  rank: number
  owedAt: number
  state: 'owed' | 'claimed' | 'sending'
  attempt: number
  dueAt: number // when it is looked at again, or the end of a lease
  waitsFor: WaitsFor | undefined
  said: string // how the attempt before ended; '' before the first
}

const claimRow = script(
  'claim-row',
  z.union([
    z.tuple([z.array(z.string()), groupReply, z.array(z.string().nullable()), z.array(z.string())]),
    z.tuple([z.array(z.string()), z.number()]),
    z.tuple([z.array(z.string())]),
    z.array(z.never()),
  ]),
)
const beginAttempt = script('begin-attempt', z.array(z.union([z.string(), z.number()])))
const fallBackScript = script('fall-back', z.array(z.string()))
const recordScript = script('record', z.tuple([z.number(), z.number(), z.number()]).rest(z.string()))

/** `keepResolved`, `accepting` and `replicated`: as for alerts. */
export function outboxStore(
  redis: Redis,
  keys: Keys,
  keepResolved: number,
  { accepting, replicated }: { accepting: Redis; replicated: () => Promise<void> },
) {
  return {
    /**
     * Claims a row for one turn of at most `lease` ms; undefined where nothing is owed now or another is at it. `excused`: the
     * turns before ended for another reason than the end of an engine.
     */
    async claim(
      id: string,
      at: number,
      lease: number,
      { excused = false, bound }: { excused?: boolean; bound?: Bound | undefined } = {},
    ): Promise<Claim | undefined> {
      const destination = bound?.destination ?? ''
      const [fields, group, versions, sourced] = await claimRow(
        redis,
        [
          keys.row(id),
          keys.owed,
          keys.suspect,
          keys.alerts,
          keys.times,
          keys.versions,
          keys.sourced,
          keys.destination(destination),
          keys.line(destination),
          keys.flight(destination),
        ],
        [
          id,
          at,
          at + lease,
          excused ? 1 : 0,
          keys.group(''),
          keys.members(''),
          keys.nflog(''),
          keys.outbox(''),
          destination,
          bound ? digestOf(bound.audience) : '',
          bound?.inFlight ?? 0,
          bound?.unread ?? 0,
        ],
      )
      if (!fields) return undefined
      const row = toRow(id, new Map(pairs(fields)))
      if (typeof group === 'number') {
        const until = Number(new Map(pairs(fields)).get('waitsUntil') ?? at)
        return { standing: row, until, isWoken: group > 0 }
      }
      if (!group || !versions || !sourced) return { busy: row }
      return { row, group: toGroup(row.group, group), versions: toVersions(versions, pairs(sourced)) }
    },

    /**
     * Asks the destination whether a message may leave now. That it left is on replicas by then, so that one that takes over
     * knows of a possible repeat; where they do not answer, it leaves all the same.
     */
    async begin(row: Row, asking: Asking, at: number): Promise<Begun> {
      const { destination, cost, audience, budget = unlimited, lease, digestMargin, until, content } = asking
      const [state, ...rest] = await beginAttempt(
        accepting,
        [
          keys.row(row.id),
          keys.owed,
          keys.suspect,
          keys.destination(destination),
          keys.line(destination),
          keys.flight(destination),
        ],
        [
          row.id,
          row.turn,
          at,
          at + lease,
          until,
          cost,
          budget.burst,
          budget.refill,
          budget.inFlight,
          row.rank,
          row.owedAt,
          content,
          budget.digestAbove,
          digestMargin,
          row.integration,
          keys.rowPrefix,
          destination,
          digestOf(audience),
        ],
      )
      if (state === 'wait') {
        const waitsFor = z.enum(waits).parse(rest[1])
        const isWoken = waitsFor === 'flight' && Number(rest[2]) > 0
        return { state, until: Number(rest[0]), waitsFor, isWoken, woken: toWoken(rest.slice(3).map(String)) }
      }
      if (state === 'late') return { state, waitsFor: z.enum(waits).parse(rest[0]) }
      if (state !== 'go') return { state: 'lost' }
      await replicated().catch((error: unknown) => {
        if (faultOf(error).reason !== 'too few replicas') throw error
      })
      const along = pairs(rest.slice(1).map(String)).map(([id, turn]) => ({ id, turn: Number(turn) }))
      return { state, attempt: Number(rest[0]), along }
    },

    /**
     * Writes down how a turn ended; see record.lua. `log` and `timeline` are JSON, '' for none; `nextNotification` is the id
     * to go by if news came meanwhile; dead letters are kept for `retention` ms.
     */
    async record(
      row: Pick<Row, 'id' | 'turn' | 'attempt' | 'rank' | 'group' | 'integration'>,
      ending: Ending,
      records: { log: string; timeline: string; nextNotification: string; retention: number; standing?: Standing },
      at: number,
    ): Promise<Recorded> {
      const { log, timeline, nextNotification, retention, standing } = records
      const told = ending.how === 'told' || ending.how === 'dead' ? ending.told : undefined
      const givenUp = ending.how === 'dead' ? ending.givenUp : undefined
      const instead = ending.how === 'dead' ? ending.instead : []
      const keepsResolved = 'keepsResolved' in ending ? ending.keepsResolved : ending.how === 'dead' && !givenUp
      const ttl = ending.how === 'told' || ending.how === 'dead' ? ending.nflogTtl : 0
      const [newest, again, opened, ...woken] = await recordScript(
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
          keys.suspect,
          ...instead.map(({ integration }) => keys.row(rowId(row.group, integration))),
        ],
        [
          row.id,
          row.turn,
          at,
          row.group,
          row.integration,
          ending.how,
          'word' in ending ? ending.word : '',
          told ? toEntry(told) : '',
          givenUp ? toEntry(givenUp) : '',
          ttl,
          ending.how === 'retry' ? ending.retryAt : 0,
          row.attempt,
          row.rank,
          ending.how === 'retry' && ending.unconfirmed ? 1 : 0,
          ending.how === 'retry' ? ending.content : '',
          ending.how === 'retry' ? ending.said : '',
          log,
          keys.incidentPrefix,
          timeline,
          ending.how === 'dead' ? JSON.stringify(ending.letter) : '',
          retention,
          at + keepResolved,
          nextNotification,
          keepsResolved ? 1 : 0,
          standing?.destination ?? '',
          standing && standing.standing !== 'silent' ? standing.standing : '',
          standing?.askedUntil ?? 0,
          ending.how === 'retry' && ending.alone ? 1 : 0,
          keys.rowPrefix,
          keys.destinationPrefix,
          keys.linePrefix,
          keys.flightPrefix,
          ...owingArgs(row.group, instead),
        ],
      )
      return { newest: newest === 1, owedAgain: again === 1, opened, woken: toWoken(woken) }
    },

    /**
     * Owes others what an integration cannot be told at present, or was told and did not get: once a row, or a text message.
     * Returns the ids of the rows to wake.
     */
    async fallBack(
      once: { row: string } | { text: string },
      group: string,
      instead: readonly Owing[],
      at: number,
    ): Promise<string[]> {
      const key = 'row' in once ? keys.row(once.row) : keys.smsStatus(once.text)
      const rows = instead.map(({ integration }) => keys.row(rowId(group, integration)))
      return fallBackScript(
        redis,
        [key, keys.outbox(group), keys.owed, keys.ledgerOf(group), ...rows],
        [group, at, ...owingArgs(group, instead)],
      )
    },

    /** Rows that are owed and were due before `at`: what a job should be about. */
    async overdue(at: number, limit: number): Promise<Waking[]> {
      return this.wakings(await redis.zrangebyscore(keys.owed, '-inf', at, 'LIMIT', 0, limit))
    },

    /** What the jobs of these rows need to know; rows that are gone are left out. */
    async wakings(ids: readonly string[]): Promise<Waking[]> {
      const rows = await load(ids)
      return rows.map(({ id, fields }) => toRow(id, fields))
    },

    /** What these rows are about, as they are claimed by a digest. */
    async rows(ids: readonly string[]): Promise<Row[]> {
      return (await load(ids)).map(({ id, fields }) => toRow(id, fields))
    },

    /** What is owed, the longest due first. */
    async list(limit: number): Promise<Owed[]> {
      const dueAt = new Map(pairs(await redis.zrange(keys.owed, 0, String(limit - 1), 'WITHSCORES')))
      return (await load([...dueAt.keys()])).map(({ id, fields }) => {
        const { group, integration, channel, reason, notification, rank, owedAt, attempt, said } = toRow(id, fields)
        const state = z.enum(['owed', 'claimed', 'sending']).catch('owed').parse(fields.get('state'))
        const waitsFor = z.enum(waits).safeParse(fields.get('waitsFor')).data
        const due = Number(dueAt.get(id))
        return {
          id,
          group,
          integration,
          channel,
          reason,
          notification,
          rank,
          owedAt,
          state,
          attempt,
          dueAt: due,
          waitsFor,
          said,
        }
      })
    },

    /** How many notifications are owed. */
    async depth(): Promise<number> {
      return redis.zcard(keys.owed)
    },
  }

  async function load(ids: readonly string[]): Promise<{ id: string; fields: ReadonlyMap<string, string> }[]> {
    if (ids.length === 0) return []
    const pipeline = redis.pipeline()
    for (const id of ids) pipeline.hgetall(keys.row(id))
    return (await execAll(pipeline)).flatMap((hash, i) => {
      const fields = new Map(Object.entries(z.record(z.string(), z.string()).parse(hash)))
      return fields.size === 0 ? [] : [{ id: ids[i] ?? '', fields }]
    })
  }
}

/** Rows to wake as record.lua lists them. */
function toWoken(flat: readonly string[]): Recorded['woken'] {
  const found: Recorded['woken'][number][] = []
  for (let i = 0; i + 6 < flat.length; i += 7) {
    const [id = '', at, channel = '', integration = '', notification = '', turn, rank] = flat.slice(i, i + 7)
    found.push({ id, at: Number(at), channel, integration, notification, turn: Number(turn), rank: Number(rank) })
  }
  return found
}

function toRow(id: string, fields: ReadonlyMap<string, string>): Row {
  return {
    id,
    group: fields.get('group') ?? '',
    integration: fields.get('integration') ?? '',
    channel: fields.get('channel') ?? '',
    reason: fields.get('reason') ?? '',
    notification: fields.get('notification') ?? '',
    rank: Number(fields.get('rank') ?? 0),
    owedAt: Number(fields.get('owedAt') ?? 0),
    newsAt: Number(fields.get('newsAt') ?? fields.get('owedAt') ?? 0),
    turn: Number(fields.get('turn') ?? 0),
    attempt: Number(fields.get('attempt') ?? 0),
    starts: Number(fields.get('starts') ?? 0),
    unconfirmed: fields.get('unconfirmed') === '1',
    content: fields.get('content') ?? '',
    alone: fields.get('alone') === '1',
    said: fields.get('said') ?? '',
    waitedFor: waits.find((what) => what === fields.get('waited')),
    afterDead: fields.get('afterDead') === '1',
  }
}
