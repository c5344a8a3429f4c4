import type { Redis } from 'ioredis'
import { z } from 'zod'
import { type Delivery, toDelivery } from './deliveries.ts'
import type { Keys } from './keys.ts'
import { execAll } from './redis.ts'

/** What is published for pages, whichever replica they are connected to. */
export type Published = 'inbox' | 'incident' | 'reload'

/** Something that happened, and where in the store's streams it stands: whoever names that place is told what came after. */
export type Happening = { place: string } & ({ kind: Published; data: unknown } | { kind: 'delivery'; data: Delivery })

/** What happened after a place. */
export interface News {
  place: string // of the last of them
  happenings: Happening[]
}

/** So many are kept: for a page that was away for longer than these took to come, all is to be read anew. */
const KEPT = 1000
/** So many are read at once. */
const PAGE = 500

const publishedEntry = z.object({ kind: z.enum(['inbox', 'incident', 'reload']), data: z.unknown() })
const place = /^(\d+-\d+),(\d+-\d+)$/
const entries = z.array(z.tuple([z.string(), z.array(z.string())]))

/** What happens, for pages: a bounded stream of its own, read together with the stream of deliveries. */
export function liveStore(redis: Redis, keys: Keys) {
  return {
    async publish(kind: Published, data: unknown): Promise<void> {
      await redis.xadd(keys.live, 'MAXLEN', '~', KEPT, '*', 'entry', JSON.stringify({ kind, data }))
    },

    /** The place after all that has happened so far. */
    async newest(): Promise<string> {
      const last = redis
        .pipeline()
        .xrevrange(keys.live, '+', '-', 'COUNT', 1)
        .xrevrange(keys.deliveries, '+', '-', 'COUNT', 1)
      return (await execAll(last)).map((reply) => entries.parse(reply)[0]?.[0] ?? '0-0').join(',')
    },

    /** What happened after a place; undefined where that is no place of these streams, or too long ago to tell. */
    async since(after: string): Promise<News | undefined> {
      const [, live, deliveries] = place.exec(after) ?? []
      if (live === undefined || deliveries === undefined) return undefined
      const asked = redis
        .pipeline()
        .xrange(keys.live, live, '+', 'COUNT', PAGE)
        .xrange(keys.deliveries, deliveries, '+', 'COUNT', PAGE)
      const [published, delivered] = (await execAll(asked)).map((reply) => entries.parse(reply))
      const newSaid = behind(published ?? [], live)
      const newDelivered = behind(delivered ?? [], deliveries)
      if (!newSaid || !newDelivered) return undefined
      const happenings: Happening[] = []
      for (const [id, fields] of newSaid) {
        const said = publishedEntry.safeParse(JSON.parse(fields[1] ?? '')) // another version may say what this one does not know
        if (said.success) happenings.push({ place: `${id},${deliveries}`, ...said.data })
      }
      const lastSaid = newSaid.at(-1)?.[0] ?? live
      for (const [id, fields] of newDelivered) {
        const data = toDelivery(id, fields[1] ?? '')
        if (data) happenings.push({ place: `${lastSaid},${id}`, kind: 'delivery', data })
      }
      return { place: `${lastSaid},${newDelivered.at(-1)?.[0] ?? deliveries}`, happenings }
    },
  }
}

/** The entries behind the one with this id; undefined where that is gone, and with it perhaps others. */
function behind(found: z.output<typeof entries>, id: string): z.output<typeof entries> | undefined {
  if (id === '0-0') return found.length < PAGE ? found : undefined
  return found[0]?.[0] === id ? found.slice(1) : undefined
}
