import { quoteGo } from '../../model/quote.ts'
import type { Context } from './context.ts'

/** The context behind a first part of a text, and that part's length. */
export type Step = readonly [context: Context, length: number]

/** The beginning of a text, for messages. */
export function excerpt(text: string): string {
  return quoteGo([...text].slice(0, 32).join(''))
}

/** How much white space a text begins with. */
export function spaces(text: string): number {
  return /^[ \t\n\f\r]*/.exec(text)?.[0].length ?? 0
}

/** Which part of a URL is reached behind a text that belongs to it. */
export function url(context: Context, text: string): Step {
  if (/[#?]/.test(text)) return [{ ...context, urlPart: 'QueryOrFrag' }, text.length]
  const begins = context.urlPart === 'None' && spaces(text) < text.length
  return [begins ? { ...context, urlPart: 'PreQuery' } : context, text.length]
}
