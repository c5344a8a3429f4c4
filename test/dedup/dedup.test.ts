import { expect, test } from 'vitest'
import { type Told, rememberFor, toldAs, whyNotify, withEnded } from '../../src/dedup/dedup.ts'

const HOUR = 3_600_000
const rules = { sendResolved: true, repeatInterval: 4 * HOUR }

/** Told so many hours ago of these alerts, firing and resolved. */
const told = (firing: string, hours: number, resolved = ''): Told => ({
  at: -hours * HOUR,
  firing: new Set(firing),
  resolved: new Set(resolved),
  ended: new Set(),
})

const present = (firing: string, resolved: string, hidden = '') => ({
  firing: new Set(firing),
  resolved: new Set(resolved),
  hidden: new Set(hidden),
})

// Each letter is an alert, the clock stands at 0.
test.each([
  // the group                              last said           firing resolved  why
  ['nobody heard of it', undefined, 'a', '', 'first notification'],
  ['resolved before anybody heard', undefined, '', 'a', undefined],
  ['one alert more', told('a', 1), 'ab', '', 'new alerts added'],
  ['one for another', told('a', 1), 'b', 'a', 'new alerts added'],
  ['all had resolved, one fires', told('', 1, 'a'), 'a', '', 'first notification'],
  ['the last one resolved', told('a', 1), '', 'a', 'all alerts resolved'],
  ['all resolved, and said so', told('', 1, 'a'), '', 'a', undefined],
  ['one of two resolved', told('ab', 1), 'a', 'b', 'some alerts resolved'],
  ['one of two resolved, and said so', told('a', 1, 'b'), 'a', 'b', undefined],
  ['one of two gone from sight', told('ab', 1), 'a', '', undefined],
  ['no news, interval not over', told('a', 3.9), 'a', '', undefined],
  ['no news, interval over to the millisecond', told('a', 4), 'a', '', undefined],
  ['no news, interval over', told('a', 4.1), 'a', '', 'repeat interval elapsed'],
  ['all resolved long ago', told('', 9, 'a'), '', 'a', undefined],
])('%s', (_group, last, firing, resolved, why) => {
  expect(whyNotify(last, present(firing, resolved), rules, 0)).toBe(why)
})

test.each([
  ['one of two resolved', told('ab', 1), 'a', 'b', undefined],
  ['the last one resolved: for the log', told('a', 1), '', 'a', 'all alerts resolved'],
])('where resolves are not sent: %s', (_group, last, firing, resolved, why) => {
  const quiet = { ...rules, sendResolved: false }
  expect(whyNotify(last, present(firing, resolved), quiet, 0)).toBe(why)
})

test('what ended unheard is news when it fires again, until it is told', () => {
  const last = told('ab', 1)
  const ended = withEnded(last, 'bc')
  expect(ended?.ended).toEqual(new Set('b'))
  expect(ended && withEnded(ended, 'b')).toBeUndefined()
  expect(whyNotify(ended, present('a', ''), rules, 0)).toBeUndefined()
  expect(whyNotify(ended, present('ab', ''), rules, 0)).toBe('new alerts added')
  expect(toldAs(present('ab', ''), 0).ended.size).toBe(0)
})

test('while something announced fires on unheard, the others’ end is not the end of it all', () => {
  expect(whyNotify(told('ab', 1), present('', 'b', 'a'), rules, 0)).toBeUndefined()
  expect(whyNotify(told('ab', 1), present('', 'b'), rules, 0)).toBe('all alerts resolved')
  expect(toldAs(present('b', '', 'a'), 0).firing).toEqual(new Set('ab'))
})

test.each([
  ['twice the repeat_interval, and until it is looked for', 4, 0.1, 120, 8.25],
  ['at most the retention', 100, 0.1, 120, 120.25],
  ['at least until the group is looked at again', 0.1, 3, 120, 6.25],
])('what was told is remembered for %s', (_rule, repeat, group, retention, hours) => {
  const route = { repeatInterval: repeat * HOUR, groupInterval: group * HOUR }
  expect(rememberFor(route, retention * HOUR)).toBe(hours * HOUR)
})
