/** Whether a whole text matches. */
export type Test = (text: string) => boolean

// a character that stands for itself, an escaped one, what ends an alternative, and what stands for any text in a line
const piece = /([^.*+?()[\]{}|^$\\\p{Surrogate}])|\\([!-/:-@[-`{-~])|(\|)|\.([*+])\??/uy

/** Literals between gaps: `a.*b` is ['a', 'b'], and its one gap may be empty. */
interface Glob {
  literals: string[]
  gaps: number[] // the least length of each
}

/** More are the engine's, which tries all at once. */
const MOST_GLOBS = 16

/**
 * The test of an anchored pattern that is made of literals, `.*`, `.+` and `|` alone, in a group or not; undefined for any
 * other. Such a pattern always compiles.
 */
export function shortcut(pattern: string): Test | undefined {
  const globs = toGlobs(bare(pattern))
  if (!globs) return undefined
  const words = new Set(globs.filter(({ gaps }) => gaps.length === 0).map(({ literals }) => literals.join('')))
  const wild = globs.filter(({ gaps }) => gaps.length > 0)
  if (wild.length > MOST_GLOBS) return undefined
  const [first, ...others] = wild.map(toTest)
  if (!first) {
    const [only = ''] = words
    return words.size === 1 ? (text) => text === only : (text) => words.has(text)
  }
  if (others.length === 0 && words.size === 0) return first
  return (text) => words.has(text) || first(text) || others.some((test) => test(text))
}

/** Without the anchors and groups around it, which change nothing. Nobody nests more than a few. */
function bare(pattern: string): string {
  let inner = pattern
  for (let layers = 0; layers < 4; layers++) {
    const [, grouped] = /^\^?\((?:\?:)?([^]*)\)\$?$/.exec(inner) ?? []
    inner = grouped ?? inner.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  }
  return inner
}

function toGlobs(pattern: string): Glob[] | undefined {
  let glob: Glob = { literals: [''], gaps: [] }
  const globs = [glob]
  piece.lastIndex = 0
  while (piece.lastIndex < pattern.length) {
    const [, literal, escaped, bar, gap] = piece.exec(pattern) ?? []
    if (literal !== undefined || escaped !== undefined) {
      glob.literals.push(`${glob.literals.pop() ?? ''}${literal ?? escaped ?? ''}`)
    } else if (bar !== undefined) {
      glob = { literals: [''], gaps: [] }
      globs.push(glob)
    } else if (gap !== undefined) {
      const least = gap === '+' ? 1 : 0
      const before = glob.literals.length > 1 && glob.literals.at(-1) === '' ? glob.gaps.pop() : undefined
      if (before === undefined) glob.literals.push('')
      glob.gaps.push((before ?? 0) + least)
      // two characters may be two UTF-16 units or four
      if ((glob.gaps.at(-1) ?? 0) > 1) return undefined
    } else {
      return undefined
    }
  }
  // a newline in a literal and none in a gap: to tell them apart takes a search
  const hasNewline = globs.some(({ literals, gaps }) => gaps.length > 0 && literals.join('').includes('\n'))
  return hasNewline ? undefined : globs
}

function toTest({ literals, gaps }: Glob): Test {
  const [prefix = '', ...rest] = literals
  const suffix = rest.pop() ?? ''
  const [firstGap = 0, ...laterGaps] = gaps
  const least = literals.join('').length + gaps.reduce((sum, gap) => sum + gap, 0)
  if (rest.length === 0 && suffix === '') {
    return (text) => text.length >= least && text.startsWith(prefix) && !text.includes('\n', prefix.length)
  }
  const fits = (text: string) =>
    text.length >= least && text.startsWith(prefix) && text.endsWith(suffix) && !text.includes('\n')
  if (rest.length === 0) return fits
  return (text) => {
    if (!fits(text)) return false
    // each literal where it comes first: what is behind it then has the most room
    let at = prefix.length + firstGap
    for (const [i, literal] of rest.entries()) {
      const found = text.indexOf(literal, at)
      if (found === -1) return false
      at = found + literal.length + (laterGaps[i] ?? 0)
    }
    return at <= text.length - suffix.length
  }
}
