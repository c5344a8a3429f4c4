import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'

/** A replica that runs. */
export interface Peer {
  name: string
  address: string // host:port of its HTTP side
  rules: readonly string[] // ids of the inhibitions of its file
}

/** A replica that has not been heard of for so long is gone, ms. */
const TTL = 15_000

export function peerStore(redis: Redis, keys: Keys) {
  return {
    /** Says that a replica runs; to be said again every few seconds. */
    async beat(peer: Peer): Promise<void> {
      const all = redis.multi().set(keys.peer(peer.name), JSON.stringify(peer), 'PX', TTL).sadd(keys.peers, peer.name)
      await execAll(all)
    },

    async leave(name: string): Promise<void> {
      await redis.del(keys.peer(name))
      await redis.srem(keys.peers, name)
    },

    /** The replicas that run, by name. */
    async list(): Promise<Peer[]> {
      const names = (await redis.smembers(keys.peers)).sort()
      if (names.length === 0) return []
      const texts = await redis.mget(names.map((name) => keys.peer(name)))
      const gone = names.filter((_name, i) => texts[i] === null)
      if (gone.length > 0) await redis.srem(keys.peers, ...gone)
      return texts.flatMap((text) => (text ? [peer.parse(JSON.parse(text))] : []))
    },

    /** Notes that somebody looks after what is due. */
    async alive(at: number): Promise<void> {
      await redis.hset(keys.engine, 'aliveAt', at)
    },

    /** When somebody last did, epoch ms; undefined where nobody ever did. */
    async lastAlive(): Promise<number | undefined> {
      const at = await redis.hget(keys.engine, 'aliveAt')
      return at === null ? undefined : Number(at)
    },
  }
}

const peer = z.object({ name: z.string(), address: z.string(), rules: z.array(z.string()) }) satisfies z.ZodType<Peer>
