import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Alert, EndedBy } from '../alert/alert.ts'
import { type Labels, toRecord } from '../model/labels.ts'
import type { Keys } from './keys.ts'
import { script } from './script.ts'

/** A group that an alert belongs to, as the store needs to know it. */
export interface GroupSeed {
  id: string
  groupWait: number // ms
  routeId: string
  groupKey: string
  labels: string // the group labels as JSON, a list of pairs
  receiver: string
}

export interface Arrival {
  alert: Alert
  groups: readonly GroupSeed[]
}

/** What became of the alerts of a request. */
export interface Accepted {
  fresh: number
  seen: number // known before: changed or repeated
  late: number // copies of an occurrence that has been resolved, dropped
  joined: number // memberships made
  groups: number // groups made
  soonest: number // when the first of those is due, epoch ms; -1 for none
}

/** Within what `unpack` takes and what one script may hold up Redis for. */
const CHUNK = 500
/** How long a resolved alert can still be merged with: Alertmanager's `alerts.gc-interval`. */
export const KEEP_RESOLVED = 30 * 60_000

const accept = script('accept', z.array(z.number()))
const endedBys: Record<EndedBy, string> = { sender: 's', timeout: 't', resolve: 'r' }

export function alertStore(redis: Redis, keys: Keys) {
  return {
    /**
     * Merges alerts with what is known and puts them into their groups; when this resolves, Redis has
     * them. Calls for many alerts leave in one go. Rejects where Redis does not answer.
     */
    async accept(arrivals: readonly Arrival[], at: number): Promise<Accepted> {
      const calls: Promise<number[]>[] = []
      for (let from = 0; from < arrivals.length; from += CHUNK) {
        calls.push(acceptChunk(arrivals.slice(from, from + CHUNK), at))
      }
      const total: Accepted = { fresh: 0, seen: 0, late: 0, joined: 0, groups: 0, soonest: -1 }
      for (const [fresh = 0, seen = 0, late = 0, joined = 0, groups = 0, soonest = -1] of await Promise.all(calls)) {
        total.fresh += fresh
        total.seen += seen
        total.late += late
        total.joined += joined
        total.groups += groups
        if (soonest !== -1 && (total.soonest === -1 || soonest < total.soonest)) total.soonest = soonest
      }
      return total
    },

    /** All alerts that are kept, some at a time; one that changes meanwhile may come twice or as it was. */
    async *scan(): AsyncGenerator<Alert[]> {
      let cursor = '0'
      do {
        const [next, flat] = await redis.hscan(keys.alerts, cursor, 'COUNT', 500)
        cursor = next
        const fingerprints = flat.filter((_text, i) => i % 2 === 0)
        if (fingerprints.length === 0) continue
        const times = await redis.hmget(keys.times, ...fingerprints)
        const found = fingerprints.map((fingerprint, i) => toAlert(fingerprint, flat[2 * i + 1] ?? '', times[i] ?? ''))
        yield found.filter((alert) => alert !== undefined)
      } while (cursor !== '0')
    },

    /** Forgets resolved alerts that no group holds and whose time has come. Returns how many. */
    async collect(at: number): Promise<number> {
      const due = await redis.zrangebyscore(keys.collectable, '-inf', at, 'LIMIT', 0, 1000)
      if (due.length === 0) return 0
      return forget(redis, [keys.alerts, keys.times, keys.references, keys.collectable], [at, KEEP_RESOLVED, ...due])
    },
  }

  function acceptChunk(arrivals: readonly Arrival[], at: number): Promise<number[]> {
    const places = new Map<string, number>() // group id → its place from 1
    const groupKeys: string[] = []
    const groupArgs: (string | number)[] = []
    const alertArgs: (string | number)[] = []
    for (const { alert, groups } of arrivals) {
      alertArgs.push(alert.fingerprint, toBody(alert), alert.startsAt, alert.endsAt, endedBys[alert.endedBy])
      alertArgs.push(alert.startsText ?? '-', alert.endsText ?? '-', groups.length)
      for (const group of groups) {
        let place = places.get(group.id)
        if (place === undefined) {
          place = places.size + 1
          places.set(group.id, place)
          groupKeys.push(keys.group(group.id), keys.members(group.id))
          groupArgs.push(group.id, group.groupWait, group.routeId, group.groupKey, group.labels, group.receiver)
        }
        alertArgs.push(place)
      }
    }
    return accept(
      redis,
      [keys.alerts, keys.times, keys.references, keys.collectable, keys.due, ...groupKeys],
      [at, at + KEEP_RESOLVED, places.size, ...groupArgs, arrivals.length, ...alertArgs],
    )
  }
}

const forget = script('forget', z.number())

/** What of an alert rarely changes, the same text for the same content. */
function toBody({ labels, annotations, generatorURL }: Alert): string {
  return JSON.stringify([toRecord(labels), toRecord(annotations), generatorURL])
}

const times = /^(\d+|-\d+) (\d+|-\d+) (\d+) ([str]) (\S+) (\S+)$/

/** An alert from what `accept` wrote; undefined where a part is missing. */
export function toAlert(fingerprint: string, bodyText: string, timeText: string): Alert | undefined {
  const found = times.exec(timeText)
  if (!found || bodyText === '') return undefined
  const [, starts = '', ends = '', updated = '', by = '', startsText = '-', endsText = '-'] = found
  const [labels, annotations, generatorURL] = fromBody(bodyText)
  const alert: Alert = {
    fingerprint,
    labels,
    annotations,
    generatorURL,
    startsAt: Number(starts),
    endsAt: Number(ends),
    endedBy: by === 's' ? 'sender' : by === 't' ? 'timeout' : 'resolve',
    updatedAt: Number(updated),
  }
  if (startsText !== '-') alert.startsText = startsText
  if (endsText !== '-') alert.endsText = endsText
  return alert
}

/** By hand and not by a schema, which would lose a label called `__proto__`. */
function fromBody(text: string): [labels: Labels, annotations: Labels, generatorURL: string] {
  const parsed: unknown = JSON.parse(text)
  if (!Array.isArray(parsed)) throw new Error('an alert in Redis is not as Tocsin writes it')
  const [labels, annotations, generatorURL] = parsed.map((part: unknown) => part)
  return [toMap(labels), toMap(annotations), String(generatorURL)]
}

function toMap(value: unknown): Labels {
  return new Map(Object.entries(value ?? {}).map(([name, text]) => [name, String(text)]))
}
