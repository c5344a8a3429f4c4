import { type Matcher, formatMatchers, matcher } from './matcher.ts'
import type { MatcherMode } from './mode.ts'
import { isStray } from '../model/bytes.ts'
import { unquoteGo } from '../model/quote.ts'

/** A text that is no matcher, in Alertmanager's words where it has some. */
export class MatcherError extends Error {
  override readonly name = 'MatcherError'
}

export interface Parsed {
  matchers: Matcher[]
  warning?: string
}

/**
 * The matchers of one text, such as `severity="critical", team=~"a|b"`, by Alertmanager's fallback rules
 * (matcher/compat): the UTF-8 grammar, and the classic one where only that takes it or the two disagree.
 * Throws MatcherError or RegexError.
 */
export function parseMatchers(text: string, _mode: MatcherMode = 'fallback'): Parsed {
  return fallback(text, parseUtf8, parseClassic)
}

/** The one matcher of an API filter or a command's argument. Throws MatcherError or RegexError. */
export function parseMatcher(text: string, _mode: MatcherMode = 'fallback'): { matcher: Matcher; warning?: string } {
  if (text.startsWith('{') || text.endsWith('}')) throw new MatcherError(`unexpected open or close brace: ${text}`)
  const { matchers, warning } = fallback(text, parseOneUtf8, (one) => [parseClassicOne(one)])
  const [first] = matchers
  if (!first) throw new MatcherError(`no matcher: ${text}`)
  return { matcher: first, ...(warning !== undefined && { warning }) }
}

function fallback(text: string, utf8: (text: string) => Matcher[], classic: (text: string) => Matcher[]): Parsed {
  const modern = attempt(() => utf8(text))
  const old = attempt(() => classic(text))
  if ('error' in modern) {
    if ('error' in old) throw old.error
    const suggestion = formatMatchers(old.value)
    return { matchers: old.value, warning: `${text} is read by the classic rules; write it as ${suggestion}` }
  }
  if ('error' in old || sameMatchers(modern.value, old.value)) return { matchers: modern.value }
  return { matchers: old.value, warning: `${text} means two things; it is read as ${formatMatchers(old.value)}` }
}

function attempt<T>(run: () => T): { value: T } | { error: unknown } {
  try {
    return { value: run() }
  } catch (error) {
    return { error }
  }
}

function sameMatchers(a: readonly Matcher[], b: readonly Matcher[]): boolean {
  return formatMatchers(a) === formatMatchers(b)
}

const space = /\p{White_Space}/u
const bare = /[^\p{White_Space}{}!=~,\\"'`]/u

/** The UTF-8 grammar: nothing, a list, or a list in braces. */
export function parseUtf8(text: string): Matcher[] {
  const tokens = tokenise(text)
  const opens = tokens[0]?.kind === '{'
  const closes = tokens.at(-1)?.kind === '}'
  if (opens !== closes) throw new MatcherError(`${text}: expected ${opens ? 'a closing' : 'an opening'} brace`)
  const inner = opens ? tokens.slice(1, -1) : tokens
  const matchers: Matcher[] = []
  for (let i = 0; i < inner.length; i += 4) {
    const [name, operator, value, comma] = inner.slice(i, i + 4)
    if (name?.kind !== 'word') throw new MatcherError(`${text}: expected a label name, got ${shown(name)}`)
    if (operator?.kind !== 'operator')
      throw new MatcherError(`${text}: expected an operator (=, !=, =~, !~), got ${shown(operator)}`)
    if (value?.kind !== 'word') throw new MatcherError(`${text}: expected a label value, got ${shown(value)}`)
    if (comma && comma.kind !== ',') throw new MatcherError(`${text}: expected a comma, got ${shown(comma)}`)
    matchers.push(build(name.text, operator.text, value.text))
  }
  return matchers
}

function parseOneUtf8(text: string): Matcher[] {
  const matchers = parseUtf8(text)
  if (matchers.length !== 1) throw new MatcherError(`${text}: expected one matcher`)
  return matchers
}

interface Token {
  kind: 'word' | 'operator' | '{' | '}' | ','
  text: string
}

function shown(token: Token | undefined): string {
  return token ? JSON.stringify(token.text) : 'the end'
}

function tokenise(text: string): Token[] {
  const tokens: Token[] = []
  const characters = [...text]
  let at = 0
  while (at < characters.length) {
    const character = characters[at] ?? ''
    const next = characters[at + 1] ?? ''
    if (space.test(character)) {
      at += 1
    } else if (character === '{' || character === '}' || character === ',') {
      tokens.push({ kind: character, text: character })
      at += 1
    } else if (character === '=' || character === '!') {
      if (character === '!' && next !== '=' && next !== '~')
        throw new MatcherError(`${text}: expected != or !~ after !`)
      const long = next === '~' || (character === '!' && next === '=')
      tokens.push({ kind: 'operator', text: long ? character + next : character })
      at += long ? 2 : 1
    } else if (character === '"') {
      let end = at + 1
      while (end < characters.length && characters[end] !== '"') end += characters[end] === '\\' ? 2 : 1
      if (end >= characters.length) throw new MatcherError(`${text}: missing end "`)
      const quoted = characters.slice(at, end + 1).join('')
      const plain = unquoteGo(quoted)
      if (plain === undefined || isStray(plain)) throw new MatcherError(`${text}: ${quoted} is not a quoted text`)
      tokens.push({ kind: 'word', text: plain })
      at = end + 1
    } else if (bare.test(character)) {
      let end = at
      while (end < characters.length && bare.test(characters[end] ?? '')) end += 1
      tokens.push({ kind: 'word', text: characters.slice(at, end).join('') })
      at = end
    } else {
      throw new MatcherError(`${text}: unexpected ${character}`)
    }
  }
  return tokens
}

/** The classic grammar's list: each of one `{` and one `}` may be there, pieces are split at commas outside quotes. */
export function parseClassic(text: string): Matcher[] {
  const inner = text.replace(/^\{/, '').replace(/\}$/, '')
  const pieces: string[] = []
  let piece = ''
  let quoted = false
  for (let i = 0; i < inner.length; i++) {
    const character = inner[i] ?? ''
    if (character === '\\' && inner[i + 1] === '"') {
      piece += '\\"'
      i += 1
    } else if (character === ',' && !quoted) {
      pieces.push(piece)
      piece = ''
    } else {
      if (character === '"') quoted = !quoted
      piece += character
    }
  }
  if (piece.trim() !== '') pieces.push(piece)
  return pieces.map(parseClassicOne)
}

const classic = /^[ \t\n\f\r]*([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t\n\f\r]*(=~|=|!=|!~)[ \t\n\f\r]*([^]*?)[ \t\n\f\r]*$/
const loneSurrogate = /\p{Surrogate}/u

function parseClassicOne(text: string): Matcher {
  const found = classic.exec(text)
  const [, name, operator, raw = ''] = found ?? []
  if (name === undefined || operator === undefined) throw new MatcherError(`bad matcher format: ${text}`)
  const quoted = raw.startsWith('"')
  let value = ''
  let closed = false
  for (let i = quoted ? 1 : 0; i < raw.length; i++) {
    const character = raw[i] ?? ''
    if (closed) throw new MatcherError(`matcher value contains unescaped double quote: ${raw}`)
    if (character === '\\') {
      const next = raw[i + 1] ?? ''
      value += next === 'n' ? '\n' : next === '"' || next === '\\' ? next : `\\${next}`
      i += 1
    } else if (character === '"') {
      if (!quoted) throw new MatcherError(`matcher value contains unescaped double quote: ${raw}`)
      closed = true
    } else {
      value += character
    }
  }
  if (quoted && !closed) throw new MatcherError(`matcher value contains unescaped double quote: ${raw}`)
  if (loneSurrogate.test(value)) throw new MatcherError(`matcher value not valid UTF-8: ${raw}`)
  return build(name, operator, value)
}

function build(name: string, operator: string, value: string): Matcher {
  return matcher(name, value, { isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') })
}
