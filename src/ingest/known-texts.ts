import type { Kept } from '../alert/again.ts'

/** An alert's text without its end. */
export interface KnownText {
  readonly whole: string
  readonly head: string // before the end
  readonly tail: string // behind it
  kept: Kept | undefined // undefined until it was accepted
  next: KnownText | undefined // what came behind it the last time
}

/** Alerts by their text: nearly all that come have come before, and need not be parsed again. */
export interface KnownTexts {
  get(whole: string): KnownText | undefined
  add(text: KnownText): void
}

/** What is kept of an alert beside its text, bytes. */
const BESIDE = 600
/** Of such a text V8 keeps each character in one byte, of others in two. */
const narrow = /^[\0-\xff]*$/

/** `at`: where the end would stand. */
export function openKnownText(whole: string, at: number): KnownText {
  return { whole, head: whole.slice(0, at), tail: whole.slice(at), kept: undefined, next: undefined }
}

/** `most`: how many bytes are remembered, about; the older half goes when it is full. */
export function openKnownTexts(most: number): KnownTexts {
  let recent = new Map<string, KnownText>()
  let older = new Map<string, KnownText>()
  let length = 0 // of the recent ones

  function add(text: KnownText): void {
    const size = (narrow.test(text.whole) ? 1 : 2) * text.whole.length + BESIDE
    if (!recent.has(text.whole)) length += size
    if (length > most / 2) {
      for (const one of older.values()) one.next = undefined // else it would go on keeping others
      older = recent
      recent = new Map()
      length = size
    }
    recent.set(text.whole, text)
  }

  return {
    get(whole) {
      const text = recent.get(whole)
      if (text) return text
      const before = older.get(whole)
      if (before) add(before)
      return before
    },
    add,
  }
}
