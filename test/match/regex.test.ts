import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cpuSince } from '../helpers/cpu.ts'
import { RegexError, anchored, anchoredSlowly, compile } from '../../src/match/regex.ts'
import { shortcut } from '../../src/match/shortcut.ts'

test.each([
  ['.*', 'a\nb', false],
  ['(?s).*', 'a\nb', true],
  ['a|b', 'a', true],
  ['a|b', 'ab', false],
  ['a|ab', 'ab', true],
  ['prod-.*', 'prod-\n', false],
  ['(?i)ABC', 'abc', true],
  ['abc', 'ABC', false],
  ['^a$', 'a', true],
  ['a$', 'a\n', false],
  ['(?m)a$\nb', 'a\nb', true],
  ['', '', true],
  ['a|', '', true],
  ['\\d+', '٣', false],
  // case folding is Unicode's
  ['(?i)k', '\u212a', true],
  ['(?i)s', 'ſ', true],
  ['(?i)ß', 'ẞ', true],
  ['(?i)ß', 'ss', false],
  // one character each, whatever its UTF-16 length
  ['.', '😀', true],
  ['.+.+', '😀', false],
  ['[😀-😂]', '😁', true],
  ['\\b', 'é', false],
  ['\\Qa.b\\E.', 'a.bc', true],
  ['[[:^alpha:]]', '1', true],
  // judged with `^(?:` and `)$` around it, as Alertmanager does
  ['a)|(?:b', 'ax', true],
  ['a)|(?:b', 'xb', true],
  // names of groups mean nothing here, and may come twice
  ['(?P<n>a)(?<n>b)', 'ab', true],
  ['(?P<__proto__>a)(?P<constructor>b)', 'ab', true],
  ['[(?P<n>a]+', '<n>', true],
  // names of Unicode's classes are read loosely
  ['\\pl', 'é', true],
  ['\\p{ greek }', 'α', true],
  ['\\p{^Greek}', 'α', false],
  ['\\P{old-italic}', '\u{10300}', false],
  ['\\p{Lowercase_Letter}', 'a', true],
  ['[^\\p{upper case letter}]', 'a', true],
  ['\\p{LC}', 'a', true],
  ['\\p{cntrl}', '\n', true],
])('%j on %j: %s', (pattern, text, wanted) => {
  expect(anchored(pattern)(text)).toBe(wanted)
})

test.each([
  ['(', 'missing closing )'],
  ['a(?=b)', 'invalid or unsupported Perl syntax'],
  ['(a)\\1', 'invalid escape sequence'],
  ['*', 'missing argument to repetition operator'],
  ['a**', 'invalid nested repetition operator'],
  ['x{1001}', 'invalid repeat count'],
  ['\\Z', 'invalid escape sequence'],
  ['\\Qa', 'missing closing )'],
  ['a\\', 'missing closing )'],
  ['(?P<a b>x)', 'invalid named capture'],
  ['(?P<n>?)', 'missing argument to repetition operator'],
  ['(?P<constructor>?)', 'missing argument to repetition operator'],
  ['\\p{Emoji}', 'invalid character class range: `\\p{Emoji}`'],
  ['\\p{Script=Greek}', 'invalid character class range: `\\p{Script=Greek}`'],
  ['[\\pX]', 'invalid character class range: `\\pX`'],
])('%s is no RE2 regex: %s', (pattern, words) => {
  expect(() => anchored(pattern)).toThrow(RegexError)
  expect(() => anchored(pattern)).toThrow(words)
})

test('a pattern may nest as deep as in Go, and no deeper', () => {
  const nested = (depth: number) => `${'('.repeat(depth)}x+${')'.repeat(depth)}`
  expect(anchored(nested(900))('xx')).toBe(true)
  expect(() => anchored(nested(1001))).toThrow('expression nests too deeply')
})

test('names of groups stay where they are asked for', () => {
  expect(compile('(?P<n>a)(?P<n>b)(?P<m>c)').namedGroups()).toEqual({ n: 1, m: 3 })
})

describe('a short cut', () => {
  const pieces = [
    'a',
    'b',
    'ab',
    '-',
    '.',
    '.*',
    '.+',
    '.*?',
    '|',
    '(',
    '(?:',
    ')',
    '^',
    '$',
    '\\.',
    '\\|',
    '\\',
    '\n',
    '😀',
    '*',
  ]
  const pattern = fc
    .tuple(
      fc.array(fc.constantFrom(...pieces), { maxLength: 8 }),
      fc.constantFrom(['', ''], ['^', '$'], ['(', ')'], ['(?:', ')'], ['^(?:', ')$'], ['^(', ')']),
    )
    .map(([inner, [before, after]]) => `${before}${inner.join('')}${after}`)
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '|', '\n', '😀', '$'), maxLength: 8 })

  test('gives the answers of RE2', () => {
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 8 }), (given, texts) => {
        const fast = shortcut(given)
        if (!fast) return
        const slow = anchoredSlowly(given)
        for (const one of texts) expect([one, fast(one)]).toEqual([one, slow(one)])
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    'a',
    'a|b',
    '^(?:a|b)$',
    '(a|b)',
    '.*',
    '.+',
    'a.*',
    'a.+',
    '.*a',
    '.*a.*',
    'a.*b|c',
    'a\\.b\\-c',
    '((a))',
    '',
  ])('is taken by %j', (given) => {
    expect(shortcut(given)).toBeDefined()
  })
  test.each(['a.b', '(?i)a', '[ab]', 'a+', 'a\\d', '(a)|(b)', '(a', 'a\\', '.+.+', 'a\n.*', '^*a'])(
    'is not taken by %j',
    (given) => {
      expect(shortcut(given)).toBeUndefined()
    },
  )
})

const hosts = Array.from({ length: 5000 }, (_, i) => `host-${i}.example.com`)

test.each([
  ['a long list of names', hosts.map((host) => host.replaceAll('.', '\\.')).join('|'), 'host-4999.example.com', true],
  ['a long list of patterns', `(?:${hosts.slice(0, 500).join('|')}):\\d+`, 'host-499.example.com:9100', true],
  ['nested loops', '(a+)+b', 'a'.repeat(20_000), false],
  ['a thousand of one', 'x{1000}', 'x'.repeat(1000), true],
  ['what may be there or not', '(?:a?){300}a{300}', 'a'.repeat(300), true],
  ['nested counts', '((((a{1,5}){1,5}){1,5}){1,4})', 'a'.repeat(500), true],
])('%s costs little', (_what, pattern, text, wanted) => {
  const before = process.cpuUsage()
  expect(anchored(pattern)(text)).toBe(wanted)
  expect(cpuSince(before)).toBeLessThan(15) // JavaScript's own engine would not end in years
})

test.each([
  '(a{1000}){1000}',
  'a{1000}'.repeat(251),
  '(?:\\pL{1000}){1}'.repeat(70),
  '(?:(?:x?){1000}y){1}'.repeat(130),
  'x[ab]'.repeat(60_000),
  `[${'\\pL\\PL'.repeat(30_000)}]`,
])('%.20s… is too large, and refused at once', (pattern) => {
  const before = process.cpuUsage()
  expect(() => anchored(pattern)).toThrow('the regex is too large')
  expect(cpuSince(before)).toBeLessThan(15)
})

test.each(['[[:', '\\p{', '\\x{', '(?P<a', '(?i', '[', '('])('%s again and again is refused at once', (part) => {
  const before = process.cpuUsage()
  expect(() => anchored(part.repeat(60_000))).toThrow(RegexError)
  expect(cpuSince(before)).toBeLessThan(15)
})
