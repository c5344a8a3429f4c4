import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { interval } from '../../src/config/interval.ts'
import { contains } from '../../src/suppress/interval.ts'

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
  // days   instant                        why
  ['-31', '2033-04-01T02:15:00Z', false, 'April has no 31st day from its end'],
  ['-31', '2033-05-01T02:15:00Z', true, 'May has'],
  ['-31:-30', '2033-04-01T02:15:00Z', true, 'and April has the other'],
  ['-29:-29', '2028-02-01T00:00:00Z', true, 'a leap year'],
  ['-29:-29', '2026-02-01T00:00:00Z', false, 'no leap year'],
  ['29:31', '2026-02-28T12:00:00Z', false, 'begins after the month ends'],
  ['5:-11', '2026-03-21T12:00:00Z', true, 'the 11th day from the end of 31'],
])('day %s holds %s: %s, %s', (days, time, expected) => {
  expect(contains([interval.parse({ days_of_month: [days] })], Date.parse(time))).toBe(expected)
})

test('in a month with a change to summer time, days from its end are those of the calendar', () => {
  const given = interval.parse({ days_of_month: ['-11'], location: 'Europe/Lisbon' })
  expect(contains([given], Date.parse('2027-03-21T08:43:07Z'))).toBe(true)
  expect(contains([given], Date.parse('2027-03-20T08:43:07Z'))).toBe(false)
})

test.each([
  // a dash with nothing behind it, 2026-03-01 is a Sunday
  ['weekdays', '2026-03-01T00:00:00Z', true],
  ['weekdays', '2026-03-02T00:00:00Z', false],
  ['days_of_month', '2026-03-01T00:00:00Z', false],
  ['months', '2026-03-01T00:00:00Z', false],
  ['years', '2026-03-01T00:00:00Z', false],
])('null in %s holds %s: %s, as in Alertmanager', (field, time, expected) => {
  expect(contains([interval.parse({ [field]: [null] })], Date.parse(time))).toBe(expected)
})

test.each([
  // field  accepted  refused
  [
    'weekdays',
    ['monday', 'MONDAY:Friday', 'sunday:saturday'],
    ['mon', 'saturday:sunday', 'monday: friday', '', '1:2:3'],
  ],
  [
    'months',
    ['1', 'may:8', 'December', '13', '0', '-1', '9223372036854775807'],
    ['8:may', 'jan', '1.0', '9223372036854775808'],
  ],
  ['years', ['2026', '+2026', '2026:2028'], ['2028:2026', '20x6', '１']],
  ['days_of_month', ['1:-1', '27:-1', '-1', '031'], ['0', '32', '-32', '28:-1', '-3:3', '5:4', '-1:-2', '1:', ':1']],
])('%s takes %j and refuses %j', (field, accepted, refused) => {
  const isTaken = (given: string) => interval.safeParse({ [field]: [given] }).success
  expect(accepted.filter(isTaken)).toEqual(accepted)
  expect(refused.filter(isTaken)).toEqual([])
})

test('what the clock said before has no say in what it says now', () => {
  const zones = ['UTC', 'Europe/Paris', 'Asia/Kathmandu', 'Africa/Monrovia']
  const times = [
    '1970-06-01T00:44:29Z',
    '1970-06-01T00:44:31Z',
    '2026-03-29T00:59:59.999Z',
    '2026-03-29T01:00:00Z',
  ].map(Date.parse)
  const midnight = zones.map((location) =>
    interval.parse({ times: [{ start_time: '00:00', end_time: '00:45' }], location }),
  )
  const answers = (order: number[]) => new Map(order.map((at) => [at, midnight.map((one) => contains([one], at))]))
  const [forth, back] = [answers(times), answers([...times].reverse())]
  for (const at of times) expect(back.get(at)).toEqual(forth.get(at))
  // 44:30 behind UTC until 1972
  expect(forth.get(times[0] ?? 0)?.[3]).toBe(false)
  expect(forth.get(times[1] ?? 0)?.[3]).toBe(true)
})
