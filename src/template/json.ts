import { clean } from '../model/bytes.ts'
import { formatFloat } from './float.ts'
import { typeName, wholeOf } from './format.ts'
import { TemplateError } from './lex.ts'
import { Location, Time } from './time.ts'
import { Complex, Dict, Kv, List, Safe, Struct, type Value } from './value.ts'

/** Compact JSON as Go writes it: map keys sorted, `< > &` and U+2028/9 escaped. Throws TemplateError. */
export function toJson(value: Value): string {
  return write(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function write(value: Value): string {
  if (value === undefined) return 'null'
  if (typeof value === 'string') return JSON.stringify(clean(value))
  if (value instanceof Safe) return JSON.stringify(clean(value.text))
  if (typeof value === 'boolean') return String(value)
  const whole = wholeOf(value)
  if (whole !== undefined) return String(whole)
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : JSON.stringify(value)
    throw new TemplateError(`json: unsupported value: ${formatFloat(value, 'g', -1)}`)
  }
  if (value instanceof Location) return '{}'
  if (value instanceof List) return value.isNil ? 'null' : `[${value.items.map(write).join(',')}]`
  if (value instanceof Kv) return value.isNil ? 'null' : object(value.keys().map((key) => [key, value.labels.get(key)]))
  if (value instanceof Dict) return object(value.keys().map((key) => [key, value.entries.get(key)]))
  if (value instanceof Struct) return object([...value.json].map(([field, name]) => [name, value.field(field)]))
  if (value instanceof Time) {
    const year = value.local.getUTCFullYear()
    if (year >= 0 && year <= 9999) return JSON.stringify(value.toJSON())
    throw new TemplateError('json: error calling MarshalJSON for type *time.Time: year outside of range [0,9999]')
  }
  if (value instanceof Complex) throw new TemplateError(`json: unsupported type: ${typeName(value)}`)
  return 'null'
}

function object(entries: readonly (readonly [string, Value])[]): string {
  return `{${entries.map(([key, value]) => `${JSON.stringify(clean(key))}:${write(value)}`).join(',')}}`
}
