import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAlertView } from '../../src/view/alerts.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const config = (by: string) => `
route:
  receiver: ops
  group_by: [${by}]
  routes: [{ matchers: [team=~"1|2"], receiver: team, continue: true }, { matchers: [team="2"], group_by: ['...'] }]
receivers: [{ name: ops }, { name: team }]
inhibit_rules: [{ source_matchers: [severity="1"], target_matchers: [severity="2"], equal: [team] }]
`

/** All that a view shows, in its order. */
async function shown(view: ReturnType<typeof openAlertView>, story: Story) {
  const { alerts, groups, firing, statusOf } = await view.snapshot(story.deps.clock.now())
  return {
    alerts: alerts.map((one) => [one.json, one.receivers, statusOf(one)]),
    groups: groups
      .map(({ id, alerts: members }) => [id, members.filter(firing).map(({ alert }) => alert.fingerprint)])
      .filter(([, members]) => members?.length !== 0),
  }
}

type Step =
  | { do: 'post'; alerts: { labels: Record<string, string>; resolved: boolean; says: string }[] }
  | { do: 'silence'; value: string }
  | { do: 'wait'; duration: string }
  | { do: 'forget' | 'trim' | 'lose' | 'look' }
  | { do: 'reload'; by: string }

const value = fc.constantFrom('1', '2', '3')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('post' as const),
      alerts: fc.array(
        fc.record({
          labels: fc.record({ team: value, severity: value, n: value }),
          resolved: fc.boolean(),
          says: fc.constantFrom('a', 'b'),
        }),
        { maxLength: 5 },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('silence' as const), value }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), duration: fc.constantFrom('10s', '6m', '2h') }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('forget' as const, 'look' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('trim' as const, 'lose' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reload' as const), by: fc.constantFrom('team', 'n') }) },
)

async function take(story: Story, one: Step): Promise<void> {
  const { deps } = story
  const now = deps.clock.now()
  const iso = (at: number) => new Date(at).toISOString()
  if (one.do === 'post')
    await story.post(
      ...one.alerts.map(({ labels, resolved, says }) => ({
        labels,
        annotations: { says },
        startsAt: iso(now - 60_000),
        endsAt: iso(resolved ? now : now + 240_000),
      })),
    )
  else if (one.do === 'silence') await story.silence(`n="${one.value}"`, '5m')
  else if (one.do === 'wait') await story.advance(one.duration)
  else if (one.do === 'forget') await deps.store.alerts.collect(now)
  else if (one.do === 'reload') await story.reload(config(one.by))
  else if (one.do === 'trim') await server.redis.xtrim(`${deps.store.queuePrefix}:changes`, 'MAXLEN', 1)
  else if (one.do === 'lose') await server.redis.flushall()
}

test('a view that took in one change after the other shows what a new one reads', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      await using story = await tell(server, config('team'))
      const view = openAlertView(story.deps)
      for (const one of steps) {
        await take(story, one)
        if (one.do === 'look') expect(await shown(view, story)).toEqual(await shown(openAlertView(story.deps), story))
      }
      expect(await shown(view, story)).toEqual(await shown(openAlertView(story.deps), story))
    }),
    { numRuns: 150 },
  )
})

test('the groups are those of the store', async () => {
  await using story = await tell(server, config('team'))
  await story.post(...['1', '2', '3'].map((team) => ({ labels: { team, n: team } })), { labels: { team: '2', n: '4' } })
  const { groups } = await openAlertView(story.deps).snapshot(story.deps.clock.now())
  const ids = groups.map(({ id }) => id)
  expect([...ids].sort()).toEqual((await story.deps.store.groups.ids()).sort())
  for (const { id, alerts } of groups) {
    const stored = await story.deps.store.groups.load(id)
    expect(alerts.map(({ alert }) => alert.fingerprint)).toEqual(stored?.alerts.map(({ fingerprint }) => fingerprint))
  }
})

test('a silence made after an alert was seen is seen on it', async () => {
  await using story = await tell(server, config('team'))
  const view = openAlertView(story.deps)
  const silencedBy = async () => {
    const { alerts, statusOf } = await view.snapshot(story.deps.clock.now())
    return alerts.flatMap((one) => statusOf(one).silencedBy)
  }
  await story.post({ labels: { n: '1' } })
  expect(await silencedBy()).toEqual([])
  const id = await story.silence('n="1"', '1h')
  expect(await silencedBy()).toEqual([id])
  await story.expire(id)
  expect(await silencedBy()).toEqual([])
})

test('questions at the same time each see what was there before them', async () => {
  await using story = await tell(server, config('team'))
  const view = openAlertView(story.deps)
  const counts = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      await story.post({ labels: { n: String(n) } })
      const { alerts } = await view.snapshot(story.deps.clock.now())
      return alerts.some(({ alert }) => alert.labels.get('n') === String(n))
    }),
  )
  expect(counts).toEqual(Array.from({ length: 20 }, () => true))
})
