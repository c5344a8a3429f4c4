import type { Redis } from 'ioredis'
import { RedisError, checkVersion } from './embedded.ts'
import { field } from './info.ts'

/** What an answered write survives, least first; `unknown` where Redis does not say, as some that are managed. */
export const durabilities = ['none', 'unknown', 'everysec', 'always'] as const
export type Durability = (typeof durabilities)[number]

/** Looks whether this Redis can be trusted with alerts: version and eviction policy. Throws RedisError with what to change. */
export async function checkRedis(redis: Redis): Promise<{ durability: Durability; maxMemory: number }> {
  checkVersion(field(await redis.info('server'), 'redis_version') ?? '', 'the Redis at REDIS_URL')
  const memory = await redis.info('memory')
  const policy = field(memory, 'maxmemory_policy')
  if (policy && policy !== 'noeviction') {
    throw new RedisError(
      `Redis has maxmemory-policy ${policy}, which lets it throw away accepted alerts; set it to noeviction ` +
        '(redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf)',
    )
  }
  return { durability: await durabilityOf(redis), maxMemory: Number(field(memory, 'maxmemory') ?? 0) }
}

/** What an answered write survives now: an operator may change it while Redis runs. Rejects where Redis does not answer. */
export async function durabilityOf(redis: Redis): Promise<Durability> {
  const aof = field(await redis.info('persistence'), 'aof_enabled')
  if (aof === undefined) return 'unknown'
  if (aof !== '1') return 'none'
  const setting: unknown = await redis.config('GET', 'appendfsync').catch((error: Error) => {
    // managed Redis forbids it
    if (/^(?:ERR|NOPERM)\b/.test(error.message)) return undefined
    throw error
  })
  const fsync = Array.isArray(setting) ? String(setting[1]) : 'unknown'
  if (fsync === 'no') return 'none'
  return fsync === 'always' || fsync === 'everysec' ? fsync : 'unknown'
}
