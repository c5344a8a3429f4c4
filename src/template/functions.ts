import { clean, toBytes, toText } from '../model/bytes.ts'
import { quoteGo } from '../model/quote.ts'
import { RegexError, compile } from '../match/regex.ts'
import { type Arguments, type Callable, type Context, type Parameter } from './call.ts'
import { costOfMatch, costOfPattern } from './cost.ts'
import { escapeHtml, escapeJs, escapeQuery } from './escape.ts'
import { formatFloat } from './float.ts'
import { print, printf, println, typeName, wholeOf } from './format.ts'
import { toJson } from './json.ts'
import { TemplateError } from './lex.ts'
import { parseFloat } from './number.ts'
import { Duration, Location, Time, parseTime, saturated } from './time.ts'
import { title, titleOf } from './title.ts'
import { LONGEST } from './verbs.ts'
import { Complex, Dict, Kv, List, Safe, Struct, type Value, Whole } from './value.ts'

const any: Parameter = 'interface {}'

type Row = [
  parameters: readonly Parameter[],
  rest: Parameter | undefined,
  call: (args: Arguments, context: Context) => Value,
]

/** What text/template brings; `and` and `or` are the evaluator's own, since they need not look at all arguments. */
const ofLanguage: Record<string, Row> = {
  and: [[any], any, () => undefined],
  or: [[any], any, () => undefined],
  not: [[any], undefined, ({ values }) => !isTrue(values[0])],
  eq: [[any], any, ({ values }) => isEqual(values)],
  ne: [[any, any], undefined, ({ values }) => !isEqual(values)],
  lt: [[any, any], undefined, ({ values: [a, b] }) => isLess(a, b)],
  le: [[any, any], undefined, ({ values: [a, b] }) => isLess(a, b) || isEqual([a, b])],
  gt: [[any, any], undefined, ({ values: [a, b] }) => !isLess(a, b) && !isEqual([a, b])],
  ge: [[any, any], undefined, ({ values: [a, b] }) => !isLess(a, b)],
  len: [[any], undefined, ({ values }) => BigInt(lengthOf(values[0]))],
  index: [[any], any, ({ values: [value, ...keys] }) => keys.reduce(indexed, indexable(value))],
  slice: [[any], any, ({ values: [value, ...bounds] }) => sliced(value, bounds)],
  call: [[any], any, ({ values }) => notCallable(values[0])],
  print: [[], any, ({ values }) => print(values)],
  println: [[], any, ({ values }) => println(values)],
  printf: [['string'], any, (args) => printf(args.text(0), args.values.slice(1))],
  html: [[], any, ({ values }) => escapeHtml(joined(values))],
  js: [[], any, ({ values }) => escapeJs(joined(values))],
  urlquery: [[], any, ({ values }) => escapeQuery(joined(values))],
}

/** What Alertmanager adds (0.33, and 0.34's). */
const ofAlertmanager: Record<string, Row> = {
  toUpper: [['string'], undefined, (args) => mapCase(args.text(0), 'toUpperCase')],
  toLower: [['string'], undefined, (args) => mapCase(args.text(0), 'toLowerCase')],
  title: [['string'], undefined, (args) => title(args.text(0))],
  trimSpace: [['string'], undefined, (args) => trimSpace(args.text(0))],
  join: [['string', '[]string'], undefined, (args) => join(args.text(0), args.texts(1))],
  match: [['string', 'string'], undefined, (args, context) => matches(args.text(0), args.text(1), context)],
  reReplaceAll: [
    ['string', 'string', 'string'],
    undefined,
    (args, context) => replaceAll(args.text(0), args.text(1), args.text(2), context),
  ],
  stringSlice: [[], 'string', ({ values }) => new List(values, '[]string')],
  safeHtml: [['string'], undefined, (args) => new Safe(args.text(0), 'HTML')],
  safeUrl: [['string'], undefined, (args) => new Safe(args.text(0), 'URL')],
  urlUnescape: [['string'], undefined, (args) => unescapeQuery(args.text(0))],
  date: [['string', 'time.Time'], undefined, (args) => args.time(1).format(args.text(0))],
  tz: [['string', 'time.Time'], undefined, (args) => inZone(args.time(1), args.text(0))],
  now: [[], undefined, (_args, { at }) => new Time(BigInt(at) * 1_000_000n)],
  since: [
    ['time.Time'],
    undefined,
    (args, { at }) => new Duration(saturated(BigInt(at) * 1_000_000n - args.time(0).unixNano)),
  ],
  humanizeDuration: [[any], undefined, ({ values }) => humanizeDuration(values[0])],
  toJson: [[any], undefined, ({ values }) => toJson(values[0])],
  list: [[], any, ({ values }) => new List(values, '[]interface {}')],
  append: [['[]interface {}'], any, (args) => appended(args)],
  dict: [[], any, ({ values }) => dict(values)],
  toDate: [['string', 'string'], undefined, (args) => parseTime(args.text(0), args.text(1)) ?? zeroTime],
  mustToDate: [['string', 'string'], undefined, (args) => mustToDate(args.text(0), args.text(1))],
  base64encode: [['string'], undefined, (args) => base64(args.text(0))],
  base64decode: [['string'], undefined, (args) => unbase64(args.text(0))],
  routeLabels: [['string'], undefined, (args, { routeLabel }) => routeLabel(args.text(0))],
}

const zeroTime = Time.parse('0001-01-01T00:00:00Z')

function table(rows: Record<string, Row>): ReadonlyMap<string, Callable> {
  return new Map(
    Object.entries(rows).map(([name, [parameters, rest, call]]) => [name, { parameters, call, ...(rest && { rest }) }]),
  )
}

export const languageFunctions = table(ofLanguage)
export const functions: ReadonlyMap<string, Callable> = table({ ...ofLanguage, ...ofAlertmanager })

/** Go's idea of emptiness: what `if` takes for false. */
export function isTrue(value: Value): boolean {
  if (value instanceof List) return value.items.length > 0
  if (value instanceof Kv) return value.labels.size > 0
  if (value instanceof Dict) return value.entries.size > 0
  if (value instanceof Safe) return value.text !== ''
  if (value instanceof Complex) return value.real !== 0 || value.imaginary !== 0
  const whole = wholeOf(value)
  if (whole !== undefined) return whole !== 0n
  return typeof value === 'object' || Boolean(value) || Number.isNaN(value)
}

type Kind = 'bool' | 'integer' | 'float' | 'complex' | 'string'

function kindOf(value: Value): Kind | undefined {
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return 'float'
  if (typeof value === 'string' || value instanceof Safe) return 'string'
  if (value instanceof Complex) return 'complex'
  return wholeOf(value) === undefined ? undefined : 'integer'
}

/** What two values of one kind are compared by. */
function comparable(value: Value): boolean | number | string | bigint | undefined {
  if (value instanceof Safe) return value.text
  if (value instanceof Complex) return `${value.real} ${value.imaginary}`
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') return value
  return wholeOf(value)
}

function isEqual([first, ...others]: readonly Value[]): boolean {
  if (others.length === 0) throw new TemplateError('missing argument for comparison')
  return others.some((other) => {
    const [a, b] = [kindOf(first), kindOf(other)]
    if (a !== b) {
      if (first === undefined || other === undefined) return false
      throw new TemplateError(`incompatible types for comparison: ${typeName(first)} and ${typeName(other)}`)
    }
    if (a !== undefined) return comparable(first) === comparable(other)
    if (first === undefined || other === undefined) return first === other
    if (shapeOf(first) !== shapeOf(other)) {
      const one = printf('%s', [first])
      throw new TemplateError(`non-comparable types ${one}: ${typeName(first)}, ${typeName(other)}: ${print([other])}`)
    }
    const bothMayBeNil =
      (first instanceof List && other instanceof List) || (first instanceof Kv && other instanceof Kv)
    if (bothMayBeNil && (first.isNil || other.isNil)) return first.isNil && other.isNil
    if (first instanceof Location && other instanceof Location) return first === other
    if (!(other instanceof Time) && !(other instanceof Struct && other.type === 'template.Pair'))
      throw new TemplateError(`non-comparable type ${printf('%s', [other])}: ${typeName(other)}`)
    if (first instanceof Time && other instanceof Time)
      return first.unixNano === other.unixNano && first.location === other.location
    return typeName(first) === typeName(other) && print([first]) === print([other])
  })
}

/** Go's kinds of what is made of other values. */
function shapeOf(value: Value): string {
  return value instanceof List ? 'list' : value instanceof Kv || value instanceof Dict ? 'map' : 'struct'
}

function isLess(a: Value, b: Value): boolean {
  const [x, y] = [kindOf(a), kindOf(b)]
  if (x === undefined || y === undefined) throw new TemplateError('invalid type for comparison')
  if (x !== y) throw new TemplateError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`)
  const [left, right] = [comparable(a), comparable(b)]
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right
  if (typeof left === 'number' && typeof right === 'number' && x === 'float') return left < right
  if (typeof left === 'string' && typeof right === 'string' && x === 'string') return compareTexts(left, right) < 0
  throw new TemplateError('invalid type for comparison')
}

function compareTexts(a: string, b: string): number {
  const [x, y] = [toBytes(a), toBytes(b)]
  for (let i = 0; i < x.length && i < y.length; i++) if (x[i] !== y[i]) return (x[i] ?? 0) - (y[i] ?? 0)
  return x.length - y.length
}

/** A character to a byte. */
const ascii = /^[\0-\x7f]*$/

function lengthOf(value: Value): number {
  if (typeof value === 'string') return ascii.test(value) ? value.length : toBytes(value).length
  if (value instanceof Safe) return toBytes(value.text).length
  if (value instanceof List) return value.items.length
  if (value instanceof Kv) return value.labels.size
  if (value instanceof Dict) return value.entries.size
  if (value === undefined) throw new TemplateError('reflect: call of reflect.Value.Type on zero Value')
  throw new TemplateError(`len of type ${typeName(value)}`)
}

function indexable(value: Value): Value {
  if (value === undefined) throw new TemplateError('index of untyped nil')
  return value
}

function indexed(value: Value, key: Value): Value {
  if (value === undefined) throw new TemplateError('index of nil pointer')
  if (value instanceof Kv) return value.labels.get(keyOf(key)) ?? ''
  if (value instanceof Dict) return value.entries.get(keyOf(key))
  const isList = value instanceof List
  if (!isList && typeof value !== 'string' && !(value instanceof Safe))
    throw new TemplateError(`can't index item of type ${typeName(value)}`)
  const items = isList ? value.items : toBytes(value instanceof Safe ? value.text : value)
  const at = boundOf(key, items.length)
  if (at === items.length) throw new TemplateError(`reflect: ${isList ? 'slice' : 'string'} index out of range`)
  const item = items[at]
  return typeof item === 'number' && !isList ? new Whole(BigInt(item), 'uint8') : item
}

function keyOf(key: Value): string {
  if (typeof key === 'string') return key
  if (key === undefined) throw new TemplateError('value is nil; should be of type string')
  throw new TemplateError(`value has type ${typeName(key)}; should be string`)
}

function boundOf(key: Value, length: number): number {
  const whole = wholeOf(key)
  if (whole === undefined) {
    const what = key === undefined ? 'nil' : `type ${typeName(key)}`
    throw new TemplateError(`cannot index slice/array with ${what}`)
  }
  if (whole < 0n || whole > BigInt(length)) throw new TemplateError(`index out of range: ${whole}`)
  return Number(whole)
}

function sliced(value: Value, bounds: readonly Value[]): Value {
  if (value === undefined) throw new TemplateError('slice of untyped nil')
  if (bounds.length > 3) throw new TemplateError(`too many slice indexes: ${bounds.length}`)
  const isList = value instanceof List
  const text = value instanceof Safe ? value.text : value
  if (!isList && typeof text !== 'string') throw new TemplateError(`can't slice item of type ${typeName(value)}`)
  if (!isList && bounds.length === 3) throw new TemplateError('cannot 3-index slice a string')
  const bytes = typeof text !== 'string' ? '' : ascii.test(text) ? text : toBytes(text)
  const length = isList ? value.items.length : bytes.length
  const capacity = isList ? length + value.spare.length : length
  const given = bounds.map((bound) => boundOf(bound, capacity))
  const [from = 0, to = length, most = capacity] = given
  if (from > to) throw new TemplateError(`invalid slice index: ${from} > ${to}`)
  if (to > most) throw new TemplateError(`invalid slice index: ${to} > ${most}`)
  if (isList) {
    const all = value.spare.length > 0 ? [...value.items, ...value.spare] : value.items
    return new List(all.slice(from, to), value.type, value.isNil, all.slice(to, most))
  }
  const part = typeof bytes === 'string' ? bytes.slice(from, to) : toText(bytes.subarray(from, to))
  return value instanceof Safe ? new Safe(part, value.kind) : part
}

function notCallable(value: Value): never {
  throw new TemplateError(value === undefined ? 'call of nil' : `non-function of type ${typeName(value)}`)
}

/** The arguments of html, js and urlquery: side by side, as printed. */
function joined(values: readonly Value[]): string {
  return print(values.map((value) => (value === undefined ? '<no value>' : value)))
}

/** By code point and only where one becomes one: Go leaves `ß` as it is. */
function mapCase(value: string, how: 'toUpperCase' | 'toLowerCase'): string {
  if (ascii.test(value)) return value[how]()
  return Array.from(clean(value), (one) => {
    if (one === 'İ' && how === 'toLowerCase') return 'i'
    const mapped = one[how]()
    if ([...mapped].length === 1) return mapped
    const capital = how === 'toUpperCase' ? titleOf(one) : one
    return [...capital].length === 1 ? capital : one
  }).join('')
}

function trimSpace(value: string): string {
  let [from, to] = [0, value.length]
  while (from < to && isSpace(value.charCodeAt(from))) from += 1
  while (to > from && isSpace(value.charCodeAt(to - 1))) to -= 1
  return value.slice(from, to)
}

const isSpace = (code: number) => code === 0x20 || (code >= 9 && code <= 13) || (code >= 0x85 && spaces.has(code))
const spaces = new Set(
  [
    ...'\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
  ].map((one) => one.charCodeAt(0)),
)

export function join(separator: string, texts: readonly string[]): string {
  if (separator.length * texts.length > LONGEST) throw new TemplateError(`more than ${LONGEST} characters`)
  return texts.join(separator)
}

function matches(pattern: string, value: string, context: Context): boolean {
  const regex = compiled(pattern, '', context)
  context.spend(costOfMatch(regex.programSize(), value))
  return regex.matcher(value).find()
}

const patterns = new Map<string, ReturnType<typeof compile>>()
const MOST_PATTERNS = 500

/** Templates use the same few patterns for every alert. */
function compiled(pattern: string, where: string, { spend }: Context): ReturnType<typeof compile> {
  const known = patterns.get(pattern)
  if (known) return known
  spend(costOfPattern(pattern))
  try {
    const regex = compile(pattern)
    if (patterns.size >= MOST_PATTERNS) patterns.clear()
    patterns.set(pattern, regex)
    return regex
  } catch (error) {
    if (!(error instanceof RegexError)) throw error
    throw new TemplateError(where + error.message)
  }
}

const group = /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu

/** regexp's ReplaceAllString: `$1`, `${1}`, `$name`, `$$`. */
function replaceAll(pattern: string, replacement: string, value: string, context: Context): string {
  const regex = compiled(pattern, `regexp: Compile(\`${pattern}\`): `, context)
  context.spend(costOfMatch(regex.programSize(), value))
  const matcher = regex.matcher(value)
  const names = regex.namedGroups()
  const parts = [...replacement.matchAll(group)]
  let result = ''
  const add = (text: string | null) => {
    result += text ?? ''
    if (result.length > LONGEST) throw new TemplateError(`more than ${LONGEST} characters`)
  }
  let last = 0
  while (matcher.find()) {
    context.spend(10 + parts.length)
    // an empty match right behind the one before is none
    if (matcher.end() === matcher.start() && matcher.start() === last && last > 0) continue
    add(value.slice(last, matcher.start()))
    let end = 0
    for (const { 0: whole, 1: dollar, 2: braced, 3: bare, index } of parts) {
      add(replacement.slice(end, index))
      end = index + whole.length
      const name = braced ?? bare ?? ''
      const number = /^(?:0|[1-9]\d*)$/.test(name) ? Number(name) : names[name]
      if (dollar) add('$')
      else if (number !== undefined && number <= matcher.groupCount()) add(matcher.group(number))
    }
    add(replacement.slice(end))
    last = matcher.end()
  }
  return result + value.slice(last)
}

function unescapeQuery(value: string): string {
  if (!/[%+]/.test(value)) return value
  const bytes: number[] = []
  const given = toBytes(value)
  for (let i = 0; i < given.length; i++) {
    const byte = given[i] ?? 0
    if (byte === 0x25) {
      const digits = toText(given.subarray(i + 1, i + 3))
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) throw new TemplateError(`invalid URL escape ${quoteGo(`%${digits}`)}`)
      bytes.push(Number.parseInt(digits, 16))
      i += 2
    } else {
      bytes.push(byte === 0x2b ? 0x20 : byte)
    }
  }
  return toText(Uint8Array.from(bytes))
}

function inZone(time: Time, zone: string): Time {
  try {
    return time.in(zone)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const isPath = zone.includes('..') || /^[/\\]/.test(zone)
    throw new TemplateError(isPath ? 'time: invalid location name' : `unknown time zone ${zone}`)
  }
}

function mustToDate(layout: string, given: string): Time {
  const time = parseTime(layout, given)
  if (!time) throw new TemplateError(`parsing time ${quoteGo(given)} as ${quoteGo(layout)}: cannot parse`)
  return time
}

function appended({ values: [list, ...more] }: Arguments): List {
  const items = list instanceof List ? list.items : []
  const isNil = more.length === 0 && (!(list instanceof List) || list.isNil)
  const spare = list instanceof List ? list.spare.slice(more.length) : []
  return new List([...items, ...more], '[]interface {}', isNil, spare)
}

function dict(values: readonly Value[]): Dict {
  if (values.length % 2 !== 0) throw new TemplateError('dict requires an even number of arguments')
  const entries = new Map<string, Value>()
  for (let i = 0; i < values.length; i += 2) {
    const key = values[i]
    if (typeof key !== 'string') throw new TemplateError('dict keys must be strings')
    entries.set(key, values[i + 1])
  }
  return new Dict(entries)
}

function base64(value: string): string {
  const bytes = toBytes(value)
  let binary = ''
  // more at once is more than a call may have arguments
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_')
}

function unbase64(value: string): string {
  const wrong = /[^A-Za-z0-9_=\-\r\n]/.exec(value)
  try {
    if (wrong || value.replace(/[\r\n]/g, '').length % 4 !== 0) throw new RangeError()
    const binary = atob(value.replaceAll('-', '+').replaceAll('_', '/'))
    return toText(Uint8Array.from(binary, (c) => c.charCodeAt(0)))
  } catch {
    throw new TemplateError(`illegal base64 data at input byte ${wrong?.index ?? value.length}`)
  }
}

function humanizeDuration(value: Value): string {
  const given = secondsOf(value)
  if (!Number.isFinite(given)) return formatFloat(given, 'g', 4)
  if (given === 0) return Object.is(given, -0) ? '-0s' : '0s'
  const sign = given < 0 ? '-' : ''
  const size = Math.abs(given)
  if (size >= 1) {
    const whole = size < 2 ** 63 ? BigInt(Math.floor(size)) : -(2n ** 63n) // what Go makes of too large a float
    const [d, h, m, s] = [whole / 86_400n, (whole / 3600n) % 24n, (whole / 60n) % 60n, whole % 60n]
    if (d !== 0n) return `${sign}${d}d ${h}h ${m}m ${s}s`
    if (h !== 0n) return `${sign}${h}h ${m}m ${s}s`
    return m !== 0n ? `${sign}${m}m ${s}s` : `${sign}${formatFloat(size, 'g', 4)}s`
  }
  let [scaled, prefix] = [given, '']
  for (const next of ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']) {
    if (Math.abs(scaled) >= 1) break
    prefix = next
    scaled *= 1000
  }
  return `${formatFloat(scaled, 'g', 4)}${prefix}s`
}

function secondsOf(value: Value): number {
  if (typeof value === 'number') return value
  if (value instanceof Duration) return Number(value.ns) / 1e9
  if (typeof value === 'string') {
    const given = parseFloat(value)
    if (given !== undefined && (Number.isFinite(given) || /inf|nan/i.test(value))) return given
    const what = given === undefined ? 'invalid syntax' : 'value out of range'
    throw new TemplateError(`strconv.ParseFloat: parsing ${quoteGo(value)}: ${what}`)
  }
  if (typeof value === 'bigint' || (value instanceof Whole && value.type === 'int64')) return Number(wholeOf(value))
  throw new TemplateError(`can't convert ${typeName(value)} to float`)
}
