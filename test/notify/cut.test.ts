import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cut, cutBytes } from '../../src/notify/cut.ts'

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const stray = /\p{Surrogate}/u
const family = '👨‍👩‍👧‍👦'

test.each([
  ['short', 10, 'short'],
  ['exactly ten', 11, 'exactly ten'],
  ['one too many', 11, 'one too ma…'],
  ['😀😀😀', 5, '😀😀…'],
  ['😀😀😀', 4, '😀…'],
  [`a${family}b`, 8, 'a…'],
  [`a${family}b`, 13, `a${family}b`],
  ['e\u0301e\u0301e\u0301', 4, 'e\u0301…'],
  ['🇩🇪🇦🇹🇨🇭', 7, '🇩🇪…'],
  ['क्षिक्षि', 5, 'क्षि…'],
  ['\r\n\r\n', 2, '…'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
])('%j within %d is %j', (text, longest, wanted) => {
  expect(cut(text, longest)).toBe(wanted)
})

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .array(fc.constantFrom('a', '\u0301', '\u200d', '👩', '🇩', '\u0928', '\u093f', '\r', '\n', '\ud83d', '\udc00'))
    .map((all) => all.join('')),
)
const lengths = fc.integer({ min: 0, max: 320 })

/** What stands before the mark is a prefix that ends between graphemes, and no surrogate pair of the text was split. */
function isCleanCut(text: string, done: string): boolean {
  if (done === text || done === '') return true
  const kept = done.slice(0, -1)
  const boundaries = new Set([...graphemes.segment(text)].map(({ index }) => index))
  const isMonster = [...graphemes.segment(text)].some(({ segment }) => segment.length > 64)
  return done.endsWith('…') && text.startsWith(kept) && (boundaries.has(kept.length) || isMonster)
}

test('whatever the text, what is cut is a prefix between graphemes, and fits', () => {
  fc.assert(
    fc.property(anyText, lengths, (text, longest) => {
      const done = cut(text, longest)
      expect(done.length).toBeLessThanOrEqual(longest)
      expect(isCleanCut(text, done)).toBe(true)
      if (!stray.test(text)) expect(done).not.toMatch(stray)
    }),
    { numRuns: 2000 },
  )
})

test('the same by bytes', () => {
  fc.assert(
    fc.property(anyText, lengths, (text, most) => {
      const done = cutBytes(text, most)
      expect(Buffer.byteLength(done)).toBeLessThanOrEqual(most)
      expect(isCleanCut(text, done)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('a grapheme without end is cut between its characters', () => {
  const zalgo = `a${'\u0301'.repeat(5000)}`
  expect(cut(zalgo, 1000)).toHaveLength(1000)
  const ties = `👩${'\u200d👩'.repeat(500)}`
  expect(cut(ties, 1000)).not.toMatch(stray)
})

test('a megabyte is cut without looking at all of it', () => {
  expect(cut('😀'.repeat(500_000), 4000)).toHaveLength(3999)
  expect(Buffer.byteLength(cutBytes('ж'.repeat(500_000), 900))).toBeLessThanOrEqual(900)
})
