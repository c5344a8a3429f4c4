import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTally } from '../../src/pipeline/tally.ts'
import { openStore } from '../../src/store/store.ts'
import { readSeries } from '../../src/view/series.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const noon = Date.UTC(2026, 10, 26, 12)

test('latency of each ten seconds: p50 and p95 of what all replicas delivered, in seconds', async () => {
  const store = openStore(server.redis, 'series')
  let now = noon
  const clock = { now: () => now }
  const replicas = [openTally(store, clock), openTally(store, clock)]
  const deliver = async (took: readonly number[], later: number) => {
    now = noon + later
    for (const [i, seconds] of took.entries()) replicas[i % 2]?.observe(seconds)
    for (const replica of replicas) await replica.write()
  }
  // nine within (0.15, 0.2] and one within (0.75, 1]: the 5th and the 9.5th, linear within their buckets
  await deliver([0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.9], 0)
  await deliver([4, 4], 10_000) // within (3, 5]
  await deliver([100_000], 30_000) // beyond all bounds: the last of them
  now = noon + 60_000
  const points = await readSeries(noon - 1, { store, clock })
  expect(points.map(({ at, latency }) => [(at - noon) / 1000, latency])).toEqual([
    [0, { p50: expect.closeTo(0.15 + (0.05 * 5) / 9, 9), p95: expect.closeTo(0.75 + 0.25 / 2, 9) }],
    [10, { p50: 4, p95: expect.closeTo(4.9, 9) }],
    [20, undefined],
    [30, { p50: 3600, p95: 3600 }],
    [40, undefined],
  ])
})
