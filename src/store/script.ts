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
  return async (redis: Redis, keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<Reply> => {
    const tail = [keys.length, ...keys, ...args]
    const answer: unknown = await redis.call('EVALSHA', [sha, ...tail]).catch((error: Error) => {
      if (!error.message.startsWith('NOSCRIPT')) throw error
      reloads += 1
      return redis.call('EVAL', [lua, ...tail]) // a restarted Redis has forgotten it
    })
    return reply.parse(answer)
  }
}

function read(name: string): string {
  return readFileSync(new URL(`${name}.lua`, import.meta.url), 'utf8')
}
