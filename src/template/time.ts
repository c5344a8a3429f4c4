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
    if (ns < 1_000_000n) return `${sign}${trim(ns, 1_000n)}µs`
    if (ns < 1_000_000_000n) return `${sign}${trim(ns, 1_000_000n)}ms`
    const minutes = ns / 60_000_000_000n
    const seconds = `${trim(ns % 60_000_000_000n, 1_000_000_000n)}s`
    if (minutes === 0n) return `${sign}${seconds}`
    return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
  }
}

function trim(ns: bigint, unit: bigint): string {
  const digits = String(unit).length - 1
  const fraction = String(ns % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '')
  return `${ns / unit}${fraction && `.${fraction}`}`
}

const months = 'January February March April May June July August September October November December'.split(' ')
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/

/** A point in time in a zone, as Go's time.Time. */
export class Time {
  readonly ms: number // epoch ms, rounded down
  readonly ns: number // within the ms
  readonly offset: number // minutes east of UTC
  readonly zone: string // 'UTC', 'CET'; '' for a bare offset

  constructor(ms: number, ns: number, offset = 0, zone = 'UTC') {
    this.ms = ms
    this.ns = ns
    this.offset = offset
    this.zone = zone
  }

  /** From RFC 3339 as `alert` writes it. */
  static parse(text: string): Time {
    const found = pattern.exec(text)
    if (!found) throw new Error(`${text} is no RFC 3339 time`)
    const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = found
    const offset =
      zone === 'Z' ? 0 : (zone[0] === '-' ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)))
    const date = new Date(0)
    date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
    date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3)))
    const ns = Number(fraction.padEnd(9, '0').slice(3))
    return new Time(date.getTime() - offset * 60_000, ns, offset, offset === 0 ? 'UTC' : '')
  }

  /** The same instant in an IANA zone. Throws RangeError for one that is unknown. */
  in(zone: string): Time {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(
      this.ms,
    )
    const found = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(parts.find(({ type }) => type === 'timeZoneName')?.value ?? '')
    const offset = found?.[1] ? (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) : 0
    const short = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'short' }).formatToParts(this.ms)
    const name = short.find(({ type }) => type === 'timeZoneName')?.value ?? ''
    return new Time(this.ms, this.ns, offset, /^[A-Z]{3,5}$/.test(name) ? name : '')
  }

  get local(): Date {
    return new Date(this.ms + this.offset * 60_000)
  }

  get unixNano(): bigint {
    return BigInt(this.ms) * 1_000_000n + BigInt(this.ns)
  }

  isZero(): boolean {
    return this.ms === -62_135_596_800_000 && this.ns === 0
  }

  numericZone(separator: string): string {
    const minutes = Math.abs(this.offset)
    return `${this.offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${separator}${pad(minutes % 60)}`
  }

  toString(): string {
    const layout = `2006-01-02 15:04:05.999999999 -0700 MST`
    return this.format(layout)
  }

  toJSON(): string {
    return this.format('2006-01-02T15:04:05.999999999Z07:00')
  }

  /** By an example of how the reference time would be written: Mon Jan 2 15:04:05 MST 2006. */
  format(layout: string): string {
    const date = this.local
    const year = date.getUTCFullYear()
    const hour = date.getUTCHours()
    const nanos = `${String(date.getUTCMilliseconds()).padStart(3, '0')}${String(this.ns).padStart(6, '0')}`
    const write: Record<string, string> = {
      January: months[date.getUTCMonth()] ?? '',
      Jan: (months[date.getUTCMonth()] ?? '').slice(0, 3),
      Monday: days[date.getUTCDay()] ?? '',
      Mon: (days[date.getUTCDay()] ?? '').slice(0, 3),
      MST: this.zone || this.numericZone(''),
      '2006': String(year).padStart(4, '0'),
      '06': pad(year % 100),
      '01': pad(date.getUTCMonth() + 1),
      '1': String(date.getUTCMonth() + 1),
      '02': pad(date.getUTCDate()),
      _2: String(date.getUTCDate()).padStart(2, ' '),
      '2': String(date.getUTCDate()),
      '15': pad(hour),
      '03': pad(hour % 12 || 12),
      '3': String(hour % 12 || 12),
      '04': pad(date.getUTCMinutes()),
      '4': String(date.getUTCMinutes()),
      '05': pad(date.getUTCSeconds()),
      '5': String(date.getUTCSeconds()),
      PM: hour < 12 ? 'AM' : 'PM',
      pm: hour < 12 ? 'am' : 'pm',
      'Z07:00': this.offset === 0 ? 'Z' : this.numericZone(':'),
      Z0700: this.offset === 0 ? 'Z' : this.numericZone(''),
      '-07:00': this.numericZone(':'),
      '-0700': this.numericZone(''),
      '-07': this.numericZone('').slice(0, 3),
    }
    return layout.replace(
      /January|Jan|Monday|Mon|MST|2006|_2|01|02|03|04|05|06|15|PM|pm|Z07:00|Z0700|-07:00|-0700|-07|[.,](?:0+|9+)(?!\d)|1|2|3|4|5/g,
      (part) => {
        if (!/^[.,]/.test(part)) return write[part] ?? part
        const digits = nanos.slice(0, part.length - 1)
        if (part[1] === '0') return part[0] + digits
        const kept = digits.replace(/0+$/, '')
        return kept && part[0] + kept
      },
    )
  }
}

function pad(number: number): string {
  return String(number).padStart(2, '0')
}

export { months, days }
