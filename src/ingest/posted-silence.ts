import type { AlertmanagerAnswer } from '../alert/normalise.ts'
import { isLabelName, type MatcherMode } from '../match/mode.ts'
import { type Matcher, matcher } from '../match/matcher.ts'
import { RegexError, compile } from '../match/regex.ts'
import { parseInstant } from '../model/instant.ts'
import type { SilenceDraft } from '../suppress/silence.ts'
import { unparsableTime, unreadable } from './answer.ts'
import { isObject } from './read.ts'

/** What is wrong with a silence that somebody posted, as Alertmanager answers it. */
export class SilenceFault extends Error {
  override readonly name = 'SilenceFault'
  readonly code: AlertmanagerAnswer['code']

  constructor({ code, message }: AlertmanagerAnswer) {
    super(message)
    this.code = code
  }
}

/**
 * The body of `POST /api/v2/silences`, checked by the schema and then by Alertmanager's rules in their order (api/v2,
 * postSilencesHandler; silence.go, validateSilence). `id` is '' where none is given. Throws SilenceFault.
 */
export function postedSilence(body: unknown, at: number, mode: MatcherMode): SilenceDraft {
  const given = body ?? {}
  if (!isObject(given)) throw new SilenceFault(unreadable(given, 'Go value of type models.PostableSilence'))
  const id = textAt(given, 'id', '.id')
  const annotations = annotationsOf(given['annotations'])
  const comment = textAt(given, 'comment', 'Silence.comment')
  const createdBy = textAt(given, 'createdBy', 'Silence.createdBy')
  const endsAt = instantAt(given, 'endsAt')
  const matchers = matcherFields(given['matchers'])
  const startsAt = instantAt(given, 'startsAt')

  if (comment === undefined) throw missing('comment')
  if (createdBy === undefined) throw missing('createdBy')
  if (endsAt === undefined) throw missing('endsAt')
  if (matchers === undefined) throw missing('matchers')
  if (matchers.length === 0)
    throw new SilenceFault({ code: 612, message: 'matchers in body should have at least 1 items' })
  const whole = matchers.map(({ name, value, isRegex, isEqual = true }, i) => {
    if (isRegex === undefined) throw missing(`matchers.${i}.isRegex`)
    if (name === undefined) throw missing(`matchers.${i}.name`)
    if (value === undefined) throw missing(`matchers.${i}.value`)
    return { name, value, isRegex, isEqual }
  })
  if (startsAt === undefined) throw missing('startsAt')

  if (startsAt >= endsAt) throw broken('Failed to create silence: start time must be before end time')
  if (endsAt < at) throw broken("Failed to create silence: end time can't be in the past")
  const compiled = whole.map((one, i) => toMatcher(one, i, mode))
  if (compiled.every(fitsNothing)) throw invalid('matcher set 0: at least one matcher must not match the empty string')
  return { id: id ?? '', matchers: compiled, startsAt, endsAt, createdBy, comment, annotations }
}

interface MatcherFields {
  name: string | undefined
  value: string | undefined
  isRegex: boolean | undefined
  isEqual: boolean | undefined
}

function matcherFields(value: unknown): MatcherFields[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value))
    throw new SilenceFault(unreadable(value, 'Go struct field Silence.matchers of type models.Matchers'))
  return value.map((one: unknown, i) => {
    const given = one ?? {}
    const place = `Silence.matchers.${i}`
    if (!isObject(given)) throw new SilenceFault(unreadable(given, `${place} of type models.Matcher`))
    return {
      name: textAt(given, 'name', `${place}.name`),
      value: textAt(given, 'value', `${place}.value`),
      isRegex: flagAt(given, 'isRegex', `${place}.isRegex`),
      isEqual: flagAt(given, 'isEqual', `${place}.isEqual`),
    }
  })
}

function toMatcher(
  given: Pick<Matcher, 'name' | 'value' | 'isRegex' | 'isEqual'>,
  i: number,
  mode: MatcherMode,
): Matcher {
  const { name, value } = given
  const fault = (why: string) => invalid(`invalid label matcher ${i} in set 0: ${why}`)
  if (!isLabelName(name, mode)) throw fault(`invalid label name ${JSON.stringify(name)}`)
  if (/\p{Surrogate}/u.test(value)) throw fault(`invalid label value ${JSON.stringify(value)}`)
  try {
    return matcher(name, value, given)
  } catch (error) {
    if (!(error instanceof RegexError)) throw error
    throw fault(`invalid regular expression ${JSON.stringify(value)}: ${error.message}`)
  }
}

/** Whether an alert without the label fits; a regex is held against the empty text without anchors, and a negation never does. */
function fitsNothing({ value, isRegex, isEqual }: Matcher): boolean {
  if (!isEqual) return false
  return isRegex ? compile(value).matcher('').find() : value === ''
}

function annotationsOf(value: unknown): Map<string, string> {
  if (value === undefined || value === null) return new Map()
  if (!isObject(value))
    throw new SilenceFault(unreadable(value, 'Go struct field Silence.annotations of type models.LabelSet'))
  return new Map(
    Object.keys(value).map((name): [string, string] => [
      name,
      textAt(value, name, `Silence.annotations.${name}`) ?? '',
    ]),
  )
}

function textAt(given: Record<string, unknown>, key: string, place: string): string | undefined {
  const value = given[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new SilenceFault(unreadable(value, `Go struct field ${place} of type string`))
  return value
}

function flagAt(given: Record<string, unknown>, key: string, place: string): boolean | undefined {
  const value = given[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw new SilenceFault(unreadable(value, `Go struct field ${place} of type bool`))
  return value
}

/** Epoch ms. */
function instantAt(given: Record<string, unknown>, key: string): number | undefined {
  const value = given[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new SilenceFault(unreadable(value, 'Go value of type string'))
  const instant = parseInstant(value)
  if (!instant) throw new SilenceFault(unparsableTime(value))
  return instant.at
}

function missing(key: string): SilenceFault {
  return new SilenceFault({ code: 602, message: `${key} in body is required` })
}

function invalid(why: string): SilenceFault {
  return broken(`invalid silence: ${why}`)
}

function broken(message: string): SilenceFault {
  return new SilenceFault({ code: 'rule', message })
}
