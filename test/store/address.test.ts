import { expect, test } from 'vitest'
import { nameOfRedis, whyNoRedis } from '../../src/store/address.ts'

test.each([
  // address                                   its name, where it is one
  ['redis://host:6379', 'host:6379'],
  ['redis://:s3cret@host:6379/1', 'host:6379/1'],
  ['rediss://user:s3cret%40@host', 'host'],
  ['REDIS://host', 'host'],
  ['redis://host:6379?password=s3cret', 'host:6379'],
  ['/run/redis.sock', '/run/redis.sock'],
  ['/run/redis.sock?password=s3cret', '/run/redis.sock'],
  [':s3cret@host:6379', undefined],
  ['user:s3cret@host:6379', undefined],
  ['host:6379', undefined],
  ['6379', undefined],
  ['redis//:s3cret@host', undefined],
  ['redis:/:s3cret@host', undefined],
  ['//:s3cret@host', undefined],
  ['unix:///run/redis.sock?password=s3cret', undefined],
  ['redis://:s3cret/@host', undefined],
  ['redis://:s3cret#@host', undefined],
  ['redis://:s3cret%@host', undefined],
])('%s', (address, name) => {
  const why = whyNoRedis(address)
  expect(why ?? '').not.toContain('s3cret')
  if (name === undefined) return expect(why).toMatch(/write it as redis:\/\//)
  expect(why).toBeUndefined()
  expect(nameOfRedis(address, 'p')).toBe(`${name} p`)
})

test('a name holds no password, whatever it is of', () => {
  expect(nameOfRedis(':s3cret@host:6379', 'p')).toBe('host:6379 p')
})
