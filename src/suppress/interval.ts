/** Inclusive, but for times, whose end is outside. */
export type Range = readonly [from: number, to: number]

/** An element of a time interval: an instant is in it where each field that is there holds it. */
export interface Interval {
  times: readonly Range[] | undefined // minutes of the day
  weekdays: readonly Range[] | undefined // 0: Sunday
  daysOfMonth: readonly Range[] | undefined // negative ones count from the month's end
  months: readonly Range[] | undefined
  years: readonly Range[] | undefined
  location: string | undefined // IANA; 'Local' is the process's own, none is UTC
}

/** A range that does not parse: says what is wrong with it. */
export class IntervalError extends Error {
  override readonly name = 'IntervalError'
}

/** Whether any of the elements holds an instant (epoch ms). */
export function contains(intervals: readonly Interval[], at: number): boolean {
  return intervals.some((interval) => holds(interval, at))
}

function holds(interval: Interval, at: number): boolean {
  const local = localTime(at, interval.location || 'UTC')
  return (
    (!interval.times || interval.times.some(([from, to]) => local.minute >= from && local.minute < to)) &&
    within(interval.weekdays, local.weekday) &&
    (!interval.daysOfMonth || interval.daysOfMonth.some((range) => isDayIn(range, local))) &&
    within(interval.months, local.month) &&
    within(interval.years, local.year)
  )
}

function within(ranges: readonly Range[] | undefined, value: number): boolean {
  return !ranges || ranges.some(([from, to]) => value >= from && value <= to)
}

/** A negative day of a month too short for it is no day of it. */
function isDayIn([from, to]: Range, { day, monthLength }: LocalTime): boolean {
  const dayOf = (given: number) => (given < 0 ? monthLength + given + 1 : given)
  return day >= dayOf(from) && day <= dayOf(to)
}

interface LocalTime {
  year: number
  month: number
  day: number
  weekday: number // 0: Sunday
  minute: number // of the day
  monthLength: number
}

/** A zone's clock is the same for this long: since 1970 no offset has had other seconds than 0 or 30. */
const SLOT = 30_000

interface Zone {
  format: Intl.DateTimeFormat
  slot: number
  local: LocalTime
}
const zones = new Map<string, Zone>()

/** Intl takes some microseconds, and groups are flushed many at a time: what a zone's clock said last is remembered. */
function localTime(at: number, location: string): LocalTime {
  const slot = Math.floor(at / SLOT)
  const last = zones.get(location)
  if (last?.slot === slot) return last.local
  const format = last?.format ?? formatOf(location)
  const local = read(format, at)
  zones.set(location, { format, slot, local })
  return local
}

function formatOf(location: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    ...(location !== 'Local' && { timeZone: location }),
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
}

function read(format: Intl.DateTimeFormat, at: number): LocalTime {
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0
  const [year, month, day] = [part('year'), part('month'), part('day')]
  return {
    year,
    month,
    day,
    weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay(),
    minute: part('hour') * 60 + part('minute'),
    monthLength: new Date(Date.UTC(year, month, 0)).getUTCDate(),
  }
}

/** `09:00` to `17:30`. Throws IntervalError. */
export function parseTimes(start: string, end: string): Range {
  const range: Range = [minuteOf(start), minuteOf(end)]
  if (range[0] >= range[1])
    throw new IntervalError(`${start} to ${end} does not end after it starts; split one over midnight into two`)
  return range
}

function minuteOf(text: string): number {
  const found = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/.exec(text)
  if (!found) throw new IntervalError(`"${text}" is not a time; write it as 09:00, two digits each, up to 24:00`)
  return found[1] === undefined ? 24 * 60 : Number(found[1]) * 60 + Number(found[2])
}

const weekdays = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ')
const months = 'january february march april may june july august september october november december'.split(' ')

/** `monday` or `monday:friday`; a week starts on Sunday. Throws IntervalError. */
export function parseWeekdays(text: string): Range {
  return ordered(text, (part) => {
    const day = weekdays.indexOf(part.toLowerCase())
    if (day === -1) throw new IntervalError(`"${part}" is not a weekday; write it as monday`)
    return day
  })
}

/** `may`, `5`, `may:august` or `5:8`. Throws IntervalError. */
export function parseMonths(text: string): Range {
  return ordered(text, (part) => {
    const month = months.indexOf(part.toLowerCase()) + 1
    if (month === 0 && !isInteger(part)) throw new IntervalError(`"${part}" is not a month; write it as may or 5`)
    return month || Number(part)
  })
}

/** `2026` or `2026:2028`. Throws IntervalError. */
export function parseYears(text: string): Range {
  return ordered(text, integer)
}

/** `1`, `1:7`, or from the month's end `-3:-1`. Throws IntervalError. */
export function parseDays(text: string): Range {
  const [from, to] = ends(text, (part) => {
    const day = integer(part)
    if (day === 0 || Math.abs(day) > 31)
      throw new IntervalError(`${day} is not a day of a month: 1 to 31, or -1 to -31`)
    return day
  })
  if (from < 0 && to > 0) throw new IntervalError(`${text} begins at the month's end, so it must end there: -3:-1`)
  // as in the shortest month
  const least = (day: number) => (day < 0 ? 28 + day : day)
  if (least(from) > least(to)) throw new IntervalError(`${text} ends before it begins, at least in some months`)
  return [from, to]
}

function ends(text: string, parse: (part: string) => number): Range {
  const [first = '', second = first, ...more] = text.split(':')
  if (more.length > 0) throw new IntervalError(`"${text}" is not a range; write it as first:last`)
  return [parse(first), parse(second)]
}

function ordered(text: string, parse: (part: string) => number): Range {
  const range = ends(text, parse)
  if (range[0] > range[1]) throw new IntervalError(`${text} ends before it begins`)
  return range
}

function integer(text: string): number {
  if (!isInteger(text)) throw new IntervalError(`"${text}" is not a whole number`)
  return Number(text)
}

/** One of 64 bits, as Go has them. */
function isInteger(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
}
