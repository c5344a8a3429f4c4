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
/** What V8 can keep in one byte for each character. */
const narrow = /^[\0-\xff]*$/

/** `at`: where the end would stand. */
export function openKnownText(whole: string, at: number): KnownText {
  return { whole, head: whole.slice(0, at), tail: whole.slice(at), kept: undefined, next: undefined }
}

/** `most`: how many bytes are remembered, about; the older half goes when it is full. */
export function openKnownTexts(most: number): KnownTexts {
  let recent = new Map<string, Sized>()
  let older = new Map<string, Sized>()
  let length = 0 // of the recent ones

  function keep({ text, size }: Sized): void {
    if (!recent.has(text.whole)) length += size
    if (length > most / 2) {
      for (const one of older.values()) one.text.next = undefined // else it would go on keeping others
      older = recent
      recent = new Map()
      length = size
    }
    recent.set(text.whole, { text, size })
  }

  return {
    get(whole) {
      const found = recent.get(whole)
      if (found) return found.text
      const before = older.get(whole)
      if (before) keep(before)
      return before?.text
    },
    add: (text) => keep(sized(text)),
  }
}

interface Sized {
  text: KnownText
  size: number // bytes, about
}

/**
 * A text that is cut from a wide one is as wide, whatever it says itself: one arrow in a request, and all its alerts would take
 * twice as much.
 */
function sized(text: KnownText): Sized {
  const { whole, head, kept } = text
  if (!narrow.test(whole)) return { text, size: 2 * whole.length + BESIDE }
  const own = openKnownText(Buffer.from(whole, 'latin1').toString('latin1'), head.length)
  return { text: { ...own, kept }, size: whole.length + BESIDE }
}
