import { type Matcher, matcher } from '../match/matcher.ts'
import { type MatcherMode, isClassicLabelName } from '../match/mode.ts'
import { MatcherError, parseMatchers } from '../match/parse.ts'
import { RegexError } from '../match/regex.ts'
import type { Path, Source } from './read/source.ts'

/** Alertmanager's three ways to write matchers, side by side under one key prefix (`source_`, `target_` or none). */
interface MatcherSettings {
  matchers?: readonly string[] | undefined
  match?: Readonly<Record<string, string | null>> | undefined
  match_re?: Readonly<Record<string, string | null>> | undefined
}

/** All matchers of a route or of one side of an inhibition; what is wrong with them is among the source's problems. */
export function readMatchers(
  { matchers = [], match = {}, match_re = {} }: MatcherSettings,
  prefix: '' | 'source_' | 'target_',
  mode: MatcherMode,
  source: Source,
  path: Path,
): Matcher[] {
  /** Runs a parser whose errors belong to a place. */
  function at(place: Path, parse: () => readonly Matcher[]): readonly Matcher[] {
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof MatcherError) && !(error instanceof RegexError)) throw error
      source.problems.push(source.problem(place, error.message))
      return []
    }
  }
  const fromMap = (key: 'match' | 'match_re', map: Readonly<Record<string, string | null>>) =>
    Object.entries(map).flatMap(([name, value]) => {
      const place = [...path, prefix + key, name]
      if (!isClassicLabelName(name)) {
        const message = `"${name}" is not a label name that ${key} can hold; write it in ${prefix}matchers`
        source.problems.push(source.problem(place, message, 'key'))
        return []
      }
      if (key === 'match') return [matcher(name, value ?? '', { isRegex: false, isEqual: true })]
      if (value === null) {
        source.problems.push(source.problem(place, 'a regex is missing', 'key'))
        return []
      }
      // in the group key as Alertmanager writes it
      return at(place, () => [matcher(name, `^(?:${value})$`, { isRegex: true, isEqual: true })])
    })
  return [
    ...matchers.flatMap((text, i) => {
      const place = [...path, `${prefix}matchers`, i]
      return at(place, () => {
        const parsed = parseMatchers(text, mode)
        if (parsed.warning) source.warnings.push(source.problem(place, parsed.warning))
        return parsed.matchers
      })
    }),
    ...fromMap('match', match),
    ...fromMap('match_re', match_re),
  ]
}
