// Go's texts are bytes. Here they are JavaScript's, in which a byte that is no part of a UTF-8 character
// stands as a lone surrogate, U+DC80 to U+DCFF, until the text leaves the engine.

const encoder = new TextEncoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const loneSurrogate = /\p{Surrogate}/u

/** The bytes of a text. */
export function toBytes(text: string): Uint8Array {
  if (!loneSurrogate.test(text)) return encoder.encode(text)
  const bytes = new Uint8Array(3 * text.length)
  let length = 0
  let last = 0
  const flush = (end: number) => {
    length += encoder.encodeInto(text.slice(last, end), bytes.subarray(length)).written
  }
  for (const { index, 0: stray } of text.matchAll(/[\udc80-\udcff]/gu)) {
    if (index > last) flush(index)
    bytes[length++] = stray.charCodeAt(0) - 0xdc00
    last = index + 1
  }
  flush(text.length)
  return bytes.slice(0, length)
}

/** The text of some bytes, of which not all need be UTF-8. */
export function toText(bytes: Uint8Array): string {
  let text = ''
  let last = 0
  // looks for itself, since to catch the decoder's error takes microseconds
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at)
    if (length === 0) {
      if (at > last) text += strict.decode(bytes.subarray(last, at))
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
      last = at + 1
    }
    at += length || 1
  }
  return last < bytes.length ? text + strict.decode(bytes.subarray(last)) : text
}

/** How many bytes a character takes, 0 where none begins (RFC 3629 §4). */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  const second = bytes[at + 1] ?? 0
  const third = bytes[at + 2] ?? 0
  const fourth = bytes[at + 3] ?? 0
  const follows = (byte: number, from = 0x80, to = 0xbf) => byte >= from && byte <= to
  if (first >= 0xc2 && first <= 0xdf) return follows(second) ? 2 : 0
  if (first >= 0xe0 && first <= 0xef) {
    const fits = follows(second, first === 0xe0 ? 0xa0 : 0x80, first === 0xed ? 0x9f : 0xbf)
    return fits && follows(third) ? 3 : 0
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const fits = follows(second, first === 0xf0 ? 0x90 : 0x80, first === 0xf4 ? 0x8f : 0xbf)
    return fits && follows(third) && follows(fourth) ? 4 : 0
  }
  return 0
}

/** A text that may leave: what is no character is U+FFFD. */
export function clean(text: string): string {
  return loneSurrogate.test(text) ? text.replace(/\p{Surrogate}/gu, '\ufffd') : text
}

/** Whether a character stands for a byte that is none. */
export function isStray(character: string): boolean {
  return loneSurrogate.test(character)
}
