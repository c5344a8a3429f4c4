/** A minute with far more than those around it. */
export interface Spike {
  at: number // start of the minute, epoch ms
  count: number
  threshold: number // mean + 2 σ, or the floor
}

/** A count for each minute, oldest first. */
export interface Minute {
  at: number // epoch ms
  count: number
}

/** With fewer minutes than these to compare with, nothing is known yet. */
export const LEAST_HISTORY = 10

/** Above this a minute is a spike: mean + 2 σ of others, but never fewer than `floor`. */
export function thresholdOf(counts: readonly number[], floor: number): number {
  if (counts.length === 0) return floor
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length
  return Math.max(floor, mean + 2 * Math.sqrt(variance))
}

/** Whether a minute is a spike against those before it. A minute that is not over yet may be one already. */
export function spikeOf(before: readonly number[], { at, count }: Minute, floor: number): Spike | undefined {
  if (before.length < LEAST_HISTORY) return undefined
  const threshold = thresholdOf(before, floor)
  return count > threshold ? { at, count, threshold } : undefined
}

/** The minutes that stand out of all, oldest first. */
export function spikesIn(minutes: readonly Minute[], floor: number): Spike[] {
  if (minutes.length < LEAST_HISTORY) return []
  const counts = minutes.map(({ count }) => count)
  const threshold = thresholdOf(counts, floor)
  return minutes.filter(({ count }) => count > threshold).map(({ at, count }) => ({ at, count, threshold }))
}
