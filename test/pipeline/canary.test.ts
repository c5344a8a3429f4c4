import { afterAll, beforeAll, expect, test } from 'vitest'
import { everywhere } from '../../src/model/egress.ts'
import { parseMatchers } from '../../src/match/parse.ts'
import { bridgeAbsence } from '../../src/pipeline/absence.ts'
import { canaryTimes } from '../../src/pipeline/canary.ts'
import { regroup } from '../../src/pipeline/accept.ts'
import { keysFor } from '../../src/store/keys.ts'
import { inhibitRule } from '../../src/suppress/inhibition.ts'
import { openAlertView } from '../../src/view/alerts.ts'
import { alertOf } from '../helpers/alerts.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, sweepNow, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const plain = `
route: { receiver: ops, group_wait: 0s }
receivers: [{ name: ops, webhook_configs: [{ url: 'http://ops.example.com' }] }]
`
/** The fingerprints of what a story fires. */
const alertsNamed = (...names: string[]) => names.map((alertname) => alertOf({ alertname, group: 'g' }).fingerprint)

/** When it last arrived, in seconds of the story. */
async function arrival(story: Story, start: number): Promise<number | undefined> {
  const { canaryArrivedAt } = await story.deps.store.heartbeats.self()
  return canaryArrivedAt === undefined ? undefined : (canaryArrivedAt - start) / 1000
}

test.each([
  // interval, every, life, patience: ms
  [undefined, 30_000, 10_000, 120_000],
  [60_000, 30_000, 10_000, 120_000],
  [300_000, 30_000, 10_000, 120_000],
  [20_000, 10_000, 7500, 40_000],
  [2000, 1000, 750, 4000],
])('where the heartbeat goes out each %s ms', (interval, every, life, patience) => {
  const heartbeat =
    interval === undefined ? undefined : { url: undefined, urlFile: undefined, egress: everywhere, interval }
  expect(canaryTimes({ heartbeat })).toEqual({ every, life, patience })
})

test.each([false, true])(
  'it goes the whole way each time, and nobody sees anything of it; exact: %s',
  async (exact) => {
    await using story = await tell(server, plain, { exact })
    const { deps, canary } = story
    const start = deps.clock.now()
    const view = openAlertView(deps)
    expect(await arrival(story, start)).toBeUndefined()
    for (const second of [0, 30, 60]) {
      await canary.send(deps)
      await story.advance('0s')
      expect(await arrival(story, start)).toBe(second)
      const { alerts, groups } = await view.snapshot(deps.clock.now())
      expect([alerts, groups]).toEqual([[], []])
      await story.advance('30s')
      expect(await deps.store.groups.ids()).toEqual([]) // it leaves nothing behind
    }
    expect(story.lines).toEqual([])
    expect(await deps.store.deadLetters.list(10)).toEqual([])
    const counted = await deps.metrics.registry.metrics()
    expect(counted).not.toMatch(/^alertmanager_alerts_received_total\S* [1-9]/m)
    expect(await server.redis.xlen(keysFor(deps.store.queuePrefix.slice(1, -1)).deliveries)).toBe(0)
    expect(await deps.store.ledger.read()).toMatchObject({ joined: 0, live: 0, owed: 0, open: 0 })
  },
)

test('neither silences nor inhibitions keep it, it inhibits nobody, and it opens no incident', async () => {
  await using story = await tell(
    server,
    `
severities: { page: { notify: [webhook], incident: true, group_wait: 0s } }
teams: { core: { webhook: 'http://ops.example.com' } }
inhibit_rules:
  - { source_matchers: [alertname!="A"], target_matchers: [alertname="A"] } # a canary fits it, as what has no name
  - { source_matchers: [alertname="A"], target_matchers: [alertname!="A"] }
`,
  )
  const { deps, canary } = story
  const start = deps.clock.now()
  // as wide as a silence can be: one of its matchers must ask for something
  await story.silence('alertname=~".+", alertname!="A"', '1h')
  await story.fire('A')
  await canary.send(deps)
  expect(await story.advance('5s')).toEqual(['0s core/page/webhook/0 firing first notification: A'])
  expect(await arrival(story, start)).toBe(0)
  expect((await deps.store.incidents.list(10)).map(({ title }) => title)).toEqual(['A'])
})

test('a rule that comes by a reload takes it for no source either', async () => {
  await using story = await tell(server, plain)
  await story.canary.send(story.deps)
  await story.reload(
    `${plain}\ninhibit_rules: [{ source_matchers: [alertname!="A"], target_matchers: [alertname="A"] }]`,
  )
  await story.fire('A')
  expect(await story.advance('1s')).toEqual(['0s ops/webhook/0 firing first notification: A'])
})

test('by a rule that only another replica has, it is no source either', async () => {
  await using story = await tell(server, plain)
  const { deps, canary } = story
  const { matchers: source } = parseMatchers('alertname!="A"')
  const { matchers: target } = parseMatchers('alertname="A"')
  const rule = inhibitRule({ source, target, equal: [] })
  await deps.store.inhibition.register([rule], 'epoch')
  await canary.send(deps) // learns of the rule
  await canary.send(deps)
  expect(await deps.store.inhibition.occupied(rule.id)).toEqual([])
  await story.fire('B')
  expect(await deps.store.inhibition.occupied(rule.id)).toHaveLength(1)
})

test('after an absence it does not go on by itself', async () => {
  await using story = await tell(server, plain)
  const { deps, canary } = story
  const start = deps.clock.now()
  await canary.send(deps)
  await story.advance('0s')
  await deps.store.peers.alive(start)
  story.skip('10m')
  await bridgeAbsence(deps)
  await story.advance('5m')
  expect(await arrival(story, start)).toBe(0)
  await canary.send(deps)
  await story.advance('0s')
  expect(await arrival(story, start)).toBe(900)
})

test('it takes up no room that alerts may have, and is taken where there is none', async () => {
  await using story = await tell(server, `${plain}\nlimits: { alerts: 2, groups: 1 }`)
  const { deps, canary } = story
  const start = deps.clock.now()
  await canary.send(deps)
  await story.fire('A', 'B', 'C')
  expect(await deps.store.alerts.times(alertsNamed('A', 'B', 'C'))).toHaveProperty('size', 2)
  await story.advance('30s')
  await canary.send(deps)
  await story.advance('0s')
  expect(await arrival(story, start)).toBe(30)
})

test('a reload in the middle of its way holds it up no more than any other', async () => {
  await using story = await tell(server, plain)
  const start = story.deps.clock.now()
  await story.canary.send(story.deps)
  await regroup(story.deps)
  await story.reload(`${plain}\nheartbeat: { url: http://hc.example.com }`)
  await story.advance('0s')
  expect(await arrival(story, start)).toBe(0)
})

test('one whose job is lost does not arrive; the next one does', async () => {
  await using story = await tell(server, plain)
  const { deps, canary } = story
  const start = deps.clock.now()
  const wake = deps.queue.wake
  deps.queue.wake = async () => {}
  await canary.send(deps)
  await story.advance('29s')
  expect(await arrival(story, start)).toBeUndefined()
  deps.queue.wake = wake
  await sweepNow(story) // too late for that one
  await story.advance('1s')
  expect(await arrival(story, start)).toBeUndefined()
  await canary.send(deps)
  await story.advance('0s')
  expect(await arrival(story, start)).toBe(30)
})

test('a write that fails after it was told keeps it from counting', async () => {
  await using story = await tell(server, plain)
  const { deps, canary } = story
  const { record } = deps.store.outbox
  deps.store.outbox.record = () => Promise.reject(new Error('Redis takes no writes'))
  await canary.send(deps)
  await expect(story.advance('0s')).rejects.toThrow('Redis takes no writes')
  expect(await arrival(story, deps.clock.now())).toBeUndefined()
  deps.store.outbox.record = record
})
