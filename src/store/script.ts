import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import type { ZodType } from 'zod'

let reloads = 0

/** How often a script had to be sent anew: it ran later then than what was sent right behind it. */
export function scriptReloads(): number {
  return reloads
}

/**
 * The Lua script beside this file as a function: it runs whole or not at all, and its reply is checked.
 * `--- with <name>` in the file stands for the text of another: Redis has no way to share a function.
 */
export function script<Reply>(name: string, reply: ZodType<Reply>) {
  const lua = read(name).replace(/^--- with (\S+)$/gm, (_line, other: string) => read(other))
  const sha = createHash('sha1').update(lua).digest('hex')

  // arguments go as one array: spreading many overflows the stack
  const tailOf = ({ keys, args }: Call) => [keys.length, ...keys, ...args]

  /** A restarted Redis has forgotten it. */
  function again(redis: Redis, call: Call, error: Error): Promise<unknown> {
    if (!error.message.startsWith('NOSCRIPT')) throw error
    reloads += 1
    return redis.call('EVAL', [lua, ...tailOf(call)])
  }

  async function run(redis: Redis, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    const call = { keys, args }
    const answer: unknown = await redis
      .call('EVALSHA', [sha, ...tailOf(call)])
      .catch((error: Error) => again(redis, call, error))
    return reply.parse(answer)
  }

  /** Several calls in one trip, each of which may fail by itself. */
  async function runAll(redis: Redis, calls: readonly Call[]): Promise<PromiseSettledResult<Reply>[]> {
    if (calls.length === 0) return []
    const pipeline = redis.pipeline()
    for (const call of calls) pipeline.call('EVALSHA', [sha, ...tailOf(call)])
    const answers = (await pipeline.exec()) ?? []
    return Promise.allSettled(
      calls.map(async (call, i) => {
        const [error, answer] = answers[i] ?? [new Error('no answer')]
        return reply.parse(error ? await again(redis, call, error) : answer)
      }),
    )
  }

  return Object.assign(run, { all: runAll })
}

type Argument = string | number | Buffer

/** What a script is called with. */
export interface Call {
  keys: readonly string[]
  args: readonly Argument[]
}

function read(name: string): string {
  return readFileSync(new URL(`${name}.lua`, import.meta.url), 'utf8')
}
