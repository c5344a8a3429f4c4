import { type Labels, sortedNames } from './labels.ts'

const PRIME_HIGH = 0x100
const PRIME_LOW = 0x1b3
const encoder = new TextEncoder()
let bytes = new Uint8Array(1024)

/**
 * 16 hex digits that identify a label set: `hashTexts` over the name and the value of each label in byte order, as
 * Prometheus and Alertmanager have it.
 */
export function fingerprint(labels: Labels): string {
  const texts: string[] = []
  for (const name of sortedNames(labels)) texts.push(name, labels.get(name) ?? '')
  return hashTexts(texts)
}

/** 64-bit FNV-1a over each text and 0xFF, as 16 hex digits. Two 32-bit halves, since BigInt costs 20 ×. */
export function hashTexts(texts: readonly string[]): string {
  let high = 0xcbf29ce4
  let low = 0x84222325

  const add = (byte: number) => {
    low = (low ^ byte) >>> 0
    const product = low * PRIME_LOW
    high = (Math.imul(high, PRIME_LOW) + Math.imul(low, PRIME_HIGH) + Math.floor(product / 0x100000000)) >>> 0
    low = product >>> 0
  }
  for (const text of texts) {
    if (bytes.length < text.length * 3) bytes = new Uint8Array(text.length * 3)
    const { written } = encoder.encodeInto(text, bytes)
    for (let i = 0; i < written; i++) add(bytes[i] ?? 0)
    add(0xff)
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
