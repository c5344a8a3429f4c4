import { afterAll, beforeAll, expect, test } from 'vitest'
import { keysFor } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/store.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const a = { name: 'a', address: '10.0.0.1:9093', rules: [] }
const b = { name: 'b', address: '10.0.0.2:9093', rules: [] }

function open(prefix: string) {
  const { peers } = openStore(server.redis, prefix)
  const keys = keysFor(prefix)
  return {
    peers,
    /** As when nothing is heard of it for its time. */
    silent: (name: string) => server.redis.del(keys.peer(name)),
    forgotten: (name: string) => server.redis.del(keys.peerSeen(name)),
  }
}

test('a replica runs from its first word to its leave', async () => {
  const { peers } = open('peers1')
  expect(await peers.look()).toEqual({ running: [], failed: [] })
  await peers.beat(b)
  await peers.beat(a)
  expect(await peers.look()).toEqual({ running: [a, b], failed: [] })
  await peers.leave('a')
  expect(await peers.look()).toEqual({ running: [b], failed: [] })
  expect(await peers.list()).toEqual([b])
})

test('one that is silent without having taken leave has failed, until it is heard of again', async () => {
  const { peers, silent } = open('peers2')
  await peers.beat(a)
  await peers.beat(b)
  await silent('a')
  expect(await peers.look()).toEqual({ running: [b], failed: [a.address] })
  await peers.beat(a)
  expect(await peers.look()).toEqual({ running: [a, b], failed: [] })
})

test('one that starts again at the same address has not failed, whatever it is called now', async () => {
  const { peers, silent } = open('peers3')
  await peers.beat(a)
  await silent('a')
  await peers.beat({ ...a, name: 'a2' })
  expect(await peers.look()).toEqual({ running: [{ ...a, name: 'a2' }], failed: [] })
})

test('nobody is missed for ever, nor who never had an address', async () => {
  const { peers, silent, forgotten } = open('peers4')
  await peers.beat(a)
  await peers.beat({ name: 'starting', address: '', rules: [] })
  await silent('a')
  await silent('starting')
  expect((await peers.look()).failed).toEqual([a.address])
  expect(await server.redis.pttl(keysFor('peers4').peerSeen('a'))).toBeLessThanOrEqual(3_600_000)
  await forgotten('a')
  expect(await peers.look()).toEqual({ running: [], failed: [] })
  expect(await server.redis.smembers(keysFor('peers4').peers)).toEqual(['starting'])
})
