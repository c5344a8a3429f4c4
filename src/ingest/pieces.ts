import { endOfQuote } from '../model/nesting.ts'

/** Where one object of a JSON list stands in its text. */
export interface Piece {
  from: number
  to: number
  /** Where the text of its `endsAt` stands, without quotes; 0 where it has none. */
  endsFrom: number
  endsTo: number
  fields: number // its own keys, as often as they stand there
  /** Where the values of these stand; undefined where they do not. */
  labels: Range | undefined
  annotations: Range | undefined
  generatorURL: Range | undefined
}

export interface Range {
  from: number
  to: number
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
  const piece: Piece = {
    from,
    to: 0,
    endsFrom: 0,
    endsTo: 0,
    fields: 0,
    labels: undefined,
    annotations: undefined,
    generatorURL: undefined,
  }
  let depth = 1
  let inside: Range | undefined // the value that is not at its end
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
      const value = pastSpace(text, colon + 1)
      const isText = text.charCodeAt(value) === QUOTE
      const end = isText ? endOfQuote(text, value) : colon
      if (end === -1) return undefined
      const length = at - opened - 1
      const is = (name: string) => length === name.length && text.startsWith(name, opened + 1)
      if (isText && is('endsAt')) {
        piece.endsFrom = value + 1
        piece.endsTo = end
      } else if (isText && is('generatorURL')) piece.generatorURL = { from: value, to: end + 1 }
      else if (is('labels')) piece.labels = inside = { from: value, to: 0 }
      else if (is('annotations')) piece.annotations = inside = { from: value, to: 0 }
      at = end
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1
      if (depth > deepest) return undefined
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1
      if (depth === 1 && inside) {
        inside.to = at + 1
        inside = undefined
      }
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
  for (let code = text.charCodeAt(at); code === 0x20 || (code >= 0x09 && code <= 0x0d); code = text.charCodeAt(at))
    at += 1
  return at
}
