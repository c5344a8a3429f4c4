import { once } from 'node:events'
import { expect, test } from 'vitest'
import { acceptingConnection } from '../../src/store/redis.ts'
import { openReplicaWait } from '../../src/store/replicas.ts'
import { openRedis } from '../helpers/redis.ts'

test('what waits for replicas when its connection is lost hears of none: a new connection has written nothing', async () => {
  await using server = await openRedis()
  const redis = acceptingConnection(server.socket, 'test')
  try {
    await once(redis, 'ready')
    const id = await redis.client('ID')
    const waiting = expect(openReplicaWait(redis, { replicas: 1, timeout: 500 })()).rejects.toThrow('timed out')
    await expect.poll(async () => String(await server.redis.client('LIST')), { timeout: 10_000 }).toMatch(/cmd=wait/)
    await server.redis.client('KILL', 'ID', id)
    await waiting
  } finally {
    redis.disconnect()
  }
})
