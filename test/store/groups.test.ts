import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { contentOf } from '../../src/store/content.ts'
import { type Store, openStore } from '../../src/store/store.ts'
import { alertOf } from '../helpers/alerts.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'

const now = Date.UTC(2026, 10, 26, 10)
const manner = { routing: 'r', exact: false, calm: false, regroups: false, late: false }
let server: TestRedis
let store: Store

beforeAll(async () => {
  server = await openRedis()
  store = openStore(server.redis, 'test')
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => server.redis.flushall())

/** Some alert joins a group whose wait is 10 s. */
async function join(id: string, name: string, isGravest: boolean, at: number): Promise<void> {
  const group = { id, groupWait: 10_000, routeId: '{}', groupKey: id, labels: '[]', receiver: 'r' }
  const alert = alertOf({ name }, { startsAt: at })
  await store.alerts.accept([{ alert, content: contentOf(alert), groups: [group], places: [], isGravest }], at, manner)
}
const claim = async (at: number, limit = 1) =>
  (await store.groups.claimDue(at, 10_000, limit, 'me')).claimed.map(({ id, dueAt }) => `${id} ${dueAt - now}`)

test('of the groups that are due those are taken first that the gravest alerts have joined, none before its time', async () => {
  await join('a', 'A', false, now)
  await join('b', 'B', false, now + 1)
  await join('grave', 'C', true, now + 2)
  await join('late', 'D', true, now + 5000)
  expect(await claim(now + 9999)).toEqual([])
  expect(await claim(now + 11_000)).toEqual(['grave 10002'])
  expect(await claim(now + 11_000, 5)).toEqual(['a 10000', 'b 10001'])
  expect(await claim(now + 15_000, 5)).toEqual(['late 15000'])
})

test('a group is grave once a piece of news, also of news that comes while it is being flushed', async () => {
  await join('grave', 'A', true, now)
  expect(await claim(now + 10_000)).toEqual(['grave 10000'])
  await join('grave', 'B', true, now + 10_001) // the flush may have read the group already
  await server.redis.zadd('{test}:due', now + 70_000, 'grave') // it ends
  expect(await claim(now + 20_001)).toEqual([])
  await join('a', 'C', false, now + 50_000)
  expect(await claim(now + 70_000)).toEqual(['grave 70000'])
  await server.redis.zadd('{test}:due', now + 61_000, 'grave') // no news
  expect(await claim(now + 71_000)).toEqual(['a 60000'])
})

test('a group that is gone is not looked for again', async () => {
  await join('grave', 'A', true, now)
  await store.groups.drop('grave', now)
  expect(await claim(now + 10_000)).toEqual([])
  expect(await server.redis.exists('{test}:grave')).toBe(0)
})
