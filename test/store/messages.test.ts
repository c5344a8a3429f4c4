import { expect, test } from 'vitest'
import { keptMessage, messageId, openKeptMessages } from '../../src/pipeline/kept-messages.ts'
import { keysFor } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/store.ts'
import { openRedis } from '../helpers/redis.ts'

test('what was told is kept as far as so many bytes go; a retry takes the place of the one before', async () => {
  await using server = await openRedis()
  const { messages } = openStore(server.redis, 'p')
  const of = (id: string, size: number) => ({ id, bytes: Buffer.alloc(size, id) })
  const ids = async (...wanted: string[]) => {
    const found = await Promise.all(wanted.map(async (id) => (await messages.get(id))?.length ?? 0))
    return found.join()
  }
  await messages.keep([of('a', 400), of('b', 300), of('a', 100)], 1000)
  expect(await ids('a', 'b', 'c')).toBe('100,300,0')
  await messages.keep([of('c', 500)], 1000)
  expect(await ids('a', 'b', 'c')).toBe('100,300,500')
  await messages.keep([of('d', 300)], 1000)
  expect(await ids('a', 'b', 'c', 'd')).toBe('0,0,500,300') // the oldest goes, and the next, until all fit
  await messages.keep([of('e', 2000)], 1000)
  expect(await ids('c', 'd', 'e')).toBe('0,0,0')
  const { messages: all, messageOrder, messageBytes } = keysFor('p')
  expect([await server.redis.hlen(all), await server.redis.llen(messageOrder)]).toEqual([0, 0])
  expect(await server.redis.get(messageBytes)).toBe('0')
})

test('a message comes back word for word; one that is too large does not, and pushes out none', async () => {
  await using server = await openRedis()
  const store = openStore(server.redis, 'p')
  const kept = openKeptMessages(store)
  const text = 'так 🔔\0 '.repeat(1000)
  const message = { to: '#ops', title: 'it fires', text, payload: { wire: 1 }, destination: '', cost: 1 }
  const large = Array.from({ length: 200_000 }, (_none, i) => (i * 2_654_435_761) % 4_294_967_296)
  kept.keep(messageId('1', 'ops/slack/0'), message)
  kept.keep(messageId('2', 'ops/slack/0'), { ...message, seen: { as: 'shown' } })
  kept.keep(messageId('3', 'ops/slack/0'), { ...message, payload: large })
  await kept.settled()
  const of = (notification: string) => keptMessage(messageId(notification, 'ops/slack/0'), store)
  expect(await of('1')).toEqual({ to: '#ops', title: 'it fires', text, payload: { wire: 1 } })
  expect((await of('2'))?.payload).toEqual({ as: 'shown' })
  expect(await of('3')).toBeUndefined()
})

test('what Redis does not take, and what is too much at a time, is not waited for', async () => {
  let took = 0
  const messages = {
    keep: async (some: readonly unknown[]) => {
      took += some.length
      throw new Error('away')
    },
    get: async () => undefined,
  }
  const kept = openKeptMessages({ messages })
  const message = { to: '', title: '', text: 'x'.repeat(998_000), payload: {}, destination: '', cost: 1 }
  for (let i = 0; i < 20; i++) kept.keep(String(i), message)
  await kept.settled()
  expect(took).toBe(9)
})
