import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'
import { script } from './script.ts'

/** What all that is kept may take, bytes. */
const MOST = 32_000_000

const keepMessage = script('keep-message', z.number())

/** What was told, word for word, by the id of the notification and the integration. As much as a bounded number of bytes holds. */
export function messageStore(redis: Redis, keys: Keys) {
  const { messages, messageOrder, messageBytes } = keys
  return {
    /** Keeps texts of any kind, each in the place of one with the same id; the oldest go. */
    async keep(kept: readonly { id: string; bytes: Buffer }[], most = MOST): Promise<void> {
      const calls = kept.map(({ id, bytes }) => ({
        keys: [messages, messageOrder, messageBytes],
        args: [id, bytes, most],
      }))
      for (const one of await keepMessage.all(redis, calls)) if (one.status === 'rejected') throw one.reason
    },

    async get(id: string): Promise<Buffer | undefined> {
      return (await redis.hgetBuffer(messages, id)) ?? undefined
    },
  }
}
