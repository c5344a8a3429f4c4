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

/** Replicas that run, and the addresses of those that ended without taking leave and have not come back. */
export interface Peers {
  running: readonly Peer[] // by name
  failed: readonly string[]
}

/** A replica that has not been heard of for so long is gone, ms. */
const TTL = 15_000
/** For so long it counts as failed, ms. */
const MISSED = 3_600_000

export function peerStore(redis: Redis, keys: Keys) {
  async function look(): Promise<Peers> {
    const names = (await redis.smembers(keys.peers)).sort()
    if (names.length === 0) return { running: [], failed: [] }
    const [texts, seen] = await Promise.all([
      redis.mget(names.map((name) => keys.peer(name))),
      redis.mget(names.map((name) => keys.peerSeen(name))),
    ])
    const gone = names.filter((_name, i) => texts[i] === null && seen[i] === null)
    if (gone.length > 0) await redis.srem(keys.peers, ...gone)
    const running = texts.flatMap((text) => (text ? [peer.parse(JSON.parse(text))] : []))
    // who starts again at the same address has another name
    const there = new Set(['', ...running.map(({ address }) => address)])
    const failed = new Set(seen.flatMap((address) => (address === null || there.has(address) ? [] : [address])))
    return { running, failed: [...failed] }
  }

  return {
    /** Says that a replica runs; to be said again every few seconds. */
    async beat(peer: Peer): Promise<void> {
      const { name, address } = peer
      const all = redis.multi().set(keys.peer(name), JSON.stringify(peer), 'PX', TTL).sadd(keys.peers, name)
      await execAll(all.set(keys.peerSeen(name), address, 'PX', MISSED))
    },

    async leave(name: string): Promise<void> {
      await redis.del(keys.peer(name), keys.peerSeen(name))
      await redis.srem(keys.peers, name)
    },

    list: async (): Promise<readonly Peer[]> => (await look()).running,

    look,

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
