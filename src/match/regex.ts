import { RE2JS, RE2JSSyntaxException } from 're2js'
import { RegexError } from './error.ts'
import { type Test, shortcut } from './shortcut.ts'
import { toRe2 } from './syntax.ts'

export { RegexError }

const CACHED = 1000
/** Longer label values hardly come twice. */
const LONGEST_CACHED = 256

/**
 * Whether a whole text matches, as Go's `^(?:pattern)$`: RE2 syntax, linear time, `.` stops at newlines. What
 * `shortcut.ts` knows how to answer without an engine costs next to nothing. Throws RegexError.
 */
export function anchored(pattern: string): Test {
  return shortcut(pattern) ?? cached(anchoredSlowly(pattern))
}

/** RE2's own answers, without a short cut or a memory: what the short cuts are held against. */
export function anchoredSlowly(pattern: string): Test {
  // as one pattern, since `a)|(b` and `\Qa` are judged with what is around them
  const regex = build(toRe2(`^(?:${pattern})$`, { keepNames: false }), pattern)
  return (text) => regex.test(text)
}

/** Throws RegexError. */
export function compile(pattern: string): RE2JS {
  return build(toRe2(pattern, { keepNames: true }), pattern)
}

function build(translated: string, pattern: string): RE2JS {
  try {
    return RE2JS.compile(translated)
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    throw new RegexError(error.message.replace(translated, () => pattern)) // as it was written
  }
}

/** Label values come again and again; half of what is remembered goes when it is too much. */
function cached(test: Test): Test {
  let recent = new Map<string, boolean>()
  let older = new Map<string, boolean>()
  return (text) => {
    const known = recent.get(text) ?? older.get(text)
    if (known !== undefined) return known
    const answer = test(text)
    if (text.length > LONGEST_CACHED) return answer
    if (recent.size >= CACHED / 2) {
      older = recent
      recent = new Map()
    }
    recent.set(text, answer)
    return answer
  }
}
