const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Steps of ten seconds are for charts, minutes and hours for windows; they are kept for so long, ms. */
export const KEPT = { step: HOUR, minute: 3 * HOUR, hour: 8 * 24 * HOUR } as const
export const LONGEST = 7 * 24 * HOUR
/** Up to here a window is put together of minutes, ms. */
const FINE = 2 * HOUR

export type Grain = keyof typeof KEPT

export const lengthOf: Readonly<Record<Grain, number>> = { step: 10_000, minute: MINUTE, hour: HOUR }

/** Which buckets a window that ends now is put together of: it begins where the first of them does. */
export function windowOf(length: number, now: number): { from: number; to: number; grain: Grain; starts: number[] } {
  const grain = length <= FINE ? 'minute' : 'hour'
  const each = lengthOf[grain]
  const starts: number[] = []
  for (let at = startOf(now - length, grain); at <= now; at += each) starts.push(at)
  return { from: starts[0] ?? now, to: now, grain, starts }
}

/** The start of the bucket that an instant is in. */
export function startOf(at: number, grain: Grain): number {
  return at - (at % lengthOf[grain])
}
