import { expect, test } from 'vitest'
import { nearest, suggest } from '../../src/config/nearest.ts'

test.each([
  ['critcal', 'critical'],
  ['crtiical', 'critical'],
  ['crit', 'critical'],
  ['wraning', 'warning'],
  ['inof', 'info'],
  ['something', undefined],
  ['', undefined],
])('the nearest to %j is %s', (word, wanted) => {
  expect(nearest(word, ['critical', 'warning', 'information', 'info'])).toBe(wanted)
})

test('the first hundred of a list’s words are looked for, and more cost nothing', () => {
  const known = Array.from({ length: 2000 }, (_, i) => `receiver-of-team-${i}`)
  const startedAt = performance.now()
  const told = Array.from({ length: 5000 }, (_, i) => suggest(`reciever-of-team-${i % 2000}`, known))
  expect(performance.now() - startedAt).toBeLessThan(3000)
  expect(told.map((one) => one !== '')).toEqual(told.map((_, i) => i < 100))
  expect(told[7]).toBe('; did you mean "receiver-of-team-7"?')
})
