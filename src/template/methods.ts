import { type Arguments, type Callable, type Parameter, int64 } from './call.ts'
import { TemplateError } from './lex.ts'
import { Duration, Location, Time, saturated } from './time.ts'
import { Kv, List, Struct, type Value, Whole, pair } from './value.ts'
import { print, printf } from './format.ts'
import { join } from './functions.ts'

type Methods<Receiver> = ReadonlyMap<
  string,
  { parameters: readonly Parameter[]; call(on: Receiver, args: Arguments): Value }
>

const none: readonly Parameter[] = []

function methods<Receiver>(
  table: Record<string, [readonly Parameter[], (on: Receiver, args: Arguments) => Value]>,
): Methods<Receiver> {
  return new Map(Object.entries(table).map(([name, [parameters, call]]) => [name, { parameters, call }]))
}

const alertsBy = (status: string) => (list: List) =>
  new List(
    list.items.filter((item) => item instanceof Struct && item.field('Status') === status),
    '[]template.Alert',
  )

const ofAlerts = methods<List>({ Firing: [none, alertsBy('firing')], Resolved: [none, alertsBy('resolved')] })

const partsOf = (name: string) => (list: List) =>
  new List(
    list.items.map((item) => (item instanceof Struct ? item.field(name) : '')),
    '[]string',
  )

const ofPairs = methods<List>({
  Names: [none, partsOf('Name')],
  Values: [none, partsOf('Value')],
  String: [none, (list) => print([list])],
})

/** Names and values have it from 0.34 on; an older template cannot tell, since a list has no other methods. */
const ofTexts = methods<List>({
  Join: [
    ['string'],
    (list, args) =>
      join(
        args.text(0),
        list.items.filter((item) => typeof item === 'string'),
      ),
  ],
})

const valueOf = (kv: Kv, name: string) => kv.labels.get(name) ?? ''

const ofKv = methods<Kv>({
  SortedPairs: [
    none,
    (kv) =>
      new List(
        kv.names().map((name) => pair(name, valueOf(kv, name))),
        'template.Pairs',
      ),
  ],
  Names: [none, (kv) => new List(kv.names(), '[]string')],
  Values: [
    none,
    (kv) =>
      new List(
        kv.names().map((name) => valueOf(kv, name)),
        '[]string',
      ),
  ],
  Remove: [
    ['[]string'],
    (kv, args) => {
      const removed = new Set(args.texts(0))
      return new Kv(new Map([...kv.labels].filter(([name]) => !removed.has(name))))
    },
  ],
  String: [none, (kv) => print([kv])],
})

const ofTime = methods<Time>({
  Format: [['string'], (time, args) => time.format(args.text(0))],
  UTC: [none, (time) => time.in('UTC')],
  Local: [none, (time) => time.in('Local')],
  Unix: [none, (time) => int64(BigInt(Math.floor(time.ms / 1000)))],
  UnixMilli: [none, (time) => int64(BigInt(time.ms))],
  UnixMicro: [
    none,
    (time) => int64(BigInt(time.ms) * 1000n + BigInt(Math.floor((time.nanosecond % 1_000_000) / 1000))),
  ],
  UnixNano: [none, (time) => int64(BigInt.asIntN(64, time.unixNano))],
  Year: [none, (time) => BigInt(time.local.getUTCFullYear())],
  Month: [none, (time) => new Whole(BigInt(time.local.getUTCMonth() + 1), 'time.Month')],
  Weekday: [none, (time) => new Whole(BigInt(time.local.getUTCDay()), 'time.Weekday')],
  Day: [none, (time) => BigInt(time.local.getUTCDate())],
  YearDay: [none, (time) => BigInt(time.yearDay)],
  Hour: [none, (time) => BigInt(time.local.getUTCHours())],
  Minute: [none, (time) => BigInt(time.local.getUTCMinutes())],
  Second: [none, (time) => BigInt(time.local.getUTCSeconds())],
  Nanosecond: [none, (time) => BigInt(time.nanosecond)],
  IsDST: [none, (time) => time.isSummer],
  IsZero: [none, (time) => time.isZero()],
  Before: [['time.Time'], (time, args) => time.unixNano < args.time(0).unixNano],
  After: [['time.Time'], (time, args) => time.unixNano > args.time(0).unixNano],
  Equal: [['time.Time'], (time, args) => time.unixNano === args.time(0).unixNano],
  Compare: [['time.Time'], (time, args) => order(time.unixNano, args.time(0).unixNano)],
  Sub: [['time.Time'], (time, args) => new Duration(saturated(time.unixNano - args.time(0).unixNano))],
  Add: [['time.Duration'], (time, args) => time.add(args.duration(0))],
  AddDate: [
    ['int', 'int', 'int'],
    (time, args) => time.addDate(Number(args.whole(0)), Number(args.whole(1)), Number(args.whole(2))),
  ],
  Truncate: [['time.Duration'], (time, args) => time.truncate(args.duration(0))],
  Round: [['time.Duration'], (time, args) => time.round(args.duration(0))],
  In: [['*time.Location'], (time, args) => elsewhere(time, args.location(0))],
  Location: [none, ({ location }) => location],
  String: [none, (time) => time.toString()],
  GoString: [none, (time) => printf('%#v', [time])],
})

/** What a template can't call, since it gives back more than a value and an error. */
const unusableOfTime = new Map([
  ['Clock', 'function Clock has 3 return values; should be 1 or 2'],
  ['Date', 'function Date has 3 return values; should be 1 or 2'],
  ['ISOWeek', 'invalid function signature for ISOWeek: second return value should be error; is int'],
  ['Zone', 'invalid function signature for Zone: second return value should be error; is int'],
  ['ZoneBounds', 'invalid function signature for ZoneBounds: second return value should be error; is time.Time'],
])

function elsewhere(time: Time, location: Location | undefined): Time {
  if (!location) throw new TemplateError('time: missing Location in call to Time.In')
  return time.at(location)
}

const ofLocation = methods<Location>({
  String: [none, (location) => location.toString()],
})

const ofDuration = methods<Duration>({
  Hours: [none, (duration) => duration.in(3_600_000_000_000n)],
  Minutes: [none, (duration) => duration.in(60_000_000_000n)],
  Seconds: [none, (duration) => duration.in(1_000_000_000n)],
  Milliseconds: [none, ({ ns }) => int64(ns / 1_000_000n)],
  Microseconds: [none, ({ ns }) => int64(ns / 1000n)],
  Nanoseconds: [none, ({ ns }) => int64(ns)],
  Abs: [none, ({ ns }) => new Duration(saturated(ns < 0n ? -ns : ns))],
  Round: [['time.Duration'], (duration, args) => duration.round(args.duration(0))],
  Truncate: [['time.Duration'], (duration, args) => duration.truncate(args.duration(0))],
  String: [none, (duration) => duration.toString()],
})

const named = methods<Whole>({
  String: [none, (whole) => print([whole])],
})

/** A value's method; undefined where it has none of that name. */
export function methodOf(value: Value, name: string): Callable | undefined {
  if (value instanceof Kv) return bound(ofKv, value, name)
  if (value instanceof Time) {
    const unusable = unusableOfTime.get(name)
    return unusable === undefined ? bound(ofTime, value, name) : { parameters: none, call: () => undefined, unusable }
  }
  if (value instanceof Location) return bound(ofLocation, value, name)
  if (value instanceof Duration) return bound(ofDuration, value, name)
  if (value instanceof Whole && (value.type === 'time.Month' || value.type === 'time.Weekday'))
    return bound(named, value, name)
  if (!(value instanceof List)) return undefined
  if (value.type === 'template.Alerts') return bound(ofAlerts, value, name)
  if (value.type === 'template.Pairs') return bound(ofPairs, value, name)
  return value.type === '[]string' ? bound(ofTexts, value, name) : undefined
}

function bound<Receiver>(table: Methods<Receiver>, value: Receiver, name: string): Callable | undefined {
  const found = table.get(name)
  return found && { parameters: found.parameters, call: (args) => found.call(value, args) }
}

function order(a: bigint, b: bigint): bigint {
  return a < b ? -1n : a > b ? 1n : 0n
}
