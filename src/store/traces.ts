import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'

/** A flush may merge many requests; a span has so many links at the most. */
const MOST = 16
/** As long as a notification may be on its way, ms. */
const KEPT = 6 * 3_600_000

/**
 * Where traces go on: `traceparent`s by the group that waits for its flush, with when its news came in, and by the row that is
 * owed, with since when it is and when what it tells came in; epoch ms, apart by spaces.
 */
export function traceStore(redis: Redis, keys: Keys) {
  return {
    /** Notes where what these groups or rows are about has come from; the oldest are kept. */
    async note(ids: readonly string[], origin: string): Promise<void> {
      const all = redis.multi()
      for (const id of ids) {
        const key = keys.trace(id)
        all
          .rpush(key, origin)
          .ltrim(key, 0, MOST - 1)
          .pexpire(key, KEPT)
      }
      if (ids.length > 0) await execAll(all)
    },

    /** Takes what was noted, oldest first. */
    async take(id: string): Promise<string[]> {
      const [noted] = await execAll(redis.multi().lrange(keys.trace(id), 0, -1).del(keys.trace(id)))
      return Array.isArray(noted) ? noted.map(String) : []
    },

    /** What was noted last. */
    async last(id: string): Promise<string | undefined> {
      return (await redis.lindex(keys.trace(id), -1)) ?? undefined
    },
  }
}
