import { endOfQuote } from '../model/nesting.ts'

/** Where one object of a JSON list stands in its text. */
export interface Piece {
  from: number
  to: number
  /** Where the text of its `endsAt` stands, without quotes; 0 where it has none. */
  endsFrom: number
  endsTo: number
  fields: number // its own keys, as often as they stand there
}

const QUOTE = 0x22
const COLON = 0x3a

/**
 * The objects of a JSON list, found without parsing it; undefined where the text is not plainly one. `pieceFrom` says what
 * stands at a place, as `pieceAt` does; that each piece is JSON is for whoever reads it to say.
 */
export function piecesOf<P extends Pick<Piece, 'to'>>(
  text: string,
  pieceFrom: (from: number) => P | undefined,
): P[] | undefined {
  const pieces: P[] = []
  let at = pastSpace(text, 0)
  if (text[at] !== '[') return undefined
  at = pastSpace(text, at + 1)
  if (text[at] !== ']') {
    for (;;) {
      const piece = pieceFrom(at)
      if (!piece) return undefined
      pieces.push(piece)
      at = pastSpace(text, piece.to)
      if (text[at] !== ',') break
      at = pastSpace(text, at + 1)
    }
  }
  return text[at] === ']' && pastSpace(text, at + 1) === text.length ? pieces : undefined
}

/** The object that begins there; undefined where none does, or one that nests deeper than so many levels. Costs a fifth of parsing it. */
export function pieceAt(text: string, from: number, deepest: number): Piece | undefined {
  if (text[from] !== '{') return undefined
  const piece: Piece = { from, to: 0, endsFrom: 0, endsTo: 0, fields: 0 }
  let depth = 1
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const opened = at
      at = endOfQuote(text, at)
      if (at === -1) return undefined
      if (depth > 1) continue
      const colon = pastSpace(text, at + 1)
      if (text.charCodeAt(colon) !== COLON) continue
      piece.fields += 1
      if (at - opened !== 7 || !text.startsWith('endsAt', opened + 1)) continue
      const value = pastSpace(text, colon + 1)
      if (text.charCodeAt(value) !== QUOTE) continue
      at = endOfQuote(text, value)
      if (at === -1) return undefined
      piece.endsFrom = value + 1
      piece.endsTo = at
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1
      if (depth > deepest) return undefined
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1
      if (depth === 0) {
        piece.to = at + 1
        return piece
      }
    }
  }
  return undefined
}

function pastSpace(text: string, from: number): number {
  let at = from
  for (
    let code = text.charCodeAt(at);
    code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
    code = text.charCodeAt(at)
  )
    at += 1
  return at
}
