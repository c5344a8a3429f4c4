const simple: Record<string, string> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}
const escape = /\\(?:([abfnrtv\\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/gy
const utf8 = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

/**
 * The text of a double-quoted Go string (strconv.Unquote); undefined where it is none, or where its bytes
 * (`\xff`) make no UTF-8.
 */
export function unquoteGo(quoted: string): string | undefined {
  if (quoted.length < 2 || !quoted.startsWith('"') || !quoted.endsWith('"')) return undefined
  const inner = quoted.slice(1, -1)
  if (!inner.includes('\\')) return /["\n]/.test(inner) ? undefined : inner
  const bytes: number[] = []
  for (let i = 0; i < inner.length;) {
    if (inner[i] !== '\\') {
      const character = String.fromCodePoint(inner.codePointAt(i) ?? 0)
      if (character === '"' || character === '\n') return undefined
      bytes.push(...encoder.encode(character))
      i += character.length
      continue
    }
    escape.lastIndex = i
    const found = escape.exec(inner)
    if (!found) return undefined
    const [whole, plain, octal, hex, short, long] = found
    if (plain !== undefined) bytes.push(...encoder.encode(simple[plain]))
    else if (octal !== undefined && Number.parseInt(octal, 8) > 255) return undefined
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else if (hex !== undefined) bytes.push(Number.parseInt(hex, 16))
    else {
      const code = Number.parseInt(short ?? long ?? '', 16)
      if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined
      bytes.push(...encoder.encode(String.fromCodePoint(code)))
    }
    i += whole.length
  }
  try {
    return utf8.decode(new Uint8Array(bytes))
  } catch {
    return undefined
  }
}
