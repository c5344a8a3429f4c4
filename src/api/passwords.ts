import { createHmac, randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import type { Secret } from '../model/secret.ts'
import { HttpError } from './error.ts'

/** Compares a password with a bcrypt hash. */
export type Compare = (password: string, hash: string) => Promise<boolean>

/** Who waits longer than for this many others is told to come again. */
const MOST_WAITING = 32
/** So many wrong passwords are remembered. */
const REMEMBERED = 1000

export interface Passwords {
  /**
   * Whether it is right, where that was found out before under the same hash, or is being found out; undefined where it
   * was not asked lately. Costs nothing.
   */
  known(user: string, password: string, hash: Secret | undefined): boolean | Promise<boolean> | undefined
  /** Whether it is right; an unknown user's is compared with a hash that nobody has. Rejects with 503 where too many wait. */
  isRight(user: string, password: string, hash: Secret | undefined, all: Iterable<Secret>): Promise<boolean>
}

export function openPasswords(compare: Compare): Passwords {
  const key = randomBytes(32) // what is remembered says nothing of a password, not even to who reads the memory later
  const right = new Map<string, string>() // user → what is right: one each, which no number of guesses pushes out
  const wrong = new Set<string>() // what was not asked for longest first
  const running = new Map<string, Promise<boolean>>()
  const nameOf = (...parts: string[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64')

  function rememberWrong(name: string): void {
    wrong.delete(name) // to the end of the order
    wrong.add(name)
    const [oldest] = wrong.size > REMEMBERED ? wrong : []
    if (oldest !== undefined) wrong.delete(oldest)
  }

  return {
    known(user, password, hash) {
      const name = nameOf(user, password, hash?.reveal() ?? '')
      if (right.get(user) === name) return true
      if (!wrong.has(name)) return running.get(name)
      rememberWrong(name)
      return false
    },
    async isRight(user, password, hash, all) {
      const name = nameOf(user, password, hash?.reveal() ?? '')
      const found = running.get(name)
      if (found) return found
      if (running.size >= MOST_WAITING)
        throw new HttpError(503, 'too many log in at once; try again', { retryAfter: 2 })
      const comparing = compare(password, hash?.reveal() ?? standIn(user, all))
        .then((fits) => {
          const isRight = fits && hash !== undefined
          if (isRight) right.set(user, name)
          else rememberWrong(name)
          return isRight
        })
        .finally(() => running.delete(name))
      running.set(name, comparing)
      return comparing
    },
  }
}

/**
 * A hash that no password has, as costly as that of one of the users, of a name always the same, in every replica: by the
 * time that it takes an unknown user could be any of them.
 */
function standIn(user: string, all: Iterable<Secret>): string {
  const hashes = [...all].map((hash) => hash.reveal())
  const number = createHmac('sha256', hashes.join()).update(user).digest().readUInt32BE()
  return `$2b$${hashes[number % hashes.length]?.slice(4, 6) ?? '10'}$${'.'.repeat(53)}`
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
