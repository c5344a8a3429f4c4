import { toBytes } from '../model/bytes.ts'
import { isPrintable, quoteGo, quoteRune } from '../model/quote.ts'
import { formatFloat } from './float.ts'
import { Duration, Time, days, months } from './time.ts'
import { Complex, Dict, Kv, List, Safe, Struct, type Value, Whole } from './value.ts'

// Go's fmt (https://pkg.go.dev/fmt), as far as templates reach it.

/** What fits a verb badly is printed as such, never raised. What a width may ask for is bounded as Go bounds it. */
const WIDEST = 1_000_000

interface Flags {
  minus: boolean
  plus: boolean
  sharp: boolean
  space: boolean
  zero: boolean
  width: number | undefined
  precision: number | undefined
}
const noFlags: Flags = {
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
}

/** Sprint: a space between two operands of which neither is a text. */
export function print(values: readonly Value[]): string {
  return values
    .map((value, i) => (i > 0 && !isText(value) && !isText(values[i - 1]) ? ' ' : '') + format('v', value, noFlags))
    .join('')
}

/** Sprintln. */
export function println(values: readonly Value[]): string {
  return `${values.map((value) => format('v', value, noFlags)).join(' ')}\n`
}

/** Sprintf. */
export function printf(pattern: string, args: readonly Value[]): string {
  const characters = [...pattern]
  let text = ''
  let next = 0 // of args
  let reordered = false
  let goodIndex = true
  let at = 0

  /** `[3]`: which argument comes next. */
  const readIndex = (): boolean => {
    if (characters[at] !== '[') return false
    reordered = true
    const end = characters.indexOf(']', at)
    if (end === -1) {
      goodIndex = false
      at += 1
      return false
    }
    const digits = characters.slice(at + 1, end).join('')
    at = end + 1
    const index = /^\d+$/.test(digits) ? Number(digits) - 1 : -1
    if (index < 0 || index >= args.length) {
      goodIndex = false
      return false
    }
    next = index
    return true
  }
  const readNumber = (): number | undefined => {
    let digits = ''
    while (/^\d$/.test(characters[at] ?? '')) digits += characters[at++]
    if (digits === '') return undefined
    return Number(digits) > WIDEST ? undefined : Number(digits)
  }
  /** The number that `*` stands for. */
  const takeNumber = (): number | undefined => {
    const value = args[next]
    if (next < args.length) next += 1
    const number = wholeOf(value)
    if (number === undefined || value instanceof Duration || number > WIDEST || number < -WIDEST) return undefined
    return Number(number)
  }

  while (at < characters.length) {
    if (characters[at] !== '%') {
      text += characters[at++]
      continue
    }
    at += 1
    const flags = { ...noFlags }
    goodIndex = true
    let afterIndex = false
    for (; '#0+- '.includes(characters[at] ?? 'none'); at++) {
      const flag = characters[at]
      flags.sharp ||= flag === '#'
      flags.zero ||= flag === '0'
      flags.plus ||= flag === '+'
      flags.minus ||= flag === '-'
      flags.space ||= flag === ' '
    }
    afterIndex = readIndex()
    if (characters[at] === '*') {
      at += 1
      flags.width = takeNumber()
      if (flags.width === undefined) text += '%!(BADWIDTH)'
      else if (flags.width < 0) {
        flags.width = -flags.width
        flags.minus = true
      }
      afterIndex = false
    } else {
      const width = readNumber()
      if (width !== undefined) {
        if (afterIndex) goodIndex = false
        flags.width = width
      }
    }
    if (characters[at] === '.') {
      at += 1
      if (afterIndex) goodIndex = false
      afterIndex = readIndex()
      if (characters[at] === '*') {
        at += 1
        const precision = takeNumber()
        flags.precision = precision !== undefined && precision < 0 ? undefined : precision
        if (flags.precision === undefined) text += '%!(BADPREC)'
        afterIndex = false
      } else {
        flags.precision = readNumber() ?? 0
      }
    }
    if (!afterIndex) afterIndex = readIndex()
    const verb = characters[at]
    if (verb === undefined) {
      text += '%!(NOVERB)'
      break
    }
    at += 1
    if (verb === '%') text += '%'
    else if (!goodIndex) text += `%!${verb}(BADINDEX)`
    else if (next >= args.length) text += `%!${verb}(MISSING)`
    else text += format(verb, args[next++], flags)
  }

  if (reordered || next >= args.length) return text
  const extra = args
    .slice(next)
    .map((arg) => (arg === undefined ? '<nil>' : `${typeName(arg)}=${format('v', arg, noFlags)}`))
  return `${text}%!(EXTRA ${extra.join(', ')})`
}

/** A value by a verb. */
function format(verb: string, value: Value, flags: Flags): string {
  if (value === undefined) return verb === 'v' || verb === 'T' ? pad('<nil>', flags) : `%!${verb}(<nil>)`
  if (verb === 'T') return pad(typeName(value), flags)
  return formatValue(verb, value, flags, true)
}

function formatValue(verb: string, value: Value, flags: Flags, methods: boolean): string {
  const bad = () =>
    `%!${verb}(${value === undefined ? '<nil>' : `${typeName(value)}=${formatValue('v', value, flags, false)}`})`
  const goSyntax = verb === 'v' && flags.sharp
  if (value === undefined) return goSyntax ? 'interface {}(nil)' : '<nil>'
  if (methods && goSyntax && value instanceof Time) return goTime(value)
  if (methods && !goSyntax && 'vsxXq'.includes(verb)) {
    const text = stringOf(value)
    if (text !== undefined) return formatText(verb, text, flags, bad)
  }
  if (typeof value === 'string') return formatText(verb, value, flags, bad)
  if (value instanceof Safe) return formatText(verb, value.text, flags, bad)
  if (typeof value === 'boolean') return verb === 't' || verb === 'v' ? pad(String(value), flags) : bad()
  if (typeof value === 'number') return formatNumber(verb, value, flags, bad)
  if (value instanceof Complex)
    return /^[vbgGxXfFeE]$/.test(verb)
      ? `(${formatNumber(verb, 0, flags, bad)}${formatNumber(verb, value.imaginary, { ...flags, plus: true }, bad)}i)`
      : bad()
  const whole = wholeOf(value)
  if (whole !== undefined) return formatWhole(verb, whole, flags, bad)

  const inner = (part: Value) => formatValue(verb, part, flags, methods)
  const separator = goSyntax ? ', ' : ' '
  if (value instanceof List) {
    const items = value.items.map(inner).join(separator)
    return goSyntax ? `${value.type}{${items}}` : `[${items}]`
  }
  if (value instanceof Kv || value instanceof Dict) {
    const entries: [string, Value][] =
      value instanceof Kv
        ? value
            .names()
            .sort()
            .map((name) => [name, value.labels.get(name)])
        : value.keys().map((key) => [key, value.entries.get(key)])
    const body = entries.map(([key, part]) => `${inner(key)}:${inner(part)}`).join(separator)
    return goSyntax ? `${typeName(value)}{${body}}` : `map[${body}]`
  }
  if (value instanceof Struct) {
    const named = goSyntax || (verb === 'v' && flags.plus)
    const body = [...value.fields].map(([name, part]) => (named ? `${name}:` : '') + inner(part)).join(separator)
    return goSyntax ? `${value.type}{${body}}` : `{${body}}`
  }
  return bad() // a time's own fields are nobody's business
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
      .map((item) =>
        item instanceof Struct ? `${print([item.fields.get('Name')])}=${print([item.fields.get('Value')])}` : '',
      )
      .join(', ')
  }
  if (value instanceof Time || value instanceof Duration) return value.toString()
  if (value instanceof Whole && value.type === 'time.Month') return months[Number(value.value) - 1]
  if (value instanceof Whole && value.type === 'time.Weekday') return days[Number(value.value)]
  return undefined
}

function goTime(time: Time): string {
  const { local } = time
  const parts = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds(), time.nanosecond]
  const place = time.place === 'UTC' ? 'time.UTC' : `time.Location(${quoteGo(String(time.place))})`
  return `time.Date(${local.getUTCFullYear()}, time.${months[local.getUTCMonth()]}, ${local.getUTCDate()}, ${parts.join(', ')}, ${place})`
}

function formatText(verb: string, value: string, flags: Flags, bad: () => string): string {
  const { precision } = flags
  const cut = (text: string) => (precision === undefined ? text : [...text].slice(0, precision).join(''))
  switch (verb) {
    case 'v':
      return flags.sharp ? quoted(value, flags) : pad(cut(value), flags)
    case 's':
      return pad(cut(value), flags)
    case 'q':
      return quoted(cut(value), flags)
    case 'x':
    case 'X':
      return hexOf(verb, value, flags)
    default:
      return bad()
  }
}

function quoted(value: string, flags: Flags): string {
  const canRaw = !/[`\p{Cc}\ufeff\p{Surrogate}]/u.test(value.replaceAll('\t', ''))
  return pad(flags.sharp && canRaw ? `\`${value}\`` : quoteGo(value, flags.plus), flags)
}

function hexOf(verb: string, value: string, flags: Flags): string {
  const bytes = [...toBytes(value)].slice(0, flags.precision)
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0'))
  const prefix = flags.sharp ? '0x' : ''
  const text = flags.space
    ? digits.map((pair) => prefix + pair).join(' ')
    : (digits.length > 0 ? prefix : '') + digits.join('')
  return pad(verb === 'X' ? text.toUpperCase() : text, flags)
}

function formatNumber(verb: string, value: number, flags: Flags, bad: () => string): string {
  const letter = verb === 'v' ? 'g' : verb.toLowerCase()
  if (letter !== 'e' && letter !== 'f' && letter !== 'g') return bad()
  const text = formatFloat(value, letter, flags.precision ?? (letter === 'g' ? -1 : 6))
  const isUpper = verb === 'E' || verb === 'G'
  const signed = /^[+-]/.test(text) ? text : `+${text}`
  const digits = (isUpper ? signed.toUpperCase() : signed).slice(1)
  const isFinite = Number.isFinite(value)
  const sign = signed.startsWith('-') ? '-' : flags.plus ? '+' : flags.space ? ' ' : ''
  if (!isFinite) {
    const word = Number.isNaN(value) ? 'NaN' : 'Inf'
    return pad((value === Infinity && !sign ? '+' : sign) + word, { ...flags, zero: false })
  }
  const body = flags.sharp && verb !== 'v' ? withPoint(digits, letter, flags.precision) : digits
  if (flags.zero && !flags.minus && flags.width !== undefined && sign !== '')
    return sign + body.padStart(flags.width - sign.length, '0')
  return pad(sign + body, flags)
}

/** `#`: always a decimal point, and with g no zeros taken away. */
function withPoint(digits: string, letter: string, precision: number | undefined): string {
  const [mantissa = '', exponent] = digits.split(/(?=e)/i)
  const pointed = mantissa.includes('.') ? mantissa : `${mantissa}.`
  if (letter !== 'g') return pointed + (exponent ?? '')
  const wanted = precision ?? 6
  const significant = pointed.replace('.', '').replace(/^0+/, '').length
  return pointed + '0'.repeat(Math.max(0, wanted - significant)) + (exponent ?? '')
}

function formatWhole(verb: string, value: bigint, flags: Flags, bad: () => string): string {
  switch (verb) {
    case 'v':
    case 'd':
      return integer(value, 10, verb, flags)
    case 'b':
      return integer(value, 2, verb, flags)
    case 'o':
    case 'O':
      return integer(value, 8, verb, flags)
    case 'x':
    case 'X':
      return integer(value, 16, verb, flags)
    case 'c':
      return pad(character(value), flags)
    case 'q':
      return pad(quoteRune(character(value), flags.plus), flags)
    case 'U': {
      const code = `U+${value
        .toString(16)
        .toUpperCase()
        .padStart(Math.max(4, flags.precision ?? 4), '0')}`
      return pad(flags.sharp && isPrintable(character(value)) ? `${code} '${character(value)}'` : code, {
        ...flags,
        zero: false,
      })
    }
    default:
      return bad()
  }
}

function integer(value: bigint, base: number, verb: string, flags: Flags): string {
  const { precision, width, zero, minus, plus, space, sharp } = flags
  const sign = value < 0n ? '-' : plus ? '+' : space ? ' ' : ''
  const noZero = { ...flags, zero: false }
  if (precision === 0 && value === 0n) return pad('', noZero)
  let least = precision ?? 0
  if (precision === undefined && zero && !minus && width !== undefined) least = width - sign.length
  const magnitude = (value < 0n ? -value : value).toString(base)
  let digits = (verb === 'X' ? magnitude.toUpperCase() : magnitude).padStart(least, '0')
  if (sharp && base === 2) digits = `0b${digits}`
  if (sharp && base === 8 && !digits.startsWith('0')) digits = `0${digits}`
  if (sharp && base === 16) digits = `0${verb}${digits}`
  if (verb === 'O') digits = `0o${digits}`
  return pad(sign + digits, noZero)
}

function character(value: bigint): string {
  const isRune = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value < 0xe000n)
  return isRune ? String.fromCodePoint(Number(value)) : '\ufffd'
}

/** In code points, on the left unless `-`. */
function pad(text: string, { width, minus, zero }: Flags): string {
  if (width === undefined) return text
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (minus) return text + ' '.repeat(missing)
  return (zero ? '0' : ' ').repeat(missing) + text
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
  return value.type
}
