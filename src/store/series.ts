import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'

/** How long one point of a series is, ms. */
export const STEP = 10_000
/** How long they are kept, ms. */
const KEPT = 3_600_000

/** What happened within a step, all replicas together: by name, as whoever counts calls it. */
export interface Point {
  at: number // when the step began, epoch ms
  counts: ReadonlyMap<string, number>
}

/** Counts by steps of ten seconds, for charts: each replica adds what it has counted since. */
export function seriesStore(redis: Redis, keys: Keys) {
  const stepOf = (at: number) => Math.floor(at / STEP) * STEP
  return {
    async add(counts: ReadonlyMap<string, number>, at: number): Promise<void> {
      if (counts.size === 0) return
      const key = keys.series(stepOf(at))
      const pipeline = redis.pipeline()
      for (const [name, count] of counts) pipeline.hincrbyfloat(key, name, count)
      await execAll(pipeline.pexpire(key, KEPT + STEP))
    },

    /** The steps after an instant that are over, the oldest first; those in which nothing happened are empty. */
    async since(after: number, until: number): Promise<Point[]> {
      const first = Math.max(stepOf(after) + STEP, stepOf(until) - KEPT)
      const steps: number[] = []
      for (let at = first; at + STEP <= until; at += STEP) steps.push(at)
      const pipeline = redis.pipeline()
      for (const at of steps) pipeline.hgetall(keys.series(at))
      return (await execAll(pipeline)).map((reply, i) => ({
        at: steps[i] ?? 0,
        counts: new Map(
          Object.entries(z.record(z.string(), z.string()).parse(reply)).map(([name, count]) => [name, Number(count)]),
        ),
      }))
    },
  }
}
