import type { Again } from '../alert/again.ts'
import type { Alert } from '../alert/alert.ts'
import { normalise } from '../alert/normalise.ts'
import { type MatcherMode, isLabelName } from '../match/mode.ts'
import { formatInstant, parseInstant } from '../model/instant.ts'
import type { Limits } from '../model/limits.ts'
import { type Batch, checkCount, withinLimits } from './batch.ts'
import type { KnownTexts } from './known-texts.ts'
import { piecesOf } from './pieces.ts'
import { postedBatch } from './posted-alerts.ts'
import { readAlert } from './read.ts'
import type { Returned } from './reject.ts'

type End = Pick<Again, 'endsAt' | 'endsText'>

/** An instant as milliseconds has so many digits from 2001 to 2286. */
const LEAST = 1e12

/**
 * The body of `POST /api/v2/alerts` as text: as `postedBatch` reads it, but what came before is known by its text and not
 * parsed again. `parse` parses the whole; what it throws for what is no JSON, reading throws.
 */
export function postedText(
  text: string,
  parse: () => unknown,
  at: number,
  { resolveTimeout, matcherMode, limits }: { resolveTimeout: number; matcherMode: MatcherMode; limits: Limits },
  known: KnownTexts | undefined,
  deepest: number,
): Batch {
  const pieces = piecesOf(text, deepest)
  if (!pieces) return postedBatch(parse(), at, resolveTimeout, matcherMode, limits)
  checkCount(pieces, limits)
  const isName = (name: string) => isLabelName(name, matcherMode)
  const texts: (string | undefined)[] = []
  let last: { text: string; end: End | undefined } | undefined

  /** Most alerts of a request end at the same time. */
  function endOf(given: string): End | undefined {
    if (last?.text !== given) {
      const instant = parseInstant(given)
      const isPlain = instant && formatInstant(instant.at) === instant.text
      last = { text: given, end: instant && { endsAt: instant.at, endsText: isPlain ? undefined : instant.text } }
    }
    return last.end
  }

  function returned(key: string, ends: string, part: string): Returned | undefined {
    const kept = known?.get(key)
    const end = kept && endOf(ends)
    // the other rules are of what does not come again in the same words
    if (!kept || !end || end.endsAt <= at || end.endsAt < LEAST || end.endsAt < kept.startsAt) return undefined
    return { kept, ...end, read: () => readKnown(part) }
  }

  function readKnown(part: string): Alert {
    const raw = readAlert(parsed(part))
    const alert = 'reason' in raw ? raw : normalise(raw, at, resolveTimeout, isName)
    if ('reason' in alert) throw new Error('what was an alert is none')
    return alert
  }

  return {
    size: pieces.length,
    truncated: 0,
    read(index) {
      const piece = pieces[index]
      if (!piece) throw new RangeError(`there is no alert ${index}`)
      const { from, to, endsFrom, endsTo, fields } = piece
      const ends = text.slice(endsFrom, endsTo)
      const key = endsFrom > 0 ? text.slice(from, endsFrom) + text.slice(endsTo, to) : ''
      const part = text.slice(from, to)
      const again = key !== '' && returned(key, ends, part)
      if (again) return again
      const value = parsed(part)
      const raw = withinLimits(readAlert(value), limits)
      if ('reason' in raw) return raw
      // a key that stands there twice, or in other letters, may say something else the next time
      const isPlain = raw.startsAt && Object.keys(value).length === fields && Reflect.get(value, 'endsAt') === ends
      texts[index] = key !== '' && isPlain ? key : undefined
      return normalise(raw, at, resolveTimeout, isName)
    },
    textOf: (index) => texts[index],
    anew: () => postedBatch(parse(), at, resolveTimeout, matcherMode, limits),
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
