import { isStray } from '../model/bytes.ts'
import { unquoteGo } from '../model/quote.ts'
import { MatcherError } from './error.ts'
import { type Matcher, matcher } from './matcher.ts'

interface Token {
  kind: 'word' | 'operator' | '{' | '}' | ','
  text: string
  written: string
  column: number // in characters, from 1
}

/** The UTF-8 grammar: nothing, a list, or a list in braces. Throws MatcherError or RegexError. */
export function parseUtf8(text: string): Matcher[] {
  const tokens = tokenise(text)
  const opens = tokens[0]?.kind === '{'
  const closes = tokens.at(-1)?.kind === '}'
  if (opens && !closes) throw new MatcherError(text, 'expected a closing brace at the end')
  if (closes && !opens)
    throw new MatcherError(text, 'expected an opening brace at the start', 'put a value with a brace in double quotes')
  const inner = opens ? tokens.slice(1, -1) : tokens
  const matchers: Matcher[] = []
  for (let i = 0; i < inner.length; i += 4) {
    const [name, operator, value, comma] = [inner[i], inner[i + 1], inner[i + 2], inner[i + 3]]
    if (name?.kind !== 'word') throw unexpected(text, name, 'a label name')
    if (operator?.kind !== 'operator') throw unexpected(text, operator, 'an operator (=, !=, =~ or !~)')
    if (value?.kind !== 'word') throw unexpected(text, value, 'a label value', 'write an empty one as ""')
    if (comma && comma.kind !== ',')
      throw unexpected(text, comma, 'a comma', 'quote a value that holds more than a word')
    const how = { isRegex: operator.text.endsWith('~'), isEqual: operator.text.startsWith('=') }
    matchers.push(matcher(name.text, value.text, how))
  }
  return matchers
}

/** Exactly one of them. */
export function parseUtf8One(text: string): Matcher {
  const [first, ...more] = parseUtf8(text)
  if (!first) throw new MatcherError(text, 'no matcher', 'write one as name="value"')
  if (more.length > 0) throw new MatcherError(text, `expected 1 matcher, found ${more.length + 1}`)
  return first
}

function unexpected(text: string, got: Token | undefined, wanted: string, hint?: string): MatcherError {
  const found = got ? `column ${got.column}: unexpected ${got.written}` : 'unexpected end'
  return new MatcherError(text, `${found}, expected ${wanted}`, hint)
}

const space = /\p{White_Space}/u
const bare = /[^\p{White_Space}\p{Surrogate}{}!=~,\\"'`]/u

function tokenise(text: string): Token[] {
  const tokens: Token[] = []
  const characters = [...text]
  let at = 0
  const push = (kind: Token['kind'], end: number, plain?: string) => {
    const written = characters.slice(at, end).join('')
    tokens.push({ kind, text: plain ?? written, written, column: at + 1 })
    at = end
  }
  const refuse = (fault: string, hint?: string) => new MatcherError(text, `column ${at + 1}: ${fault}`, hint)

  while (at < characters.length) {
    const character = characters[at] ?? ''
    const next = characters[at + 1] ?? ''
    if (space.test(character)) {
      at += 1
    } else if (character === '{' || character === '}' || character === ',') {
      push(character, at + 1)
    } else if (character === '=' || character === '!') {
      const long = next === '~' || (character === '!' && next === '=')
      if (character === '!' && !long) throw refuse('expected != or !~ after !')
      push('operator', at + (long ? 2 : 1))
    } else if (character === '"') {
      const end = endOfQuoted(characters, at)
      if (end === undefined) throw refuse('missing end "')
      const written = characters.slice(at, end).join('')
      const plain = unquoteGo(written)
      if (plain === undefined) {
        throw refuse(`${written} is not a quoted text`, 'in quotes, write a backslash as \\\\ and a newline as \\n')
      }
      if (isStray(plain)) throw refuse(`${written} is not valid UTF-8`)
      push('word', end, plain)
    } else if (bare.test(character)) {
      let end = at + 1
      while (end < characters.length && bare.test(characters[end] ?? '')) end += 1
      push('word', end)
    } else {
      throw refuse(`unexpected ${character}`, 'put a name or value that holds it in double quotes')
    }
  }
  return tokens
}

function endOfQuoted(characters: readonly string[], start: number): number | undefined {
  for (let at = start + 1; at < characters.length; at++) {
    if (characters[at] === '\\') at += 1
    else if (characters[at] === '"') return at + 1
  }
  return undefined
}
