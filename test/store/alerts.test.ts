import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Kept } from '../../src/alert/again.ts'
import type { Alert } from '../../src/alert/alert.ts'
import { contentOf } from '../../src/store/content.ts'
import { postedAlerts } from '../../src/ingest/posted-alerts.ts'
import { type Store, openStore } from '../../src/store/store.ts'
import { alertOf } from '../helpers/alerts.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'

const now = Date.UTC(2026, 10, 23, 10)
const MINUTE = 60_000
let server: TestRedis
let store: Store

beforeAll(async () => {
  server = await openRedis()
  store = openStore(server.redis, 'test')
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => server.redis.flushall())

async function kept(): Promise<Alert[]> {
  const all: Alert[] = []
  for await (const some of store.alerts.scan()) all.push(...some)
  return all
}

describe('alerts are merged as Alertmanager merges them', () => {
  interface Vector {
    name: string
    posts: { s?: number; e?: number }[]
    result: { startsAt: number; endsAt: number }
  }
  const file = new URL('../vectors/alert-merge-vectors.json', import.meta.url)
  const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))
  const text = (seconds: number | undefined) =>
    seconds === undefined ? undefined : new Date(now + seconds * 1000).toISOString()

  test.each(vectors)('$name', async ({ posts, result }) => {
    for (const { s, e } of posts) {
      const { alerts } = postedAlerts([{ labels: { a: 'b' }, startsAt: text(s), endsAt: text(e) }], now, 300_000)
      await store.alerts.accept(
        alerts.map((alert) => arrival(alert, [])),
        now,
        manner,
      )
    }
    expect(await kept()).toMatchObject([{ startsAt: now + result.startsAt * 1000, endsAt: now + result.endsAt * 1000 }])
  })
})

const manner = { routing: 'r', exact: false, calm: false, regroups: false, late: false }
const group = { id: 'g', groupWait: MINUTE, routeId: '{}', groupKey: '{}:{}', labels: '[]', receiver: 'r' }
const arrival = (alert: Alert, groups = [group]) => ({
  alert,
  content: contentOf(alert),
  groups,
  places: [],
  isGravest: alert.labels.get('severity') === 'critical',
})
const accept = (alert: Alert, at: number) => store.alerts.accept([arrival(alert)], at, manner)
const fires = alertOf({ a: 'b' }, { startsAt: now })
const resolved = { ...fires, endsAt: now + MINUTE, endedBy: 'sender' } satisfies Alert

test('an alert opens its group, which is due after group_wait', async () => {
  expect(await accept(fires, now)).toEqual({
    fresh: 1,
    seen: 0,
    late: 0,
    joined: 1,
    groups: 1,
    soonest: now + MINUTE,
    rules: ' 0',
    full: new Map(),
  })
  expect(await accept(fires, now + 1)).toEqual({
    fresh: 0,
    seen: 1,
    late: 0,
    joined: 0,
    groups: 0,
    soonest: -1,
    rules: ' 0',
    full: new Map(),
  })
  expect(await store.groups.nextDue()).toBe(now + MINUTE)
})

test('an alert older than group_wait opens a group that is due at once', async () => {
  expect(await accept(alertOf({ a: 'b' }, { startsAt: now - MINUTE - 1 }), now)).toMatchObject({ soonest: now })
})

test('a whole batch is in its group before the group is due', async () => {
  const old = (n: number) => alertOf({ n: String(n) }, { startsAt: now - 10 * MINUTE })
  await store.alerts.accept(
    [old(1), old(2), old(3)].map((alert) => arrival(alert)),
    now,
    manner,
  )
  expect((await store.groups.load('g'))?.alerts).toHaveLength(3)
})

test('a resolve without a group makes none', async () => {
  expect(await accept(resolved, now + 2 * MINUTE)).toMatchObject({ fresh: 1, joined: 0, groups: 0 })
  expect(await store.groups.ids()).toEqual([])
})

test('a copy from another cluster member does not undo a resolve, for a minute', async () => {
  await accept(fires, now)
  await accept(resolved, now + MINUTE)
  expect(await accept(fires, now + MINUTE + 30_000)).toMatchObject({ late: 1, seen: 0 })
  expect(await kept()).toMatchObject([{ endsAt: now + MINUTE }])

  expect(await accept(fires, now + 3 * MINUTE)).toMatchObject({ late: 0, seen: 1 })
  expect(await kept()).toMatchObject([{ endsAt: 0, startsAt: now }])
})

test('an alert without an end stays, one from a webhook keeps its earliest start', async () => {
  await accept(fires, now)
  await accept({ ...fires, startsAt: now + 5 }, now + 5)
  expect(await kept()).toMatchObject([{ startsAt: now, endsAt: 0, endedBy: 'resolve' }])
})

test('annotations are the latest set, whole', async () => {
  await accept(
    {
      ...fires,
      annotations: new Map([
        ['summary', 'one'],
        ['runbook', 'x'],
      ]),
    },
    now,
  )
  await accept({ ...fires, annotations: new Map([['summary', 'two']]) }, now + 1)
  expect((await kept())[0]?.annotations).toEqual(new Map([['summary', 'two']]))
})

test('10,000 alerts are taken in one call', async () => {
  const many = Array.from({ length: 10_000 }, (_, n) => arrival(alertOf({ n: String(n) }, { startsAt: now })))
  expect(await store.alerts.accept(many, now, manner)).toMatchObject({ fresh: 10_000, joined: 10_000, groups: 1 })
  expect((await store.groups.load('g'))?.alerts).toHaveLength(10_000)
})

test('every label survives, whatever its name', async () => {
  const labels = { __proto__x: '1', constructor: '2', 'with space': 'x\n"\\\u0000', é: '\u{1f3fb}' }
  const odd = alertOf(labels, { startsText: '2026-11-23T12:00:00.123456789+02:00' })
  const proto = { ...odd, labels: new Map([...odd.labels, ['__proto__', 'p']]) }
  await accept(proto, now)
  expect((await kept())[0]).toMatchObject({ labels: proto.labels, startsText: odd.startsText })
})

test('a resolved alert in no group is forgotten in time, others are not', async () => {
  await accept(fires, now)
  await store.alerts.accept(
    [arrival(alertOf({ gone: 'x' }, { endsAt: now + 1, endedBy: 'sender' }), [])],
    now + 1,
    manner,
  )
  expect(await store.alerts.collect(now + 29 * MINUTE)).toBe(0)
  expect(await store.alerts.collect(now + 31 * MINUTE)).toBe(1)
  expect((await kept()).map((alert) => [...alert.labels.keys()])).toEqual([['a']])
})

test('a group is kept as it is called, whatever characters it is called by', async () => {
  const odd = { ...group, groupKey: '{}:{a\u0000b="x y", c="é"}', labels: '[["a\\u0000b","x y"]]', receiver: 'a b' }
  await store.alerts.accept([arrival(fires, [odd])], now, manner)
  expect(await store.groups.load('g')).toMatchObject({
    key: odd.groupKey,
    receiver: 'a b',
    alerts: [{ startsAt: now }],
  })
})

test('scripts are loaded again after Redis has forgotten them', async () => {
  await server.redis.script('FLUSH')
  expect(await accept(fires, now)).toMatchObject({ fresh: 1 })
})

describe('what is full takes no more', () => {
  const most = { alerts: 3, groups: 2, alertsPerGroup: 2 }
  const firing = (name: string) => alertOf({ name }, { startsAt: now })
  const ended = (name: string) => ({ ...firing(name), endsAt: now, endedBy: 'sender' as const })
  const put = async (...arrivals: [alert: Alert, ...groups: string[]][]) => {
    const { full } = await store.alerts.accept(
      arrivals.map(([alert, ...ids]) =>
        arrival(
          alert,
          ids.map((id) => ({ ...group, id })),
        ),
      ),
      now + 1,
      { ...manner, most },
    )
    return [...full].map(([what, count]) => `${count} ${what}`).join()
  }
  const names = async () => new Set((await kept()).map(({ labels }) => labels.get('name')))

  test('with alerts: known ones go on, new ones are not kept', async () => {
    expect(await put([firing('a'), 'g'], [firing('b'), 'g'], [firing('c'), 'h'])).toBe('')
    expect(await put([firing('a'), 'g'], [firing('d'), 'h'], [ended('b'), 'g'])).toBe('1 alerts')
    expect(await names()).toEqual(new Set('abc'))
    expect((await kept()).find(({ labels }) => labels.get('name') === 'b')?.endsAt).toBe(now)
  })

  test('in one request as over several', async () => {
    expect(await put([firing('a'), 'g'], [firing('b'), 'h'], [firing('c'), 'g'], [firing('d'), 'h'])).toBe('1 alerts')
    expect(await names()).toEqual(new Set('abc'))
  })

  test('with groups: an alert that would make one more is not kept', async () => {
    expect(await put([firing('a'), 'g'], [firing('b'), 'h', 'i'], [firing('c'), 'h'])).toBe('1 groups')
    expect(await put([firing('d'), 'g'])).toBe('')
    expect(await names()).toEqual(new Set('acd'))
    expect(new Set(await store.groups.ids())).toEqual(new Set(['g', 'h']))
  })

  test('with alerts in a group: others still get in', async () => {
    expect(await put([firing('a'), 'g'], [firing('b'), 'g'], [firing('c'), 'g'], [firing('a'), 'g'])).toBe(
      '1 alertsPerGroup',
    )
    expect(await put([firing('c'), 'h'])).toBe('')
    expect((await store.groups.load('g'))?.alerts).toHaveLength(2)
  })

  test('a refused alert left nothing behind', async () => {
    await put([firing('a'), 'g'], [firing('b'), 'g'])
    await put([firing('c'), 'g', 'h'])
    expect(await names()).toEqual(new Set('ab'))
    expect(await store.groups.ids()).toEqual(['g'])
    expect(await server.redis.hlen('{test}:references')).toBe(2)
  })
})

describe('alerts that come again', () => {
  const keptOf = (alert: Alert): Kept => ({
    fingerprint: alert.fingerprint,
    startsAt: alert.startsAt,
    startsText: alert.startsText ?? '-',
    said: `${contentOf(alert).digest} r`,
    rules: '',
    written: '',
    endsAt: 0,
  })
  const lasting = { ...fires, endsAt: now + 5 * MINUTE, endedBy: 'sender' } satisfies Alert
  const later = (minutes: number) => now + (5 + minutes) * MINUTE
  const again = async (known: Kept, endsAt: number, at: number) => {
    const { others } = await store.alerts.repeat([{ kept: known, endsAt, endsText: undefined }], at)
    return others.length === 0
  }

  test('only their end moves, the first time and from then on', async () => {
    await accept(lasting, now)
    const mine = keptOf(lasting)
    for (const minute of [1, 2, 3]) {
      expect(await again(mine, later(minute), now + minute * MINUTE)).toBe(true)
      expect(await kept()).toMatchObject([
        { labels: lasting.labels, startsAt: now, endsAt: later(minute), updatedAt: now + minute * MINUTE },
      ])
    }
    expect(await store.groups.load('g')).toMatchObject({ alerts: [{ endsAt: later(3) }] })
  })

  test('two replicas that take the same by turns do as one', async () => {
    await accept(lasting, now)
    const [mine, theirs] = [keptOf(lasting), keptOf(lasting)]
    for (const minute of [1, 2, 3, 4]) {
      const taker = minute % 2 ? mine : theirs
      expect(await again(taker, later(minute), now + minute * MINUTE)).toBe(true)
    }
    expect(await kept()).toMatchObject([{ endsAt: later(4) }])
  })

  test.each<[string, (mine: Kept) => Promise<unknown>]>([
    ['it is not known', () => server.redis.flushall()],
    ['it was resolved', () => accept({ ...lasting, endsAt: now + MINUTE - 1 }, now + MINUTE - 1)],
    ['another end is later', () => accept({ ...lasting, endsAt: now + 60 * MINUTE }, now + 1)],
    ['it says something else by now', () => accept({ ...lasting, annotations: new Map([['a', 'b']]) }, now + 1)],
    ['it began at another time', () => accept({ ...lasting, startsAt: now - MINUTE }, now + 1)],
    [
      'another routing has put it into its groups',
      () => store.alerts.accept([arrival(lasting)], now + 1, { ...manner, routing: 'other' }),
    ],
    ['a webhook tells of it', () => accept({ ...lasting, endsAt: 0, endedBy: 'resolve' }, now + 1)],
  ])('it is for the other way where %s', async (_why, happens) => {
    await accept(lasting, now)
    const mine = keptOf(lasting)
    expect(await again(mine, later(0) + 1000, now)).toBe(true)
    await happens(mine)
    const before = await server.redis.hgetall('{test}:times')
    expect(await again(mine, later(1), now + MINUTE)).toBe(false)
    expect(await server.redis.hgetall('{test}:times')).toEqual(before)
  })

  test('nor is one that ends too soon to be sure that nobody saw its end', async () => {
    await accept(lasting, now)
    expect(await again(keptOf(lasting), later(1), lasting.endsAt - 4000)).toBe(false)
    expect(await again(keptOf(lasting), later(1), lasting.endsAt - 6000)).toBe(true)
  })

  test('nor is one that its group has let go of', async () => {
    await accept(lasting, now)
    const mine = keptOf(lasting)
    expect(await again(mine, later(1), now + 1)).toBe(true)
    await store.groups.drop('g', now + 2)
    expect(await again(mine, later(2), now + 3)).toBe(false)
    expect(await accept({ ...lasting, endsAt: later(2) }, now + 4)).toMatchObject({ joined: 1, groups: 1 })
  })

  test('many in one call, each with its own end', async () => {
    const many = Array.from({ length: 1200 }, (_, n) => ({
      ...alertOf({ n: String(n) }, { startsAt: now - n }),
      endsAt: later(0),
      endedBy: 'sender' as const,
    }))
    await store.alerts.accept(
      many.map((alert) => arrival(alert)),
      now,
      manner,
    )
    const all = many.map((alert, n) => ({ kept: keptOf(alert), endsAt: later(1) + n, endsText: undefined }))
    for (const minute of [1, 2]) {
      const { others } = await store.alerts.repeat(all, now + minute * MINUTE)
      expect(others).toEqual([])
    }
    const ends = new Map((await kept()).map(({ labels, endsAt }) => [labels.get('n'), endsAt]))
    expect(many.every((_alert, n) => ends.get(String(n)) === later(1) + n)).toBe(true)
  })
})
