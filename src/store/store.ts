import type { Redis } from 'ioredis'
import { z } from 'zod'
import { alertStore } from './alerts.ts'
import { auditStore } from './audit.ts'
import { callbackStore } from './callbacks.ts'
import { catchStore } from './catches.ts'
import { deliveryStore } from './deliveries.ts'
import { groupStore } from './groups.ts'
import { deadLetterStore } from './dead-letters.ts'
import { healthStore } from './health.ts'
import { heartbeatStore } from './heartbeats.ts'
import { inboxStore } from './inbox.ts'
import { inhibitionStore } from './inhibition.ts'
import { incidentStore } from './incidents.ts'
import { keysFor } from './keys.ts'
import { ledgerStore } from './ledger.ts'
import { liveStore } from './live.ts'
import { messageStore } from './messages.ts'
import { outboxStore } from './outbox.ts'
import { peerStore } from './peers.ts'
import { execAll } from './redis.ts'
import { sessionStore } from './sessions.ts'
import { silenceStore } from './silences.ts'
import { tallyStore } from './tallies.ts'
import { traceStore } from './traces.ts'
import { vitalsStore } from './vitals.ts'
import { smsStore } from './sms.ts'
import { type Versions, toVersions } from './versions.ts'

/** Alertmanager's default of `alerts.gc-interval`, ms. */
export const KEEP_RESOLVED = 30 * 60_000

/**
 * All of Tocsin's state behind one door. `prefix` keeps several apart on one Redis; `keepResolved` is how long a resolved
 * alert can still be merged with, ms.
 */
export function openStore(
  redis: Redis,
  prefix: string,
  keepResolved = KEEP_RESOLVED,
  // what is to be on replicas before it counts, over a connection of its own where they are waited for: the wait blocks it
  accepting = { accepting: redis, replicated: () => Promise.resolve() },
) {
  const keys = keysFor(prefix)
  return {
    alerts: alertStore(redis, keys, keepResolved, accepting),
    groups: groupStore(redis, keys, keepResolved),
    outbox: outboxStore(redis, keys, keepResolved, accepting),
    deadLetters: deadLetterStore(redis, keys),
    deliveries: deliveryStore(redis, keys),
    ledger: ledgerStore(redis, keys),
    incidents: incidentStore(redis, keys),
    inbox: inboxStore(redis, keys),
    live: liveStore(redis, keys),
    audit: auditStore(redis, keys),
    silences: silenceStore(redis, keys),
    inhibition: inhibitionStore(redis, keys),
    peers: peerStore(redis, keys),
    vitals: vitalsStore(redis, keys),
    heartbeats: heartbeatStore(redis, keys),
    health: healthStore(redis, keys),
    sessions: sessionStore(redis, keys),
    callbacks: callbackStore(redis, keys),
    sms: smsStore(redis, keys),
    tallies: tallyStore(redis, keys),
    catches: catchStore(redis, keys),
    messages: messageStore(redis, keys),
    traces: traceStore(redis, keys),
    queuePrefix: keys.bullmq,

    /** Whether Tocsin has ever kept anything here. */
    async isUsed(): Promise<boolean> {
      return (await redis.exists(keys.ledger, keys.engine, keys.versions)) > 0
    },

    /** Resolves where Redis takes writes now, else rejects within 2 s. */
    async probe(): Promise<void> {
      await redis.hset(keys.engine, 'probe', '1')
    },

    async versions(): Promise<Versions> {
      const asked = redis.pipeline().hmget(keys.versions, 'epoch', 'silences', 'rules').hgetall(keys.sourced)
      const [versions, sourced] = await execAll(asked)
      return toVersions(
        z.array(z.string().nullable()).parse(versions),
        Object.entries(z.record(z.string(), z.string()).parse(sourced)),
      )
    },

    /** The hash of the config that all groups were last sorted by; '' before the first. */
    async configHash(): Promise<string> {
      return (await redis.hget(keys.engine, 'configHash')) ?? ''
    },

    /** Notes that all groups are sorted by a config: its hash, its file, and the texts of the files that it includes. */
    async setConfig(hash: string, file: string, included: ReadonlyMap<string, string>): Promise<void> {
      const all = redis.multi().hset(keys.engine, { configHash: hash, configFile: file }).del(keys.included)
      if (included.size > 0) all.hset(keys.included, included)
      await execAll(all)
    },

    /** The texts of the files included by a config that were in force last, by file; none are another config's. */
    async includedBefore(file: string): Promise<Map<string, string>> {
      if ((await redis.hget(keys.engine, 'configFile')) !== file) return new Map()
      return new Map(Object.entries(await redis.hgetall(keys.included)))
    },
  }
}

export type Store = ReturnType<typeof openStore>
