import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { deflateRaw, deflateRawSync, inflateRaw } from 'node:zlib'
import { z } from 'zod'
import type { Message } from '../notify/notifier.ts'
import type { Store } from '../store/store.ts'

/** What waits to be written is at most about so many characters; more than fits is not kept word for word. */
const MOST_WAITING = 8_000_000
/** What all of its fields beside the text come to, about, characters. */
const REST = 2000
/** One that is larger is not kept, deflated, bytes: it would push out hundreds of others. */
const LARGEST = 256_000
const BATCH = 50
/** What is told within so long goes to Redis together, unless it is many, ms. */
const GATHER = 100
/** Up to here deflating is done sooner than handing it to another thread, characters. */
const SHORT = 16_000
/** For a short text the defaults cost more to set up than to use, and save little. */
const deflating = { level: 1, windowBits: 13, memLevel: 5 }

const inBackground = promisify(deflateRaw)
const inflated = promisify(inflateRaw)

const kept = z.object({ to: z.string(), title: z.string(), text: z.string(), payload: z.unknown() })
/** A message word for word: what its receiver was sent, the credentials apart. */
export type Kept = z.infer<typeof kept>

/** What was told is kept word for word, off the way of what is told: nothing waits for it, and losing one loses no page. */
export interface KeptMessages {
  keep(id: string, message: Message): void
  /** Resolves when all that was to be kept is written, or is not to be. */
  settled(): Promise<void>
}

/** What a message is kept as: that of a retry in the place of the one before. */
export function messageId(notification: string, integration: string): string {
  return `${notification} ${integration}`
}

export function openKeptMessages(store: Pick<Store, 'messages'>): KeptMessages {
  const waiting = new Map<string, Message>()
  let weight = 0
  let writing: Promise<void> | undefined

  async function write(): Promise<void> {
    while (waiting.size > 0) {
      if (waiting.size < BATCH) await sleep(GATHER)
      const batch = [...waiting].slice(0, BATCH)
      for (const [id, message] of batch) {
        waiting.delete(id)
        weight -= weightOf(message)
      }
      const some = await Promise.all(
        batch.map(async ([id, { to, title, text, payload, seen = payload }]) => ({
          id,
          bytes: await deflated(JSON.stringify({ to, title, text, payload: seen })),
        })),
      )
      const fitting = some.filter(({ bytes }) => bytes.length <= LARGEST)
      await store.messages.keep(fitting).catch(() => {}) // the delivery log has its beginning
    }
  }

  return {
    keep(id, message) {
      if (weight > MOST_WAITING) return
      if (!waiting.has(id)) weight += weightOf(message)
      waiting.set(id, message)
      writing ??= write().finally(() => (writing = undefined))
    },
    settled: async () => writing,
  }
}

async function deflated(text: string): Promise<Buffer> {
  return text.length <= SHORT ? deflateRawSync(text, deflating) : inBackground(text, deflating)
}

function weightOf({ text }: Message): number {
  return text.length + REST
}

/** What is kept under an id; undefined where nothing is any more. Rejects where Redis does not answer. */
export async function keptMessage(id: string, store: Pick<Store, 'messages'>): Promise<Kept | undefined> {
  const bytes = await store.messages.get(id)
  return bytes && kept.parse(JSON.parse((await inflated(bytes)).toString()))
}
