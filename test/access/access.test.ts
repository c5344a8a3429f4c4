import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Backoff, clientNetwork } from '../../src/access/backoff.ts'
import { Buckets } from '../../src/access/bucket.ts'
import { whyForeign } from '../../src/access/origin.ts'
import { roles, suffices } from '../../src/access/principal.ts'
import { ruleFor } from '../../src/access/routes.ts'
import { isTheirSilence, teamOfReceiver } from '../../src/access/scope.ts'
import { matcher } from '../../src/match/matcher.ts'

test.each([
  ['ingest', ['ingest']],
  ['view', ['view']],
  ['respond', ['view', 'respond']],
  ['admin', ['ingest', 'view', 'respond', 'admin']],
] as const)('%s may do what %j may', (role, may) => {
  expect(roles.filter((needed) => suffices(role, needed))).toEqual(may)
})

test.each([
  ['GET', '/metrics', '/metrics'],
  ['HEAD', '/metrics', '/metrics'],
  ['GET', '/METRICS/', '/metrics'],
  ['POST', '/metrics', undefined],
  ['GET', '/metrics/x', undefined],
  ['GET', '/metricsx', undefined],
  ['GET', '/api/v2/silence/a%2fb', '/api/v2/silence/:id'],
  ['GET', '/api/v2/silence/a/b', undefined],
  ['GET', '/api/v2/silence/', undefined],
  ['DELETE', '/assets/a/b', undefined],
  ['GET', '/assets/a/b', '/assets/*'],
  ['GET', '//metrics', undefined],
  ['GET', '/-/healthy', '/-/healthy'],
  ['GET', '/x-/healthy', undefined],
])('%s %s goes by the rule of %s', (method, path, rule) => {
  expect(ruleFor(method, path)?.path).toBe(rule)
})

const is = (name: string, value: string, { isRegex = false, isEqual = true } = {}) =>
  matcher(name, value, { isRegex, isEqual })

test.each([
  ['team="a"', [is('team', 'a')], true],
  ['team="b" beside others', [is('x', 'y'), is('team', 'b')], true],
  ['team="c"', [is('team', 'c')], false],
  ['team=~"a"', [is('team', 'a', { isRegex: true })], false],
  ['team!="c"', [is('team', 'c', { isEqual: false })], false],
  ['teams="a"', [is('teams', 'a')], false],
  ['nothing of a team', [is('x', 'y')], false],
  ['team="a" and team="c"', [is('team', 'a'), is('team', 'c')], true], // fits no alert of c
])('a silence with %s is of teams a and b: %s', (_name, matchers, theirs) => {
  expect(isTheirSilence({ teams: ['a', 'b'] }, matchers)).toBe(theirs)
  expect(isTheirSilence({ teams: undefined }, matchers)).toBe(true)
})

test('the team of a receiver', () => {
  expect(['quant/critical', 'a/b/warning', 'plain', ''].map(teamOfReceiver)).toEqual(['quant', 'a/b', '', ''])
})

describe('where a change may come from', () => {
  const ours = { external: 'https://tocsin.example.com/am', allowed: [], anonymous: false, hostname: 'box' }
  const local = { ...ours, external: 'http://box:9093', anonymous: true }
  const own = 'https://tocsin.example.com'
  test.each([
    ['no browser', ours, {}, true],
    ['our page', ours, { fetchSite: 'same-origin', origin: own }, true],
    ['our page behind a proxy', ours, { fetchSite: 'same-origin', origin: own, host: '10.0.0.1:9093' }, true],
    ['an older browser, our page', ours, { origin: own }, true],
    [
      'a page whose proxy changes the host',
      ours,
      { fetchSite: 'same-origin', origin: 'https://karma.example', host: 'tocsin:9093' },
      true,
    ],
    [
      'anonymous: the same',
      local,
      { fetchSite: 'same-origin', origin: 'https://karma.example', host: 'tocsin:9093' },
      true,
    ],
    ['such a one without an origin', ours, { fetchSite: 'same-origin', origin: 'null', host: 'tocsin:9093' }, false],
    ['another site', ours, { fetchSite: 'cross-site', origin: 'https://evil.example' }, false],
    ['another site without an origin', ours, { fetchSite: 'cross-site' }, false],
    ['a neighbour of our site', ours, { fetchSite: 'same-site', origin: 'https://x.example.com' }, false],
    ['an older browser, another site', ours, { origin: 'https://evil.example' }, false],
    ['a sandboxed frame', ours, { origin: 'null' }, false],
    ['our name without TLS', ours, { origin: 'http://tocsin.example.com' }, false],
    [
      'one that is allowed',
      { ...ours, allowed: ['https://karma.example'] },
      { fetchSite: 'cross-site', origin: 'https://karma.example' },
      true,
    ],
    ['typed by a person', ours, { fetchSite: 'none', host: 'x' }, true],
    ['the address bar’s own host', ours, { origin: 'http://tocsin:9093', host: 'tocsin:9093' }, true],
    ['anonymous: this machine', local, { origin: 'http://127.0.0.1:9093', host: '127.0.0.1:9093' }, true],
    ['anonymous: localhost', local, { origin: 'http://localhost:9093', host: 'localhost:9093' }, true],
    ['anonymous: its name', local, { origin: 'http://box:9093', host: 'box:9093' }, true],
    ['anonymous: IPv6', local, { origin: 'http://[::1]:9093', host: '[::1]:9093' }, true],
    [
      'anonymous: a name that was pointed here',
      local,
      { fetchSite: 'same-origin', origin: 'http://evil.example:9093', host: 'evil.example:9093' },
      false,
    ],
    [
      'anonymous: a page behind a proxy, of a browser that names no origin',
      local,
      { fetchSite: 'same-origin', host: 'tocsin.internal' },
      true,
    ],
    [
      'anonymous: a name with an address in it',
      local,
      { origin: 'http://127.0.0.1.evil.example', host: '127.0.0.1.evil.example' },
      false,
    ],
    [
      'anonymous: another port of this machine',
      local,
      { origin: 'http://127.0.0.1:80', host: '127.0.0.1:9093' },
      false,
    ],
  ])('%s', (_name, about, given, may) => {
    const from = { fetchSite: undefined, origin: undefined, host: undefined, secure: false, ...given }
    expect(whyForeign(from, about) === undefined).toBe(may)
  })
})

test('a bucket gives its burst at once, then one each so often; clients do not share', () => {
  const buckets = new Buckets({ burst: 3, every: 1000 })
  expect([0, 0, 0, 0, 500].map((at) => buckets.take('a', at))).toEqual([0, 0, 0, 1000, 500])
  expect(buckets.take('b', 500)).toBe(0)
  expect([1000, 1000, 10_000, 10_000, 10_000, 10_000].map((at) => buckets.take('a', at))).toEqual([
    0, 1000, 0, 0, 0, 1000,
  ])
})

test('whoever asks: over any time no more than the burst and what grew since', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 200 }), (pauses) => {
      const buckets = new Buckets({ burst: 5, every: 1000 })
      let at = 0
      let taken = 0
      for (const pause of pauses) {
        at += pause
        if (buckets.take('x', at) === 0) taken += 1
      }
      expect(taken).toBeLessThanOrEqual(5 + Math.floor(at / 1000))
    }),
  )
})

const failed = (backoff: Backoff, address: string, at: number) => backoff.begin(address, at)('wrong')

test('wrong passwords: five are free, then each doubles the wait, up to five minutes; forgotten after a quarter of an hour', () => {
  const backoff = new Backoff()
  const waits: number[] = []
  for (let i = 0; i < 16; i++) {
    failed(backoff, 'a', 0)
    waits.push(backoff.wait('a', 0) / 1000)
  }
  expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
  expect(backoff.wait('a', 299_000)).toBe(1000)
  expect(backoff.wait('b', 0)).toBe(0)
  failed(backoff, 'a', 16 * 60_000)
  expect(backoff.wait('a', 16 * 60_000)).toBe(0)
})

test('what addresses are remembered takes bounded memory', () => {
  const backoff = new Backoff()
  for (let i = 0; i < 5; i++) failed(backoff, 'first', 0)
  for (let i = 0; i < 20_000; i++) failed(backoff, `a${i}`, 0)
  expect(backoff.wait('first', 0)).toBe(0)
})

test('a password counts while it is looked at, and no more once it was right', () => {
  const backoff = new Backoff()
  for (let i = 0; i < 4; i++) failed(backoff, 'a', 0)
  const [one, other] = [backoff.begin('a', 5000), backoff.begin('a', 6000)]
  expect(backoff.wait('a', 6000)).toBe(2000)
  other('right')
  expect(backoff.wait('a', 5000)).toBe(1000)
  one('right')
  expect(backoff.wait('a', 5000)).toBe(0)
  failed(backoff, 'a', 5000)
  backoff.begin('a', 100_000)('right') // does not make others wait longer
  expect(backoff.wait('a', 5500)).toBe(500)
  backoff.begin('a', 16 * 60_000) // what was wrong so long ago counts no more
  expect(backoff.wait('a', 16 * 60_000)).toBe(0)
})

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0db8:0001:0002::1', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
])('%s counts as %s', (address, network) => {
  expect(clientNetwork(address)).toBe(network)
})
