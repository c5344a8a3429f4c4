import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchesAll } from '../../src/match/matcher.ts'
import { parseMatchers } from '../../src/match/parse.ts'
import {
  type Silence,
  compareSilences,
  endSilence,
  indexSilences,
  planSilence,
  stateOf,
} from '../../src/suppress/silence.ts'

const silence = (id: string, matchers = 'a="1"', startsAt = 0, endsAt = 10_000): Silence => ({
  id,
  matchers: parseMatchers(matchers).matchers,
  startsAt,
  endsAt,
  updatedAt: 0,
  createdBy: '',
  comment: '',
  annotations: new Map(),
})

test.each([
  ['before it starts', 999, 'pending'],
  ['when it starts', 1000, 'active'],
  ['just before it ends', 1999, 'active'],
  ['when it ends', 2000, 'expired'],
])('%s', (_when, at, state) => {
  expect(stateOf({ startsAt: 1000, endsAt: 2000 }, at)).toBe(state)
})

const matcher = fc
  .tuple(
    fc.constantFrom('a', 'b', 'c'),
    fc.constantFrom('=', '!=', '=~', '!~'),
    fc.constantFrom('1', '2', '', '1|2', '1|', '.*', '[12]', '^(?:1|3)$'),
  )
  .map(([name, operator, value]) => `${name}${operator}"${value}"`)
const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2', '3'))

test('the index finds what a walk finds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(matcher, { minLength: 1, maxLength: 3 }), { maxLength: 20 }),
      labels,
      (texts, given) => {
        const silences = texts.map((list, n) => silence(String(n).padStart(2, '0'), list.join(',')))
        const alert = new Map(Object.entries(given))
        const walked = silences.filter(({ matchers }) => matchesAll(matchers, alert))
        expect(indexSilences(silences).matching(alert)).toEqual(walked)
      },
    ),
    { numRuns: 2000 },
  )
})

test('an alert is held against few of many silences', () => {
  let tests = 0
  const silences = Array.from({ length: 2000 }, (_, n): Silence => {
    const plain = silence(String(n), `severity="critical",instance=~"host-${n}|host-${n + 5000}"`)
    const count = (value: string, fits: (value: string) => boolean) => {
      tests += 1
      return fits(value)
    }
    return { ...plain, matchers: plain.matchers.map((one) => ({ ...one, test: (value) => count(value, one.test) })) }
  })
  const index = indexSilences(silences)
  const alert = new Map([
    ['severity', 'critical'],
    ['instance', 'host-7'],
  ])
  expect(index.matching(alert).map(({ id }) => id)).toEqual(['7'])
  expect(tests).toBeLessThan(10)
})

describe('a draft', () => {
  // at 5000; the silence is from 1000 to 10000 unless told otherwise
  const before = silence('old', 'a="1",b="2"', 1000, 10_000)
  const planned = (change: Partial<Silence>, was = before) => planSilence({ ...was, ...change }, was, 5000, 'new')

  test.each([
    ['the same', before, {}, 'old'],
    ['another end', before, { endsAt: 20_000 }, 'old'],
    ['an end that is now', before, { endsAt: 5000 }, 'old'],
    ['a start within the same second', before, { startsAt: 1999 }, 'old'],
    ['a start in the next second', before, { startsAt: 2000 }, 'new'],
    ['other matchers', before, { matchers: parseMatchers('a="1"').matchers }, 'new'],
    ['the same matchers in another order', before, { matchers: parseMatchers('b="2",a="1"').matchers }, 'new'],
    ['pending, a later start', { ...before, startsAt: 7000 }, { startsAt: 8000 }, 'old'],
    ['pending, a start that is past', { ...before, startsAt: 7000 }, { startsAt: 4999 }, 'new'],
    ['expired', { ...before, endsAt: 4000 }, { endsAt: 9000 }, 'new'],
  ])('%s: id %s', (_what, was, change, id) => {
    expect(planned(change, was).silence.id).toBe(id)
  })

  test('that makes another ends the one there was, unless it had ended', () => {
    expect(planned({ startsAt: 2000 })).toMatchObject({
      isNew: true,
      silence: { startsAt: 5000, updatedAt: 5000 },
      expired: { id: 'old', endsAt: 5000, updatedAt: 5000 },
    })
    expect(planned({}, { ...before, endsAt: 4000 }).expired).toBeUndefined()
  })

  test('of its own starts now at the earliest', () => {
    const draft = { ...before, id: '' }
    expect(planSilence(draft, undefined, 5000, 'new')).toMatchObject({
      isNew: true,
      silence: { id: 'new', startsAt: 5000 },
    })
    expect(planSilence({ ...draft, startsAt: 6000 }, undefined, 5000, 'new').silence.startsAt).toBe(6000)
  })
})

test('one that is ended before it started never was', () => {
  expect(endSilence(silence('a', 'a="1"', 7000, 9000), 5000)).toMatchObject({ startsAt: 5000, endsAt: 5000 })
})

test('lists have the active ones by end, then the pending by start, then the expired from the latest on', () => {
  const all = [
    silence('expired first', 'a="1"', 0, 1000),
    silence('pending later', 'a="1"', 9000, 9999),
    silence('active longer', 'a="1"', 0, 9000),
    silence('expired last', 'a="1"', 0, 2000),
    silence('active', 'a="1"', 0, 8000),
    silence('pending', 'a="1"', 7000, 9999),
  ]
  expect(all.sort(compareSilences(5000)).map(({ id }) => id)).toEqual([
    'active',
    'active longer',
    'pending',
    'pending later',
    'expired last',
    'expired first',
  ])
})
