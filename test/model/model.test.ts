import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, parseDuration, parseGoDuration } from '../../src/model/duration.ts'
import { fingerprint } from '../../src/model/fingerprint.ts'
import { formatInstant, parseInstant } from '../../src/model/instant.ts'
import { commonLabels, compareBytes, compareLabels, toRecord } from '../../src/model/labels.ts'
import { quoteGo, unquoteGo } from '../../src/model/quote.ts'
import { Secret } from '../../src/model/secret.ts'

const labels = (record: Record<string, string>) => new Map(Object.entries(record))

describe('fingerprint', () => {
  const file = new URL('../vectors/fingerprint-vectors.json', import.meta.url)
  const { vectors }: { vectors: { labels: Record<string, string>; fingerprint: string }[] } = JSON.parse(
    readFileSync(file, 'utf8'),
  )
  test.each(vectors)('$fingerprint, as Alertmanager has it', ({ labels: given, fingerprint: wanted }) => {
    expect(fingerprint(labels(given))).toBe(wanted)
  })

  test.each<[record: [name: string, value: string][], wanted: string, what: string]>([
    [[], 'cbf29ce484222325', 'no labels'],
    [
      [
        ['\ue000', '1'],
        ['😀', '2'],
      ],
      '0311e2309eae159f',
      'in UTF-16 the second would come first',
    ],
    [
      [
        ['\uffff', 'a'],
        ['\u{10000}', 'b'],
        ['\ud7ff', 'c'],
      ],
      '9af953f101855671',
      'around the surrogates',
    ],
    [
      [
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ],
      'b907bdb7875b031e',
      'what every object has',
    ],
    [[['\0', '\0']], 'd6b3707bf4b856ed', 'NUL'],
    [[['a', '\ufffd']], 'dd22faed59597613', 'the replacement character'],
    [
      [
        ['\ufb00', 'é'],
        ['ff', 'e\u0301'],
      ],
      '1034c4070b93c44e',
      'nothing is normalised',
    ],
    [[['a', 'x'.repeat(2000)]], '0c8ffd0a564c9ea2', 'a long value'],
    [[['a👨\u200d👩', '\u{10ffff}']], '59ef2b1d00201ff1', 'joined emoji'],
  ])('%j has %s: %s', (record, wanted) => {
    expect(fingerprint(new Map(record))).toBe(wanted)
    expect(fingerprint(new Map([...record].reverse()))).toBe(wanted)
  })

  test('is FNV-1a over the bytes, whatever the labels', () => {
    const slow = (set: ReadonlyMap<string, string>) => {
      let hash = 0xcbf29ce484222325n
      const names = [...set.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      for (const text of names.flatMap((name) => [name, set.get(name) ?? ''])) {
        for (const byte of [...Buffer.from(text), 0xff])
          hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
      }
      return hash.toString(16).padStart(16, '0')
    }
    const edges = fc.constantFrom('a', '\u007f', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', '__proto__')
    const anyText = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: edges, maxLength: 4 }),
      fc.string({ unit: 'binary', minLength: 400, maxLength: 2000 }),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText), { maxLength: 8 }), (given) => {
        const set = new Map(given)
        expect(fingerprint(set)).toBe(slow(set))
      }),
    )
  })
})

test('texts are ordered by their UTF-8 bytes', () => {
  const edges = fc.constantFrom('a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10001}', '\u{10ffff}')
  const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ unit: edges, maxLength: 4 }))
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

test('label sets are ordered as Alertmanager orders them', () => {
  const sets = [{}, { b: '1' }, { a: '2' }, { a: '1' }, { a: '1', b: '1' }].map(labels)
  expect(sets.sort(compareLabels).map((set) => Object.fromEntries(set))).toEqual([
    {},
    { b: '1' },
    { a: '1' },
    { a: '2' },
    { a: '1', b: '1' },
  ])
})

test('common labels are those with the same value in each', () => {
  expect(commonLabels([labels({ a: '1', b: '1' }), labels({ a: '1', b: '2' }), labels({ a: '1' })])).toEqual(
    labels({ a: '1' }),
  )
  expect(commonLabels([])).toEqual(new Map())
})

test('a label called __proto__ is a label', () => {
  const text = JSON.stringify(toRecord(new Map([['__proto__', 'x']])))
  expect(text).toBe('{"__proto__":"x"}')
})

test.each([
  ['0', 0, '0s'],
  ['5m', 300_000, '5m'],
  ['1h30m', 5_400_000, '1h30m'],
  ['90d', 7_776_000_000, '90d'],
  ['7d', 604_800_000, '1w'],
  ['1y', 31_536_000_000, '1y'],
  ['1s500ms', 1500, '1s500ms'],
  ['0s', 0, '0s'],
  ['1y1w', 32_140_800_000, '372d'],
  ['53w', 32_054_400_000, '53w'],
  ['400d', 34_560_000_000, '400d'],
  ['60m', 3_600_000, '1h'],
  ['0d0h1ms', 1, '1ms'],
  ['292y', 9_208_512_000_000, '292y'],
  ['292y24w3d', 9_223_286_400_000, '106751d'],
  ['9223372036854ms', 9_223_372_036_854, '106751d23h47m16s854ms'],
])('duration %s', (text, ms, printed) => {
  expect(parseDuration(text)).toBe(ms)
  expect(formatDuration(ms)).toBe(printed)
})

test('a duration reads back as it was printed', () => {
  const [minute, day] = [60_000, 86_400_000]
  const ms = fc.oneof(
    fc.integer({ min: 0, max: 9_223_372_036_854 }),
    fc.integer({ min: 0, max: 20_000 }).map((count) => count * minute),
    fc.integer({ min: 0, max: 106_751 }).map((count) => count * day),
  )
  fc.assert(fc.property(ms, (given) => parseDuration(formatDuration(given)) === given))
})

test.each([
  '',
  '5',
  '00',
  '-5m',
  '+5m',
  '1.5h',
  '5m1h',
  '5m5m',
  '1 h',
  '1h ',
  '1h\n',
  'm',
  '1H',
  '1us',
  '300y',
  '9223372036855ms',
])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined()
})

test.each([
  ['300ms', 300],
  ['1.5h', 5_400_000],
  ['2h45m', 9_900_000],
  ['-1s', -1000],
  ['0', 0],
  ['-0s', 0],
  ['1.m', 60_000],
  ['.5s', 500],
  ['1m1m', 120_000],
  ['2562047h', 9_223_369_200_000],
  ['2562048h', undefined],
  ['-2562048h', undefined],
  ['9223372036855ms', undefined],
  ['.s', undefined],
  ['1 s', undefined],
  ['1d', undefined],
  ['5', undefined],
  ['', undefined],
])('Go duration %s', (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms)
})

test.each([
  ['2026-11-23T21:37:20.122Z', Date.UTC(2026, 10, 23, 21, 37, 20, 122), '2026-11-23T21:37:20.122Z'],
  ['2026-11-23T21:37:20+02:00', Date.UTC(2026, 10, 23, 19, 37, 20), '2026-11-23T21:37:20+02:00'],
  ['2026-11-23T10:00:00.123456789Z', Date.UTC(2026, 10, 23, 10, 0, 0, 123), '2026-11-23T10:00:00.123456789Z'],
  ['2026-11-23T10:00:00,1000Z', Date.UTC(2026, 10, 23, 10, 0, 0, 100), '2026-11-23T10:00:00.1Z'],
  ['2026-11-23', Date.UTC(2026, 10, 23), '2026-11-23T00:00:00Z'],
  ['2026-11-23 10:00:00', Date.UTC(2026, 10, 23, 10), '2026-11-23T10:00:00Z'],
  ['2026-11-23T10:00Z', Date.UTC(2026, 10, 23, 10), '2026-11-23T10:00:00Z'],
  ['', 0, '1970-01-01T00:00:00Z'],
])('instant %j', (text, at, printed) => {
  expect(parseInstant(text)).toEqual({ at, text: printed })
})

test.each([
  '2026-11-23t10:00:00Z',
  '2026-11-23T10:00:00z',
  '2026-11-23T24:00:00Z',
  '2026-11-23T10:00:60Z',
  '2026-02-30T10:00:00Z',
  '2026-11-23T10:00:00+0200',
  '2026-13-01',
  'yesterday',
  '1',
])('%j is no instant', (text) => {
  expect(parseInstant(text)).toBeUndefined()
})

test('an instant prints as Go prints it', () => {
  expect(formatInstant(Date.UTC(2026, 0, 1, 10))).toBe('2026-01-01T10:00:00Z')
  expect(formatInstant(Date.UTC(2026, 0, 1, 10, 0, 0, 120))).toBe('2026-01-01T10:00:00.12Z')
})

test('a secret does not print, whatever prints it', () => {
  const secret = new Secret('hunter2')
  expect(`${String(secret)} ${JSON.stringify({ secret })} ${inspect(secret)} ${inspect({ secret })}`).not.toContain(
    'hunter2',
  )
  expect(secret.reveal()).toBe('hunter2')
})

test('Go quoting reads back', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => unquoteGo(quoteGo(text)) === text))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => unquoteGo(quoteGo(text, true)) === text))
})

test.each([
  ['a\tb\u00a0é\u200b', '"a\\tb\\u00a0é\\u200b"'],
  ['\0\u007f\ufeff', '"\\x00\\x7f\\ufeff"'],
  ['q"\'\\', '"q\\"\'\\\\"'],
  ['\ue000\u{10ffff}', '"\\ue000\\U0010ffff"'],
])('%j is quoted as %s', (text, quoted) => {
  expect(quoteGo(text)).toBe(quoted)
  expect(unquoteGo(quoted)).toBe(text)
})

test.each([
  ['"\\xe6\\x97\\xa5"', '日'],
  ['"\\346\\227\\245"', '日'],
  ['"\\U0001f600"', '😀'],
  ['"\\777"', undefined],
  ['"\\ud800"', undefined],
  ['"\\U00110000"', undefined],
  ['"\\\'"', undefined],
  ['"\\d"', undefined],
  ['"a\nb"', undefined],
  ['"a', undefined],
  ['"', undefined],
])('%s means %j', (quoted, text) => {
  expect(unquoteGo(quoted)).toBe(text)
})
