import { expect, test } from 'vitest'
import { openStore } from '../../src/store/store.ts'
import { openRedis } from '../helpers/redis.ts'

test('a list goes back to the newest 2,000, however few of them are wanted', async () => {
  await using server = await openRedis()
  const { incidents } = openStore(server.redis, 'p')
  const all = server.redis.pipeline()
  for (let n = 1; n <= 2100; n++) {
    const team = n === 50 || n === 150 || n === 2050 ? 'rare' : 'other'
    const rest = { title: '', description: '', severity: '', priority: '', receiver: '', groupKey: '' }
    const fields = JSON.stringify({ ...rest, team })
    all.hset(`{p}:incident:${n}`, { id: String(n), state: 'open', createdAt: String(n), fields })
    all.zadd('{p}:incidents', n, String(n))
  }
  await all.exec()
  const ids = async (limit: number, of?: string) =>
    (await incidents.list(limit, ({ team }) => of === undefined || team === of)).map(({ id }) => id)
  expect(await ids(500, 'rare')).toEqual(['2050', '150'])
  expect(await ids(1, 'rare')).toEqual(['2050'])
  expect(await ids(2)).toEqual(['2100', '2099'])
})
