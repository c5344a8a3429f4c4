import { Plain } from '../model/plain.ts'
import { TemplateError } from './lex.ts'

const DEEPEST = 100

/** How the texts of a structured setting are rendered; `field` is the text's place: `payload.alerts[0].text`. */
export interface Rendering {
  /** A text's value: rendered, then decoded. */
  value(text: string, field: string): unknown
  key(text: string, field: string): string
}

/**
 * A structured setting (webhook `payload`, PagerDuty `details`) as JSON: every text in it, keys too, is
 * rendered. Throws TemplateError.
 */
export function structure(value: unknown, field: string, rendering: Rendering, depth = 0): unknown {
  if (depth > DEEPEST) throw new TemplateError(`the structure nests deeper than ${DEEPEST} levels`)
  const inner = (part: unknown, place: string) => structure(part, place, rendering, depth + 1)
  if (value instanceof Plain) return finite(value.value)
  if (typeof value === 'string') return finite(rendering.value(value, field))
  if (Array.isArray(value)) return value.map((part, i) => inner(part, `${field}[${i}]`))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      rendering.key(key, `a key of ${field}`),
      inner(part, `${field}.${key}`),
    ]),
  )
}

function finite(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TemplateError(`JSON has no number ${value}`)
  return value
}
