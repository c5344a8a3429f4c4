import { MatcherError } from './error.ts'
import { type Matcher, matcher } from './matcher.ts'

/**
 * The classic grammar's list: each of one `{` and one `}` may be there, pieces are split at commas outside quotes.
 * Throws MatcherError or RegexError.
 */
export function parseClassic(text: string): Matcher[] {
  const inner = text.replace(/^\{/, '').replace(/\}$/, '')
  const pieces: string[] = []
  let start = 0
  let quoted = false
  let escaped = false
  for (let i = 0; i < inner.length; i++) {
    const character = inner[i]
    if (character === ',' && !quoted) {
      pieces.push(inner.slice(start, i))
      start = i + 1
    } else if (character === '"' && !escaped) {
      quoted = !quoted
    }
    // a backslash before a comma waits for what comes next, as in Alertmanager
    if (character !== ',') escaped = character === '\\' && !escaped
  }
  const last = trim(inner.slice(start)) // only this one may stand between odd spaces
  if (last !== '') pieces.push(last)
  return pieces.map(parseClassicOne)
}

const space = /\p{White_Space}/u

/** What Go trims, which is not what JavaScript trims: U+0085 is space and U+FEFF is none. */
function trim(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && space.test(text[start] ?? '')) start += 1
  while (end > start && space.test(text[end - 1] ?? '')) end -= 1
  return text.slice(start, end)
}

const pattern = /^[ \t\n\f\r]*([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t\n\f\r]*(=~|=|!=|!~)[ \t\n\f\r]*([^]*)$/
const loneSurrogate = /\p{Surrogate}/u

/** The classic grammar's single matcher. */
export function parseClassicOne(text: string): Matcher {
  const [, name, operator, rest = ''] = pattern.exec(text) ?? []
  if (name === undefined || operator === undefined) {
    throw new MatcherError(text, 'expected a name of letters, digits, _ or :, then =, !=, =~ or !~, then a value')
  }
  const value = valueOf(text, rest.slice(0, endWithoutSpace(rest)))
  return matcher(name, value, { isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') })
}

function endWithoutSpace(text: string): number {
  let end = text.length
  while (end > 0 && ' \t\n\f\r'.includes(text[end - 1] ?? '')) end -= 1
  return end
}

function valueOf(text: string, written: string): string {
  const quoted = written.startsWith('"')
  let value = ''
  let closed = false
  for (let i = quoted ? 1 : 0; i < written.length; i++) {
    const character = written[i] ?? ''
    if (closed || (character === '"' && !quoted)) {
      throw new MatcherError(text, `${written} contains an unescaped double quote`, 'write it as \\"')
    }
    if (character === '\\') {
      const next = written[i + 1] ?? ''
      value += next === 'n' ? '\n' : next === '"' || next === '\\' ? next : `\\${next}`
      i += 1
    } else if (character === '"') {
      closed = true
    } else {
      value += character
    }
  }
  if (quoted && !closed) throw new MatcherError(text, `${written} lacks its end "`)
  if (loneSurrogate.test(value)) throw new MatcherError(text, 'the value is not valid UTF-8')
  return value
}
