/** Go's zero time, which Alertmanager writes for "none". */
export const zeroTime = '0001-01-01T00:00:00Z'

/** A point in time as a sender wrote it. */
export interface Instant {
  at: number // epoch ms; below zero before 1970
  text: string // RFC 3339 as Go prints it: the sender's offset, up to nine fraction digits, no trailing zeros
}

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?$/

/**
 * Reads the times that Alertmanager's API accepts: RFC 3339 with any offset and up to nanoseconds,
 * a date alone, or a date and time without a zone (taken as UTC). `""` is 1970, as in go-openapi.
 * Undefined for anything else.
 */
export function parseInstant(text: string): Instant | undefined {
  if (text.length === 24 || text.length === 20) {
    const at = usual(text)
    if (at !== undefined) return { at, text: text.length === 24 ? text.replace(/\.?0*Z$/, 'Z') : text }
  }
  if (text === '') return { at: 0, text: '1970-01-01T00:00:00Z' }
  const found = pattern.exec(text)
  if (!found) return undefined
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] =
    found
  const offset = zone === 'Z' ? 0 : offsetMinutes(zone)
  if (+hour > 23 || +minute > 59 || +second > 59 || Number.isNaN(offset)) return undefined

  const local = new Date(0)
  local.setUTCFullYear(+year, +month - 1, +day)
  if (local.getUTCMonth() !== +month - 1 || local.getUTCDate() !== +day) return undefined
  local.setUTCHours(+hour, +minute, +second, Number(fraction.padEnd(3, '0').slice(0, 3)))

  const digits = fraction.replace(/0+$/, '')
  const shownZone = zone === '+00:00' ? 'Z' : zone
  return {
    at: local.getTime() - offset * 60_000,
    text: `${year}-${month}-${day}T${hour}:${minute}:${second}${digits && `.${digits}`}${shownZone}`,
  }
}

/** What Prometheus writes, `2026-11-23T10:00:00.123Z` or without the fraction, at a tenth of the cost; undefined for others. */
function usual(text: string): number | undefined {
  const month = numberIn(text, 5, 7)
  const day = numberIn(text, 8, 10)
  const [hour, minute, second] = [numberIn(text, 11, 13), numberIn(text, 14, 16), numberIn(text, 17, 19)]
  const year = numberIn(text, 0, 4)
  const ms = text.length === 24 ? numberIn(text, 20, 23) : 0
  const isShaped =
    text[4] === '-' &&
    text[7] === '-' &&
    text[10] === 'T' &&
    text[13] === ':' &&
    text[16] === ':' &&
    (text.length === 20 || text[19] === '.') &&
    text.endsWith('Z')
  // other days are few enough to be looked at closely
  const isUsual =
    year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour < 24 && minute < 60 && second < 60
  return isShaped && isUsual && ms >= 0 && hour >= 0 && minute >= 0 && second >= 0
    ? Date.UTC(year, month - 1, day, hour, minute, second, ms)
    : undefined
}

/** A part of digits as a number; less than zero where another character is among them. */
function numberIn(text: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return Number.NEGATIVE_INFINITY
    value = value * 10 + digit
  }
  return value
}

function offsetMinutes(zone: string): number {
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4, 6))
  if (hours > 23 || minutes > 59) return Number.NaN
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

/** An instant's text with exactly three fraction digits, as Alertmanager's API has it: `2026-11-23T10:00:00.100+01:00`. */
export function apiTime(text: string): string {
  const [, seconds = '', fraction = '', zone = ''] = /^(.{19})(?:\.(\d+))?(.*)$/.exec(text) ?? []
  return `${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}${zone}`
}

/** Whether the text is what the instant prints as: then it need not be kept beside it. */
export function isPlain({ at, text }: Instant): boolean {
  // in UTC with at most three digits, of which `parseInstant` has cut the zeros
  if (text.length <= 24 && text.length >= 20 && text.endsWith('Z') && at >= 0 && at < 253_402_300_800_000) return true
  return formatInstant(at) === text
}

/** RFC 3339 in UTC with as few fraction digits as it takes: `2026-11-23T10:00:00.1Z`. */
export function formatInstant(at: number): string {
  return new Date(at).toISOString().replace(/\.?0*Z$/, 'Z')
}
