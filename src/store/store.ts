import type { Redis } from 'ioredis'
import { alertStore } from './alerts.ts'
import { groupStore } from './groups.ts'
import { inboxStore } from './inbox.ts'
import { incidentStore } from './incidents.ts'
import { keysFor } from './keys.ts'
import { outboxStore } from './outbox.ts'

/** All of Tocsin's state behind one door. `prefix` keeps several apart on one Redis. */
export function openStore(redis: Redis, prefix: string) {
  const keys = keysFor(prefix)
  return {
    alerts: alertStore(redis, keys),
    groups: groupStore(redis, keys),
    outbox: outboxStore(redis, keys),
    incidents: incidentStore(redis, keys),
    inbox: inboxStore(redis, keys),
    queuePrefix: keys.bullmq,

    /** Resolves where Redis takes writes now, else rejects within 2 s. */
    async probe(): Promise<void> {
      await redis.hset(keys.engine, 'probe', '1')
    },

    /** The hash of the config that all groups were last sorted by; '' before the first. */
    async configHash(): Promise<string> {
      return (await redis.hget(keys.engine, 'configHash')) ?? ''
    },

    /** Notes that all groups are sorted by a config: its hash, and the texts of the files that it includes, by file. */
    async setConfig(hash: string, included: ReadonlyMap<string, string>): Promise<void> {
      const all = redis.multi().hset(keys.engine, 'configHash', hash).del(keys.included)
      if (included.size > 0) all.hset(keys.included, included)
      for (const [error] of (await all.exec()) ?? []) if (error) throw error
    },

    /** The texts of included files that were in force last, by file. */
    async includedBefore(): Promise<Map<string, string>> {
      return new Map(Object.entries(await redis.hgetall(keys.included)))
    },
  }
}

export type Store = ReturnType<typeof openStore>
