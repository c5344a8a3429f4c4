import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Bucket, Counter, Counts, Family } from '../insight/counts.ts'
import { type Grain, KEPT, lengthOf, startOf } from '../insight/window.ts'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'
import { script } from './script.ts'

/** So many names of a family are told apart in a bucket. */
export const MOST_NAMES = 100

/** Something counted: by name alone, or by a name of a family. */
export interface Tallied {
  family: string // '' for none
  name: string
  count: number
}

const add = script('add-tallies', z.number())
const LATENCY = 'latency'
/** What charts are drawn of. */
const charted: ReadonlySet<string> = new Set<Counter>(['received'])
const chartedFamilies: ReadonlySet<string> = new Set<Family | typeof LATENCY>(['told', 'failed', LATENCY])
const hash = z.record(z.string(), z.string())

/** What is counted, in a hash a minute and a hash an hour, and what charts are drawn of in one for ten seconds: what that takes does not grow with what is counted. */
export function tallyStore(redis: Redis, keys: Keys) {
  return {
    /** Adds to the buckets of an instant, in one trip. */
    async add(tallied: readonly Tallied[], at: number): Promise<void> {
      const into = async (grain: Grain, some: readonly Tallied[]) => {
        const args = some.flatMap(({ family, name, count }) => [family, name, count])
        const times = [KEPT[grain] + lengthOf[grain], MOST_NAMES]
        if (some.length > 0) await add(redis, [keys.tally(grain, startOf(at, grain))], [...times, ...args])
      }
      await Promise.all([
        into('step', tallied.filter(isCharted)),
        into('minute', tallied),
        into('hour', tallied),
        // from when on there is something to compare with
        redis.hsetnx(keys.engine, 'talliedSince', Math.floor(at)),
      ])
    },

    /** The buckets that begin at these instants; an empty one for each that is not there. */
    async read(grain: Grain, starts: readonly number[]): Promise<Bucket[]> {
      const pipeline = redis.pipeline()
      for (const at of starts) pipeline.hgetall(keys.tally(grain, at))
      const replies = starts.length === 0 ? [] : await execAll(pipeline)
      return starts.map((at, i) => ({ at, counts: toCounts(hash.parse(replies[i])) }))
    },

    /** Some of what was counted in these minutes. */
    async counters(minutes: readonly number[], names: readonly Counter[]): Promise<ReadonlyMap<string, number>[]> {
      const pipeline = redis.pipeline()
      for (const at of minutes) pipeline.hmget(keys.tally('minute', at), ...names)
      const replies = z.array(z.array(z.string().nullable())).parse(await execAll(pipeline))
      return replies.map((counts) => new Map(names.map((name, i) => [name, Number(counts[i] ?? 0)])))
    },

    /** Since when anything has been counted, epoch ms; undefined where nothing was. */
    async since(): Promise<number | undefined> {
      const at = await redis.hget(keys.engine, 'talliedSince')
      return at === null ? undefined : Number(at)
    },
  }
}

function isCharted({ family, name }: Tallied): boolean {
  return family === '' ? charted.has(name) : chartedFamilies.has(family)
}

/** How a time's bucket is counted. */
export function latencyTally(bucket: number): Omit<Tallied, 'count'> {
  return { family: LATENCY, name: String(bucket) }
}

function toCounts(fields: Readonly<Record<string, string>>): Counts {
  const counters = new Map<string, number>()
  const named = new Map<string, Map<string, number>>()
  const latencies: number[] = []
  for (const [field, text] of Object.entries(fields)) {
    if (field.startsWith('#')) continue
    const colon = field.indexOf(':')
    const [family, name, count] = [field.slice(0, colon), field.slice(colon + 1), Number(text)]
    if (colon === -1) counters.set(field, count)
    else if (family === LATENCY) latencies[Number(name)] = count
    else {
      const names = named.get(family) ?? new Map<string, number>()
      named.set(family, names.set(name, count))
    }
  }
  return { counters, named, latencies: Array.from(latencies, (count) => count ?? 0) }
}
