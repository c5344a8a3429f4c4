import type { Kept } from '../alert/again.ts'

/** Alerts by their text without its end: nearly all that come have come before, and need not be parsed again. */
export interface KnownTexts {
  get(text: string): Kept | undefined
  set(text: string, kept: Kept): void
}

/** How many characters of texts are remembered, which are bytes for most; the older half goes when it is full. */
const REMEMBERED = 128 * 1024 * 1024

export function openKnownTexts(most = REMEMBERED): KnownTexts {
  let recent = new Map<string, Kept>()
  let older = new Map<string, Kept>()
  let length = 0 // of the recent ones

  function set(text: string, kept: Kept): void {
    if (!recent.has(text)) length += text.length
    if (length > most / 2) {
      older = recent
      recent = new Map()
      length = text.length
    }
    recent.set(text, kept)
  }

  return {
    get(text) {
      const kept = recent.get(text)
      if (kept) return kept
      const before = older.get(text)
      if (before) set(text, before)
      return before
    },
    set,
  }
}
