import { expect, test } from 'vitest'
import { openClock } from '../../src/store/clock.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const MINUTE = 60_000

/** A clock whose three sources the test moves. */
function clockOf() {
  const at = { redis: NOON, wall: NOON, mono: 5000, trip: 0 }
  const clock = openClock({
    async redis() {
      at.mono += at.trip
      return at.redis
    },
    wall: () => at.wall,
    mono: () => at.mono,
  })
  const pass = (ms: number) => {
    at.redis += ms
    at.wall += ms
    at.mono += ms
  }
  return { at, clock, pass }
}

test('before the first look it is the wall clock', () => {
  const { clock, pass } = clockOf()
  pass(1000)
  expect(clock.now()).toBe(NOON + 1000)
  expect(clock.skew()).toBe(0)
})

test.each([
  ['an hour fast', 60 * MINUTE],
  ['an hour slow', -60 * MINUTE],
])('a machine that is %s has the time of Redis, and knows how far it is off', async (_how, off) => {
  const { at, clock, pass } = clockOf()
  at.wall += off
  await clock.look()
  pass(7000)
  expect(clock.now()).toBe(NOON + 7000)
  expect(clock.skew()).toBe(off / 1000)
})

test.each([
  ['forwards', 10 * MINUTE],
  ['backwards', -10 * MINUTE],
])('a step of the wall clock %s changes nothing', async (_how, step) => {
  const { at, clock, pass } = clockOf()
  await clock.look()
  pass(1000)
  at.wall += step
  pass(1000)
  expect(clock.now()).toBe(NOON + 2000)
  expect(clock.skew()).toBe(step / 1000)
})

test('a monotonic clock that drifts is set right at the next look; backwards it goes on at half the speed', async () => {
  const { at, clock, pass } = clockOf()
  await clock.look()
  pass(10_000)
  at.mono += 300 // it runs fast
  expect(clock.now()).toBe(NOON + 10_300)
  await clock.look()
  expect(clock.now()).toBe(NOON + 10_300)
  pass(200)
  expect(clock.now()).toBe(NOON + 10_400)
  pass(400)
  expect(clock.now()).toBe(NOON + 10_600) // where Redis is
  pass(100)
  expect(clock.now()).toBe(NOON + 10_700)
})

test('a step of Redis itself is followed', async () => {
  const { at, clock } = clockOf()
  await clock.look()
  expect(clock.now()).toBe(NOON)
  at.redis -= 10 * MINUTE
  await clock.look()
  expect(clock.now()).toBe(NOON - 10 * MINUTE)
})

test('the trip to Redis is halved, and a long one says nothing', async () => {
  const { at, clock } = clockOf()
  at.trip = 100
  await clock.look() // asked at 5000, answered at 5100: Redis looked at its clock at 5050
  expect(clock.now()).toBe(NOON + 50)
  at.trip = 2000
  at.redis += 30_000
  await clock.look()
  expect(clock.now()).toBe(NOON + 2050)
})
