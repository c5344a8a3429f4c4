import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { interval } from '../../src/config/interval.ts'
import { contains, isZone } from '../../src/suppress/interval.ts'

const { vectors } = z
  .object({
    vectors: z.array(
      z.object({
        name: z.string(),
        interval: z.record(z.string(), z.unknown()),
        time: z.string(),
        contains: z.boolean(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/time-interval-vectors.json', import.meta.url), 'utf8')))

describe('as Alertmanager has it', () => {
  test.each(vectors)('$name, $time: $contains', ({ interval: given, time, contains: expected }) => {
    expect(contains([interval.parse(given)], Date.parse(time))).toBe(expected)
  })
})

describe('around the change to and from summer time', () => {
  const office = interval.parse({ times: [{ start_time: '02:00', end_time: '03:00' }], location: 'Europe/Paris' })
  test.each([
    ['2026-03-29T00:59:59Z', '01:59:59 before the gap', false],
    ['2026-03-29T01:00:00Z', '03:00 after it', false],
    ['2026-10-25T00:30:00Z', '02:30 the first time', true],
    ['2026-10-25T01:30:00Z', '02:30 the second time', true],
    ['2026-10-25T02:00:00Z', '03:00', false],
  ])('%s is %s: %s', (time, _local, expected) => {
    expect(contains([office], Date.parse(time))).toBe(expected)
  })
  const last = interval.parse({ days_of_month: ['-1'], location: 'America/New_York' })
  test.each([
    ['2026-03-31T03:59:59Z', false],
    ['2026-03-31T04:00:00Z', true],
    ['2026-04-01T03:59:59Z', true],
    ['2026-04-01T04:00:00Z', false],
  ])('the last day of March in New York, %s: %s', (time, expected) => {
    expect(contains([last], Date.parse(time))).toBe(expected)
  })
})

test('a list holds what any of its elements holds, and an empty one nothing', () => {
  const [one, two] = [interval.parse({ months: ['1'] }), interval.parse({ months: ['3'] })]
  expect(contains([one, two], Date.UTC(2026, 2, 1))).toBe(true)
  expect(contains([], 0)).toBe(false)
  expect(contains([interval.parse({ weekdays: [] })], 0)).toBe(false)
})

test.each([
  ['UTC', true],
  ['', true],
  ['Local', true],
  ['Europe/Paris', true],
  ['America/Argentina/Buenos_Aires', true],
  ['America/Port-au-Prince', true],
  ['US/Eastern', true],
  ['Asia/Calcutta', true],
  ['EST5EDT', true],
  ['Etc/GMT+5', true],
  ['GB-Eire', true],
  ['Africa/Porto-Novo', true],
  ['Pacific/Port_Moresby', true],
  ['America/Indiana/Tell_City', true],
  ['Antarctica/DumontDUrville', true],
  ['Europe/Isle_of_Man', true],
  ['us/eastern', false],
  ['europe/paris', false],
  ['EUROPE/PARIS', false],
  ['US/EASTERN', false],
  ['utc', false],
  ['+02:00', false],
  ['Nowhere/X', false],
])('%s is a zone: %s', (name, expected) => {
  expect(isZone(name)).toBe(expected)
})
