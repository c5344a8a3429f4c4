import { isStray, toText } from './bytes.ts'

// Go's quoted strings (https://go.dev/ref/spec#String_literals), as strconv reads and writes them.

const escapes: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}
const plain: Record<string, string> = Object.fromEntries(
  Object.entries(escapes).map(([one, two]) => [two.slice(1), one]),
)

/** strconv.Quote: what does not print is escaped; with `ascii`, all that is not ASCII too. */
export function quoteGo(text: string, ascii = false): string {
  let quoted = '"'
  for (const one of text) quoted += one === '"' ? '\\"' : escaped(one, ascii)
  return `${quoted}"`
}

/** strconv.QuoteRune. */
export function quoteRune(one: string, ascii = false): string {
  return `'${one === "'" ? "\\'" : escaped(one, ascii)}'`
}

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

export function isPrintable(one: string): boolean {
  return printable.test(one)
}

function escaped(one: string, ascii: boolean): string {
  const code = one.codePointAt(0) ?? 0
  if (isStray(one)) return `\\x${(code - 0xdc00).toString(16).padStart(2, '0')}`
  const known = escapes[one]
  if (known !== undefined) return known
  if (isPrintable(one) && (!ascii || code < 0x80)) return one
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\U${code.toString(16).padStart(8, '0')}`
}

const escape = /\\(?:([abfnrtv\\"'])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y

interface Character {
  code: number
  isByte: boolean // written as one (`\xff`), and maybe no character by itself
  length: number // of what it was written as
}

/** strconv.UnquoteChar: the character at a place in a quoted string; undefined where none is well written. */
export function unquoteCharacter(text: string, at: number, mark: string): Character | undefined {
  const code = text.codePointAt(at)
  if (code === undefined || text[at] === mark) return undefined
  if (text[at] !== '\\') return { code, isByte: false, length: code > 0xffff ? 2 : 1 }
  escape.lastIndex = at
  const found = escape.exec(text)
  if (!found) return undefined
  const [{ length }, simple, octal, hex, short, long] = found
  if (simple !== undefined) {
    // the other quote is not escaped
    if ((simple === '"' || simple === "'") && simple !== mark) return undefined
    return { code: (plain[simple] ?? simple).charCodeAt(0), isByte: false, length }
  }
  const value = octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8)
  const isByte = (octal ?? hex) !== undefined
  const isBad = isByte ? value > 255 : value > 0x10ffff || (value >= 0xd800 && value < 0xe000)
  return isBad ? undefined : { code: value, isByte, length }
}

/**
 * The text of a quoted string (strconv.Unquote) with its quotes, `"` or `'`; undefined where it is none.
 * `\xff` makes a byte that may be no UTF-8: it stands in the text as `bytes.ts` says.
 */
export function unquoteGo(quoted: string): string | undefined {
  const mark = quoted[0] ?? ''
  if (quoted.length < 2 || (mark !== '"' && mark !== "'") || !quoted.endsWith(mark)) return undefined
  const inner = quoted.slice(1, -1)
  if (!inner.includes('\\')) return inner.includes(mark) || inner.includes('\n') ? undefined : inner
  let text = ''
  let bytes: number[] = [] // some that follow each other may make a character
  for (let at = 0; at < inner.length;) {
    const one = unquoteCharacter(inner, at, mark)
    if (!one || inner[at] === '\n') return undefined
    at += one.length
    if (one.isByte) {
      bytes.push(one.code)
      continue
    }
    if (bytes.length > 0) {
      text += toText(Uint8Array.from(bytes))
      bytes = []
    }
    text += String.fromCodePoint(one.code)
  }
  return text + toText(Uint8Array.from(bytes))
}
