import { addUp } from '../insight/counts.ts'
import { type Kpi, kpisOf } from '../insight/kpis.ts'
import { type Patterns, patternsOf } from '../insight/patterns.ts'
import { lengthOf, windowOf } from '../insight/window.ts'
import { formatInstant } from '../model/instant.ts'
import type { Deps } from '../pipeline/deps.ts'

const HOUR = 3_600_000
export const DAY = 24 * HOUR

export interface Kpis {
  from: string // RFC 3339, UTC
  to: string
  kpis: readonly Kpi[]
}

type Reading = Pick<Deps, 'store' | 'clock'>

/** What came in and what failed in the last so many ms. Rejects where Redis does not answer. */
export async function readPatterns(length: number, { store, clock }: Reading): Promise<Patterns> {
  const window = windowOf(length, clock.now())
  const hour = windowOf(HOUR, window.to)
  const since = (await store.tallies.since()) ?? window.to
  // there is nothing to compare with in minutes before anything was counted
  const known = hour.starts.filter((at) => at + lengthOf.minute > since)
  const [buckets, minutes] = await Promise.all([
    store.tallies.read(window.grain, window.starts),
    store.tallies.read(hour.grain, known),
  ])
  return patternsOf(buckets, window, minutes)
}

/** How Tocsin did in the last so many ms. Rejects where Redis does not answer. */
export async function readKpis(length: number, { store, clock }: Reading): Promise<Kpis> {
  const { from, to, grain, starts } = windowOf(length, clock.now())
  const buckets = await store.tallies.read(grain, starts)
  return { from: formatInstant(from), to: formatInstant(to), kpis: kpisOf(addUp(buckets.map(({ counts }) => counts))) }
}
