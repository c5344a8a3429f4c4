import type { Redis } from 'ioredis'
import { z } from 'zod'
import { lengthOf, startOf } from '../insight/window.ts'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'

/** For so many hours it is kept what routes caught, the present one apart. */
const HOURS = 24

/** How many alerts each route caught, in a hash an hour: as large as the routes are many that catch anything. */
export function catchStore(redis: Redis, keys: Keys) {
  return {
    /** Adds to the hour of an instant, by the route's id. */
    async add(counts: ReadonlyMap<string, number>, at: number): Promise<void> {
      if (counts.size === 0) return
      const key = keys.caught(startOf(at, 'hour'))
      const pipeline = redis.pipeline()
      for (const [route, count] of counts) pipeline.hincrby(key, route, count)
      await execAll(pipeline.pexpire(key, (HOURS + 1) * lengthOf.hour))
    },

    /** By the route's id, of the last 24 hours and what there is of the present one. */
    async lately(at: number): Promise<ReadonlyMap<string, number>> {
      const pipeline = redis.pipeline()
      for (let i = 0; i <= HOURS; i++) pipeline.hgetall(keys.caught(startOf(at, 'hour') - i * lengthOf.hour))
      const sums = new Map<string, number>()
      for (const reply of await execAll(pipeline))
        for (const [route, count] of Object.entries(z.record(z.string(), z.string()).parse(reply)))
          sums.set(route, (sums.get(route) ?? 0) + Number(count))
      return sums
    },
  }
}
