import type { Request } from 'express'
import { type Matcher, matchesAll } from '../../match/matcher.ts'
import type { MatcherMode } from '../../match/mode.ts'
import { MatcherError, parseMatcher } from '../../match/parse.ts'
import { RegexError, anchored } from '../../match/regex.ts'
import type { Labels } from '../../model/labels.ts'
import { BareError } from './answer.ts'

/** All values of a parameter, in their order. */
export function valuesOf({ query }: Request, name: string): string[] {
  const given = query[name]
  return [given].flat().filter((value) => typeof value === 'string')
}

const yes = new Set(['true', '1', 'yes', 'ok', 'y', 'on', 'selected', 'checked', 't', 'enabled'])

/** A flag; true where it is not given. Whatever is no yes is a no (go-openapi/swag, ConvertBool). */
export function flag(request: Request, name: string): boolean {
  const value = valuesOf(request, name).at(-1)
  return value === undefined || value === '' || yes.has(value.toLowerCase())
}

/** The matchers of a parameter that may be repeated, one in each. Throws BareError 400. */
export function matchersOf(request: Request, name: string, mode: MatcherMode, prefix = ''): Matcher[] {
  return valuesOf(request, name).map((text) => {
    try {
      return parseMatcher(text, mode).matcher
    } catch (error) {
      if (!(error instanceof MatcherError) && !(error instanceof RegexError)) throw error
      throw new BareError(
        400,
        prefix + (mode === 'utf8-strict-mode' ? error.message : inAlertmanagersWords(text, error)),
      )
    }
  })
}

/** The classic grammar's errors, which are what the API answers (pkg/labels, ParseMatcher). */
function inAlertmanagersWords(text: string, error: Error): string {
  if (error instanceof RegexError) return error.message
  if (text.startsWith('{') || text.endsWith('}')) return `unexpected open or close brace: ${text}`
  const value = /^\s*[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:=~|=|!=|!~)([^]*)$/.exec(text)?.[1]?.trim()
  return value?.includes('"')
    ? `matcher value contains unescaped double quote: ${value}`
    : `bad matcher format: ${text}`
}

/** Which receivers are asked for. Throws BareError 400. */
export function receiversAsked(
  request: Request,
  mode: MatcherMode,
  labelsOf: (receiver: string) => Labels,
): (receiver: string) => boolean {
  const [pattern = ''] = valuesOf(request, 'receiver')
  const matchers = matchersOf(request, 'receiver_matchers', mode, 'failed to parse receiver_matchers param: ')
  const fits = pattern === '' ? () => true : regexOf(pattern)
  const answers = new Map<string, boolean>()
  return (receiver) => {
    let answer = answers.get(receiver)
    if (answer === undefined)
      answers.set(receiver, (answer = fits(receiver) && matchesAll(matchers, labelsOf(receiver))))
    return answer
  }
}

function regexOf(pattern: string): (text: string) => boolean {
  try {
    return anchored(pattern)
  } catch (error) {
    if (!(error instanceof RegexError)) throw error
    const shown = error.message.replace(`\`${pattern}\``, () => `\`^(?:${pattern})$\``)
    throw new BareError(400, `failed to parse receiver param: ${shown}`)
  }
}
