import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, parseDuration, parseGoDuration } from '../../src/model/duration.ts'
import { fingerprint } from '../../src/model/fingerprint.ts'
import { formatInstant, parseInstant } from '../../src/model/instant.ts'
import { commonLabels, compareBytes, compareLabels, toRecord } from '../../src/model/labels.ts'
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
    const anyText = fc.string({ unit: 'grapheme', maxLength: 40 })
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyText), { maxLength: 8 }), (given) => {
        const set = new Map(given)
        expect(fingerprint(set)).toBe(slow(set))
      }),
    )
  })
})

test('texts are ordered by their UTF-8 bytes', () => {
  const anyText = fc.string({ unit: 'grapheme', maxLength: 8 })
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
])('duration %s', (text, ms, printed) => {
  expect(parseDuration(text)).toBe(ms)
  expect(formatDuration(ms)).toBe(printed)
})

test.each(['', '5', '-5m', '1.5h', '5m1h', '5m5m', '1 h', '300y', 'm'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined()
})

test.each([
  ['300ms', 300],
  ['1.5h', 5_400_000],
  ['2h45m', 9_900_000],
  ['-1s', -1000],
  ['0', 0],
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
