import { quoteGo } from '../model/quote.ts'
import { TemplateError } from './lex.ts'
import { Duration, Location, Time, days, months } from './time.ts'
import { Complex, Dict, Kv, List, Safe, Struct, type Value, Whole } from './value.ts'
import {
  Flags,
  LONGEST,
  formatBoolean,
  formatComplex,
  formatNumber,
  formatText,
  formatWhole,
  noFlags,
} from './verbs.ts'

// Go's fmt (https://pkg.go.dev/fmt), as far as templates reach it. What fits a verb badly is printed as such, never raised.

/** Sprint: a space between two operands of which neither is a text. */
export function print(values: readonly Value[]): string {
  let text = ''
  for (const [i, value] of values.entries()) {
    if (i > 0 && !isText(value) && !isText(values[i - 1])) text += ' '
    text += format('v', value, noFlags)
  }
  return text
}

/** Sprintln. */
export function println(values: readonly Value[]): string {
  return `${values.map((value) => format('v', value, noFlags)).join(' ')}\n`
}

/** Where numbers in a format end: a longer one makes Go give up on the rest. */
const LARGEST = 1_000_000

/** Sprintf. Throws TemplateError where widths add up to too much. */
export function printf(pattern: string, args: readonly Value[]): string {
  const padding = new Flags()
  let text = ''
  let next = 0 // of args
  let reordered = false
  let goodIndex = true
  let at = 0

  /** `[3]`: which argument comes next. Whether one was told. */
  const readIndex = (): boolean => {
    if (pattern[at] !== '[') return false
    reordered = true
    const end = pattern.indexOf(']', at)
    const digits = /^\d{1,7}$/.exec(pattern.slice(at + 1, end))?.[0]
    const index = digits === undefined || end === -1 ? undefined : Number(digits) - 1
    at = end === -1 ? at + 1 : end + 1
    if (index !== undefined && index >= 0 && index < args.length) {
      next = index
      return true
    }
    goodIndex = false
    return index !== undefined
  }
  const readNumber = (): number | undefined => {
    let number: number | undefined
    for (; /^\d$/.test(pattern[at] ?? ''); at++) {
      if (number !== undefined && number > LARGEST) {
        at = pattern.length
        return undefined
      }
      number = (number ?? 0) * 10 + Number(pattern[at])
    }
    return number
  }
  /** The number that `*` stands for. */
  const takeNumber = (): number | undefined => {
    at += 1
    if (next >= args.length) return undefined
    const number = wholeOf(args[next++])
    return number === undefined || number > LARGEST || number < -LARGEST ? undefined : Number(number)
  }
  const readWidth = (flags: Flags, afterIndex: boolean): boolean => {
    if (pattern[at] !== '*') {
      flags.width = readNumber()
      if (afterIndex && flags.width !== undefined) goodIndex = false
      return afterIndex
    }
    flags.width = takeNumber()
    if (flags.width === undefined) text += '%!(BADWIDTH)'
    else if (flags.width < 0) {
      flags.width = -flags.width
      flags.minus = true
      flags.zero = false
    }
    return false
  }
  const readPrecision = (flags: Flags, afterIndex: boolean): boolean => {
    if (pattern[at] !== '.') return afterIndex
    at += 1
    if (afterIndex) goodIndex = false
    const isIndexed = readIndex()
    if (pattern[at] !== '*') {
      flags.precision = readNumber() ?? 0
      return isIndexed
    }
    const precision = takeNumber()
    if (precision === undefined || precision < 0) text += '%!(BADPREC)'
    else flags.precision = precision
    return false
  }

  while (at < pattern.length) {
    if (text.length > LONGEST) throw new TemplateError(`more than ${LONGEST} characters`)
    const percent = pattern.indexOf('%', at)
    text += pattern.slice(at, percent === -1 ? undefined : percent)
    if (percent === -1) break
    at = percent + 1
    const flags = padding.with({})
    goodIndex = true
    for (; '#0+- '.includes(pattern[at] ?? 'none'); at++) {
      const flag = pattern[at]
      flags.sharp ||= flag === '#'
      flags.zero ||= flag === '0'
      flags.plus ||= flag === '+'
      flags.minus ||= flag === '-'
      flags.space ||= flag === ' '
    }
    const afterIndex = readPrecision(flags, readWidth(flags, readIndex()))
    if (!afterIndex) readIndex()
    const code = pattern.codePointAt(at)
    if (code === undefined) {
      text += '%!(NOVERB)'
      break
    }
    const verb = String.fromCodePoint(code)
    at += verb.length
    if (verb === '%') text += '%'
    else if (!goodIndex) text += `%!${verb}(BADINDEX)`
    else if (next >= args.length) text += `%!${verb}(MISSING)`
    else text += format(verb, args[next++], verb === 'v' || verb === 'w' ? forValue(flags) : flags)
  }

  if (reordered || next >= args.length) return text
  const extra = args
    .slice(next)
    .map((arg) => (arg === undefined ? '<nil>' : `${typeName(arg)}=${format('v', arg, noFlags)}`))
  return `${text}%!(EXTRA ${extra.join(', ')})`
}

/** `%+v` and `%#v` mean something of their own. */
function forValue(flags: Flags): Flags {
  flags.goSyntax = flags.sharp
  flags.names = flags.plus
  flags.sharp = false
  flags.plus = false
  return flags
}

/** A value by a verb. */
function format(verb: string, value: Value, flags: Flags): string {
  if (value === undefined) return verb === 'v' || verb === 'T' ? flags.pad('<nil>') : `%!${verb}(<nil>)`
  if (verb === 'T') return formatText('s', typeName(value), flags) ?? ''
  if (verb === 'p') return formatAddress(value, flags)
  return formatValue(verb, value, flags, true)
}

/** A made-up address, since there is none to tell. */
const address = 0xc000000000n

function formatAddress(value: Value, flags: Flags): string {
  if (!(value instanceof List || value instanceof Kv || value instanceof Dict || value instanceof Location))
    return bad('p', value, flags)
  const isNil = !(value instanceof Dict || value instanceof Location) && value.isNil
  return formatWhole('x', isNil ? 0n : address, Object.assign(flags.with({}), { sharp: !flags.sharp })) ?? ''
}

function bad(verb: string, value: Value, flags: Flags): string {
  return `%!${verb}(${typeName(value)}=${formatValue('v', value, flags, false)})`
}

function formatValue(verb: string, value: Value, flags: Flags, methods: boolean): string {
  if (value === undefined) return flags.goSyntax ? 'interface {}(nil)' : '<nil>'
  return (
    formatScalar(verb, value, flags, methods) ?? formatParts(verb, value, flags, methods) ?? bad(verb, value, flags)
  )
}

/** What prints as one thing; undefined for what does not, or not by this verb. */
function formatScalar(verb: string, value: Value, flags: Flags, methods: boolean): string | undefined {
  if (typeof value === 'string') return formatText(verb, value, flags)
  if (value instanceof Safe) return formatText(verb, value.text, flags)
  if (typeof value === 'boolean') return formatBoolean(verb, value, flags)
  if (typeof value === 'number') return formatNumber(verb, value, flags)
  if (typeof value === 'bigint') return formatWhole(verb, value, flags)
  if (value instanceof Complex) return formatComplex(verb, value.real, value.imaginary, flags)
  if (methods && flags.goSyntax && value instanceof Time) return formatText('s', goTime(value), flags)
  if (methods && !flags.goSyntax && 'vsxXq'.includes(verb)) {
    const text = stringOf(value)
    if (text !== undefined) return formatText(verb, text, flags)
  }
  if (value instanceof Duration) return formatWhole(verb, value.ns, flags)
  return value instanceof Whole ? formatWhole(verb, value.value, flags, !value.type.startsWith('uint')) : undefined
}

/** What is made of other values, each of which the verb goes to. */
function formatParts(verb: string, value: Value, flags: Flags, methods: boolean): string | undefined {
  if (methods && verb === 'w') return undefined
  const inner = (part: Value) => formatValue(verb, part, flags, methods)
  const separator = flags.goSyntax ? ', ' : ' '
  const named = (name: string) => (flags.goSyntax || flags.names ? `${name}:` : '')
  if (value instanceof List) {
    if (flags.goSyntax && value.isNil) return `${value.type}(nil)`
    const items = value.items.map(inner).join(separator)
    return flags.goSyntax ? `${value.type}{${items}}` : `[${items}]`
  }
  if (value instanceof Kv || value instanceof Dict) {
    if (flags.goSyntax && value instanceof Kv && value.isNil) return `${typeName(value)}(nil)`
    const parts = value
      .keys()
      .map((key) => `${inner(key)}:${inner(value instanceof Kv ? value.labels.get(key) : value.entries.get(key))}`)
      .join(separator)
    return flags.goSyntax ? `${typeName(value)}{${parts}}` : `map[${parts}]`
  }
  if (value instanceof Struct) {
    const parts = [...value.json.keys()].map((name) => named(name) + inner(value.field(name))).join(separator)
    return flags.goSyntax ? `${value.type}{${parts}}` : `{${parts}}`
  }
  if (value instanceof Time) {
    const parts = [
      named('wall') + inner(new Whole(BigInt(value.nanosecond), 'uint64')),
      named('ext') + inner(new Whole(value.sinceYearOne, 'int64')),
      named('loc') + formatPlace(verb, value, flags),
    ]
    return `{${parts.join(separator)}}`
  }
  return undefined
}

/** A time's pointer to its place, nil for UTC. */
function formatPlace(verb: string, { place }: Time, flags: Flags): string {
  const isUtc = place === 'UTC'
  if (verb === 'v')
    return isUtc
      ? flags.pad('<nil>')
      : (formatWhole('x', address, Object.assign(flags.with({}), { sharp: !flags.sharp })) ?? '')
  if ('bodxX'.includes(verb)) return formatWhole(verb, isUtc ? 0n : address, flags, false) ?? ''
  return `%!${verb}(*time.Location=${isUtc ? flags.pad('<nil>') : `0x${address.toString(16)}`})`
}

/** What a value's String method says; undefined where it has none. */
export function stringOf(value: Value): string | undefined {
  if (value instanceof Kv)
    return value
      .names()
      .map((name) => `${name}=${value.labels.get(name)}`)
      .join(', ')
  if (value instanceof List && value.type === 'template.Pairs') {
    return value.items
      .map((item) => (item instanceof Struct ? `${print([item.field('Name')])}=${print([item.field('Value')])}` : ''))
      .join(', ')
  }
  if (value instanceof Time || value instanceof Duration || value instanceof Location) return value.toString()
  if (value instanceof Whole && value.type === 'time.Month')
    return months[Number(value.value) - 1] ?? `%!Month(${value.value})`
  if (value instanceof Whole && value.type === 'time.Weekday')
    return days[Number(value.value)] ?? `%!Weekday(${value.value})`
  return undefined
}

function goTime(time: Time): string {
  const { local } = time
  const parts = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds(), time.nanosecond]
  const place =
    { UTC: 'time.UTC', Local: 'time.Local' }[time.place] ??
    `time.Location(${quoteGo(typeof time.place === 'number' ? '' : time.place)})`
  return `time.Date(${local.getUTCFullYear()}, time.${months[local.getUTCMonth()]}, ${local.getUTCDate()}, ${parts.join(', ')}, ${place})`
}

function isText(value: Value): boolean {
  return typeof value === 'string' || value instanceof Safe
}

/** A whole number of any type; undefined for what is none. */
export function wholeOf(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (value instanceof Whole) return value.value
  return value instanceof Duration ? value.ns : undefined
}

/** Go's name of a value's type. */
export function typeName(value: Value): string {
  if (value === undefined) return '<nil>'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (value instanceof Safe) return `template.${value.kind}`
  if (value instanceof Kv) return 'template.KV'
  if (value instanceof Dict) return 'map[string]interface {}'
  if (value instanceof Time) return 'time.Time'
  if (value instanceof Duration) return 'time.Duration'
  if (value instanceof Complex) return 'complex128'
  if (value instanceof Location) return '*time.Location'
  return value.type
}
