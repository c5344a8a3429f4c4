import { RE2JS, RE2JSSyntaxException } from 're2js'

/** A pattern that is no RE2 regex, in RE2's words. */
export class RegexError extends Error {
  override readonly name = 'RegexError'
}

/** What RE2 would take, but nobody writes. */
const LONGEST = 4096
const CACHED = 10_000
const special = /[.*+?()[\]{}|^$\\]/

/**
 * Whether a whole text matches, as Go's `^(?:pattern)$`: RE2 syntax, linear time, `.` stops at
 * newlines. Literals, alternations of them, and `prefix.*` take a short cut that gives the same answers.
 * Throws RegexError.
 */
export function anchored(pattern: string): (text: string) => boolean {
  const regex = compile(pattern)
  return shortcut(pattern) ?? cached((text) => regex.testExact(text))
}

/** RE2's own answers, without a short cut or a memory: what the short cuts are held against. */
export function anchoredSlowly(pattern: string): (text: string) => boolean {
  const regex = compile(pattern)
  return (text) => regex.testExact(text)
}

/** Whether a text holds a match anywhere. Throws RegexError. */
export function unanchored(pattern: string): (text: string) => boolean {
  const regex = compile(pattern)
  return (text) => regex.matcher(text).find()
}

/** Throws RegexError. */
export function compile(pattern: string): RE2JS {
  if (pattern.length > LONGEST) throw new RegexError(`the regex is longer than ${LONGEST} characters`)
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) throw new RegexError(error.message)
    throw error
  }
}

function shortcut(pattern: string): ((text: string) => boolean) | undefined {
  const parts = pattern.split('|')
  if (parts.every((part) => !special.test(part))) {
    const words = new Set(parts)
    return (text) => words.has(text)
  }
  if (pattern === '.+') return (text) => text !== '' && !text.includes('\n')
  const prefix = pattern.slice(0, -2)
  if (pattern.endsWith('.*') && !special.test(prefix)) {
    return (text) => text.startsWith(prefix) && !text.includes('\n', prefix.length)
  }
  return undefined
}

/** Label values come again and again; half of what is remembered goes when it is too much. */
function cached(test: (text: string) => boolean): (text: string) => boolean {
  let recent = new Map<string, boolean>()
  let older = new Map<string, boolean>()
  return (text) => {
    const known = recent.get(text) ?? older.get(text)
    if (known !== undefined) return known
    const answer = test(text)
    if (recent.size >= CACHED / 2) {
      older = recent
      recent = new Map()
    }
    recent.set(text, answer)
    return answer
  }
}
