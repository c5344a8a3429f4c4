import type { Counter, Family } from '../insight/counts.ts'
import { bucketOf } from '../insight/latency.ts'
import { MOST_NAMES, type Tallied, latencyTally } from '../store/tallies.ts'
import type { Store } from '../store/store.ts'

/** Longer names are cut: they are for people to read. */
const LONGEST = 100

/** What happens is counted here, in memory; what was counted goes to Redis together. */
export interface Tally {
  count(counter: Counter, by?: number): void
  countNamed(family: Family, name: string, by?: number): void
  /** How long a delivery took from when it was owed, s. */
  observe(seconds: number): void
  /** Writes what was counted since; where Redis does not take it, it is kept for the next time. */
  write(): Promise<void>
}

export function openTally(store: Pick<Store, 'tallies'>, clock: { now(): number }): Tally {
  let counted = new Map<string, Tallied>()
  let names = new Map<string, number>() // by family
  let since = 0

  function add(family: string, given: string, by: number): void {
    if (counted.size === 0) since = clock.now()
    const key = `${family}:${given}`
    const known = counted.get(key)
    if (known) {
      known.count += by
      return
    }
    const distinct = names.get(family) ?? 0
    if (family !== '' && distinct > MOST_NAMES && given !== 'other') return add(family, 'other', by)
    names.set(family, distinct + 1)
    counted.set(key, { family, name: given, count: by })
  }

  const tally: Tally = {
    count: (counter, by = 1) => add('', counter, by),
    countNamed: (family, name, by = 1) => add(family, name.slice(0, LONGEST), by),
    observe(seconds) {
      const { family, name } = latencyTally(bucketOf(seconds))
      add(family, name, 1)
    },
    async write() {
      if (counted.size === 0) return
      const [batch, at] = [counted, since]
      counted = new Map()
      names = new Map()
      try {
        await store.tallies.add([...batch.values()], at)
      } catch (error) {
        for (const { family, name, count } of batch.values()) add(family, name, count)
        throw error
      }
    },
  }
  return tally
}
