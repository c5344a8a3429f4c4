import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'

/** How long a callback that comes again is known, ms. */
const REPLAY = 10 * 60_000

/** Callbacks that were taken, known to every replica: what is sent twice is done once. */
export function callbackStore(redis: Redis, keys: Keys) {
  const key = (vendor: string, id: string) =>
    keys.callback(createHash('sha256').update(`${vendor}\n${id}`).digest('hex').slice(0, 32))
  return {
    /** Whether it is the first of its id. */
    async isNew(vendor: string, id: string): Promise<boolean> {
      return (await redis.set(key(vendor, id), '1', 'PX', REPLAY, 'NX')) === 'OK'
    },
    /** It could not be done: the vendor may send it again. */
    async release(vendor: string, id: string): Promise<void> {
      await redis.del(key(vendor, id))
    },
  }
}
