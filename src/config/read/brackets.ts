/** So many brackets more open than close in no file that means well, be it in texts and comments. */
const FAR = 1000

/**
 * Where a text opens its bracket beyond so many, if it opens far more than it closes; a first look at it, since to parse
 * 4 MiB of them takes 20 s before their depth is known. It does not know quotes: what it lets by, the parser's own depth decides.
 */
export function opensTooMany(text: string, most: number): number | undefined {
  let depth = 0
  let beyond = 0 // where the bracket stands that went beyond
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5b || code === 0x7b) {
      depth += 1
      if (depth === most + 1) beyond = at
      if (depth > FAR) return beyond
    } else if ((code === 0x5d || code === 0x7d) && depth > 0) {
      depth -= 1
    }
  }
  return undefined
}
