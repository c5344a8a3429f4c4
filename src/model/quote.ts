import { isStray, toBytes, toText } from './bytes.ts'

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

const escape = /\\(?:([abfnrtv\\"'])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/gy

/**
 * The text of a quoted string (strconv.Unquote) with its quotes, `"` or `'`; undefined where it is none.
 * `\xff` makes a byte that may be no UTF-8: it stands in the text as `bytes.ts` says.
 */
export function unquoteGo(quoted: string): string | undefined {
  const mark = quoted[0] ?? ''
  if (quoted.length < 2 || (mark !== '"' && mark !== "'") || !quoted.endsWith(mark)) return undefined
  const inner = quoted.slice(1, -1)
  if (!inner.includes('\\')) return inner.includes(mark) || inner.includes('\n') ? undefined : inner
  const bytes: number[] = []
  for (let i = 0; i < inner.length;) {
    if (inner[i] !== '\\') {
      const one = String.fromCodePoint(inner.codePointAt(i) ?? 0)
      if (one === mark || one === '\n') return undefined
      bytes.push(...toBytes(one))
      i += one.length
      continue
    }
    escape.lastIndex = i
    const found = escape.exec(inner)
    if (!found) return undefined
    const [whole, simple, octal, hex, short, long] = found
    if (simple !== undefined) {
      // the other quote is not escaped
      if ((simple === '"' || simple === "'") && simple !== mark) return undefined
      bytes.push(...toBytes(plain[simple] ?? simple))
    } else if (octal !== undefined) {
      if (Number.parseInt(octal, 8) > 255) return undefined
      bytes.push(Number.parseInt(octal, 8))
    } else if (hex !== undefined) {
      bytes.push(Number.parseInt(hex, 16))
    } else {
      const code = Number.parseInt(short ?? long ?? '', 16)
      if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined
      bytes.push(...toBytes(String.fromCodePoint(code)))
    }
    i += whole.length
  }
  return toText(Uint8Array.from(bytes))
}
