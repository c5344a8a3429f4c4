import { compile, unanchored } from '../match/regex.ts'
import { TemplateError } from './lex.ts'
import { print, printAll, printf, toJson, typeName } from './print.ts'
import { Duration, Time, days, months } from './time.ts'
import { Dict, Kv, List, Struct, type Value } from './value.ts'

/** What a function may know of the world. */
export interface Now {
  at: number // epoch ms
  routeLabels: Kv
}

type Function = (args: readonly Value[], now: Now) => Value

/** All functions but `and`, `or` and `call`, which the evaluator has. Arguments are checked by each. */
export const functions: ReadonlyMap<string, Function> = new Map<string, Function>([
  ['not', ([value]) => !truth(value)],
  [
    'eq',
    ([first, ...rest]) => {
      if (rest.length === 0) throw new TemplateError('missing argument for comparison')
      return rest.some((other) => equal(first, other))
    },
  ],
  ['ne', ([a, b]) => !equal(a, b)],
  ['lt', ([a, b]) => compare(a, b) < 0],
  ['le', ([a, b]) => compare(a, b) <= 0],
  ['gt', ([a, b]) => compare(a, b) > 0],
  ['ge', ([a, b]) => compare(a, b) >= 0],
  ['len', ([value]) => BigInt(length(value))],
  ['index', ([value, ...keys]) => keys.reduce(indexed, value)],
  ['slice', ([value, from, to]) => sliced(value, from, to)],
  ['print', (args) => printAll(args)],
  ['println', (args) => `${args.map((arg) => print(arg, true)).join(' ')}\n`],
  ['printf', ([format, ...args]) => printf(text(format, 'printf'), args)],
  ['html', (args) => escapeHtml(printAll(args))],
  ['js', (args) => escapeJs(printAll(args))],
  ['urlquery', (args) => queryEscape(printAll(args))],
  ['toUpper', ([value]) => mapCase(text(value, 'toUpper'), 'toUpperCase')],
  ['toLower', ([value]) => mapCase(text(value, 'toLower'), 'toLowerCase')],
  ['title', ([value]) => title(text(value, 'title'))],
  ['trimSpace', ([value]) => text(value, 'trimSpace').replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '')],
  [
    'join',
    ([separator, list]) => {
      if (!(list instanceof List) || list.of !== 'string') throw wrongType('join', list, '[]string')
      return list.items.map((item) => print(item)).join(text(separator, 'join'))
    },
  ],
  ['match', ([pattern, value]) => unanchored(text(pattern, 'match'))(text(value, 'match'))],
  [
    'reReplaceAll',
    ([pattern, replacement, value]) =>
      replaceAll(text(pattern, 'reReplaceAll'), text(replacement, 'reReplaceAll'), text(value, 'reReplaceAll')),
  ],
  [
    'stringSlice',
    (args) =>
      new List(
        args.map((arg) => text(arg, 'stringSlice')),
        'string',
      ),
  ],
  ['safeHtml', ([value]) => text(value, 'safeHtml')],
  ['safeUrl', ([value]) => text(value, 'safeUrl')],
  ['urlUnescape', ([value]) => urlUnescape(text(value, 'urlUnescape'))],
  ['date', ([layout, time]) => instant(time, 'date').format(text(layout, 'date'))],
  ['tz', ([zone, time]) => inZone(instant(time, 'tz'), text(zone, 'tz'))],
  ['now', (_args, { at }) => new Time(at, 0)],
  ['since', ([time], { at }) => new Duration(BigInt(at) * 1_000_000n - instant(time, 'since').unixNano)],
  ['humanizeDuration', ([value]) => humanizeDuration(value)],
  ['toJson', ([value]) => toJson(value)],
  ['list', (args) => new List(args, 'any')],
  [
    'append',
    ([list, ...items]) => {
      if (!(list instanceof List) || list.of !== 'any') throw wrongType('append', list, '[]interface {}')
      return new List([...list.items, ...items], 'any')
    },
  ],
  [
    'dict',
    (args) => {
      if (args.length % 2 !== 0) throw new TemplateError('dict expects an even number of arguments')
      const entries = new Map<string, Value>()
      for (let i = 0; i < args.length; i += 2) entries.set(text(args[i], 'dict'), args[i + 1])
      return new Dict(entries)
    },
  ],
  ['base64encode', ([value]) => base64(text(value, 'base64encode'))],
  ['base64decode', ([value]) => unbase64(text(value, 'base64decode'))],
  ['routeLabels', ([name], { routeLabels }) => routeLabels.labels.get(text(name, 'routeLabels')) ?? ''],
])

/** A method of a value, or undefined where it has none of that name. */
export function method(value: Value, name: string, args: readonly Value[]): { value: Value } | undefined {
  if (value instanceof List && value.of === 'Alert' && (name === 'Firing' || name === 'Resolved')) {
    const wanted = name.toLowerCase()
    return {
      value: new List(
        value.items.filter((item) => item instanceof Struct && item.fields.get('Status') === wanted),
        'any',
      ),
    }
  }
  if (value instanceof Kv) {
    const names = value.names()
    if (name === 'SortedPairs')
      return {
        value: new List(
          names.map((key) => pair(key, value.labels.get(key) ?? '')),
          'Pair',
        ),
      }
    if (name === 'Names') return { value: new List(names, 'string') }
    if (name === 'Values')
      return {
        value: new List(
          names.map((key) => value.labels.get(key) ?? ''),
          'string',
        ),
      }
    if (name === 'Remove') {
      const [list] = args
      if (!(list instanceof List) || list.of !== 'string') throw wrongType('Remove', list, '[]string')
      return { value: new Kv(new Map([...value.labels].filter(([key]) => !list.items.includes(key)))) }
    }
    if (name === 'String') return { value: value.toString() }
  }
  if (value instanceof List && value.of === 'Pair' && (name === 'Names' || name === 'Values')) {
    const field = name === 'Names' ? 'Name' : 'Value'
    return {
      value: new List(
        value.items.map((item) => (item instanceof Struct ? item.fields.get(field) : '')),
        'string',
      ),
    }
  }
  if (value instanceof List && value.of === 'string' && name === 'Join') {
    return { value: value.items.map((item) => print(item)).join(text(args[0], 'Join')) }
  }
  if (value instanceof Time) return timeMethod(value, name, args)
  if (value instanceof Duration) return durationMethod(value, name)
  return undefined
}

function pair(name: string, value: string): Struct {
  return new Struct(
    'template.Pair',
    new Map([
      ['Name', name],
      ['Value', value],
    ]),
    new Map([
      ['Name', 'Name'],
      ['Value', 'Value'],
    ]),
  )
}

function timeMethod(time: Time, name: string, args: readonly Value[]): { value: Value } | undefined {
  const { local } = time
  switch (name) {
    case 'Format':
      return { value: time.format(text(args[0], 'Format')) }
    case 'UTC':
      return { value: new Time(time.ms, time.ns) }
    case 'Unix':
      return { value: BigInt(Math.floor(time.ms / 1000)) }
    case 'UnixMilli':
      return { value: BigInt(time.ms) }
    case 'UnixNano':
      return { value: time.unixNano }
    case 'Year':
      return { value: BigInt(local.getUTCFullYear()) }
    case 'Month':
      return { value: months[local.getUTCMonth()] }
    case 'Weekday':
      return { value: days[local.getUTCDay()] }
    case 'Day':
      return { value: BigInt(local.getUTCDate()) }
    case 'Hour':
      return { value: BigInt(local.getUTCHours()) }
    case 'Minute':
      return { value: BigInt(local.getUTCMinutes()) }
    case 'Second':
      return { value: BigInt(local.getUTCSeconds()) }
    case 'IsZero':
      return { value: time.isZero() }
    case 'Before':
      return { value: time.unixNano < instant(args[0], name).unixNano }
    case 'After':
      return { value: time.unixNano > instant(args[0], name).unixNano }
    case 'Equal':
      return { value: time.unixNano === instant(args[0], name).unixNano }
    case 'Sub':
      return { value: new Duration(time.unixNano - instant(args[0], name).unixNano) }
    case 'Add': {
      const [length_] = args
      if (!(length_ instanceof Duration)) throw wrongType(name, length_, 'time.Duration')
      const ns = time.unixNano + length_.ns
      const ms = ns >= 0n ? ns / 1_000_000n : (ns - 999_999n) / 1_000_000n
      return { value: new Time(Number(ms), Number(ns - ms * 1_000_000n), time.offset, time.zone) }
    }
    case 'String':
      return { value: time.toString() }
    default:
      return undefined
  }
}

function durationMethod({ ns }: Duration, name: string): { value: Value } | undefined {
  if (name === 'Seconds') return { value: Number(ns) / 1e9 }
  if (name === 'Minutes') return { value: Number(ns) / 6e10 }
  if (name === 'Hours') return { value: Number(ns) / 3.6e12 }
  if (name === 'Milliseconds') return { value: ns / 1_000_000n }
  if (name === 'String') return { value: new Duration(ns).toString() }
  return undefined
}

function truth(value: Value): boolean {
  if (value instanceof List) return value.items.length > 0
  if (value instanceof Kv) return value.labels.size > 0
  if (value instanceof Dict) return value.entries.size > 0
  return typeof value === 'object' || Boolean(value)
}

function text(value: Value, where: string): string {
  if (typeof value === 'string') return value
  throw wrongType(where, value, 'string')
}

function instant(value: Value, where: string): Time {
  if (value instanceof Time) return value
  throw wrongType(where, value, 'time.Time')
}

function wrongType(where: string, value: Value, wanted: string): TemplateError {
  return new TemplateError(`wrong type for value; expected ${wanted}; got ${typeName(value)} (${where})`)
}

function equal(a: Value, b: Value): boolean {
  if (a === undefined || b === undefined) return a === b
  if (typeof a === 'object' || typeof b === 'object') {
    if (a instanceof Time && b instanceof Time) return a.unixNano === b.unixNano
    throw new TemplateError(`non-comparable type ${typeName(typeof a === 'object' ? a : b)}`)
  }
  if (typeof a !== typeof b) throw new TemplateError('incompatible types for comparison')
  return a === b
}

function compare(a: Value, b: Value): number {
  if (typeof a !== typeof b) throw new TemplateError('incompatible types for comparison')
  if ((typeof a === 'bigint' && typeof b === 'bigint') || (typeof a === 'number' && typeof b === 'number'))
    return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw new TemplateError('invalid type for comparison')
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function length(value: Value): number {
  if (typeof value === 'string') return encoder.encode(value).length
  if (value instanceof List) return value.items.length
  if (value instanceof Kv) return value.labels.size
  if (value instanceof Dict) return value.entries.size
  throw new TemplateError(`len of type ${typeName(value)}`)
}

function indexed(value: Value, key: Value): Value {
  if (value instanceof Kv) return value.labels.get(text(key, 'index')) ?? ''
  if (value instanceof Dict) return value.entries.get(text(key, 'index'))
  if (!(value instanceof List) && typeof value !== 'string') {
    throw new TemplateError(
      value === undefined ? 'index of untyped nil' : `can't index item of type ${typeName(value)}`,
    )
  }
  if (typeof key !== 'bigint') throw new TemplateError(`cannot index slice/array with type ${typeName(key)}`)
  const items: readonly Value[] = typeof value === 'string' ? [...encoder.encode(value)].map(BigInt) : value.items
  if (key < 0n || key >= BigInt(items.length)) throw new TemplateError(`index out of range: ${key}`)
  return items[Number(key)]
}

function sliced(value: Value, from: Value, to: Value): Value {
  const bounds = [from ?? 0n, to ?? BigInt(length(value))].map((bound) => {
    if (typeof bound !== 'bigint' || bound < 0n || bound > BigInt(length(value)))
      throw new TemplateError(`index out of range: ${print(bound)}`)
    return Number(bound)
  })
  const [start = 0, end = 0] = bounds
  if (start > end) throw new TemplateError(`invalid slice index: ${start} > ${end}`)
  if (typeof value === 'string') return decoder.decode(encoder.encode(value).slice(start, end))
  if (value instanceof List) return new List(value.items.slice(start, end), value.of)
  throw new TemplateError(`can't slice item of type ${typeName(value)}`)
}

export function escapeHtml(value: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
    '\0': '\ufffd',
  }
  return value.replace(/[&<>"'\0]/g, (c) => entities[c] ?? c)
}

function escapeJs(value: string): string {
  const escapes: Record<string, string> = {
    '\\': '\\\\',
    "'": "\\'",
    '"': '\\"',
    '<': '\\u003C',
    '>': '\\u003E',
    '&': '\\u0026',
    '=': '\\u003D',
  }
  return value.replace(
    /[\\'"<>&=\p{Cc}]/gu,
    (c) => escapes[c] ?? `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  )
}

function queryEscape(value: string): string {
  return encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\ufffd'))
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

function urlUnescape(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '))
  } catch {
    throw new TemplateError(`invalid URL escape in ${JSON.stringify(value)}`)
  }
}

/** By code point and only where one becomes one: Go leaves `ß` as it is. */
function mapCase(value: string, how: 'toUpperCase' | 'toLowerCase'): string {
  return [...value].map((c) => ([...c[how]()].length === 1 ? c[how]() : c)).join('')
}

function title(value: string): string {
  return value.replace(/[\p{L}\p{N}_]+(?:['’.][\p{L}]+)*/gu, (word) => {
    let capital = true
    return [...word]
      .map((c) => {
        if (!/\p{L}/u.test(c)) return c
        const cased = mapCase(c, capital ? 'toUpperCase' : 'toLowerCase')
        capital = false
        return cased
      })
      .join('')
  })
}

function replaceAll(pattern: string, replacement: string, value: string): string {
  const regex = compile(pattern)
  const matcher = regex.matcher(value)
  const names = regex.namedGroups()
  let result = ''
  let last = 0
  while (matcher.find()) {
    result += value.slice(last, matcher.start())
    result += replacement.replace(
      /\$(?:(\$)|\{(\w+)\}|(\w+))/g,
      (_whole, dollar: string | undefined, braced: string | undefined, bare: string | undefined) => {
        if (dollar) return '$'
        const name = braced ?? bare ?? ''
        const group = /^\d+$/.test(name) ? Number(name) : names[name]
        if (group === undefined || group > matcher.groupCount()) return ''
        return matcher.group(group) ?? ''
      },
    )
    last = matcher.end()
  }
  return result + value.slice(last)
}

function inZone(time: Time, zone: string): Time {
  try {
    return time.in(zone || 'UTC')
  } catch {
    throw new TemplateError(`unknown time zone ${zone}`)
  }
}

function base64(value: string): string {
  return btoa(String.fromCharCode(...encoder.encode(value)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}

function unbase64(value: string): string {
  try {
    return decoder.decode(
      Uint8Array.from(atob(value.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)),
    )
  } catch {
    throw new TemplateError('illegal base64 data')
  }
}

function humanizeDuration(value: Value): string {
  const given =
    value instanceof Duration
      ? Number(value.ns) / 1e9
      : Number(typeof value === 'string' && value.trim() === '' ? Number.NaN : print(value))
  if (Number.isNaN(given)) throw new TemplateError(`can't convert ${print(value)} to a number`)
  if (!Number.isFinite(given)) return print(given)
  const sign = given < 0 ? '-' : ''
  const seconds = Math.abs(given)
  if (seconds === 0) return '0s'
  if (seconds < 1) {
    const prefixes = ['', 'm', 'u', 'n', 'p', 'f', 'a', 'z', 'y']
    let scaled = seconds
    let power = 0
    while (scaled < 1 && power < prefixes.length - 1) {
      scaled *= 1000
      power += 1
    }
    return `${sign}${fourDigits(scaled)}${prefixes[power]}s`
  }
  if (seconds < 60) return `${sign}${fourDigits(seconds)}s`
  const whole = Math.floor(seconds)
  const [d, h, m, s] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ]
  if (d > 0) return `${sign}${d}d ${h}h ${m}m ${s}s`
  return h > 0 ? `${sign}${h}h ${m}m ${s}s` : `${sign}${m}m ${s}s`
}

function fourDigits(value: number): string {
  return String(Number(value.toPrecision(4)))
}
