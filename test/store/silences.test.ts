import { openMetrics } from '../../src/record/metrics.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openSilences } from '../../src/pipeline/silences.ts'
import type { SilenceAudit } from '../../src/store/silences.ts'
import { type Store, openStore } from '../../src/store/store.ts'
import type { Silence } from '../../src/suppress/silence.ts'
import { parseMatchers } from '../../src/match/parse.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'

const HOUR = 3_600_000
let server: TestRedis
let store: Store
beforeAll(async () => {
  server = await openRedis()
  store = openStore(server.redis, 'test')
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => server.redis.flushall())

const audit: SilenceAudit = { at: '', event: 'silence created', silence: '', by: '', from: '', client: '' }
const silence = (id: string, endsAt: number, more: Partial<Silence> = {}): Silence => ({
  id,
  matchers: parseMatchers('__proto__="x", a!~"b\\"\\n.*"').matchers,
  startsAt: 0,
  endsAt,
  updatedAt: 0,
  createdBy: 'alice',
  comment: '<&> é😀',
  annotations: new Map([['__proto__', 'y']]),
  ...more,
})
const put = (one: Silence, before?: Silence, most = 0) =>
  store.silences.put([{ before, silence: one }], audit, most, `epoch ${Math.random()}`)
const ids = (list: Iterable<Silence>) => [...list].map(({ id }) => id).sort()

test('a silence is read as it was written, whatever stands in it', async () => {
  await put(silence('a', HOUR))
  const plain = (one: Silence | undefined): unknown =>
    JSON.parse(JSON.stringify({ ...one, annotations: [...(one?.annotations ?? [])] }))
  const [read] = await store.silences.changedSince(0)
  expect(plain(read)).toEqual(plain(silence('a', HOUR)))
})

test('one that is no longer as the writer knew it is not overwritten', async () => {
  const first = silence('a', HOUR)
  await put(first)
  expect(await put(silence('a', 2 * HOUR), first)).toEqual({ done: 'yes' })
  expect(await put(silence('a', 3 * HOUR), first)).toEqual({ done: 'conflict' })
  expect(await put(silence('a', 3 * HOUR))).toEqual({ done: 'conflict' })
  expect(await store.silences.changedSince(0)).toMatchObject([{ endsAt: 2 * HOUR }])
})

test('what has ended is kept for the retention, and then forgotten, by caches too', async () => {
  let now = 0
  const cache = openSilences(store, { now: () => now }, 10 * HOUR, openMetrics('0.0.0', 'test'))
  const known = async () => {
    await cache.freshen(await store.versions())
    return ids(cache.all())
  }
  await put(silence('short', HOUR))
  await put(silence('long', 20 * HOUR))
  expect(await known()).toEqual(['long', 'short'])
  now = 10.5 * HOUR
  expect(await store.silences.collect(now - 10 * HOUR)).toBe(0)
  expect(await known()).toEqual(['long', 'short'])
  now = 11.5 * HOUR
  expect(await store.silences.collect(now - 10 * HOUR)).toBe(1)
  expect(await known()).toEqual(['long'])
  expect(cache.get('short')).toBeUndefined()
  expect(ids(await store.silences.changedSince(0))).toEqual(['long'])
})

test('a cache knows at once what others write, and lets go of all when the data is another', async () => {
  const cache = openSilences(store, { now: () => 0 }, HOUR, openMetrics('0.0.0', 'test'))
  const known = async () => {
    await cache.freshen(await store.versions())
    return ids(cache.all())
  }
  await put(silence('a', HOUR))
  await put(silence('b', HOUR))
  expect(await known()).toEqual(['a', 'b'])
  await put(silence('c', HOUR))
  expect(await known()).toEqual(['a', 'b', 'c'])
  await server.redis.flushall()
  expect(await known()).toEqual([])
  for (const id of ['x', 'y', 'z']) await put(silence(id, HOUR))
  expect(await known()).toEqual(['x', 'y', 'z'])
})
