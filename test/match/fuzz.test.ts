import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cpuSince } from '../helpers/cpu.ts'
import { compareMatchers, formatMatchers } from '../../src/match/matcher.ts'
import type { MatcherMode } from '../../src/match/mode.ts'
import { MatcherError, parseMatcher, parseMatchers } from '../../src/match/parse.ts'
import { RegexError } from '../../src/match/regex.ts'

const modes: MatcherMode[] = ['fallback', 'classic-mode', 'utf8-strict-mode']
const piece = fc.oneof(
  fc.constantFrom(
    '=',
    '!',
    '~',
    '"',
    '\\',
    '{',
    '}',
    ',',
    ' ',
    '\n',
    '=~',
    '!~',
    '!=',
    '\\"',
    'a',
    'foo',
    '|',
    '.*',
    '(',
    ')',
  ),
  fc.constantFrom(
    '[',
    ']',
    '+',
    '?',
    '\\d',
    '\\x',
    '\\u12',
    '\\777',
    "'",
    '`',
    '\u00a0',
    '\ud800',
    '\udfff',
    '\u{1f600}',
    '\0',
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
)
const text = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.array(piece, { maxLength: 6 }).map((pieces) => `a=~"${pieces.join('')}"`),
  fc.string({ unit: 'binary' }),
)

/** What a text means; undefined where it is no matcher. Whatever else is thrown is a bug. */
function read<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof MatcherError || error instanceof RegexError) return undefined
    throw error
  }
}

test.each(modes)('%s: any text is read, or refused in words', (mode) => {
  fc.assert(
    fc.property(text, (given) => {
      const list = read(() => parseMatchers(given, mode).matchers)
      for (const { test: passes } of list ?? []) expect(typeof passes(given)).toBe('boolean')
      read(() => parseMatcher(given, mode))
    }),
    { numRuns: 4000 },
  )
})

test.each(modes)('%s: what was read, printed, is read as the same', (mode) => {
  fc.assert(
    fc.property(text, (given) => {
      const matchers = read(() => parseMatchers(given, mode).matchers)
      if (!matchers) return
      const printed = formatMatchers([...matchers].sort(compareMatchers))
      const again = parseMatchers(printed, mode).matchers
      expect(formatMatchers([...again].sort(compareMatchers))).toBe(printed)
    }),
    { numRuns: 4000 },
  )
})

// a hundred thousand characters: what takes time by their square takes minutes
test.each([
  ['quotes', '"'],
  ['backslashes', '\\'],
  ['escaped quotes', 'a="\\"'],
  ['commas', ','],
  ['braces', '{'],
  ['operators', '='],
  ['spaces', ' '],
  ['names', 'a '],
  ['matchers', 'a=b,'],
  ['quoted matchers', '"a b"="c\\n",'],
  ['surrogates', '\ud800'],
  ['a value with spaces', 'a=b  '],
  ['an open regex', 'a=~('],
])('%s without end take no longer than they are long', (_what, unit) => {
  const long = unit.repeat(Math.ceil(100_000 / unit.length))
  const before = process.cpuUsage()
  for (const mode of modes) {
    for (const given of [long, `a=${long}`, `a="${long}"`, `{${long}}`]) {
      read(() => parseMatchers(given, mode))
      read(() => parseMatcher(given, mode))
    }
  }
  expect(cpuSince(before)).toBeLessThan(15)
})
