import { describe, expect, test } from 'vitest'
import { type Matcher, compareMatchers, formatMatcher, matcher, matchesAll } from '../../src/match/matcher.ts'
import { isClassicLabelName, isLabelName } from '../../src/match/mode.ts'

const operators = {
  '=': { isRegex: false, isEqual: true },
  '!=': { isRegex: false, isEqual: false },
  '=~': { isRegex: true, isEqual: true },
  '!~': { isRegex: true, isEqual: false },
}
const foo = (operator: keyof typeof operators, value: string) => matcher('foo', value, operators[operator])

test.each([
  // operator  value  foo="x"  foo absent
  ['=', '', false, true],
  ['=', 'x', true, false],
  ['!=', '', true, false],
  ['!=', 'x', false, true],
  ['=~', '.*', true, true],
  ['=~', '.+', true, false],
  ['=~', 'x|y', true, false],
  ['!~', '.*', false, false],
  ['!~', '.+', false, true],
] as const)('foo%s%j on x: %s, on nothing: %s', (operator, value, onX, onNothing) => {
  const given = foo(operator, value)
  expect(matchesAll([given], new Map([['foo', 'x']]))).toBe(onX)
  expect(given.test('x')).toBe(onX)
  expect(matchesAll([given], new Map([['bar', 'x']]))).toBe(onNothing)
  expect(given.test('')).toBe(onNothing)
})

test('a list holds where all of it does, and an empty one always', () => {
  const labels = new Map([['foo', 'x']])
  expect(matchesAll([foo('=', 'x'), foo('!=', 'y')], labels)).toBe(true)
  expect(matchesAll([foo('=', 'x'), foo('=~', 'y')], labels)).toBe(false)
  expect(matchesAll([], labels)).toBe(true)
})

test('matchers are ordered by name, value and operator, by bytes', () => {
  const sorted: Matcher[] = [
    foo('=', 'a'),
    foo('!=', 'a'),
    foo('=~', 'a'),
    foo('!~', 'a'),
    foo('=', 'b'),
    matcher('\ue000', '', operators['=']),
    matcher('😀', '', operators['=']),
  ]
  expect([...sorted].reverse().sort(compareMatchers)).toEqual(sorted)
})

test.each([
  ['foo', 'a\tb', 'foo="a\tb"'],
  ['foo', 'q"\\\n', 'foo="q\\"\\\\\\n"'],
  ['odd name', 'a\tb\u00a0', '"odd name"="a\\tb\\u00a0"'],
  ['a\u0085', 'x', '"a\\u0085"="x"'],
  ['a\u200b', 'x', 'a\u200b="x"'],
  ['日本', '語', '日本="語"'],
])('%j and %j print as %s', (name, value, printed) => {
  expect(formatMatcher(matcher(name, value, operators['=']))).toBe(printed)
})

describe('names of labels', () => {
  test.each([
    // name  in the match key, in classic mode  else
    ['severity', true, true],
    ['__proto__', true, true],
    ['_', true, true],
    ['', false, false],
    ['1st', false, true],
    ['a:b', false, true],
    ['foo-bar', false, true],
    ['日本', false, true],
    ['a\n', false, true],
    ['a\ud800', false, false],
  ])('%j: classic %s, UTF-8 %s', (name, classic, utf8) => {
    expect(isClassicLabelName(name)).toBe(classic)
    expect(isLabelName(name, 'classic-mode')).toBe(classic)
    expect(isLabelName(name, 'utf8-strict-mode')).toBe(utf8)
    expect(isLabelName(name)).toBe(utf8)
  })
})
