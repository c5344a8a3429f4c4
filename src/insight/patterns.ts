import { formatInstant } from '../model/instant.ts'
import { type Bucket, type Counter, type Counts, type Family, addUp, countOf, namesOf } from './counts.ts'
import { type Spike, spikesIn } from './spikes.ts'

/** A minute with no more is never an anomaly, however quiet the others were. One busy destination that fails has a few more, in spite of its breaker. */
export const floors = { alerts: 50, errors: 5 } as const
const HOUR = 3_600_000
/** A list is for people to read. */
const MOST_SHARES = 100
const OTHER = 'other'

/** What came in or went wrong in a window of time. */
export interface Pattern {
  total: number
  types: readonly Share[] // most first
  affectedServices: readonly Share[]
  hourlyDistribution: readonly { hour: string; count: number }[] // oldest first, every hour of the window
}

export interface Share {
  name: string
  count: number
}

export interface Anomaly {
  type: 'alert_storm' | 'error_spike'
  timestamp: string
  count: number
  threshold: number
}

export interface Patterns {
  from: string // RFC 3339, UTC
  to: string
  alerts: Pattern
  deliveries: Pattern & { attempts: number } // what failed
  anomalies: readonly Anomaly[] // of the last hour
}

/** `buckets`: what was counted from `from` to `to`; `minutes`: the last hour's, each of them. */
export function patternsOf(
  buckets: readonly Bucket[],
  { from, to }: { from: number; to: number },
  minutes: readonly Bucket[],
): Patterns {
  const all = addUp(buckets.map(({ counts }) => counts))
  const pattern = (counter: Counter, types: Family, services: Family): Pattern => ({
    total: countOf(all, counter),
    types: sharesOf(all, types),
    affectedServices: sharesOf(all, services),
    hourlyDistribution: hourly(buckets, counter, from, to),
  })
  const spikes = (type: Anomaly['type'], counter: Counter, floor: number) =>
    spikesIn(
      minutes.map(({ at, counts }) => ({ at, count: countOf(counts, counter) })),
      floor,
    ).map((spike) => anomalyOf(type, spike))
  return {
    from: formatInstant(from),
    to: formatInstant(to),
    alerts: pattern('alerts', 'alert type', 'alert service'),
    deliveries: { attempts: countOf(all, 'attempts'), ...pattern('errors', 'error type', 'error service') },
    anomalies: [...spikes('alert_storm', 'alerts', floors.alerts), ...spikes('error_spike', 'errors', floors.errors)],
  }
}

export function anomalyOf(type: Anomaly['type'], { at, count, threshold }: Spike): Anomaly {
  return { type, timestamp: formatInstant(at), count, threshold: Math.round(threshold * 100) / 100 }
}

/** The most frequent first; those beyond MOST_SHARES together, last, with what was not told apart before. */
function sharesOf(counts: Counts, family: Family): Share[] {
  const names = new Map(namesOf(counts, family))
  let other = names.get(OTHER) ?? 0
  names.delete(OTHER)
  const sorted = [...names]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
  for (const { count } of sorted.splice(MOST_SHARES)) other += count
  return other > 0 ? [...sorted, { name: OTHER, count: other }] : sorted
}

function hourly(buckets: readonly Bucket[], counter: Counter, from: number, to: number): Pattern['hourlyDistribution'] {
  const hours = new Map<number, number>()
  for (let hour = startOf(from); hour < to; hour += HOUR) hours.set(hour, 0)
  for (const { at, counts } of buckets) hours.set(startOf(at), (hours.get(startOf(at)) ?? 0) + countOf(counts, counter))
  return [...hours].map(([hour, count]) => ({ hour: formatInstant(hour), count }))
}

function startOf(at: number): number {
  return at - (at % HOUR)
}
