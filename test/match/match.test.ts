import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareMatchers, formatMatchers, matcher, matchesAll, operatorOf } from '../../src/match/matcher.ts'
import { parseClassic, parseMatcher, parseMatchers, parseUtf8 } from '../../src/match/parse.ts'
import { RegexError, anchored, anchoredSlowly } from '../../src/match/regex.ts'
import { quoteGo, unquoteGo } from '../../src/model/quote.ts'

interface Verdict<T> {
  ok?: T
  error?: string
  warn?: string
}
interface Row<T> {
  all?: Verdict<T>
  fallback?: Verdict<T>
  classic?: Verdict<T>
  utf8?: Verdict<T>
}
interface Vector {
  input: string
  list: Row<string>
  single: Row<[string, string, string]>
}
const file = new URL('../vectors/matcher-vectors.json', import.meta.url)
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))

function outcome<T>(run: () => T): Verdict<T> {
  try {
    return { ok: run() }
  } catch (error) {
    return { error: String(error) }
  }
}
/** Messages are ours; which inputs are refused is Alertmanager's. */
function verdict<T>(given: Verdict<T> | undefined): Verdict<T> {
  return given?.error === undefined ? { ok: given?.ok as T } : { error: 'some' }
}
const canonical = (text: string, parse: (text: string) => ReturnType<typeof parseUtf8>) =>
  formatMatchers([...parse(text)].sort(compareMatchers))

describe.each(vectors)('$input', ({ input, list, single }) => {
  test('as a list', () => {
    const wanted = list.all ?? list.fallback
    expect(verdict(outcome(() => canonical(input, (text) => parseMatchers(text).matchers)))).toEqual(verdict(wanted))
    // Alertmanager also warns that no matcher at all disagrees with none: its nil is not its empty list
    if (wanted?.ok !== undefined && wanted.ok !== '{}') {
      expect(parseMatchers(input).warning !== undefined).toBe(wanted.warn !== undefined)
    }
    expect(verdict(outcome(() => canonical(input, parseUtf8)))).toEqual(verdict(list.all ?? list.utf8))
    expect(verdict(outcome(() => canonical(input, parseClassic)))).toEqual(verdict(list.all ?? list.classic))
  })

  test('as a single matcher', () => {
    const parsed = outcome((): [string, string, string] => {
      const { matcher: one } = parseMatcher(input)
      return [one.name, operatorOf(one), one.value]
    })
    expect(verdict(parsed)).toEqual(verdict(single.all ?? single.fallback))
  })
})

test('what is printed parses to the same', () => {
  const operator = fc.record({ isRegex: fc.constant(false), isEqual: fc.boolean() })
  const text = fc.string({ unit: 'grapheme', maxLength: 20 })
  fc.assert(
    fc.property(
      text.filter((name) => name !== ''),
      text,
      operator,
      (name, value, how) => {
        const [read] = parseUtf8(formatMatchers([matcher(name, value, how)]))
        expect([read?.name, read?.value, read?.isEqual]).toEqual([name, value, how.isEqual])
      },
    ),
  )
})

test('Go quoting reads back', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => unquoteGo(quoteGo(text)) === text))
})

test.each([
  // operator  value  label absent matches
  ['=', '', true],
  ['=', 'x', false],
  ['!=', '', false],
  ['!=', 'x', true],
  ['=~', '.*', true],
  ['=~', '.+', false],
  ['!~', '.*', false],
  ['!~', '.+', true],
])('an absent label counts as empty: foo%s%j', (operator, value, wanted) => {
  const { matchers } = parseMatchers(`foo${operator}"${value}"`)
  expect(matchesAll(matchers, new Map())).toBe(wanted)
})

test.each([
  ['.*', 'a\nb', false],
  ['(?s).*', 'a\nb', true],
  ['a|b', 'a', true],
  ['a|b', 'ab', false],
  ['prod-.*', 'prod-\n', false],
  ['(?i)ABC', 'abc', true],
  ['abc', 'ABC', false],
  ['^a$', 'a', true],
  ['', '', true],
  ['a|', '', true],
  ['\\d+', '٣', false],
])('%j on %j', (pattern, text, wanted) => {
  expect(anchored(pattern)(text)).toBe(wanted)
})

test.each(['(', 'a(?=b)', '(a)\\1', '*', 'a{1001}', '\\Z'])('%j is no RE2 regex', (pattern) => {
  expect(() => anchored(pattern)).toThrow(RegexError)
})

test('a short cut gives the same answers as RE2', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '|', '.', '*', '+', '\n', '-'), maxLength: 6 })
  fc.assert(
    fc.property(part, fc.array(part, { minLength: 1, maxLength: 5 }), (pattern, texts) => {
      const slow = outcome(() => anchoredSlowly(pattern))
      const fast = outcome(() => anchored(pattern))
      expect(fast.error === undefined).toBe(slow.error === undefined)
      for (const text of texts) expect(fast.ok?.(text)).toBe(slow.ok?.(text))
    }),
    { numRuns: 5000 },
  )
})

test('a pattern made to be slow is not', () => {
  const started = performance.now()
  expect(anchored('(a+)+b')('a'.repeat(20_000))).toBe(false)
  expect(performance.now() - started).toBeLessThan(5000) // JavaScript's own engine would not end in years
})
