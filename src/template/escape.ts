import { isStray, toBytes } from '../model/bytes.ts'
import { isPrintable } from '../model/quote.ts'

// The escapes that Go's text/template has as functions.

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\ufffd',
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (c) => entities[c] ?? c)
}

const quoted = new Set(['\\', "'", '"'])
const markup = new Set(['<', '>', '&', '='])

export function escapeJs(text: string): string {
  return Array.from(text, (one) => {
    if (quoted.has(one)) return `\\${one}`
    if (one === '\x7f' || isStray(one) || (isPrintable(one) && !markup.has(one))) return one
    const code = one.codePointAt(0) ?? 0
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
  }).join('')
}

/** What each byte is in a query. */
const queryBytes = Array.from({ length: 256 }, (_, byte) => {
  const one = String.fromCharCode(byte)
  if (/[A-Za-z0-9_.~-]/.test(one)) return one
  return one === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

/** net/url's QueryEscape. */
export function escapeQuery(text: string): string {
  if (/^[A-Za-z0-9_.~-]*$/.test(text)) return text
  let escaped = ''
  for (const byte of toBytes(text)) escaped += queryBytes[byte]
  return escaped
}
