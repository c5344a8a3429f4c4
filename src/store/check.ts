import type { Redis } from 'ioredis'
import { RedisError, checkVersion } from './embedded.ts'

export type Durability = 'always' | 'everysec' | 'none' | 'unknown'

/**
 * Looks whether this Redis can be trusted with alerts: version and eviction policy. Returns what an
 * answered write survives. Throws RedisError with what to change.
 */
export async function checkRedis(redis: Redis): Promise<Durability> {
  const info = await redis.info('server')
  checkVersion(/redis_version:(\S+)/.exec(info)?.[1] ?? '', 'the Redis at REDIS_URL')

  const policy = /maxmemory_policy:(\S+)/.exec(await redis.info('memory'))?.[1]
  if (policy && policy !== 'noeviction') {
    throw new RedisError(
      `Redis has maxmemory-policy ${policy}, which lets it throw away accepted alerts; set it to noeviction ` +
        '(redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf)',
    )
  }
  if (!/aof_enabled:1/.test(await redis.info('persistence'))) return 'none'
  const setting: unknown = await redis.config('GET', 'appendfsync').catch(() => undefined) // managed Redis forbids it
  const fsync = Array.isArray(setting) ? String(setting[1]) : 'unknown'
  return fsync === 'always' || fsync === 'everysec' ? fsync : 'unknown'
}
