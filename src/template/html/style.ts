import { quoteGo } from '../../model/quote.ts'
import { type Context, inError } from './context.ts'
import { type Step, spaces, url } from './step.ts'

/** CSS outside of its strings, URLs and comments. */
export function style(context: Context, text: string): Step {
  const specials = /[("'/]/g
  for (let found = specials.exec(text); found; found = specials.exec(text)) {
    const at = found.index
    switch (found[0]) {
      case '(': {
        if (!endsWithUrl(text.slice(0, at))) break
        const start = at + 1 + spaces(text.slice(at + 1))
        if (text[start] === '"') return [{ ...context, state: 'CSSDqURL' }, start + 1]
        if (text[start] === "'") return [{ ...context, state: 'CSSSqURL' }, start + 1]
        return [{ ...context, state: 'CSSURL' }, start]
      }
      case '/':
        if (text[at + 1] === '/') return [{ ...context, state: 'CSSLineCmt' }, at + 2]
        if (text[at + 1] === '*') return [{ ...context, state: 'CSSBlockCmt' }, at + 2]
        break
      case '"':
        return [{ ...context, state: 'CSSDqStr' }, at + 1]
      default:
        return [{ ...context, state: 'CSSSqStr' }, at + 1]
    }
  }
  return [context, text.length]
}

/** Whether a text ends in the keyword, and not in a longer name. */
function endsWithUrl(text: string): boolean {
  let end = text.length
  while (end > 0 && '\t\n\f\r '.includes(text[end - 1] ?? 'none')) end -= 1
  if (text.slice(Math.max(0, end - 3), end).toLowerCase() !== 'url') return false
  return !/(?:[a-zA-Z0-9_-]|[^\0-\x7f\ud800-\udfff\ufffe\uffff])$/u.test(text.slice(Math.max(0, end - 5), end - 3))
}

const ends = new Map([
  ['CSSDqStr', /[\\"]/g],
  ['CSSDqURL', /[\\"]/g],
  ['CSSSqStr', /[\\']/g],
  ['CSSSqURL', /[\\']/g],
])

/** A string or a URL: a string is mostly a URL too. */
export function styleText(context: Context, text: string): Step {
  const specials = new RegExp(ends.get(context.state) ?? /[\\\t\n\f\r )]/g)
  let inside = context
  let escapeAt = 0
  let start = 0
  for (let found = specials.exec(text); found; found = specials.exec(text)) {
    if (found[0] !== '\\') return [{ ...inside, state: 'CSS' }, found.index + 1]
    const end = found.index + 2
    if (end > text.length) return [inError(`unfinished escape sequence in CSS string: ${quoteGo(text)}`), text.length]
    // the escape before is whole now, this one is taken up to its first character, as html/template does
    const part = decodeStyle(text.slice(escapeAt, found.index)) + decodeStyle(text.slice(found.index, end))
    inside = url(inside, part)[0]
    escapeAt = found.index
    start = end
    specials.lastIndex = end
  }
  return [url(inside, decodeStyle(text.slice(start)))[0], text.length]
}

/** CSS with its escapes undone. */
export function decodeStyle(text: string): string {
  if (!text.includes('\\')) return text
  let decoded = ''
  for (let at = 0; at < text.length;) {
    if (text[at] !== '\\') {
      decoded += text[at++]
      continue
    }
    if (at + 1 === text.length) break
    let [digits = ''] = /^[0-9a-fA-F]{0,6}/.exec(text.slice(at + 1, at + 7)) ?? []
    if (digits === '') {
      const one = String.fromCodePoint(text.codePointAt(at + 1) ?? 0)
      decoded += one
      at += 1 + one.length
      continue
    }
    if (Number.parseInt(digits, 16) > 0x10ffff) digits = digits.slice(0, -1)
    const code = Number.parseInt(digits, 16)
    decoded += code >= 0xd800 && code < 0xe000 ? '\ufffd' : String.fromCodePoint(code)
    at += 1 + digits.length
    // one blank ends the escape
    at += /^(?:\r\n|[\t\n\f\r ])?/.exec(text.slice(at, at + 2))?.[0].length ?? 0
  }
  return decoded
}
