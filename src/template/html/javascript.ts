import { stringOf } from '../format.ts'
import { toJson } from '../json.ts'
import { TemplateError } from '../lex.ts'
import { Time } from '../time.ts'
import type { Value } from '../value.ts'
import { toPrinted } from './printed.ts'

/** As an expression of a script. */
export function toScriptValue(value: Value): string {
  const named = value instanceof Time ? undefined : stringOf(value)
  try {
    const json = toJson(named ?? value)
    // a word or number must not run into its neighbours
    return /^[$0-9A-Z_a-z]|[$0-9A-Z_a-z]$/.test(json) ? ` ${json} ` : json
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return ` /* ${error.message} */null `
  }
}

const short: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '/': '\\/', '\\': '\\\\' }

function unicode(one: string): string {
  return `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** In a string of a script. */
export function escapeScriptString(value: Value): string {
  return toPrinted(value).text.replace(/[\0-\x1f"`&'+/<>\\\u2028\u2029]/g, (one) => short[one] ?? unicode(one))
}

/** In a template literal of a script. */
export function escapeScriptTemplate(value: Value): string {
  return escapeScriptString(value).replace(/[${}]/g, unicode)
}

/** In a regexp of a script. */
export function escapeScriptRegexp(value: Value): string {
  const { text } = toPrinted(value)
  if (text === '') return '(?:)' // `//` would be a comment
  return text.replace(/[\0-\x1f"$&'()*+\-./<>?[\\\]^{|}\u2028\u2029]/g, (one) => {
    if (/[$()*\-.?[\]^{|}]/.test(one)) return `\\${one}`
    return short[one] ?? unicode(one)
  })
}
