import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Matcher,
  compareMatchers,
  formatMatcher,
  formatMatchers,
  matcher,
  operatorOf,
} from '../../src/match/matcher.ts'
import type { MatcherMode } from '../../src/match/mode.ts'
import { MatcherError, parseMatcher, parseMatchers } from '../../src/match/parse.ts'
import { RegexError } from '../../src/match/regex.ts'

interface Verdict {
  ok?: string | string[]
  error?: string
  warn?: string
}
type Verdicts = Partial<Record<'all' | 'fallback' | 'classic' | 'utf8', Verdict>>
interface Vector {
  input: string
  list: Verdicts
  single: Verdicts
}
const file = new URL('../vectors/matcher-vectors.json', import.meta.url)
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))
const modes = { fallback: 'fallback', classic: 'classic-mode', utf8: 'utf8-strict-mode' } as const

/** What is read, or undefined where it is refused: which is Alertmanager's, the words for it are ours. */
function taken<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof MatcherError || error instanceof RegexError) return undefined
    throw error
  }
}
const list = (text: string, mode?: MatcherMode) => taken(() => parseMatchers(text, mode))
const single = (text: string, mode?: MatcherMode) => taken(() => parseMatcher(text, mode))
const parts = ({ name, value, isRegex, isEqual }: Matcher) => ({ name, value, isRegex, isEqual })

describe.each(vectors)('$input', ({ input, list: wantedList, single: wantedSingle }) => {
  test.each(['fallback', 'classic', 'utf8'] as const)('as Alertmanager reads it, %s', (key) => {
    const parsed = list(input, modes[key])
    const wanted = wantedList.all ?? wantedList[key]
    expect(parsed && formatMatchers([...parsed.matchers].sort(compareMatchers))).toBe(wanted?.ok)
    // Alertmanager also warns that no matcher at all disagrees with none: its nil is not its empty list
    if (wanted?.ok !== '{}') expect(parsed?.warning !== undefined).toBe(wanted?.warn !== undefined)

    const one = single(input, modes[key])?.matcher
    expect(one && [one.name, operatorOf(one), one.value]).toEqual((wantedSingle.all ?? wantedSingle[key])?.ok)
  })
})

test.each([
  // text  list and single in fallback, classic and strict mode, as Alertmanager prints it; - where refused
  [
    'foo=\u3000bar',
    ['{foo="\u3000bar"}', 'foo="\u3000bar"'],
    ['{foo="\u3000bar"}', 'foo="\u3000bar"'],
    ['{foo="bar"}', 'foo="bar"'],
  ],
  // the last piece of a classic list, and only that one, is trimmed of all that Unicode calls space
  ['\u0085foo=~"\\d+"\u3000', ['{foo=~"\\\\d+"}', '-'], ['{foo=~"\\\\d+"}', '-'], ['-', '-']],
  ['\u0085foo=~"\\d+",', ['-', '-'], ['-', '-'], ['-', '-']],
  ['\ufeff', ['-', '-'], ['-', '-'], ['-', '-']],
  // a backslash before a comma in quotes waits for what comes behind it
  ['{a=",\\,\\",{"}', ['-', '-'], ['-', '-'], ['-', '-']],
  ['a="\\{\\,",a=', ['-', '-'], ['-', '-'], ['-', '-']],
  ['foo="\\\\", ', ['{foo="\\\\"}', 'foo="\\\\"'], ['{foo="\\\\"}', '-'], ['{foo="\\\\"}', 'foo="\\\\"']],
  ['{foo="\\\\" , ', ['{foo="\\\\"}', '-'], ['{foo="\\\\"}', '-'], ['-', '-']],
  // one brace: the classic single matcher takes it as part of the value
  ['foo=bar}', ['{foo="bar"}', '-'], ['{foo="bar"}', 'foo="bar}"'], ['-', '-']],
  ['"\\xe6\\x97\\xa5"=x', ['{日="x"}', '日="x"'], ['-', '-'], ['{日="x"}', '日="x"']],
  ['foo="\\xff"', ['{foo="\\\\xff"}', 'foo="\\\\xff"'], ['{foo="\\\\xff"}', 'foo="\\\\xff"'], ['-', '-']],
  ['a\u0000=b', ['{a\u0000="b"}', 'a\u0000="b"'], ['-', '-'], ['{a\u0000="b"}', 'a\u0000="b"']],
])('%j', (text, ...wanted) => {
  const got = Object.values(modes).map((mode) => {
    const [many, one] = [list(text, mode), single(text, mode)]
    return [many ? formatMatchers(many.matchers) : '-', one ? formatMatcher(one.matcher) : '-']
  })
  expect(got).toEqual(wanted)
})

test('a lone surrogate is no text', () => {
  for (const mode of Object.values(modes)) {
    for (const text of ['a\ud800=b', 'a=\udc00', 'a="\udc80"']) expect(list(text, mode)).toBeUndefined()
  }
})

test.each([
  ['foo=bar baz', 'foo=bar baz is only read by the classic rules; write it as foo="bar baz"'],
  ['foo=~"\\d+"', 'foo=~"\\d+" is only read by the classic rules; write it as foo=~"\\\\d+"'],
  [
    'foo="b\\tr"',
    'foo="b\\tr" means two things: foo="b\\\\tr" by the classic rules, which count, and foo="b\tr" by the new ones; write it as foo="b\\\\tr"',
  ],
])('%s warns how to write it', (text, warning) => {
  expect(parseMatcher(text).warning).toBe(warning)
  const suggestion = warning.slice(warning.lastIndexOf('write it as ') + 'write it as '.length)
  expect(parseMatchers(text).warning?.endsWith(`write it as {${suggestion}}`)).toBe(true)
  // what is suggested means the same, and nothing warns of it
  for (const mode of ['fallback', 'utf8-strict-mode'] as const) {
    const { matcher: read, warning: again } = parseMatcher(suggestion, mode)
    expect([parts(read), again]).toEqual([parts(parseMatcher(text).matcher), undefined])
  }
})

test.each<[text: string, mode: MatcherMode, message: string]>([
  ['a b', 'fallback', 'a b: column 3: unexpected b, expected an operator (=, !=, =~ or !~)'],
  [
    'foo=~a{2,3}',
    'fallback',
    'foo=~a{2,3}: expected an opening brace at the start; put a value with a brace in double quotes',
  ],
  ['a=b,,c=d', 'fallback', 'a=b,,c=d: column 5: unexpected ,, expected a label name'],
  ["日本='a'", 'fallback', "日本='a': column 4: unexpected '; put a name or value that holds it in double quotes"],
  [
    '"a"=b c',
    'fallback',
    '"a"=b c: column 7: unexpected c, expected a comma; quote a value that holds more than a word',
  ],
  [
    'foo=bar baz',
    'utf8-strict-mode',
    'foo=bar baz: column 9: unexpected baz, expected a comma; write it as {foo="bar baz"}',
  ],
  ['foo=', 'utf8-strict-mode', 'foo=: unexpected end, expected a label value; write it as {foo=""}'],
  ['foo="\\d"', 'utf8-strict-mode', 'foo="\\d": column 5: "\\d" is not a quoted text; write it as {foo="\\\\d"}'],
  ['"a\\xff"=b', 'utf8-strict-mode', '"a\\xff"=b: column 1: "a\\xff" is not valid UTF-8'],
  ['foo="a', 'utf8-strict-mode', 'foo="a: column 5: missing end "'],
  ['foo!bar', 'utf8-strict-mode', 'foo!bar: column 4: expected != or !~ after !'],
  ['{foo=bar', 'utf8-strict-mode', '{foo=bar: expected a closing brace at the end; write it as {foo="bar"}'],
  ['日=x', 'classic-mode', '日=x: expected a name of letters, digits, _ or :, then =, !=, =~ or !~, then a value'],
  ['a="b"c"', 'classic-mode', 'a="b"c": "b"c" contains an unescaped double quote; write it as \\"'],
  ['a="b', 'classic-mode', 'a="b: "b lacks its end "'],
])('%s is refused in %s', (text, mode, message) => {
  expect(() => parseMatchers(text, mode)).toThrow(MatcherError)
  expect(() => parseMatchers(text, mode)).toThrow(`bad matcher format: ${message}`)
})

test.each([
  ['', 'no matcher; write one as name="value"'],
  ['a=b,c=d', 'expected 1 matcher, found 2'],
  ['{a=b}', 'unexpected open or close brace; a single matcher has none; quote one in a value'],
])('%j is no single matcher', (text, message) => {
  expect(() => parseMatcher(text, 'utf8-strict-mode')).toThrow(`bad matcher format: ${text}: ${message}`)
})

test.each(['foo=~"("', '"foo bar"=~"("', 'foo=~"\\d("'])('%s tells what is wrong with the regex', (text) => {
  expect(() => parseMatchers(text)).toThrow(RegexError)
  expect(() => parseMatchers(text)).toThrow('missing closing )')
})

describe('what is printed reads back', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'ab"\\\n\t\'`{}!=~, \u0085\u00a0\u2028\u3000\ufeff\0😀n'), maxLength: 12 }),
  )
  const operators = [
    { isRegex: false, isEqual: true },
    { isRegex: false, isEqual: false },
    { isRegex: true, isEqual: true },
    { isRegex: true, isEqual: false },
  ]
  const regex = text.map((given) =>
    given.replace(/[^a-z0-9]/giu, (c) => `\\x{${(c.codePointAt(0) ?? 0).toString(16)}}`),
  )
  const anyMatcher = (name: fc.Arbitrary<string>) =>
    fc
      .tuple(name, fc.constantFrom(...operators))
      .chain(([label, how]) => (how.isRegex ? regex : text).map((value) => matcher(label, value, how)))
  const label = text.filter((name) => name !== '')
  const classicLabel = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,8}$/)
  const runs = { numRuns: 1000 }

  test.each<[MatcherMode, fc.Arbitrary<string>]>([
    ['fallback', label],
    ['utf8-strict-mode', label],
    ['classic-mode', classicLabel],
  ])('in %s', (mode, name) => {
    fc.assert(
      fc.property(anyMatcher(name), (given) => {
        const { matcher: one, warning } = parseMatcher(formatMatcher(given), mode)
        expect([parts(one), warning]).toEqual([parts(given), undefined])
      }),
      runs,
    )
    fc.assert(
      fc.property(fc.array(anyMatcher(name), { maxLength: 4 }), fc.boolean(), (given, braces) => {
        const printed = formatMatchers(given)
        const { matchers, warning } = parseMatchers(braces ? printed : printed.slice(1, -1), mode)
        expect([matchers.map(parts), warning]).toEqual([given.map(parts), undefined])
      }),
      runs,
    )
  })
})
