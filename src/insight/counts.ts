/** What is counted of a bucket of time, under one name each. */
export type Counter =
  | 'received' // alerts, each time that they were sent
  | 'alerts' // occurrences that came in
  | 'requests taken'
  | 'requests refused' // with alerts, for a reason of Tocsin's
  | 'attempts'
  | 'errors' // attempts that failed
  | 'delivered'
  | 'dead'
  | 'considered' // decisions whether an integration is told of a group
  | 'repeats suppressed'
  | 'acknowledged'
  | 'acknowledged ms' // from the opening, in all
  | 'resolved'
  | 'resolved ms'
  | 'noisy' // incidents that resolved unacknowledged within minutes

/** What is counted by name; of more names than fit, the rest is `other`. */
export type Family =
  | 'alert type'
  | 'alert service'
  | 'error type'
  | 'error service'
  | 'routed service'
  | 'default service'
  | 'told' // by channel
  | 'failed'

/** All that was counted in a stretch of time. */
export interface Counts {
  counters: ReadonlyMap<string, number> // by Counter
  named: ReadonlyMap<string, ReadonlyMap<string, number>> // by Family, then name
  latencies: readonly number[] // of deliveries, by the bounds of `latency.ts`
}

/** A stretch of time and what was counted in it. */
export interface Bucket {
  at: number // its start, epoch ms
  counts: Counts
}

export function countOf({ counters }: Counts, counter: Counter): number {
  return counters.get(counter) ?? 0
}

export function namesOf({ named }: Counts, family: Family): ReadonlyMap<string, number> {
  return named.get(family) ?? new Map()
}

/** All of them together. */
export function addUp(all: readonly Counts[]): Counts {
  const counters = new Map<string, number>()
  const named = new Map<string, Map<string, number>>()
  const latencies: number[] = []
  for (const one of all) {
    for (const [name, count] of one.counters) counters.set(name, (counters.get(name) ?? 0) + count)
    for (const [i, count] of one.latencies.entries()) latencies[i] = (latencies[i] ?? 0) + (count ?? 0)
    for (const [family, names] of one.named) {
      const sum = named.get(family) ?? new Map<string, number>()
      named.set(family, sum)
      for (const [name, count] of names) sum.set(name, (sum.get(name) ?? 0) + count)
    }
  }
  return { counters, named, latencies: Array.from(latencies, (count) => count ?? 0) }
}
