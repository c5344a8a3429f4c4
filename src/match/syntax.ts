import { RegexError } from './error.ts'
import { unicodeClass } from './unicode.ts'

/** Steps of a compiled pattern. This many take about half a second to compile, and room for 10 000 host names. */
const LARGEST = 250_000
/** RE2 refuses higher counts itself. */
const MOST_REPEATS = 1000
/** A class has a table of its own, so it weighs as much as some characters; what puts tables together weighs more. */
const CLASS = 4
const CLASS_IN_CLASS = 50

// each token ends soon, or hostile patterns would take time by their square
const outside = new RegExp(
  [
    String.raw`(?<quote>\\Q[^]*?(?:\\E|$))`,
    String.raw`\\(?<kind>[pP])(?:\{(?<not>\^?)(?<name>[^}]{0,64})\}|(?<letter>[^{]))`,
    String.raw`\\x\{[^}]{0,16}\}`,
    String.raw`\\[^]`,
    String.raw`(?<class>\[\^?\]?)`,
    String.raw`(?<group>\((?:\?P?<(?<label>[0-9A-Za-z_]+)>)?)`,
    String.raw`(?<end>\))`,
    String.raw`\{(?<least>\d+)(?:,(?<most>\d*))?\}`,
    String.raw`(?<loop>[*+?|])`,
    '[^]',
  ].join('|'),
  'gu',
)
const inside =
  /\\(?<kind>[pP])(?:\{(?<not>\^?)(?<name>[^}]{0,64})\}|(?<letter>[^{]))|\\[^]|(?<posix>\[:(?:\^?[a-z]{1,8}:\])?)|(?<end>\])|[^]/gu

/**
 * A pattern of Go's regexp as RE2JS reads it: it is strict in the names of Unicode classes, and refuses names of groups
 * that come twice. Of those the first is kept, or with `keepNames: false` none at all.
 * Throws RegexError where a class is unknown or the pattern would take too long to compile.
 */
export function toRe2(pattern: string, { keepNames }: { keepNames: boolean }): string {
  const names = new Set<string>()
  let text = ''
  // the size of each open group, and of what a repetition would repeat
  const sizes: number[] = []
  let size = 0
  let last = 0
  const add = (more: number) => {
    size += more
    last = more
  }

  let at = 0
  while (at < pattern.length) {
    outside.lastIndex = at
    const [token, found] = step(outside, pattern)
    at += token.length
    if (found.class !== undefined) {
      const end = classEnd(pattern, at)
      text += token + end.text
      at = end.at
      size += end.size
      add(CLASS)
    } else if (found.kind !== undefined) {
      text += unicode(token, found)
      add(CLASS)
    } else if (found.group !== undefined) {
      const known = names.has(found.label ?? '') || (found.label ?? '') in Object.prototype
      const unnamed = pattern[at] === '?' ? '(?:' : '(' // a ? here is an error, and no flag
      text += found.label === undefined || (keepNames && !known) ? token : unnamed
      if (found.label !== undefined) names.add(found.label)
      sizes.push(size)
      size = 2
    } else if (found.end !== undefined) {
      text += token
      last = size
      size += sizes.pop() ?? 0
    } else if (found.least !== undefined) {
      text += token
      const times = Math.max(1, ...[found.least, found.most].map(Number).filter((count) => count <= MOST_REPEATS))
      size += last * (times - 1)
      last *= times
    } else if (found.loop !== undefined) {
      text += token
      size += 1
      last += 1
    } else {
      text += token
      add(found.quote === undefined ? 1 : token.length)
    }
    if (size > LARGEST) throw new RegexError(`the regex is too large: it takes more than ${LARGEST} steps`)
  }
  return text
}

interface Groups {
  quote?: string
  kind?: string
  not?: string
  name?: string
  letter?: string
  class?: string
  posix?: string
  group?: string
  label?: string
  end?: string
  least?: string
  most?: string
  loop?: string
}

function step(tokens: RegExp, pattern: string): [token: string, groups: Groups] {
  const found = tokens.exec(pattern)
  return [found?.[0] ?? '', found?.groups ?? {}]
}

/** The rest of a class in brackets, of which only Unicode classes change. */
function classEnd(pattern: string, start: number): { text: string; at: number; size: number } {
  let text = ''
  let at = start
  let size = 0
  while (at < pattern.length) {
    inside.lastIndex = at
    const [token, found] = step(inside, pattern)
    at += token.length
    text += found.kind === undefined ? token : unicode(token, found)
    size += found.kind === undefined && found.posix === undefined ? 1 : CLASS_IN_CLASS
    if (found.end !== undefined) break
  }
  return { text, at, size }
}

function unicode(token: string, { kind, not = '', name, letter = '' }: Groups): string {
  const known = unicodeClass(name ?? letter)
  if (known === undefined) throw new RegexError(`error parsing regexp: invalid character class range: \`${token}\``)
  return `\\${kind}{${not}${known}}`
}
