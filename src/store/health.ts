import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'

/** What is owed by one channel. */
export interface Backlog {
  owed: number
  oldest: number // when the oldest of them began to be owed, epoch ms
}

/** So many rows are looked at: those that are due first. */
const SAMPLE = 500

const fields = z.tuple([z.string().nullable(), z.string().nullable()])

/** What says how Tocsin is, read without changing anything. */
export function healthStore(redis: Redis, keys: Keys) {
  return {
    /** What is owed by channel, of the first rows that are due; `whole`: these are all. Channels that owe nothing are left out. */
    async backlog(): Promise<{ channels: Map<string, Backlog>; whole: boolean }> {
      const ids = await redis.zrange(keys.owed, 0, String(SAMPLE - 1))
      const channels = new Map<string, Backlog>()
      const pipeline = redis.pipeline()
      for (const id of ids) pipeline.hmget(keys.row(id), 'channel', 'owedAt')
      for (const reply of await execAll(pipeline)) {
        const [channel, owedAt] = fields.parse(reply)
        if (channel === null) continue // delivered meanwhile
        const before = channels.get(channel)
        const oldest = Math.min(before?.oldest ?? Number.POSITIVE_INFINITY, Number(owedAt))
        channels.set(channel, { owed: (before?.owed ?? 0) + 1, oldest })
      }
      return { channels, whole: ids.length < SAMPLE }
    },

    /** Of some destinations those that fail, so that what goes there has to wait; half open ones included. */
    async failing(destinations: readonly string[]): Promise<Set<string>> {
      if (destinations.length === 0) return new Set()
      const pipeline = redis.pipeline()
      for (const name of destinations) pipeline.hget(keys.destination(name), 'open')
      const open = z.array(z.string().nullable()).parse(await execAll(pipeline))
      return new Set(destinations.filter((_name, i) => Number(open[i] ?? 0) > 0))
    },
  }
}
