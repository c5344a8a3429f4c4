import { createHmac, randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import type { Secret } from '../model/secret.ts'
import { HttpError } from './error.ts'

/** Compares a password with a bcrypt hash. */
export type Compare = (password: string, hash: string) => Promise<boolean>

/** Who waits longer than for this many others is told to come again. */
const MOST_WAITING = 32
/** So many answers are remembered. */
const REMEMBERED = 1000

export interface Passwords {
  /** Whether it was right before, under the same hash; undefined where it was not asked lately. Costs nothing. */
  wasRight(user: string, password: string, hash: Secret | undefined): boolean | undefined
  /** Whether it is right; an unknown user's is compared with a hash of the same cost. Rejects with 503 where too many wait. */
  isRight(user: string, password: string, hash: Secret | undefined, all: Iterable<Secret>): Promise<boolean>
}

export function openPasswords(compare: Compare): Passwords {
  const key = randomBytes(32) // what is remembered says nothing of a password, not even to who reads the memory later
  const answers = new Map<string, boolean>()
  const nameOf = (...parts: string[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64')
  let waiting = 0

  return {
    wasRight(user, password, hash) {
      return answers.get(nameOf(user, password, hash?.reveal() ?? ''))
    },
    async isRight(user, password, hash, all) {
      if (waiting >= MOST_WAITING) throw new HttpError(503, 'too many log in at once; try again', { retryAfter: 2 })
      waiting += 1
      const fits = await compare(password, hash?.reveal() ?? standIn(all)).finally(() => (waiting -= 1))
      const isRight = fits && hash !== undefined
      answers.set(nameOf(user, password, hash?.reveal() ?? ''), isRight)
      const [oldest] = answers.size > REMEMBERED ? answers.keys() : []
      if (oldest !== undefined) answers.delete(oldest)
      return isRight
    },
  }
}

/** A hash that no password has, as costly as the costliest there is: an unknown user takes as long as a known one. */
function standIn(all: Iterable<Secret>): string {
  const costs = [...all].map((hash) => hash.reveal().slice(4, 6)).sort()
  return `$2b$${costs.at(-1) ?? '10'}$${'.'.repeat(53)}`
}

const answer = z.object({ id: z.number(), fits: z.boolean() })

/** Compares in a thread, one after the other; it is started at the first password and started anew should it die. */
export function openComparer(): { compare: Compare; close(): Promise<unknown> } {
  let worker: Worker | undefined
  let last = 0
  const asked = new Map<number, { done: (fits: boolean) => void; fail: (error: Error) => void }>()

  function start(): Worker {
    const started = new Worker(new URL('./bcrypt-worker.js', import.meta.url)) // as built
    started.unref()
    started.on('message', (message: unknown) => {
      const { id, fits } = answer.parse(message)
      asked.get(id)?.done(fits)
      asked.delete(id)
    })
    const ended = (error: Error) => {
      if (worker === started) worker = undefined
      for (const { fail } of asked.values()) fail(error)
      asked.clear()
    }
    started.on('error', ended)
    started.on('exit', () => ended(new Error('the thread that compares passwords ended')))
    return started
  }

  return {
    compare(password, hash) {
      worker ??= start()
      const thread = worker
      last += 1
      const id = last
      return new Promise((done, fail) => {
        asked.set(id, { done, fail })
        thread.postMessage({ id, password, hash }, [])
      })
    },
    close: async () => worker?.terminate(),
  }
}
