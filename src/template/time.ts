import { TemplateError } from './lex.ts'
import { abbreviation } from './zones.ts'

export const months = 'January February March April May June July August September October November December'.split(' ')
export const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

const SECOND = 1_000_000_000n
const MINUTE = 60n * SECOND
/** From Go's zero time, the year 1, to 1970. */
const EPOCH = 62_135_596_800n * SECOND

/** A length of time in nanoseconds, printed as Go prints it. */
export class Duration {
  readonly ns: bigint
  constructor(ns: bigint) {
    this.ns = ns
  }

  toString(): string {
    if (this.ns === 0n) return '0s'
    const sign = this.ns < 0n ? '-' : ''
    const ns = this.ns < 0n ? -this.ns : this.ns
    if (ns < 1_000n) return `${sign}${ns}ns`
    if (ns < 1_000_000n) return `${sign}${withFraction(ns, 1_000n)}µs`
    if (ns < SECOND) return `${sign}${withFraction(ns, 1_000_000n)}ms`
    const minutes = ns / MINUTE
    const seconds = `${withFraction(ns % MINUTE, SECOND)}s`
    if (minutes === 0n) return `${sign}${seconds}`
    return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
  }

  /** A multiple of a unit, towards zero. */
  truncate(unit: bigint): Duration {
    return unit <= 0n ? this : new Duration(this.ns - (this.ns % unit))
  }

  /** The nearest multiple of a unit, half away from zero. */
  round(unit: bigint): Duration {
    if (unit <= 0n) return this
    const rest = this.ns % unit
    const half = rest < 0n ? -rest : rest
    const base = this.ns - rest
    if (half + half < unit) return new Duration(base)
    return new Duration(saturated(this.ns < 0n ? base - unit : base + unit))
  }

  /** As a number of such units; whole and rest are made floats apart, as in Go. */
  in(unit: bigint): number {
    return Number(this.ns / unit) + Number(this.ns % unit) / Number(unit)
  }
}

/** A duration holds 292 years, and no more. */
export function saturated(ns: bigint): bigint {
  const most = 2n ** 63n - 1n
  return ns > most ? most : ns < -most - 1n ? -most - 1n : ns
}

function withFraction(ns: bigint, unit: bigint): string {
  const digits = String(unit).length - 1
  const fraction = String(ns % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '')
  return `${ns / unit}${fraction && `.${fraction}`}`
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/

/** Where a time is told: a bare offset in seconds east of UTC, or an IANA zone ('UTC' and 'Local' too). */
type Place = number | string

/** A time's place as a value. Two are the same only where they are one: Go has pointers to them. */
export class Location {
  readonly place: Place
  constructor(place: Place) {
    this.place = place
  }

  /** The one of a place that Go has only one of, else one of its own. */
  static of(place: Place): Location {
    const isShared = place === 'UTC' || place === 'Local' || (typeof place === 'number' && place % 3600 === 0)
    if (!isShared) return new Location(place)
    const made = shared.get(place) ?? new Location(place)
    shared.set(place, made)
    return made
  }

  toString(): string {
    return typeof this.place === 'number' ? '' : this.place
  }
}

/** Zones whose standard time is the later one (https://www.iana.org/time-zones). */
const backwards = new Set(['Europe/Dublin', 'Eire', 'Africa/Casablanca', 'Africa/El_Aaiun'])
const shared = new Map<Place, Location>()
const utcLocation = Location.of('UTC')

/** JavaScript's dates reach no further; Go's do. */
const FARTHEST = 8_600_000_000_000_000

/** A point in time at a place, as Go's time.Time. */
export class Time {
  readonly unixNano: bigint
  readonly location: Location
  readonly offset: number // seconds east of UTC

  constructor(unixNano: bigint, location: Location = utcLocation) {
    const { place } = location
    this.unixNano = unixNano
    this.location = location
    if (!(Math.abs(this.ms) < FARTHEST)) throw new TemplateError('the time is too far off')
    this.offset = typeof place === 'number' ? place : offsetOf(place, this.ms)
  }

  /** From RFC 3339 as `alert` writes it. */
  static parse(text: string): Time {
    const found = rfc3339.exec(text)
    if (!found) throw new Error(`${text} is no RFC 3339 time`)
    const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = found
    const offset =
      zone === 'Z' ? 0 : (zone[0] === '-' ? -1 : 1) * (Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4)) * 60)
    const local = utc(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second))
    const nanos = BigInt(fraction.padEnd(9, '0').slice(0, 9))
    return new Time(BigInt(local - offset * 1000) * 1_000_000n + nanos, Location.of(offset || 'UTC'))
  }

  /** The same instant elsewhere; `Local` is the process's own. Throws RangeError for a zone that is unknown. */
  in(place: string): Time {
    return this.at(Location.of(place === '' ? 'UTC' : place))
  }

  at(location: Location): Time {
    return new Time(this.unixNano, location)
  }

  get place(): Place {
    return this.location.place
  }

  /** Epoch ms, rounded down. */
  get ms(): number {
    return Number(floorDivide(this.unixNano, 1_000_000n))
  }

  /** The clock on the wall, in the fields that are called UTC. */
  get local(): Date {
    return new Date(this.ms + this.offset * 1000)
  }

  /** Within the second. */
  get nanosecond(): number {
    return Number(this.unixNano - floorDivide(this.unixNano, SECOND) * SECOND)
  }

  /** Whole seconds since Go's zero time. */
  get sinceYearOne(): bigint {
    return floorDivide(this.unixNano + EPOCH, SECOND)
  }

  /** Whether clocks are put forward there, against the year's other half; or back, where the law has it so. */
  get isSummer(): boolean {
    const { place, offset } = this
    if (typeof place === 'number') return false
    const year = this.local.getUTCFullYear()
    const others = [offsetOf(place, utc(year, 1, 1)), offsetOf(place, utc(year, 7, 1))]
    return backwards.has(place) ? offset < Math.max(...others) : offset > Math.min(...others)
  }

  get yearDay(): number {
    const { local } = this
    return Math.round((midnight(local) - utc(local.getUTCFullYear(), 1, 1)) / 86_400_000) + 1
  }

  isZero(): boolean {
    return this.unixNano === -EPOCH
  }

  add(ns: bigint): Time {
    return new Time(this.unixNano + ns, this.location)
  }

  /** The same time of day, so many years, months and days on; days beyond a month's end run over. */
  addDate(years: number, monthCount: number, dayCount: number): Time {
    const { local } = this
    const moved = utc(
      local.getUTCFullYear() + years,
      local.getUTCMonth() + 1 + monthCount,
      local.getUTCDate() + dayCount,
    )
    const wall = moved + (local.getTime() - midnight(local))
    const rest = this.unixNano - floorDivide(this.unixNano, 1_000_000n) * 1_000_000n
    const offset = typeof this.place === 'number' ? this.place : offsetOfWall(this.place, wall)
    return new Time(BigInt(wall - offset * 1000) * 1_000_000n + rest, this.location)
  }

  /** The last multiple of a unit since the year 1. */
  truncate(unit: bigint): Time {
    return unit <= 0n ? this : this.add(-modulo(this.unixNano + EPOCH, unit))
  }

  round(unit: bigint): Time {
    if (unit <= 0n) return this
    const rest = modulo(this.unixNano + EPOCH, unit)
    return this.add(rest + rest < unit ? -rest : unit - rest)
  }

  toString(): string {
    return this.format('2006-01-02 15:04:05.999999999 -0700 MST')
  }

  /** Throws TemplateError for a year that RFC 3339 has no digits for. */
  toJSON(): string {
    const year = this.local.getUTCFullYear()
    if (year < 0 || year > 9999)
      throw new TemplateError('json: error calling MarshalJSON for type *time.Time: year outside of range [0,9999]')
    return this.format('2006-01-02T15:04:05.999999999Z07:00')
  }

  /** By an example of how the reference time would be written: Mon Jan 2 15:04:05 MST 2006. */
  format(layout: string): string {
    const date = this.local
    const fullYear = date.getUTCFullYear()
    const year = (fullYear < 0 ? '-' : '') + String(Math.abs(fullYear)).padStart(4, '0')
    const [month, day, hour] = [date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours()]
    const [minute, second] = [date.getUTCMinutes(), date.getUTCSeconds()]
    const [monthName = '', dayName = ''] = [months[month - 1], days[date.getUTCDay()]]
    const east = Math.abs(this.offset)
    const sign = this.offset <= -60 ? '-' : '+'
    const [h, m, s] = [pad(Math.floor(east / 3600)), pad(Math.floor(east / 60) % 60), pad(east % 60)]
    const zone = (text: string) => (this.offset === 0 ? 'Z' : text)
    const write: Record<string, string | number> = {
      January: monthName,
      Jan: monthName.slice(0, 3),
      Monday: dayName,
      Mon: dayName.slice(0, 3),
      MST: typeof this.place === 'number' ? `${sign}${h}${m}` : nameOf(this.place, this.offset),
      '2006': year,
      _2006: `_${year}`,
      '06': pad(Math.max(fullYear, 0) % 100),
      '01': pad(month),
      '1': month,
      '02': pad(day),
      _2: String(day).padStart(2, ' '),
      '2': day,
      '002': pad(this.yearDay, 3),
      __2: String(this.yearDay).padStart(3, ' '),
      '15': pad(hour),
      '03': pad(hour % 12 || 12),
      '3': hour % 12 || 12,
      '04': pad(minute),
      '4': minute,
      '05': pad(second),
      '5': second,
      PM: hour < 12 ? 'AM' : 'PM',
      pm: hour < 12 ? 'am' : 'pm',
      Z070000: zone(`${sign}${h}${m}${s}`),
      'Z07:00:00': zone(`${sign}${h}:${m}:${s}`),
      Z0700: zone(`${sign}${h}${m}`),
      'Z07:00': zone(`${sign}${h}:${m}`),
      Z07: zone(`${sign}${h}`),
      '-070000': `${sign}${h}${m}${s}`,
      '-07:00:00': `${sign}${h}:${m}:${s}`,
      '-0700': `${sign}${h}${m}`,
      '-07:00': `${sign}${h}:${m}`,
      '-07': `${sign}${h}`,
    }
    const nanos = pad(this.nanosecond, 9)
    return layout.replace(chunk, (part) => {
      if (!/^[.,]/.test(part)) return String(write[part] ?? part)
      const digits = nanos.slice(0, part.length - 1)
      if (part[1] === '0') return part[0] + digits
      const kept = digits.replace(/0+$/, '')
      return kept && part[0] + kept
    })
  }
}

/** What means something in a layout, longest first (https://pkg.go.dev/time#pkg-constants). */
const chunk =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|_2006|__2|_2|002|0[1-6]|15|1|2006|2|3|4|5|PM|pm|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|[.,](?:0+|9+)(?!\d)/g

/**
 * Reads a time by a layout, as Go's time.Parse does; undefined where it does not fit. Each part takes what it can and
 * none gives back, so that no layout takes long.
 */
export function parseTime(layout: string, given: string): Time | undefined {
  const chunks = [...layout.matchAll(chunk)]
  const part = new Map<string, string>()
  let at = 0
  let last = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const text = pattern.exec(given)?.[0]
    at += text?.length ?? 0
    return text
  }
  for (const [i, { 0: name, index }] of chunks.entries()) {
    const from = behind(given, at, layout.slice(last, index))
    if (from === undefined) return undefined
    at = from
    const text = take(patternOf(name))
    if (text === undefined) return undefined
    part.set(keyOf(name), text)
    // seconds may have a fraction that the layout does not tell
    if (keyOf(name) === '5' && !/^[.,]/.test(chunks[i + 1]?.[0] ?? '')) part.set('.', take(/(?:[.,]\d+)?/y) ?? '')
    last = index + name.length
  }
  if (behind(given, at, layout.slice(last)) !== given.length) return undefined

  const number = (name: string, otherwise: number) => (part.has(name) ? Number(part.get(name)) : otherwise)
  const index = (list: string[], text: string | undefined) =>
    text === undefined ? undefined : list.findIndex((name) => name.toLowerCase().startsWith(text.toLowerCase())) + 1
  const short = part.get('6')
  const year = short === undefined ? number('2006', 0) : Number(short) + (Number(short) >= 69 ? 1900 : 2000)
  const month = index(months, part.get('January') ?? part.get('Jan')) ?? number('1', 1)
  const [ofYear, minute, second] = [number('day of the year', 1), number('4', 0), number('5', 0)]
  const day = number('2', ofYear)
  const noon = part.get('PM')?.toLowerCase()
  let hour = part.has('15') ? number('15', 0) : number('3', 0)
  if (noon === 'pm' && hour < 12) hour += 12
  if (noon === 'am' && hour === 12) hour = 0
  const nanos = (part.get('.') ?? '').slice(1).padEnd(9, '0').slice(0, 9)
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined
  const most = part.has('2') ? utc(year, month + 1, 0) : utc(year, 13, 0)
  if (day < 1 || utc(year, month, day) > most) return undefined
  const shift = /^([+-])(\d\d):?(\d\d)?/.exec(part.get('zone') ?? '')
  const offset = shift ? (shift[1] === '-' ? -1 : 1) * (Number(shift[2]) * 3600 + Number(shift[3] ?? 0) * 60) : 0
  const wall = utc(year, month, day, hour, minute, second)
  return new Time(BigInt(wall - offset * 1000) * 1_000_000n + BigInt(nanos), Location.of(offset || 'UTC'))
}

/** Where a text of a layout ends in what is given; a blank stands for any number of them. */
function behind(given: string, from: number, text: string): number | undefined {
  let at = from
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ' ') {
      if (at < given.length && given[at] !== ' ') return undefined
      while (text[i + 1] === ' ') i += 1
      while (given[at] === ' ') at += 1
    } else if (given[at++] !== text[i]) return undefined
  }
  return at
}

/** Parts that say the same have one key. */
function keyOf(part: string): string {
  if (/^[.,]/.test(part)) return '.'
  if (/^[Z-]/.test(part)) return 'zone'
  if (part === '002' || part === '__2') return 'day of the year'
  return part === 'pm' ? 'PM' : part.replace(/^[_0]+(?=\d)/, '')
}

function patternOf(part: string): RegExp {
  switch (part) {
    case 'January':
      return new RegExp(months.join('|'), 'iy')
    case 'Jan':
      return new RegExp(months.map((name) => name.slice(0, 3)).join('|'), 'iy')
    case 'Monday':
      return new RegExp(days.join('|'), 'iy')
    case 'Mon':
      return new RegExp(days.map((name) => name.slice(0, 3)).join('|'), 'iy')
    case 'MST':
      return /[A-Z]{3,4}|[+-]\d\d(?:\d\d)?/y
    case '2006':
      return /\d{4}/y
    case '_2006':
      return / ?\d{4}/y
    case '_2':
      return / ?\d\d?/y
    case '002':
      return /\d{3}/y
    case '__2':
      return / {0,2}\d{1,3}/y
    case 'PM':
      return /AM|PM/y
    case 'pm':
      return /am|pm/y
    case '15':
      return /\d\d?/y
  }
  if (/^0\d$/.test(part)) return /\d\d/y
  if (/^\d$/.test(part)) return /\d\d?/y
  if (/^[.,]/.test(part)) return part[1] === '0' ? new RegExp(`[.,]\\d{${part.length - 1}}`, 'y') : /(?:[.,]\d{1,9})?/y
  const digits = '[+-]' + part.replace(/^[Z-]/, '').replace(/\d/g, '\\d')
  return new RegExp(part.startsWith('Z') ? `Z|${digits}` : digits, 'y')
}

function utc(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day) // Date.UTC takes the years 0 to 99 for 1900 to 1999
  date.setUTCHours(hour, minute, second, 0)
  if (Number.isNaN(date.getTime())) throw new TemplateError('the time is too far off')
  return date.getTime()
}

function midnight(date: Date): number {
  return utc(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())
}

/** JavaScript takes names in any case, and offsets; Go has files. */
const zoneName =
  /^(?:(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US)\/)?[A-Z][\w+-]*(?:\/[A-Z][\w-]*)?$/
const formats = new Map<string, Intl.DateTimeFormat>()
const MOST_FORMATS = 600

/** Throws RangeError where there is no such zone. */
function offsetOf(zone: string, ms: number): number {
  if (zone === 'UTC') return 0
  if (!zoneName.test(zone)) throw new RangeError(`${zone} is no time zone`)
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-US', { ...(zone !== 'Local' && { timeZone: zone }), timeZoneName: 'longOffset' })
  if (formats.size < MOST_FORMATS) formats.set(zone, format)
  const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours, minutes, seconds] = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0))
}

/** Of a clock on the wall, which between two offsets is Go's choice of them. */
function offsetOfWall(zone: string, wall: number): number {
  const offset = offsetOf(zone, wall)
  return offset === 0 ? 0 : offsetOf(zone, wall - offset * 1000)
}

let localZone: string | undefined

function nameOf(zone: string, offset: number): string {
  if (zone !== 'Local') return abbreviation(zone, offset)
  localZone ??= new Intl.DateTimeFormat('en-US').resolvedOptions().timeZone
  return abbreviation(localZone, offset)
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}

function modulo(a: bigint, b: bigint): bigint {
  const rest = a % b
  return rest < 0n ? rest + b : rest
}

function pad(number: number, width = 2): string {
  return String(number).padStart(width, '0')
}
