import { closeSync, openSync, readSync } from 'node:fs'

const PART = 256 * 1024

/** The beginning of a file, of at most so many bytes: neither a huge one nor one without an end fills the memory. Throws as readFileSync does. */
export function readStart(file: string, most: number): Uint8Array {
  const from = openSync(file, 'r')
  try {
    const parts: Buffer[] = []
    let size = 0
    while (size < most) {
      const part = Buffer.alloc(Math.min(PART, most - size))
      const read = readSync(from, part, 0, part.length, null)
      if (read === 0) break
      parts.push(part.subarray(0, read))
      size += read
    }
    return Buffer.concat(parts)
  } finally {
    closeSync(from)
  }
}
