import type { Redis } from 'ioredis'
import { z } from 'zod'
import { type Matcher, matcher } from '../match/matcher.ts'
import { type InhibitRule, type Source, inhibitRule } from '../suppress/inhibition.ts'
import { type Keys, placeId } from './keys.ts'
import { script } from './script.ts'

const indexSources = script('index-sources', z.number())

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
      if (places.length === 0) return found
      const pipeline = redis.pipeline()
      for (const place of places) pipeline.zrange(keys.place(placeId(place)), 0, '0', 'REV', 'WITHSCORES')
      for (const [i, [error, reply]] of ((await pipeline.exec()) ?? []).entries()) {
        if (error) throw error
        const [fingerprint, score] = z.array(z.string()).parse(reply)
        const place = places[i]
        if (fingerprint === undefined || place === undefined) continue
        found.set(place, { fingerprint, endsAt: score === 'inf' ? Number.POSITIVE_INFINITY : Number(score) })
      }
      return found
    },

    async registered(): Promise<Registered> {
      const [texts, complete] = await Promise.all([redis.hvals(keys.inhibitRules), redis.smembers(keys.completeRules)])
      return { rules: texts.map(fromText), complete: new Set(complete) }
    },

    /** From here on every replica keeps places for these rules. */
    async register(rules: readonly InhibitRule[], epoch: string): Promise<void> {
      await all(
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
      await all(
        redis
          .multi()
          .hdel(keys.inhibitRules, ...ids)
          .srem(keys.completeRules, ...ids)
          .hincrby(keys.versions, 'rules', 1),
      )
    },

    /** Puts alerts into their places: see index-sources.lua. */
    async index(alerts: readonly Placed[]): Promise<void> {
      const numbers = new Map<string, number>()
      const args = alerts.flatMap(({ fingerprint, places }) => [
        fingerprint,
        places.length,
        ...places.map((place) => numberOf(numbers, placeId(place))),
      ])
      if (numbers.size === 0) return
      const ids = [...numbers.keys()]
      await indexSources(
        redis,
        [keys.times, keys.indexed, keys.sourced, ...ids.map((id) => keys.place(id))],
        [ids.length, ...ids, ...args],
      )
    },
  }
}

/** The number of a thing in a list that grows, from 1. */
export function numberOf(numbers: Map<string, number>, thing: string): number {
  let number = numbers.get(thing)
  if (number === undefined) numbers.set(thing, (number = numbers.size + 1))
  return number
}

async function all(transaction: ReturnType<Redis['multi']>): Promise<void> {
  for (const [error] of (await transaction.exec()) ?? []) if (error) throw error
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
