import type { Again, Kept } from '../alert/again.ts'
import type { Alert } from '../alert/alert.ts'
import { type Fault, normalise } from '../alert/normalise.ts'
import { type MatcherMode, isLabelName } from '../match/mode.ts'
import { isPlain, parseInstant } from '../model/instant.ts'
import type { Limits } from '../model/limits.ts'
import { type Batch, checkCount, withinLimits } from './batch.ts'
import { type KnownText, type KnownTexts, openKnownText } from './known-texts.ts'
import { type Piece, pieceAt, piecesOf } from './pieces.ts'
import { postedBatch } from './posted-alerts.ts'
import { readAlert } from './read.ts'
import type { Returned } from './reject.ts'

type End = Pick<Again, 'endsAt' | 'endsText'>

/** A piece that is to be read. */
interface PieceFound extends Piece {
  again?: undefined
  one?: KnownText | undefined
}

/**
 * The body of `POST /api/v2/alerts` as text: as `postedBatch` reads it, but what came before is known by its text and not
 * parsed again. `parse` parses the whole; what it throws for what is no JSON, reading throws.
 */
export function postedText(
  text: string,
  parse: () => unknown,
  at: number,
  { resolveTimeout, matcherMode, limits }: { resolveTimeout: number; matcherMode: MatcherMode; limits: Limits },
  known: KnownTexts,
  deepest: number,
): Batch {
  const isName = (name: string) => isLabelName(name, matcherMode)
  const texts: (KnownText | undefined)[] = []
  let last: { text: string; end: End | undefined } | undefined
  let before: KnownText | undefined // of the one that was found last

  const pieces = piecesOf(text, (from) => {
    const expected = before?.next && foundAt(from, before.next)
    if (expected) return expected
    const piece = pieceAt(text, from, deepest - 1)
    return piece && lookedUp(piece)
  })
  if (!pieces) return postedBatch(parse(), at, resolveTimeout, matcherMode, limits)
  checkCount(pieces, limits)

  return {
    size: pieces.length,
    truncated: 0,
    read(index) {
      const piece = pieces[index]
      if (!piece) throw new RangeError(`there is no alert ${index}`)
      return piece.again ?? readPiece(piece, index)
    },
    textOf: (index) => texts[index],
    anew: () => postedBatch(parse(), at, resolveTimeout, matcherMode, limits),
  }

  /** Whether this one stands there: those that came together often come together again. */
  function foundAt(from: number, one: KnownText): { to: number; again: Returned } | undefined {
    const endsFrom = from + one.head.length
    if (!one.kept || text.slice(from, endsFrom) !== one.head) return undefined
    const endsTo = text.indexOf('"', endsFrom)
    const to = endsTo + one.tail.length
    if (endsTo === -1 || text.slice(endsTo, to) !== one.tail) return undefined
    const again = returned(one.kept, { from, to, endsFrom, endsTo })
    if (!again) return undefined
    before = one
    return { to, again }
  }

  function lookedUp(piece: Piece): PieceFound | { to: number; again: Returned } {
    const { from, to, endsFrom, endsTo } = piece
    if (endsFrom === 0) return piece
    const whole = text.slice(from, endsFrom) + text.slice(endsTo, to)
    const one = known.get(whole)
    if (one && before) before.next = one
    before = one ?? before
    const again = one?.kept && returned(one.kept, piece)
    if (again) return { to, again }
    return { ...piece, one: one ?? openKnownText(whole, endsFrom - from) }
  }

  function readPiece(piece: PieceFound, index: number): Alert | Fault {
    const { from, to, endsFrom, endsTo, fields, one } = piece
    const value = parsed(text.slice(from, to))
    const raw = withinLimits(readAlert(value), limits)
    if ('reason' in raw) return raw
    // a key that stands there twice, or in other letters, may say something else the next time
    const comesAgain =
      raw.startsAt &&
      Object.keys(value).length === fields &&
      Reflect.get(value, 'endsAt') === text.slice(endsFrom, endsTo)
    if (one && comesAgain) texts[index] = one
    return normalise(raw, at, resolveTimeout, isName)
  }

  function returned(
    kept: Kept,
    { from, to, endsFrom, endsTo }: Pick<Piece, 'from' | 'to' | 'endsFrom' | 'endsTo'>,
  ): Returned | undefined {
    const end = endOf(text.slice(endsFrom, endsTo))
    // the other rules are of what does not come again in the same words
    if (!end || end.endsAt <= at || end.endsAt < kept.startsAt) return undefined
    return { kept, endsAt: end.endsAt, endsText: end.endsText, read: () => readKnown(text.slice(from, to)) }
  }

  /** Most alerts of a request end at the same time. */
  function endOf(given: string): End | undefined {
    if (last?.text !== given) {
      const instant = parseInstant(given)
      last = {
        text: given,
        end: instant && { endsAt: instant.at, endsText: isPlain(instant) ? undefined : instant.text },
      }
    }
    return last.end
  }

  function readKnown(part: string): Alert {
    const raw = readAlert(parsed(part))
    const alert = 'reason' in raw ? raw : normalise(raw, at, resolveTimeout, isName)
    if ('reason' in alert) throw new Error('what was an alert is none')
    return alert
  }

  /** Throws what `parse` does for a text of which this is no JSON. */
  function parsed(part: string): object {
    try {
      const value: unknown = JSON.parse(part)
      if (typeof value === 'object' && value !== null) return value
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
    parse()
    throw new Error('a part of what is JSON is none')
  }
}
