import { toText } from '../../model/bytes.ts'

/** What no YAML may hold as it is (YAML 1.1 §5.1), and bytes that are no character. */
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]|\p{Surrogate}/u

/** The text of a file in UTF-8, or UTF-16 with its mark; `wrong` says what in it can be no YAML, and where. */
export function decodeFile(bytes: Uint8Array): { text: string; wrong?: { message: string; offset: number } } {
  // a mark may stand at the start of every line, and says nothing
  const text = decode(bytes).replace(/^\ufeff/gm, '')
  const found = forbidden.exec(text)
  if (!found) return { text }
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  const message = /\p{Surrogate}/u.test(found[0])
    ? `this is no text: byte 0x${code.slice(-2)} belongs to no UTF-8 character; save the file as UTF-8`
    : `the control character U+${code} may not stand in a YAML file; remove it`
  return { text, wrong: { message, offset: found.index } }
}

function decode(bytes: Uint8Array): string {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return toText(bytes)
}
