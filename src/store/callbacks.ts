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
    async isDone(vendor: string, id: string): Promise<boolean> {
      return (await redis.exists(key(vendor, id))) === 1
    },
    /**
     * To be called when it was done, not before: whether a write arrived that was not answered is not known, and one that
     * was noted and not done would be lost. What two replicas do at once is a change that can be made twice.
     */
    async done(vendor: string, id: string): Promise<void> {
      await redis.set(key(vendor, id), '1', 'PX', REPLAY)
    },
  }
}
