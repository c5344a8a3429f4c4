import { quoteGo } from '../model/quote.ts'
import { type Labels, compareBytes } from '../model/labels.ts'
import { anchored } from './regex.ts'

/** One test of one label. An absent label counts as the empty text. */
export interface Matcher {
  readonly name: string
  readonly value: string
  readonly isRegex: boolean
  readonly isEqual: boolean
  /** Whether a label of this value passes. */
  readonly test: (value: string) => boolean
}

/** Throws RegexError where the value is a regex that does not compile. */
export function matcher(
  name: string,
  value: string,
  { isRegex, isEqual }: { isRegex: boolean; isEqual: boolean },
): Matcher {
  const hits = isRegex ? anchored(value) : (text: string) => text === value
  return { name, value, isRegex, isEqual, test: isEqual ? hits : (text) => !hits(text) }
}

/** Whether all of them hold. None at all match everything. */
export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  for (const { name, test } of matchers) if (!test(labels.get(name) ?? '')) return false
  return true
}

/** By name, then value, both by bytes, then `=` < `!=` < `=~` < `!~`. */
export function compareMatchers(a: Matcher, b: Matcher): number {
  return compareBytes(a.name, b.name) || compareBytes(a.value, b.value) || rank(a) - rank(b)
}

function rank({ isRegex, isEqual }: Matcher): number {
  return (isRegex ? 2 : 0) + (isEqual ? 0 : 1)
}

export function operatorOf({ isRegex, isEqual }: Matcher): string {
  if (isRegex) return isEqual ? '=~' : '!~'
  return isEqual ? '=' : '!='
}

/** The only values that fit, where a matcher names them; undefined where it does not. */
export function literalsOf({ isRegex, isEqual, value }: Matcher): readonly string[] | undefined {
  if (!isEqual) return undefined
  if (!isRegex) return [value]
  const inner = /^\^\(\?:(.*)\)\$$/s.exec(value)?.[1] ?? value
  return /[.*+?()[\]{}^$\\]/.test(inner) ? undefined : inner.split('|')
}

const reserved = /[\p{White_Space}{}!=~,\\"'`]/u

/** Alertmanager's text of a matcher (pkg/labels, Matcher.String): `severity=~"a|b"`. */
export function formatMatcher(given: Matcher): string {
  const { name, value } = given
  if (reserved.test(name)) return `${quoteGo(name)}${operatorOf(given)}${quoteGo(value)}`
  return `${name}${operatorOf(given)}"${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`
}

/** `{a="b",c!="d"}`, in the order given. */
export function formatMatchers(matchers: readonly Matcher[]): string {
  return `{${matchers.map(formatMatcher).join(',')}}`
}
