const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** A grapheme beyond this is no letter any more: it is cut between its characters. */
const LONGEST_GRAPHEME = 64

/** The last place at or before `at`, in UTF-16 units, where a text may be cut: between graphemes. */
export function boundary(text: string, at: number): number {
  if (at >= text.length) return text.length
  if (at <= 0) return 0
  // what stands far behind it does not count, and may be megabytes
  const found = graphemes.segment(text.slice(0, at + LONGEST_GRAPHEME)).containing(at)
  const start = found ? found.index : at
  if (at - start <= LONGEST_GRAPHEME) return start
  return /[\ud800-\udbff]/.test(text.charAt(at - 1)) && /[\udc00-\udfff]/.test(text.charAt(at)) ? at - 1 : at
}

/** A text of at most so many UTF-16 units, its end `…` where it was cut. */
export function cut(text: string, longest: number): string {
  if (text.length <= longest) return text
  return longest < 1 ? '' : `${text.slice(0, boundary(text, longest - 1))}…`
}

/** A text of at most so many bytes of UTF-8, its end `…` where it was cut. */
export function cutBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text
  const room = most - Buffer.byteLength('…')
  if (room < 0) return ''
  const bytes = Buffer.from(text.slice(0, room)).subarray(0, room)
  // an incomplete character at the end is left out
  const fits = new TextDecoder().decode(bytes, { stream: true }).length
  return `${text.slice(0, boundary(text, fits))}…`
}
