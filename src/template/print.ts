import { quoteGo } from '../match/matcher.ts'
import { TemplateError } from './lex.ts'
import { Duration, Time } from './time.ts'
import { Dict, Kv, List, Struct, type Value } from './value.ts'

/** A value as `{{ v }}` prints it. */
export function print(value: Value, inside = false): string {
  if (value === undefined) return inside ? '<nil>' : '<no value>'
  if (typeof value === 'number') return printFloat(value)
  if (value instanceof List) return `[${value.items.map((item) => print(item, true)).join(' ')}]`
  if (value instanceof Dict)
    return `map[${value
      .keys()
      .map((key) => `${key}:${print(value.entries.get(key), true)}`)
      .join(' ')}]`
  if (value instanceof Struct) return `{${[...value.fields.values()].map((field) => print(field, true)).join(' ')}}`
  return String(value)
}

/** The shortest digits that read back, with an exponent below -4 and from `large` on (strconv's 'g'). */
export function printFloat(value: number, large = 6): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power < -4 || power >= large)
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  return value.toLocaleString('en-US', { useGrouping: false, maximumSignificantDigits: 21 }).replace(/^-0$/, '-0')
}

/** The values side by side, with a space between two that are both no text. */
export function printAll(values: readonly Value[]): string {
  return values
    .map(
      (value, i) => (i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string' ? ' ' : '') + print(value),
    )
    .join('')
}

const verb = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(.)?/gsu

/** Go's Sprintf. What does not fit its verb is printed as such, never raised. */
export function printf(format: string, args: readonly Value[]): string {
  let next = 0
  const take = () => args[next++]
  const text = format.replace(
    verb,
    (whole, flags: string, width: string | undefined, precision: string | undefined, letter: string | undefined) => {
      if (letter === '%') return '%'
      if (letter === undefined) return '%!(NOVERB)'
      const wide = width === '*' ? Number(take()) : Number(width ?? 0)
      const precise = precision === '*' ? Number(take()) : whole.includes('.') ? Number(precision ?? 0) : undefined
      if (next >= args.length) return `%!${letter}(MISSING)`
      const value = take()
      return fill(formatOne(letter, value, flags, precise), wide, flags, typeof value !== 'string')
    },
  )
  if (next >= args.length || /%\[\d/.test(format)) return text
  return `${text}%!(EXTRA ${args
    .slice(next)
    .map((value) => `${typeName(value)}=${print(value, true)}`)
    .join(', ')})`
}

function fill(text: string, width: number, flags: string, isNumber: boolean): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text
  const sign = /^[+-]/.test(text) ? text.slice(0, 1) : ''
  return sign + '0'.repeat(missing) + text.slice(sign.length)
}

function formatOne(letter: string, value: Value, flags: string, precision: number | undefined): string {
  const wrong = `%!${letter}(${typeName(value)}=${print(value, true)})`
  const plus = flags.includes('+') && (typeof value === 'bigint' || typeof value === 'number') && value >= 0 ? '+' : ''
  switch (letter) {
    case 'v':
      if (typeof value === 'string' && flags.includes('#')) return quoteGo(value)
      return plus + print(value, true)
    case 'T':
      return typeName(value)
    case 's': {
      if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return wrong
      if (value === undefined) return '%!s(<nil>)'
      const text = print(value, true)
      return precision === undefined ? text : [...text].slice(0, precision).join('')
    }
    case 'q':
      return typeof value === 'string'
        ? quoteGo(value)
        : typeof value === 'bigint'
          ? `'${String.fromCodePoint(Number(value))}'`
          : wrong
    case 't':
      return typeof value === 'boolean' ? String(value) : wrong
    case 'd':
      return typeof value === 'bigint' ? plus + String(value) : wrong
    case 'b':
    case 'o':
      return typeof value === 'bigint' ? plus + value.toString(letter === 'b' ? 2 : 8) : wrong
    case 'c':
      return typeof value === 'bigint' ? String.fromCodePoint(Number(value)) : wrong
    case 'U':
      return typeof value === 'bigint' ? `U+${value.toString(16).toUpperCase().padStart(4, '0')}` : wrong
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'bigint'
          ? value.toString(16)
          : typeof value === 'string'
            ? [...new TextEncoder().encode(value)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
            : undefined
      if (hex === undefined) return wrong
      return plus + (flags.includes('#') ? `0${letter}` : '') + (letter === 'X' ? hex.toUpperCase() : hex)
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
      if (typeof value !== 'number') return wrong
      if (letter === 'f' || letter === 'F') return plus + value.toFixed(precision ?? 6)
      if (letter === 'e' || letter === 'E') {
        const text = value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2')
        return plus + (letter === 'E' ? text.toUpperCase() : text)
      }
      return (
        plus +
        (precision === undefined
          ? printFloat(value)
          : printFloat(Number(value.toPrecision(precision || 1)), precision || 1))
      )
    }
    default:
      return wrong
  }
}

/** Go's name of a value's type. */
export function typeName(value: Value): string {
  if (value === undefined) return '<nil>'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (value instanceof Kv) return 'template.KV'
  if (value instanceof Dict) return 'map[string]interface {}'
  if (value instanceof Struct) return value.type
  if (value instanceof Time) return 'time.Time'
  if (value instanceof Duration) return 'time.Duration'
  if (value.of === 'string') return '[]string'
  if (value.of === 'any') return '[]interface {}'
  return value.of === 'Alert' ? 'template.Alerts' : 'template.Pairs'
}

/** Compact JSON as Go writes it: map keys sorted, `< > &` and U+2028/9 escaped. */
export function toJson(value: Value): string {
  return write(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function write(value: Value): string {
  if (value === undefined) return 'null'
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TemplateError(`json: unsupported value: ${printFloat(value)}`)
    return JSON.stringify(value)
  }
  if (value instanceof List) return `[${value.items.map(write).join(',')}]`
  if (value instanceof Kv) {
    return `{${value
      .names()
      .sort()
      .map((name) => `${JSON.stringify(name)}:${JSON.stringify(value.labels.get(name))}`)
      .join(',')}}`
  }
  if (value instanceof Dict)
    return `{${value
      .keys()
      .map((key) => `${JSON.stringify(key)}:${write(value.entries.get(key))}`)
      .join(',')}}`
  if (value instanceof Struct) {
    return `{${[...value.json].map(([field, name]) => `${JSON.stringify(name)}:${write(value.fields.get(field))}`).join(',')}}`
  }
  if (value instanceof Duration) return String(value.ns)
  return JSON.stringify(value)
}
