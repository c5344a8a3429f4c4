import { inflateRawSync } from 'node:zlib'
import { keysFor } from '../../src/store/keys.ts'
import type { Engine } from '../helpers/engine.ts'
import type { Captured } from './checker.ts'
import type { Server } from './server.ts'

/** Every page and list that can be read without a body. */
const pages = [
  '/-/healthy',
  '/-/ready',
  '/metrics',
  '/api/v2/alerts',
  '/api/v2/alerts/groups',
  '/api/v2/silences',
  '/api/v2/receivers',
  '/api/v2/status',
  '/api/tocsin/v1/incidents',
  '/api/tocsin/v1/deadletters',
  '/api/tocsin/v1/audit',
  '/api/tocsin/v1/inbox',
  '/api/tocsin/v1/health',
  '/api/tocsin/v1/notifications',
  '/api/tocsin/v1/ledger',
  '/api/tocsin/v1/nope',
  '/nope',
]

/** All that a secret could have got into: what engines said, what one answers, and everything in Redis. */
export async function capture(
  { engines, redis }: { engines: readonly Engine[]; redis: Server },
  past: readonly Engine[],
): Promise<Captured[]> {
  const captured: Captured[] = past.flatMap(({ log, stderr }, i) => [
    { where: `the log of engine ${i}`, text: log.map((line) => JSON.stringify(line)).join('\n') },
    { where: `standard error of engine ${i}`, text: stderr() },
  ])
  const [engine] = engines
  if (engine) {
    for (const page of pages) {
      const answer = await fetch(engine.url + page).catch(() => undefined)
      if (answer) captured.push({ where: page, text: await answer.text() })
    }
  }
  if (redis.process.exitCode === null && redis.process.signalCode === null) {
    for (const key of await redis.redis.keys('*')) {
      captured.push({ where: `Redis, ${key}`, text: `${key} ${await valueOf(redis, key)}` })
    }
  }
  return captured
}

async function valueOf({ redis }: Server, key: string): Promise<string> {
  const type = await redis.type(key)
  if (key === keysFor('tocsin').messages) {
    const kept = Object.values(await redis.hgetallBuffer(key))
    return kept.map((bytes) => inflateRawSync(bytes).toString()).join('\n') // deflated, a secret would not be seen
  }
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key))
  if (type === 'list') return JSON.stringify(await redis.lrange(key, 0, -1))
  if (type === 'set') return JSON.stringify(await redis.smembers(key))
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, 0, '-1'))
  if (type === 'stream') return JSON.stringify(await redis.xrange(key, '-', '+'))
  if (type === 'string') return (await redis.get(key)) ?? ''
  return '' // it went while the others were read
}
