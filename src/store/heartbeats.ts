import type { Redis } from 'ioredis'
import { z } from 'zod'
import { pairs } from './groups.ts'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'
import { script } from './script.ts'

/** A heartbeat that is awaited. Instants in epoch ms. */
export interface Awaited {
  name: string
  from: number // when its time began to count
  seenAt: number | undefined // undefined: never
}

/** The alert that says that a heartbeat is missing, as it was raised. */
const raised = z.object({
  labels: z.array(z.tuple([z.string(), z.string()])),
  annotations: z.array(z.tuple([z.string(), z.string()])),
  startsAt: z.number(),
  refreshedAt: z.number(), // when it was last told to go on
})
export type Raised = z.infer<typeof raised>

/** What is known of the heartbeats, and whether it is this replica's turn to act on it. */
export interface Watched {
  isOurTurn: boolean
  awaited: readonly Awaited[]
  raised: ReadonlyMap<string, Raised> // by heartbeat; some may not be awaited any more
}

/** How Tocsin itself is. Instants in epoch ms; undefined: never. */
export interface SelfWatch {
  canaryArrivedAt: number | undefined
  calledAt: number | undefined // the service outside, with success
}

const claimTurn = script('claim-turn', z.number())
const watch = script('watch-heartbeats', z.tuple([z.number(), z.array(z.string()), z.array(z.string())]))

/** Heartbeats that come in, and what is noted for the one that goes out. */
export function heartbeatStore(redis: Redis, keys: Keys) {
  return {
    /** Notes that heartbeats were seen. */
    async see(names: readonly string[], at: number): Promise<void> {
      const seen = new Map(names.map((name) => [name, at]))
      await execAll(redis.multi().hset(keys.heartbeats, seen).hset(keys.heartbeatsSeen, seen))
    },

    /** Looks after the heartbeats of these names; see watch-heartbeats.lua. `every` and `absence` in ms. */
    async watch(names: readonly string[], at: number, every: number, absence: number): Promise<Watched> {
      const [turn, states, flat] = await watch(
        redis,
        [keys.self, keys.heartbeats, keys.heartbeatsSeen, keys.heartbeatsRaised],
        [at, every, absence, ...names],
      )
      const awaited: Awaited[] = []
      for (let i = 0; i + 2 < states.length; i += 3) {
        const seen = states[i + 2]
        awaited.push({ name: states[i] ?? '', from: Number(states[i + 1]), seenAt: seen ? Number(seen) : undefined })
      }
      const found = pairs(flat).map(([name, text]): [string, Raised] => [name, raised.parse(JSON.parse(text))])
      return { isOurTurn: turn === 1, awaited, raised: new Map(found) }
    },

    /** When each heartbeat was last seen, epoch ms; those that never were are left out. */
    async seen(): Promise<Map<string, number>> {
      const all = await redis.hgetall(keys.heartbeatsSeen)
      return new Map(Object.entries(all).map(([name, at]) => [name, Number(at)]))
    },

    /** The names of heartbeats that are missing now. */
    async missing(): Promise<Set<string>> {
      return new Set(await redis.hkeys(keys.heartbeatsRaised))
    },

    /** Notes which alerts were raised, and which were taken back. */
    async noteRaised(now: ReadonlyMap<string, Raised>, over: readonly string[]): Promise<void> {
      const all = redis.multi()
      for (const [name, alert] of now) all.hset(keys.heartbeatsRaised, name, JSON.stringify(alert))
      if (over.length > 0) all.hdel(keys.heartbeatsRaised, ...over)
      await execAll(all)
    },

    /** Whether it is this replica's turn to do something that one does each `every` ms. */
    async claimTurn(what: 'canary' | 'call' | 'anomalies', at: number, every: number): Promise<boolean> {
      return (await claimTurn(redis, [keys.self], [`turn:${what}`, at, every])) === 1
    },

    async canaryArrived(at: number): Promise<void> {
      await redis.hset(keys.self, 'canaryArrivedAt', at)
    },

    async called(at: number): Promise<void> {
      await redis.hset(keys.self, 'calledAt', at)
    },

    async self(): Promise<SelfWatch> {
      const [canaryArrivedAt, calledAt] = await redis.hmget(keys.self, 'canaryArrivedAt', 'calledAt')
      return { canaryArrivedAt: toInstant(canaryArrivedAt), calledAt: toInstant(calledAt) }
    },
  }
}

function toInstant(text: string | null | undefined): number | undefined {
  return text ? Number(text) : undefined
}
