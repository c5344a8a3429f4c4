import type { Redis } from 'ioredis'
import { z } from 'zod'
import { type Alert, compareAlerts } from '../alert/alert.ts'
import type { GivenUp, Told } from '../dedup/dedup.ts'
import type { Labels } from '../model/labels.ts'
import { toAlert } from './alerts.ts'
import { type Keys, digestOf, rowId } from './keys.ts'
import { execAll } from './redis.ts'
import { type Call, script } from './script.ts'
import { type Versions, toVersions } from './versions.ts'

/** A group with all that a decision about it needs. */
export interface Group {
  id: string
  routeId: string
  key: string // Alertmanager's text form
  labels: Labels
  receiver: string
  incident: string // the incident that its firing opened; '' for none
  alerts: readonly Alert[] // in notification order
  told: ReadonlyMap<string, Told> // by integration
  givenUp: ReadonlyMap<string, GivenUp> // what a dead letter would have told, by integration
  verdicts: ReadonlyMap<string, Verdict> // what was last decided, by integration
  flushedAt: number // epoch ms; 0 before the first
  dueSince: number | undefined // since when it is due without having been flushed, epoch ms
  interval: number // its route's group interval at the last flush, ms; 0 before the first
  owed: ReadonlySet<string> // integrations
}

/** What was last decided about telling an integration, and how it ended. */
export interface Verdict {
  at: number // epoch ms
  word: string // 'owed', the ledger's word for how that ended, or why nothing is told
}

/** A group, and when it is due, epoch ms. */
export interface Due {
  id: string
  dueAt: number
}

/** A group taken for a flush; of some that is all, and they are still to be read. */
export interface Claimed extends Due {
  group: Group | undefined
}

/** Something that an integration is to be told. */
export interface Owing {
  integration: string
  channel: string
  reason: string
  notification: string // id
  rank: number // of its severity: 0 is the gravest
}

/** Where a message goes, if that is known before it is composed. */
export interface Bound {
  destination: string
  audience: string // who reads it there
  inFlight: number // attempts there at a time
  unread: number // until that age of its news a row may stand there without having been read, ms
}

/** What a flush came to. */
export interface Settlement {
  group: string // id
  claim: string
  nextDue: number
  groupInterval: number // ms
  resolved: readonly Left[]
  owings: readonly (Owing & { bound: Bound | undefined })[]
  /** Entries for the notification log: by integration, or `dead:<integration>` for what is given up. */
  entries: ReadonlyMap<string, Told | GivenUp>
  verdicts: ReadonlyMap<string, string> // by integration: why it is told nothing, or 'owed'
  renews: boolean // the log is to be remembered anew, though nothing is told
  nflogTtl: number // ms
  mutedBy: readonly string[] // the time intervals that keep the group quiet
  incident?: IncidentStep
}

/** A resolved alert that its group lets go of, and the ledger's word for what it came to: without spaces. */
export interface Left {
  alert: Alert
  word: 'delivered' | 'unheard' | 'silenced' | 'inhibited' | 'muted' | 'given-up'
}

export type IncidentStep =
  | { verb: 'open'; dedupKey: string; reopenWithin: number; fields: string; opened: string; reopened: string }
  | { verb: 'resolve'; dedupKey: string; reopenWithin: number; resolved: string }

export interface Settled {
  held: boolean // false: the lease ran out and another flusher has the group
  gone: boolean // nothing was left in it
  incident: '' | 'opened' | 'reopened' | 'resolved'
  incidentId: string
  stood: readonly string[] // outbox rows that joined the line of their destination, to be woken in their turn
  woken: readonly string[] // outbox rows to wake
}

/** What `readGroup` of group.lua answers. */
export const groupReply = z.union([
  z.tuple([
    z.array(z.string()),
    z.array(z.string()),
    z.array(z.string()),
    z.array(z.string()),
    z.array(z.string()),
    z.array(z.string()),
  ]),
  z.array(z.never()),
])

const claimDue = script(
  'claim-due',
  z.tuple([
    z.array(z.tuple([z.string(), z.string(), groupReply])),
    z.array(z.string().nullable()),
    z.array(z.string()),
  ]),
)
const loadGroup = script('load-group', groupReply)
const dropGroup = script('drop-group', z.number())
const settleScript = script(
  'settle',
  z.tuple([
    z.number(),
    z.number(),
    z.enum(['', 'opened', 'reopened', 'resolved']),
    z.string(),
    z.array(z.string()),
    z.array(z.string()),
  ]),
)

/** Between two audits, whichever replica does them, ms. */
const AUDIT_EVERY = 50_000

/** `keepResolved`: as for alerts, ms. */
export function groupStore(redis: Redis, keys: Keys, keepResolved: number) {
  return {
    /** Takes up to `limit` groups that are due, those with the gravest news first, for `lease` ms: then they are due again. */
    async claimDue(
      at: number,
      lease: number,
      limit: number,
      claim: string,
    ): Promise<{ claimed: Claimed[]; versions: Versions }> {
      const [taken, versions, sourced] = await claimDue(
        redis,
        [keys.due, keys.grave, keys.alerts, keys.times, keys.versions, keys.sourced],
        [at, at + lease, limit, claim, keys.group(''), keys.members(''), keys.nflog(''), keys.outbox('')],
      )
      const claimed = taken.map(([id, dueAt, reply]) => ({ id, dueAt: Number(dueAt), group: readable(id, reply) }))
      return { claimed, versions: toVersions(versions, pairs(sourced)) }
    },

    /** When the next group is due, epoch ms; undefined where there is none. */
    async nextDue(): Promise<number | undefined> {
      const [, score] = await redis.zrange(keys.due, 0, '0', 'WITHSCORES')
      return score === undefined ? undefined : Number(score)
    },

    /** When a group is due, epoch ms; undefined where there is none. */
    async dueAt(id: string): Promise<number | undefined> {
      const score = await redis.zscore(keys.due, id)
      return score === null ? undefined : Number(score)
    },

    async load(id: string): Promise<Group | undefined> {
      return toGroup(id, await loadGroup(redis, keysOf(id), []))
    },

    /** Groups in one trip, in turn; undefined for those that are gone. Each may fail by itself. */
    async loadAll(ids: readonly string[]): Promise<PromiseSettledResult<Group | undefined>[]> {
      const replies = await loadGroup.all(
        redis,
        ids.map((id) => ({ keys: keysOf(id), args: [] })),
      )
      return Promise.allSettled(
        replies.map(async (reply, i) => {
          if (reply.status === 'rejected') throw reply.reason
          return toGroup(ids[i] ?? '', reply.value)
        }),
      )
    },

    /** Ends flushes in one trip: see settle.lua. Each may fail by itself. */
    async settle(settlements: readonly Settlement[], at: number): Promise<PromiseSettledResult<Settled>[]> {
      const calls = settlements.map((settlement) => settleCall(settlement, at))
      return (await settleScript.all(redis, calls)).map((reply) => {
        if (reply.status === 'rejected') return reply
        const [held, gone, became, incidentId, stood, woken] = reply.value
        return {
          status: 'fulfilled',
          value: { held: held === 1, gone: gone === 1, incident: became, incidentId, stood, woken },
        }
      })
    },
    /** By which time intervals these groups were kept quiet at their last flush, by id; those that were not are left out. */
    async mutedBy(ids: readonly string[]): Promise<Map<string, string[]>> {
      const found = new Map<string, string[]>()
      const pipeline = redis.pipeline()
      for (const id of ids) pipeline.hget(keys.group(id), 'mutedBy')
      for (const [i, text] of (await execAll(pipeline)).entries()) {
        const id = ids[i]
        if (id !== undefined && typeof text === 'string') found.set(id, z.array(z.string()).parse(JSON.parse(text)))
      }
      return found
    },

    /** Groups from a place to another in the order in which they are due; -1 is the last. */
    async dues(from: number, to: number): Promise<Due[]> {
      const flat = await redis.zrange(keys.due, from, String(to), 'WITHSCORES')
      return pairs(flat).map(([id, dueAt]) => ({ id, dueAt: Number(dueAt) }))
    },

    /**
     * The place from which this minute's audit is to look at `size` groups; undefined where another replica has just taken its
     * turn. Goes round them all in time.
     */
    async takeSlice(size: number, at: number): Promise<number | undefined> {
      if ((await redis.set(keys.audited, at, 'PX', AUDIT_EVERY, 'NX')) === null) return undefined
      const count = await redis.zcard(keys.due)
      const turn = await redis.hincrby(keys.engine, 'auditTurn', 1)
      return (turn % Math.max(1, Math.ceil(count / size))) * size
    },

    /** Makes a group due now. */
    async hurry(id: string, at: number): Promise<void> {
      await redis.zadd(keys.due, 'XX', 'LT', at, id)
    },

    /** The ids of all groups. */
    async ids(): Promise<string[]> {
      return redis.zrange(keys.due, 0, '-1')
    },

    /** Lets go of a group whose route is gone: its alerts have groups under other routes now. */
    async drop(id: string, at: number): Promise<void> {
      const held = [keys.group(id), keys.members(id), keys.references, keys.collectable, keys.due, keys.ledgerOf(id)]
      await dropGroup(redis, held, [id, at + keepResolved])
    },
  }

  function keysOf(id: string): string[] {
    return [keys.group(id), keys.members(id), keys.alerts, keys.times, keys.nflog(id), keys.outbox(id)]
  }

  function settleCall(settlement: Settlement, at: number): Call {
    const { group: id, claim, nextDue, resolved, owings, entries, verdicts, groupInterval, renews } = settlement
    const { nflogTtl, mutedBy, incident } = settlement
    return {
      keys: [
        ...groupKeys(keys, id),
        keys.nflog(id),
        keys.outbox(id),
        keys.owed,
        keys.incidents,
        keys.incidentOf(id),
        keys.groupOfDedup(incident?.dedupKey ?? ''),
        ...owings.map((owing) => keys.row(rowId(id, owing.integration))),
      ],
      args: [
        id,
        claim,
        at,
        nextDue,
        at + keepResolved,
        resolved.map(({ alert, word }) => `${alert.fingerprint} ${alert.startsAt} ${alert.endsAt} ${word}`).join(' '),
        nflogTtl,
        renews ? 1 : 0,
        mutedBy.length > 0 ? JSON.stringify(mutedBy) : '',
        ...incidentArgs(incident, keys.incidentPrefix),
        entries.size,
        ...[...entries].flatMap(([field, told]) => [field, toEntry(told)]),
        groupInterval,
        verdicts.size,
        ...[...verdicts].flat(),
        ...owingArgs(id, owings),
        keys.destinationPrefix,
        keys.linePrefix,
        keys.flightPrefix,
        ...owings.flatMap(({ bound }) =>
          bound ? [bound.destination, digestOf(bound.audience), bound.inFlight] : ['', '', 0],
        ),
      ],
    }
  }
}

/** The keys that `release` works on, in the order of settle.lua and record.lua. */
export function groupKeys(keys: Keys, id: string): string[] {
  return [keys.group(id), keys.members(id), keys.times, keys.references, keys.collectable, keys.due, keys.ledgerOf(id)]
}

function incidentArgs(step: IncidentStep | undefined, prefix: string): (string | number)[] {
  if (!step) return ['', prefix, 0, '', '', '', '']
  if (step.verb === 'resolve') return ['resolve', prefix, step.reopenWithin, '', '', '', step.resolved]
  return ['open', prefix, step.reopenWithin, step.fields, step.opened, step.reopened, '']
}

/** A notification log entry as Redis holds it. */
export function toEntry(told: Told | GivenUp): string {
  const { at, firing, resolved, ended } = told
  return JSON.stringify({
    at,
    firing: [...firing],
    resolved: [...resolved],
    ...(ended.size > 0 && { ended: [...ended] }),
    ...('config' in told && { config: told.config }),
  })
}

const entry = z.object({
  at: z.number(),
  firing: z.array(z.string()),
  resolved: z.array(z.string()),
  ended: z.array(z.string()).default([]),
  config: z.string().default(''),
})

function fromEntry(text: string): GivenUp {
  const { firing, resolved, ended, ...rest } = entry.parse(JSON.parse(text))
  return { ...rest, firing: new Set(firing), resolved: new Set(resolved), ended: new Set(ended) }
}

const labelPairs = z.array(z.tuple([z.string(), z.string()]))

/** A group from what load-group.lua answers; undefined where it is gone. */
export function toGroup(id: string, reply: readonly (readonly string[])[]): Group | undefined {
  const [hash, members, bodies, times, log, owed] = reply
  if (!hash || !members || !bodies || !times || !log || !owed) return undefined
  const fields = new Map(pairs(hash))
  const told = new Map<string, Told>()
  const givenUp = new Map<string, GivenUp>()
  for (const [integration, text] of pairs(log)) {
    const { config, ...last } = fromEntry(text)
    if (integration.startsWith('dead:')) givenUp.set(integration.slice('dead:'.length), { ...last, config })
    else told.set(integration, last)
  }
  return {
    id,
    routeId: fields.get('route') ?? '',
    key: fields.get('key') ?? '',
    labels: new Map(labelPairs.parse(JSON.parse(fields.get('labels') ?? '[]'))),
    receiver: fields.get('receiver') ?? '',
    incident: fields.get('incident') ?? '',
    alerts: members
      .map((fingerprint, i) => toAlert(fingerprint, bodies[i] ?? '', times[i] ?? ''))
      .filter((alert) => alert !== undefined)
      .sort(compareAlerts),
    told,
    givenUp,
    owed: new Set(owed),
    verdicts: verdictsIn(hash),
    flushedAt: Number(fields.get('flushedAt') ?? 0),
    dueSince: fields.has('dueSince') ? Number(fields.get('dueSince')) : undefined,
    interval: Number(fields.get('interval') ?? 0),
  }
}

/** One that cannot be read is read apart, and fails there by itself. */
function readable(...[id, reply]: Parameters<typeof toGroup>): Group | undefined {
  try {
    return toGroup(id, reply)
  } catch {
    return undefined
  }
}

function verdictsIn(hash: readonly string[]): Map<string, Verdict> {
  const found = new Map<string, Verdict>()
  for (const [name, text] of pairs(hash)) {
    const [, at, word] = /^(\d+) (.*)$/.exec(text) ?? []
    if (name.startsWith('verdict:') && at && word) found.set(name.slice('verdict:'.length), { at: Number(at), word })
  }
  return found
}

/** What is owed as the scripts take it. */
export function owingArgs(group: string, owings: readonly Owing[]): (string | number)[] {
  const each = owings.map(({ integration, channel, reason, notification, rank }) => [
    integration,
    channel,
    rowId(group, integration),
    reason,
    notification,
    rank,
  ])
  return [owings.length, ...each.flat()]
}

/** A flat reply of names and values, in twos. */
export function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) found.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return found
}
