import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Kept } from '../../src/alert/again.ts'
import { readAll } from '../../src/ingest/batch.ts'
import { type KnownTexts, openKnownText, openKnownTexts } from '../../src/ingest/known-texts.ts'
import { pieceAt, piecesOf } from '../../src/ingest/pieces.ts'
import { postedBatch } from '../../src/ingest/posted-alerts.ts'
import { postedText } from '../../src/ingest/posted-text.ts'
import { type Ingested, IngestError } from '../../src/ingest/reject.ts'
import { defaultLimits } from '../../src/model/limits.ts'

const now = Date.UTC(2026, 10, 23, 10)
const DEEPEST = 100
const config = { resolveTimeout: 300_000, matcherMode: 'fallback', limits: defaultLimits } as const
const pieces = (text: string) => piecesOf(text, (from) => pieceAt(text, from, DEEPEST - 1))
const read = (text: string, known: KnownTexts, at = now) =>
  readAll(postedText(text, () => JSON.parse(text), at, config, known, DEEPEST))
const plainly = (text: string, at = now) =>
  readAll(postedBatch(JSON.parse(text), at, config.resolveTimeout, config.matcherMode, config.limits))

/** As the pipeline remembers what it accepted. */
function remember(known: KnownTexts, { alerts, texts }: Ingested): void {
  for (const [i, text] of texts.entries()) {
    const alert = alerts[i]
    if (!text || !alert) continue
    const { fingerprint, startsAt, startsText = '-' } = alert
    const kept: Kept = { fingerprint, startsAt, startsText, said: '', rules: '', written: '', endsAt: 0 }
    text.kept = kept
    known.add(text)
  }
}

/** What was read, whether it was known or not, in any order. */
function whole({ alerts, again, rejects }: Ingested) {
  const bare = [...alerts, ...again.map((one) => one.read())]
  return { alerts: bare.sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1)), rejects }
}

const alert = (n: number, endsAt = '2026-11-23T10:04:00.000Z') => ({
  labels: { alertname: 'A', n: String(n) },
  annotations: { summary: 'a "quoted" text, with } and ] in it' },
  startsAt: '2026-11-23T09:00:00.5Z',
  endsAt,
  generatorURL: 'http://p.example/graph?g0.expr=up%3D%3D0',
})

describe('pieces', () => {
  test('are what JSON.parse makes of a list', () => {
    const list = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })))
    fc.assert(
      fc.property(list, fc.constantFrom(undefined, 2, '\t'), (objects, space) => {
        const text = JSON.stringify(objects, undefined, space)
        expect(pieces(text)?.map(({ from, to }) => JSON.parse(text.slice(from, to)) as unknown)).toEqual(
          JSON.parse(text),
        )
      }),
    )
  })

  test.each([
    '',
    ' ',
    'null',
    '{}',
    '[1]',
    '[{}',
    '[{}]]',
    '[{} {}]',
    '[{},]',
    '[{}] x',
    '["a"]',
    '[[{}]]',
    '[{"a":"}]',
  ])('%j is no list of objects', (text) => expect(pieces(text)).toBeUndefined())

  test('nest only so deep', () => {
    const nested = (depth: number) => `[{"a":${'['.repeat(depth)}${']'.repeat(depth)}}]`
    expect(pieces(nested(98))).toHaveLength(1)
    expect(pieces(nested(99))).toBeUndefined()
  })
})

describe('what came before', () => {
  test('is known by its text, whatever its end, and in whatever order', () => {
    const known = openKnownTexts(64 * 1024 * 1024)
    const first = JSON.stringify([alert(1), alert(2), alert(3)])
    remember(known, read(first, known))
    for (const order of [[1, 2, 3], [1, 2, 3], [3, 1, 2], [2]]) {
      const text = JSON.stringify(order.map((n) => alert(n, '2026-11-23T10:05:00Z')))
      const ingested = read(text, known)
      expect(ingested.alerts).toEqual([])
      expect(ingested.again).toHaveLength(order.length)
      expect(whole(ingested)).toEqual(whole(plainly(text)))
    }
  })

  test.each<[string, Record<string, unknown>]>([
    ['another label', { labels: { alertname: 'A', n: '1', x: 'y' } }],
    ['another annotation', { annotations: { summary: 'other' } }],
    ['another start', { startsAt: '2026-11-23T09:00:01Z' }],
    ['an end that has come', { endsAt: '2026-11-23T09:59:59Z' }],
    ['no end', { endsAt: undefined }],
    ['an end that is none', { endsAt: '0001-01-01T00:00:00Z' }],
    ['an end that is no time', { endsAt: 'soon' }],
  ])('is read with %s', (_what, other) => {
    const known = openKnownTexts(64 * 1024 * 1024)
    remember(known, read(JSON.stringify([alert(1), alert(2)]), known))
    const text = JSON.stringify([alert(2), { ...alert(1), ...other }, alert(3)])
    const ingested = read(text, known)
    expect(ingested.again).toHaveLength(1)
    expect(whole(ingested)).toEqual(whole(plainly(text)))
  })

  // what is said twice, or in other letters, may mean something else with another end
  test.each([
    '{"labels":{"a":"b"},"startsAt":"2026-11-23T09:00:00Z","endsAt":"E","endsAt":"E"}',
    '{"labels":{"a":"b"},"startsAt":"2026-11-23T09:00:00Z","endsAt":"E","ends\\u0041t":"E"}',
    '{"labels":{"a":"b"},"labels":{"a":"c"},"startsAt":"2026-11-23T09:00:00Z","endsAt":"E"}',
    '{"labels":{"a":"b"},"endsAt":"E"}',
    '{"labels":{"a":"b","endsAt":"E"},"startsAt":"2026-11-23T09:00:00Z"}',
  ])('is not known by %s', (text) => {
    const known = openKnownTexts(64 * 1024 * 1024)
    const at = (end: string) => `[${text.replaceAll('"E"', JSON.stringify(end))}]`
    remember(known, read(at('2026-11-23T10:04:00Z'), known))
    const later = at('2026-11-23T10:05:00Z')
    const ingested = read(later, known)
    expect(ingested.again).toEqual([])
    expect(whole(ingested)).toEqual(whole(plainly(later)))
  })

  test('an alert that is there twice is read in its order', () => {
    const known = openKnownTexts(64 * 1024 * 1024)
    remember(known, read(JSON.stringify([alert(1)]), known))
    const over = { ...alert(1), endsAt: '2026-11-23T09:30:00Z' }
    const { alerts, again } = read(JSON.stringify([over, alert(1)]), known)
    expect(again).toEqual([])
    expect(alerts.map(({ endsAt }) => endsAt < now)).toEqual([true, false])
  })

  test('a text that goes on in a quote is not cut there', () => {
    const known = openKnownTexts(64 * 1024 * 1024)
    const ending = (n: number, endsAt: string) =>
      JSON.stringify({ labels: { n: String(n) }, startsAt: '2026-11-23T09:00:00Z', endsAt })
    const end = '2026-11-23T10:04:00Z'
    remember(known, read(`[${ending(1, end)},${ending(2, end)}]`, known))
    expect(read(`[${ending(1, end)},${ending(2, end)}]`, known).again).toHaveLength(2)
    const text = `[${ending(1, end)},${ending(2, 'x"},{"labels":{"n":"3"},"endsAt":"')}]`
    expect(whole(read(text, known))).toEqual(whole(plainly(text)))
  })

  test('what cannot be read is said as before', () => {
    const known = openKnownTexts(64 * 1024 * 1024)
    expect(() => read('[{"labels":{"a":1,}}]', known)).toThrow(SyntaxError)
    expect(() => read('{}', known)).toThrow(IngestError)
    const few = { ...config, limits: { ...defaultLimits, alertsPerRequest: 1 } }
    expect(() => postedText('[{},{}]', () => [], now, few, known, DEEPEST)).toThrow(/at most 1/)
  })
})

test('whatever is sent, and sent again, is read as if nothing were known', () => {
  const text = fc.oneof(fc.constantFrom('', 'a', 'é', '"', '}', '\\', '\u2028', 'endsAt'), fc.string({ maxLength: 4 }))
  const posted = fc.record(
    {
      labels: fc.dictionary(text, fc.oneof(text, fc.constant(null)), { maxKeys: 3 }),
      annotations: fc.dictionary(text, fc.oneof(text, fc.constant(null)), { maxKeys: 2 }),
      startsAt: fc.constantFrom('2026-11-23T09:00:00Z', '2026-11-23T11:00:00+02:00', '2026-11-23T09:00:00.1234Z', ''),
      endsAt: fc.constantFrom('2026-11-23T10:04:00Z', '2026-11-23T10:04:00.120Z', '2026-11-23T12:04:00+02:00', 'x', ''),
      generatorURL: fc.constantFrom('', 'http://x/', '/y', 'z'),
      other: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: ['labels'] },
  )
  fc.assert(
    fc.property(fc.array(posted, { maxLength: 5 }), fc.constantFrom(undefined, 1), (alerts, space) => {
      const known = openKnownTexts(64 * 1024 * 1024)
      const sent = JSON.stringify(alerts, undefined, space)
      for (const round of [sent, sent, sent.replaceAll('10:04', '10:06')]) {
        const ingested = read(round, known)
        expect(whole(ingested)).toEqual(whole(plainly(round)))
        remember(known, ingested)
      }
    }),
    { numRuns: 300 },
  )
})

test('the older half of what is known goes when it is full', () => {
  const known = openKnownTexts(6000)
  const texts = Array.from({ length: 12 }, (_, n) => openKnownText(`text ${n}`.padEnd(10), 4))
  for (const text of texts) known.add(text)
  expect(known.get(texts[0]?.whole ?? '')).toBeUndefined()
  expect(known.get(texts[11]?.whole ?? '')).toEqual(texts[11])
})

test.each([
  ['one byte', 'é', true],
  ['two bytes', '→', false],
])('where a character takes %s, so many fit', (_, character, fits) => {
  const known = openKnownTexts(12_000)
  const texts = Array.from({ length: 6 }, (_none, n) => openKnownText(`${n}${character}`.padEnd(1000, 'x'), 4))
  for (const text of texts) known.add(text)
  expect(known.get(texts[0]?.whole ?? '') !== undefined).toBe(fits)
})
