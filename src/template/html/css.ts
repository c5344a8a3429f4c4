import type { Value } from '../value.ts'
import { refused, toPrinted } from './printed.ts'
import { decodeStyle } from './style.ts'

/** In a string of CSS. */
export function escapeStyleString(value: Value): string {
  const { text } = toPrinted(value)
  return text.replace(/[\0\t\n\f\r"&'()+/:;<>\\{}]/g, (one, at: number) => {
    if (one === '\\') return '\\\\'
    // the blank ends the escape where what follows could belong to it
    const next = text[at + 1] ?? ' '
    return `\\${one.charCodeAt(0).toString(16)}${/[0-9a-fA-F\t\n\f\r ]/.test(next) ? ' ' : ''}`
  })
}

/** As a value of CSS: a keyword, a number, a colour, several of them; nothing that could be more. */
export function filterStyleValue(value: Value): string {
  const style = decodeStyle(toPrinted(value).text)
  if (/[\0"'()/;@[\\\]`{}<>]|--/.test(style)) return refused
  const letters = style.replace(/[^a-zA-Z0-9_]/g, '').toLowerCase()
  return letters.includes('expression') || letters.includes('mozbinding') ? refused : style
}
