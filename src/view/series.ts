import { type Family, countOf, namesOf } from '../insight/counts.ts'
import { quantile } from '../insight/latency.ts'
import { KEPT, lengthOf, startOf } from '../insight/window.ts'
import type { Deps } from '../pipeline/deps.ts'

/** What was counted within ten seconds, by the names that charts have: `received`, `told:<channel>`, `failed:<channel>`. */
export interface Point {
  at: number // when they began, epoch ms
  counts: ReadonlyMap<string, number>
  latency?: { p50: number; p95: number } // of deliveries, from when they were owed, s; not there where nothing was delivered
}

/** Every replica has written what it counted so long after, ms. */
const WRITTEN = 2000

/** The points after an instant that are over, of the last hour, the oldest first. Rejects where Redis does not answer. */
export async function readSeries(after: number, { store, clock }: Pick<Deps, 'store' | 'clock'>): Promise<Point[]> {
  const step = lengthOf.step
  const until = clock.now() - WRITTEN
  const starts: number[] = []
  for (
    let at = Math.max(startOf(after, 'step') + step, startOf(until, 'step') - KEPT.step);
    at + step <= until;
    at += step
  )
    starts.push(at)
  const buckets = await store.tallies.read('step', starts)
  return buckets.map(({ at, counts }) => {
    const named = (family: Family) =>
      [...namesOf(counts, family)].map(([name, count]) => [`${family}:${name}`, count] as const)
    const received = ['received', countOf(counts, 'received')] as const
    const [p50, p95] = [quantile(counts.latencies, 0.5), quantile(counts.latencies, 0.95)]
    return {
      at,
      counts: new Map([received, ...named('told'), ...named('failed')].filter(([, count]) => count > 0)),
      ...(p50 !== undefined && p95 !== undefined && { latency: { p50, p95 } }),
    }
  })
}
