/** Upper bounds of the buckets, s; what took longer is in one more. */
export const bounds = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600,
] as const

/** The bucket that a time belongs to. */
export function bucketOf(seconds: number): number {
  const found = bounds.findIndex((bound) => seconds <= bound)
  return found === -1 ? bounds.length : found
}

/**
 * The time, s, within which a share of all were, as Prometheus' histogram_quantile has it: linear within a bucket, the last
 * bound for what is beyond it. Undefined where there is nothing.
 */
export function quantile(buckets: readonly number[], share: number): number | undefined {
  const total = buckets.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  const rank = share * total
  let before = 0
  for (const [i, count] of buckets.entries()) {
    const upper = bounds[i]
    if (upper === undefined) break
    if (count > 0 && before + count >= rank) {
      const lower = bounds[i - 1] ?? 0
      return lower + (upper - lower) * ((rank - before) / count)
    }
    before += count
  }
  return bounds.at(-1)
}
