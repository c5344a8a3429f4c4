import type { Redis } from 'ioredis'
import { z } from 'zod'
import { type Matcher, matcher } from '../match/matcher.ts'
import { type InhibitRule, type Source, inhibitRule } from '../suppress/inhibition.ts'
import { chunksOf } from './alerts.ts'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'
import { script } from './script.ts'

const indexSources = script('index-sources', z.number())

/** How many places are looked at in one go. */
const CHUNK = 500

/** An alert and the places where it inhibits others. */
export interface Placed {
  fingerprint: string
  places: readonly string[]
}

/** The rules that every replica has to keep places for: those of its own file and those of the others'. */
export interface Registered {
  rules: readonly InhibitRule[]
  complete: ReadonlySet<string> // ids of rules whose places hold every alert that is kept
}

export function inhibitionStore(redis: Redis, keys: Keys) {
  return {
    /** The source that ends last of each place; those without one are left out. */
    async lastSources(places: readonly string[]): Promise<Map<string, Source>> {
      const found = new Map<string, Source>()
      for (let from = 0; from < places.length; from += CHUNK) {
        const some = places.slice(from, from + CHUNK)
        const pipeline = redis.pipeline()
        for (const place of some) pipeline.zrange(keys.place(place), 0, '0', 'REV', 'WITHSCORES')
        for (const [i, reply] of (await execAll(pipeline)).entries()) {
          const [fingerprint, score] = z.array(z.string()).parse(reply)
          const place = some[i]
          if (fingerprint === undefined || place === undefined) continue
          found.set(place, { fingerprint, endsAt: score === 'inf' ? Number.POSITIVE_INFINITY : Number(score) })
        }
      }
      return found
    },

    /** The places of a rule in which any source stands. */
    async occupied(rule: string): Promise<string[]> {
      return redis.smembers(keys.occupied(rule))
    },

    async registered(): Promise<Registered> {
      const [texts, complete] = await Promise.all([redis.hvals(keys.inhibitRules), redis.smembers(keys.completeRules)])
      return { rules: texts.map(fromText), complete: new Set(complete) }
    },

    /** From here on every replica keeps places for these rules. */
    async register(rules: readonly InhibitRule[], epoch: string): Promise<void> {
      await execAll(
        redis
          .multi()
          .hset(keys.inhibitRules, new Map(rules.map((rule) => [rule.id, toText(rule)])))
          .hsetnx(keys.versions, 'epoch', epoch)
          .hincrby(keys.versions, 'rules', 1),
      )
    },

    /** The places of these rules hold every alert that is kept. */
    async complete(ids: readonly string[]): Promise<void> {
      await redis.sadd(keys.completeRules, ...ids)
    },

    /** Nobody has these rules any more: their places are no longer kept up. */
    async unregister(ids: readonly string[]): Promise<void> {
      await execAll(
        redis
          .multi()
          .hdel(keys.inhibitRules, ...ids)
          .srem(keys.completeRules, ...ids)
          .hincrby(keys.versions, 'rules', 1),
      )
    },

    /** Puts alerts into their places: see index-sources.lua. */
    async index(alerts: readonly Placed[]): Promise<void> {
      const placed = alerts.filter(({ places }) => places.length > 0)
      for (const chunk of chunksOf(placed, ({ places }) => places.length)) {
        if (chunk.length === 0) continue
        const args = chunk.flatMap(({ fingerprint, places }) => [fingerprint, places.length, ...places])
        await indexSources(
          redis,
          [keys.times, keys.indexed, keys.sourced],
          [keys.placePrefix, keys.occupiedPrefix, ...args],
        )
      }
    },
  }
}

const matchers = z.array(z.tuple([z.string(), z.string(), z.boolean(), z.boolean()])) // name, value, isRegex, isEqual
const stored = z.object({ source: matchers, target: matchers, equal: z.array(z.string()) })

function toText({ source, target, equal }: InhibitRule): string {
  const tuples = (list: readonly Matcher[]) =>
    list.map(({ name, value, isRegex, isEqual }) => [name, value, isRegex, isEqual])
  return JSON.stringify({ source: tuples(source), target: tuples(target), equal })
}

function fromText(text: string): InhibitRule {
  const { source, target, equal } = stored.parse(JSON.parse(text))
  const compiled = (list: z.output<typeof matchers>) =>
    list.map(([name, value, isRegex, isEqual]) => matcher(name, value, { isRegex, isEqual }))
  return inhibitRule({ source: compiled(source), target: compiled(target), equal })
}
