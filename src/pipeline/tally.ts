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
  /** An alert that a route caught, by the route's id. */
  caught(route: string): void
  /** How long a delivery took from when it was owed, s. */
  observe(seconds: number): void
  /** Writes what was counted since; where Redis does not take it, it is kept for the next time. */
  write(): Promise<void>
}

export function openTally(store: Pick<Store, 'tallies' | 'catches'>, clock: { now(): number }): Tally {
  let counted = new Map<string, Tallied>()
  let names = new Map<string, number>() // by family
  let catches = new Map<string, number>()
  let since = 0

  function begin(): void {
    if (counted.size + catches.size === 0) since = clock.now()
  }

  function add(family: string, given: string, by: number): void {
    begin()
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
    caught(route) {
      begin()
      catches.set(route, (catches.get(route) ?? 0) + 1)
    },
    observe(seconds) {
      const { family, name } = latencyTally(bucketOf(seconds))
      add(family, name, 1)
    },
    async write() {
      const [batch, caught, at] = [counted, catches, since]
      counted = new Map()
      names = new Map()
      catches = new Map()
      const [added, addedCatches] = await Promise.allSettled([
        batch.size > 0 && store.tallies.add([...batch.values()], at),
        store.catches.add(caught, at),
      ])
      if (added.status === 'rejected') for (const { family, name, count } of batch.values()) add(family, name, count)
      if (addedCatches.status === 'rejected') {
        begin()
        for (const [route, count] of caught) catches.set(route, (catches.get(route) ?? 0) + count)
      }
      for (const one of [added, addedCatches]) if (one.status === 'rejected') throw one.reason
    },
  }
  return tally
}
