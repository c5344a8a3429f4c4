import type { Redis } from 'ioredis'
import { z } from 'zod'
import { durabilityOf } from './check.ts'
import { field } from './info.ts'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'

/** How Redis is, and how much it keeps for Tocsin. */
export interface Vitals {
  usedMemory: number // bytes
  maxMemory: number // bytes; 0: no limit
  evicts: boolean // it may throw away what it keeps, to make room
  aofFails: boolean // the last write to its append-only file failed
  readOnly: boolean // it is a replica
  alerts: number
  groups: number
  dueGroups: number // whose flush is late
  owed: number // notifications
  epoch: string // of the data set; '' where there is none
}

export function vitalsStore(redis: Redis, keys: Keys) {
  return {
    /** In one trip. `lateBefore`: a group that was due before is late, epoch ms. */
    async read(lateBefore: number): Promise<Vitals> {
      const asked = redis
        .pipeline()
        .info('memory')
        .info('persistence')
        .info('replication')
        .hlen(keys.times)
        .zcard(keys.due)
        .zcount(keys.due, '-inf', lateBefore)
        .zcard(keys.owed)
        .hget(keys.versions, 'epoch')
      const [memory, persistence, replication, alerts, groups, dueGroups, owed, epoch] = reply.parse(
        await execAll(asked),
      )
      return {
        usedMemory: Number(field(memory, 'used_memory') ?? 0),
        maxMemory: Number(field(memory, 'maxmemory') ?? 0),
        evicts: (field(memory, 'maxmemory_policy') ?? 'noeviction') !== 'noeviction',
        aofFails: (field(persistence, 'aof_last_write_status') ?? 'ok') !== 'ok',
        readOnly: field(replication, 'role') === 'slave',
        alerts,
        groups,
        dueGroups,
        owed,
        epoch: epoch ?? '',
      }
    },

    /** Redis' own time, epoch ms with a fraction. */
    async time(): Promise<number> {
      const [seconds, micros] = await redis.time()
      return Number(seconds) * 1000 + Number(micros) / 1000
    },

    durability: () => durabilityOf(redis),

    /** The epoch of the data set; `fresh` where it has none yet. */
    async epochOr(fresh: string): Promise<string> {
      await redis.hsetnx(keys.versions, 'epoch', fresh)
      return (await redis.hget(keys.versions, 'epoch')) ?? fresh
    },

    async epoch(): Promise<string> {
      return (await redis.hget(keys.versions, 'epoch')) ?? ''
    },
  }
}

const reply = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.string().nullable(),
])
