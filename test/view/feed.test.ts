import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAlertView } from '../../src/view/alerts.ts'
import { type Told, openFeed } from '../../src/view/feed.ts'
import { eventually } from '../helpers/engine.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const config = `
route: { receiver: ops, group_by: [alertname], group_wait: 0s }
receivers: [{ name: ops, webhook_configs: [{ url: 'http://one.example.com' }] }]
inhibit_rules: [{ source_matchers: [alertname=A], target_matchers: [alertname=B] }]
`

/** The feed of a replica. */
function feedOf({ deps }: Story) {
  return openFeed({
    deps,
    view: openAlertView(deps),
    health: async () => ({ status: 'ok', at: '', parts: [] }),
    defaultTeam: () => 'platform',
  })
}

/** A reader: what it was told, without what says nothing of it. */
async function reader(feed: ReturnType<typeof feedOf>, after?: string) {
  const told: Told[] = []
  const stop = feed.listen((one) => told.push(one), after)
  await eventually(
    async () => told,
    (all) => all.some(({ kind }) => kind === 'hello'),
  )
  return {
    told,
    stop,
    kinds: () => told.map(({ kind }) => kind).filter((kind) => kind !== 'health'),
    place: () => told.findLast((one) => 'place' in one)?.place,
    hears: (good: (told: readonly Told[]) => boolean) => eventually(async () => told, good),
  }
}

const ids = (told: readonly Told[]) =>
  told.flatMap((one) => (one.kind === 'incident' ? [(one.data as { id: string }).id] : []))

test('what one replica publishes and delivers is told to the readers of every other, in its order', async () => {
  await using story = await tell(server, config)
  const [one, other] = [feedOf(story), feedOf(story)]
  const [a, b] = [await reader(one), await reader(other)]
  await story.deps.store.live.publish('incident', { id: '1' })
  await story.deps.store.live.publish('incident', { id: '2' })
  await story.fire('A')
  await story.advance('1s')
  for (const { hears, told } of [a, b]) {
    await hears((all) => all.some(({ kind }) => kind === 'delivery'))
    expect(ids(told)).toEqual(['1', '2'])
  }
  a.stop()
  b.stop()
  expect([one.listeners, other.listeners]).toEqual([0, 0])
})

test('who comes back is told what came meanwhile, by whichever replica, and each thing once', async () => {
  await using story = await tell(server, config)
  const before = await reader(feedOf(story))
  await story.deps.store.live.publish('incident', { id: '1' })
  await before.hears((all) => ids(all).length === 1)
  before.stop()
  const more = Array.from({ length: 700 }, (_none, i) => String(i + 2))
  for (const id of more) await story.deps.store.live.publish('incident', { id })
  const other = feedOf(story)
  const staying = await reader(other)
  const after = await reader(other, before.place())
  await story.deps.store.live.publish('incident', { id: 'last' })
  await after.hears((all) => ids(all).includes('last'))
  expect(ids(after.told)).toEqual([...more, 'last'])
  expect(after.told.find(({ kind }) => kind === 'hello')?.data).toEqual({ missed: false })
  await staying.hears((all) => ids(all).includes('last'))
  expect(ids(staying.told)).toEqual(['last'])
  after.stop()
  staying.stop()
})

test.each([
  ['so far behind that it cannot be told', '1-0,0-0'],
  ['of another data set, or no place at all', 'nowhere'],
])('who is %s is told to read anew', async (_who, place) => {
  await using story = await tell(server, config)
  await story.deps.store.live.publish('incident', { id: '1' })
  const late = await reader(feedOf(story), place)
  expect(late.told.find(({ kind }) => kind === 'hello')?.data).toEqual({ missed: true })
  late.stop()
})

test('alerts that come, change, are kept quiet and go are told; what is only repeated is not', async () => {
  await using story = await tell(server, config)
  const listening = await reader(feedOf(story))
  const news = () => listening.told.flatMap((one) => (one.kind === 'alerts' ? [one.data] : []))
  await story.fire('B')
  await listening.hears(() => news().length === 1)
  expect(news()[0]).toMatchObject({ alerts: [{ labels: { alertname: 'B' }, inhibitedBy: [] }], gone: [] })
  expect(Object.values(news()[0]?.groups ?? {})).toMatchObject([{ receiver: 'ops', labels: { alertname: 'B' } }])

  await story.fire('B')
  await story.fire('A')
  await listening.hears(() => news().length === 2)
  expect(news()[1]?.alerts.map(({ labels, inhibitedBy }) => [labels['alertname'], inhibitedBy.length])).toEqual(
    expect.arrayContaining([
      ['A', 0],
      ['B', 1],
    ]),
  )
  await story.silence('alertname="A"', '1h')
  await listening.hears(() => news().length === 3)
  expect(news()[2]?.alerts).toMatchObject([{ labels: { alertname: 'A' }, silencedBy: [expect.any(String)] }])
  expect(listening.kinds()).toContain('silences')

  await story.resolve('A')
  await listening.hears(() => news().length === 4)
  expect(news()[3]).toMatchObject({
    alerts: [{ labels: { alertname: 'B' }, inhibitedBy: [] }],
    gone: [{ team: 'platform' }],
  })
  listening.stop()
})

test('that Redis does not answer is told, and that it does again; nothing is lost between', async () => {
  await using story = await tell(server, config)
  let isAway = false
  const { store } = story.deps
  const since: typeof store.live.since = (place) =>
    isAway ? Promise.reject(new Error('Redis is away')) : store.live.since(place)
  const deps = { ...story.deps, store: { ...store, live: { ...store.live, since } } }
  const listening = await reader(feedOf({ ...story, deps }))
  isAway = true
  await listening.hears((all) => all.some(({ kind }) => kind === 'away'))
  await store.live.publish('incident', { id: 'meanwhile' })
  isAway = false
  await listening.hears((all) => all.filter(({ kind }) => kind === 'hello').length === 2)
  expect(listening.kinds()).toEqual(['hello', 'away', 'incident', 'hello'])
  listening.stop()
})
