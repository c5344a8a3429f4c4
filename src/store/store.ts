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

    async setConfigHash(hash: string): Promise<void> {
      await redis.hset(keys.engine, 'configHash', hash)
    },
  }
}

export type Store = ReturnType<typeof openStore>
