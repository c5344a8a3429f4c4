const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** From largest to smallest: the order in which they must be written. */
const units: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 365 * DAY],
  ['w', 7 * DAY],
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1],
]
const pattern = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/
/** 2^63 - 1 nanoseconds, the longest that Go can hold. */
const LONGEST = 9_223_372_036_854

/** Milliseconds of a Prometheus duration such as `1h30m`, `5m` or `0`; undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const found = text === '' ? null : pattern.exec(text)
  if (!found) return undefined
  const ms = units.reduce((sum, [, length], i) => sum + Number(found[i + 1] ?? 0) * length, 0)
  return ms > LONGEST ? undefined : ms
}

/** A Prometheus duration as Prometheus prints it: years and weeks only where they divide exactly. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  let rest = ms
  let text = ''
  for (const [unit, length] of units) {
    const exactOnly = unit === 'y' || unit === 'w'
    if (rest < length || (exactOnly && rest % length !== 0)) continue
    text += `${Math.floor(rest / length)}${unit}`
    rest %= length
  }
  return text
}

const goUnits: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
}

/** Milliseconds of a Go duration such as `1.5h`, `300ms` or `-2m`; undefined for what is none. */
export function parseGoDuration(text: string): number | undefined {
  const found = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
  if (!found) return undefined
  const body = found[2] ?? ''
  let ms = 0
  for (const [, amount, unit] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    ms += Number(amount) * (goUnits[unit ?? ''] ?? 0)
  }
  if (ms >= LONGEST + 1) return undefined
  return found[1] === '-' ? 0 - ms : ms
}
