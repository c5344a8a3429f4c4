import { type Labels, sortedNames } from './labels.ts'

const encoder = new TextEncoder()

/**
 * 16 hex digits that identify a label set: `hashTexts` over the name and the value of each label in byte order, as
 * Prometheus and Alertmanager have it.
 */
export function fingerprint(labels: Labels): string {
  const texts: string[] = []
  for (const name of sortedNames(labels)) texts.push(name, labels.get(name) ?? '')
  return hashTexts(texts)
}

/**
 * 64-bit FNV-1a over the UTF-8 of each text and 0xFF, as 16 hex digits. Four limbs of 16 bits, of which each product stays a
 * small integer: BigInt costs 20 ×, two halves of 32 bits 5 ×. The prime is 2^40 + 0x1b3.
 */
export function hashTexts(texts: readonly string[]): string {
  let a = 0x2325 // the lowest
  let b = 0x8422
  let c = 0x9ce4
  let d = 0xcbf2
  for (const text of texts) {
    const bytes = isAscii(text) ? undefined : encoder.encode(text)
    const length = bytes ? bytes.length : text.length
    for (let i = 0; i <= length; i++) {
      a ^= i === length ? 0xff : bytes ? (bytes[i] ?? 0) : text.charCodeAt(i)
      const low = a << 8
      const high = b << 8
      a *= 0x1b3
      b = b * 0x1b3 + (a >>> 16)
      c = c * 0x1b3 + low + (b >>> 16)
      d = (d * 0x1b3 + high + (c >>> 16)) & 0xffff
      a &= 0xffff
      b &= 0xffff
      c &= 0xffff
    }
  }
  return hex(d) + hex(c) + hex(b) + hex(a)
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function hex(limb: number): string {
  return limb.toString(16).padStart(4, '0')
}
