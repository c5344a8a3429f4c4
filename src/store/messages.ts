import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'
import { script } from './script.ts'

/** What all that is kept may take, bytes. */
const MOST = 32_000_000

const keepMessages = script('keep-messages', z.number())

/** What was told, word for word, by the id of the notification and the integration. As much as a bounded number of bytes holds. */
export function messageStore(redis: Redis, keys: Keys) {
  const { messages, messageOrder, messageBytes } = keys
  return {
    /** Keeps texts of any kind, each in the place of one with the same id; the oldest go. */
    async keep(kept: readonly { id: string; bytes: Buffer }[], most = MOST): Promise<void> {
      if (kept.length === 0) return
      await keepMessages(
        redis,
        [messages, messageOrder, messageBytes],
        [most, ...kept.flatMap(({ id, bytes }) => [id, bytes])],
      )
    },

    async get(id: string): Promise<Buffer | undefined> {
      return (await redis.hgetBuffer(messages, id)) ?? undefined
    },
  }
}
