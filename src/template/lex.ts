import { isPrintable, quoteGo } from '../model/quote.ts'

/** A template that does not parse, or fails when it runs; in Go's words where it has some. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

const keywordList = [
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
] as const
type Keyword = (typeof keywordList)[number]
const keywords = new Map<string, Keyword>(keywordList.map((keyword) => [keyword, keyword]))

export interface Token {
  kind:
    | Keyword
    | 'text'
    | 'left' // {{
    | 'right' // }}
    | 'space'
    | 'bool'
    | 'character' // 'a'
    | 'assign' // =
    | 'declare' // :=
    | 'pipe' // |
    | '('
    | ')'
    | 'dot'
    | 'field'
    | 'variable'
    | 'identifier'
    | 'number'
    | 'string'
    | 'sign' // any other, such as a comma
    | 'error'
    | 'EOF'
  text: string
  at: number
}

/** As long as a template may be: how long it takes to read one goes with its tokens. */
const LONGEST = 1_000_000
const MOST_TOKENS = 50_000

const blank = /[ \t\r\n]*/y
const blanks = new Set<string | undefined>([' ', '\t', '\r', '\n'])
const wordEnds = new Set([' ', '\t', '\r', '\n', '.', ',', '|', ':', '(', ')'])
const wordCharacter = /[\p{L}\p{Nd}_]/u
const word = /[\p{L}\p{Nd}_]*/uy
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y

/** Go's lexer of templates (https://pkg.go.dev/text/template/parse). Where it gives up, its last token is an error. */
export function lex(source: string): Token[] {
  const tokens: Token[] = []
  if (source.length > LONGEST) return [{ kind: 'error', text: `longer than ${LONGEST} characters`, at: 0 }]
  let at = 0
  let depth = 0 // of parentheses

  const add = (kind: Token['kind'], from: number, to = at) =>
    tokens.push({ kind, text: source.slice(from, to), at: from })
  const fail = (message: string, from: number) => {
    tokens.push({ kind: 'error', text: message, at: from })
    return tokens
  }
  const run = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0] ?? ''
  }
  const isBlank = (index: number) => blanks.has(source[index])
  /** The length of `}}` or ` -}}`; 0 where neither begins. */
  const rightDelimiter = (index: number) => {
    if (isBlank(index) && source.startsWith('-}}', index + 1)) return 4
    return source.startsWith('}}', index) ? 2 : 0
  }
  /** Up to its end, or the first character too many. */
  const readNumber = () => {
    at += run(number).length
    const next = characterAt(source, at)
    if (!wordCharacter.test(next)) return true
    at += next.length
    return false
  }
  const endsWord = () => {
    const next = source[at]
    return next === undefined || wordEnds.has(next) || source.startsWith('}}', at)
  }
  const badCharacter = (from: number) => fail(`bad character ${unicode(source, at)}`, from)

  for (;;) {
    // text, up to an action
    const start = at
    const open = source.indexOf('{{', at)
    if (open === -1) {
      at = source.length
      if (at > start) add('text', start)
      add('EOF', at)
      return tokens
    }
    const trims = source[open + 2] === '-' && isBlank(open + 3)
    const text = source.slice(start, open)
    const kept = trims ? trimEnd(text) : text
    if (kept !== '') add('text', start, start + kept.length)
    at = open + 2 + (trims ? 2 : 0)

    if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2)
      if (end === -1) return fail('unclosed comment', at)
      const close = rightDelimiter(end + 2)
      if (close === 0) return fail('comment ends before closing delimiter', at)
      at = end + 2 + close
      if (close === 4) at += run(blank).length
      continue
    }

    if (tokens.length > MOST_TOKENS) return fail(`more than ${MOST_TOKENS} tokens`, open)
    add('left', open, open + 2)
    depth = 0
    for (;;) {
      const close = rightDelimiter(at)
      if (close > 0) {
        if (depth > 0) return fail('unclosed left paren', at)
        add('right', at + close - 2, at + close)
        at += close
        if (close === 4) at += run(blank).length
        break
      }
      if (tokens.length > MOST_TOKENS) return fail(`more than ${MOST_TOKENS} tokens`, at)
      const from = at
      const first = source[at]
      if (first === undefined) return fail('unclosed action', from)
      if (isBlank(at)) {
        at += run(blank).length
        // the last blank may belong to ` -}}`
        if (rightDelimiter(at - 1) === 4) at -= 1
        if (at > from) add('space', from)
        continue
      }
      at += 1
      if (first === '=') add('assign', from)
      else if (first === '|') add('pipe', from)
      else if (first === ':') {
        if (source[at] !== '=') return fail('expected :=', from)
        at += 1
        add('declare', from)
      } else if (first === '"' || first === "'" || first === '`') {
        const end = endOfQuoted(source, from)
        if (end === -1) return fail(unterminated[first], from)
        at = end
        add(first === "'" ? 'character' : 'string', from)
      } else if (first === '$' || (first === '.' && /[^0-9]/.test(source[at] ?? ''))) {
        const isVariable = first === '$'
        if (endsWord()) {
          add(isVariable ? 'variable' : 'dot', from)
          continue
        }
        at += run(word).length
        if (!endsWord()) return badCharacter(from)
        add(isVariable ? 'variable' : 'field', from)
      } else if (/[+\-.0-9]/.test(first)) {
        at = from
        let isGood = readNumber()
        if (isGood && /[+-]/.test(source[at] ?? '')) isGood = readNumber() && source[at - 1] === 'i' // 1+2i
        if (!isGood) return fail(`bad number syntax: ${quoteGo(source.slice(from, at))}`, from)
        add('number', from)
      } else if (first === '(' || first === ')') {
        depth += first === '(' ? 1 : -1
        if (depth < 0) return fail('unexpected right paren', from)
        add(first, from)
      } else if (wordCharacter.test(characterAt(source, from))) {
        at = from
        at += run(word).length
        if (!endsWord()) return badCharacter(from)
        const name = source.slice(from, at)
        add(keywords.get(name) ?? (name === 'true' || name === 'false' ? 'bool' : 'identifier'), from)
      } else if (/[!-~]/.test(first)) {
        add('sign', from)
      } else {
        return fail(`unrecognized character in action: ${unicode(source, from)}`, from)
      }
    }
  }
}

const unterminated = {
  '"': 'unterminated quoted string',
  "'": 'unterminated character constant',
  '`': 'unterminated raw quoted string',
}

/** Behind the closing quote; -1 where there is none. */
function endOfQuoted(source: string, from: number): number {
  const mark = source[from] ?? ''
  if (mark === '`') return source.indexOf('`', from + 1) + 1 || -1
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === mark) return at + 1
    if (source[at] === '\\') at += 1
    if (source[at] === '\n') return -1
  }
  return -1
}

/** A pattern with `$` would begin at every blank of a long run anew. */
function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && blanks.has(text[end - 1])) end -= 1
  return text.slice(0, end)
}

function characterAt(source: string, at: number): string {
  return at < source.length ? String.fromCodePoint(source.codePointAt(at) ?? 0) : ''
}

function unicode(source: string, at: number): string {
  const character = characterAt(source, at)
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return `U+${code}${isPrintable(character) ? ` '${character}'` : ''}`
}

export function lineOf(source: string, at: number): number {
  let line = 1
  for (let i = source.indexOf('\n'); i !== -1 && i < at; i = source.indexOf('\n', i + 1)) line += 1
  return line
}
