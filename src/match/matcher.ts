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

const escapes: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

/** A text as Go's strconv.Quote writes it: what does not print is escaped. */
export function quoteGo(text: string): string {
  let quoted = '"'
  for (const character of text)
    quoted += escapes[character] ?? (isPrintable(character) ? character : escapeRune(character))
  return `${quoted}"`
}

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

function isPrintable(character: string): boolean {
  return printable.test(character)
}

function escapeRune(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\U${code.toString(16).padStart(8, '0')}`
}
