import { Plain } from '../model/plain.ts'
import { TemplateError } from './lex.ts'

const DEEPEST = 100

/**
 * A structured setting (webhook `payload`, PagerDuty `details`) as JSON: every text in it, keys too, is
 * rendered and then decoded. Throws TemplateError.
 */
export function structure(
  value: unknown,
  render: (text: string) => string,
  decode: (text: string) => unknown,
  depth = 0,
): unknown {
  if (depth > DEEPEST) throw new TemplateError(`the structure nests deeper than ${DEEPEST} levels`)
  const inner = (part: unknown) => structure(part, render, decode, depth + 1)
  if (value instanceof Plain) return finite(value.value)
  if (typeof value === 'string') return finite(decode(render(value)))
  if (Array.isArray(value)) return value.map(inner)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [render(key), inner(part)]))
}

function finite(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TemplateError(`JSON has no number ${value}`)
  return value
}
