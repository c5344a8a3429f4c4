import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'

/** Who logged in, and with what: another password ends it. */
export interface Session {
  user: string
  stamp: string // of the password's hash at the time
}

const session = z.object({ user: z.string(), stamp: z.string() }) satisfies z.ZodType<Session>

/** Sessions of browsers, known by a hash of what the cookie holds: who reads Redis cannot log in with it. */
export function sessionStore(redis: Redis, keys: Keys) {
  const key = (id: string) => keys.session(createHash('sha256').update(id).digest('hex'))
  return {
    async add(id: string, value: Session, ttl: number): Promise<void> {
      await redis.set(key(id), JSON.stringify(value), 'PX', ttl)
    },
    async get(id: string): Promise<Session | undefined> {
      const text = await redis.get(key(id))
      return text === null ? undefined : session.parse(JSON.parse(text))
    },
    /** Removes it, and says what it was; of two who ask at once only one is told. */
    async take(id: string): Promise<Session | undefined> {
      const text = await redis.getdel(key(id))
      return text === null ? undefined : session.parse(JSON.parse(text))
    },
  }
}
