import { expect, test } from 'vitest'
import { nameOfRedis, placeIn, whyNoRedis } from '../../src/store/address.ts'

test.each([
  // address                                   its name, where it is one
  ['redis://host:6379', 'host:6379'],
  ['redis://:s3cret@host:6379/1', 'host:6379/1'],
  ['rediss://user:s3cret%40@host', 'host'],
  ['REDIS://host', 'host'],
  ['redis://host:6379?password=s3cret', 'host:6379'],
  ['/run/redis.sock', '/run/redis.sock'],
  ['redis+sentinel://:s3cret@a:26379,b,[::1]:1/main', 'a:26379,b,[::1]:1/main'],
  ['rediss+sentinel://user:s3cret@a/main/2?sentinel_password=s3cret', 'a/main/2'],
  ['redis+cluster://user:s3cret%40@a:7000,b:7001', 'a:7000,b:7001'],
  ['rediss+CLUSTER://a', 'a'],
  ['redis+sentinel://:s3cret@a', undefined],
  ['redis+sentinel://:s3cret@a/main/x', undefined],
  ['redis+sentinel://:s3cret@a/main?password=s3cret', undefined],
  ['redis+cluster://:s3cret@a/0', undefined],
  ['redis+cluster://:s3cret@a:70000', undefined],
  ['redis+cluster://:s3cret%@a', undefined],
  ['redis+cluster://:s3cret@a,,b', undefined],
  ['redis+cluster://:s3cret@', undefined],
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
  if (name === undefined) return expect(why).toMatch(/write it as redis(?:\+sentinel|\+cluster)?:\/\//)
  expect(why).toBeUndefined()
  expect(nameOfRedis(address, 'p')).toBe(`${name} p`)
})

test('a name holds no password, whatever it is of', () => {
  expect(nameOfRedis(':s3cret@host:6379', 'p')).toBe('host:6379 p')
})

test('an address of several hosts is read, with what is usual where it says nothing', () => {
  expect(placeIn('rediss+sentinel://me:p%40ss@a,[::1]:1/the%20main/2?sentinel_password=other')).toEqual({
    kind: 'sentinel',
    hosts: [
      { host: 'a', port: 26_379 },
      { host: '::1', port: 1 },
    ],
    name: 'the main',
    db: 2,
    sentinelPassword: 'other',
    login: { username: 'me', password: 'p@ss', tls: {} },
  })
  expect(placeIn('redis+cluster://a:7000,b')).toEqual({
    kind: 'cluster',
    hosts: [
      { host: 'a', port: 7000 },
      { host: 'b', port: 6379 },
    ],
    login: {},
  })
  expect(() => placeIn('redis+cluster://:s3cret@')).toThrow('write it as redis+cluster://')
})
