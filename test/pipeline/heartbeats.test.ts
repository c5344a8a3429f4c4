import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Alert } from '../../src/alert/alert.ts'
import { bridgeAbsence } from '../../src/pipeline/absence.ts'
import { regroup } from '../../src/pipeline/accept.ts'
import { watchHeartbeats } from '../../src/pipeline/missing-heartbeats.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const tree = `
route:
  receiver: ops
  group_by: [alertname, heartbeat, severity, team]
  group_wait: 0s
  group_interval: 10s
  repeat_interval: 1h
  routes: [{ matchers: [alertname="Watchdog"], receiver: nobody }]
receivers:
  - { name: ops, webhook_configs: [{ url: 'http://ops.example.com' }] }
  - { name: nobody }
`
const awaiting = (...entries: string[]) => `${tree}\nheartbeats: [${entries.join(', ')}]`
const eu = `{ name: eu, matchers: ['alertname="Watchdog"', 'cluster="eu"'], timeout: 1m }`

async function open(config: string): Promise<Story> {
  const story = await tell(server, config)
  await regroup(story.deps) // as at the start of an engine
  await watchHeartbeats(story.deps)
  return story
}

const secondsOf: Record<string, number> = { s: 1, m: 60, h: 3600 }

/** Moves time, looking at the heartbeats every few seconds as the engine does. Returns what was told. */
async function live(story: Story, duration: string): Promise<string[]> {
  const before = story.lines.length
  const seconds = parseInt(duration) * (secondsOf[duration.at(-1) ?? ''] ?? 0)
  for (let passed = 0; passed < seconds; passed += 5) {
    await story.advance('5s')
    await watchHeartbeats(story.deps)
  }
  await story.advance('0s')
  return story.lines.slice(before).map((line) => line.replace('ops/webhook/0 ', ''))
}

/** No replica runs meanwhile; what one does first then. */
async function beAway(story: Story, duration: string): Promise<void> {
  await story.deps.store.peers.alive(story.deps.clock.now())
  story.skip(duration)
  await bridgeAbsence(story.deps)
}

const watchdog = (story: Story, rest: object = {}) =>
  story.post({ labels: { alertname: 'Watchdog', cluster: 'eu', severity: 'none' }, ...rest })

test('one that is not seen for its timeout is paged for, goes on being missing, and resolves when it is back', async () => {
  await using story = await open(awaiting(eu))
  await watchdog(story)
  expect(await live(story, '50s')).toEqual([])
  await watchdog(story)
  expect(await live(story, '55s')).toEqual([]) // its time began anew
  expect(await live(story, '5s')).toEqual(['110s firing first notification: HeartbeatMissing'])
  expect(await live(story, '10m')).toEqual([]) // it does not end by itself, and is not told again
  await watchdog(story)
  expect(await live(story, '15s')).toEqual(['720s resolved all alerts resolved: -HeartbeatMissing'])
  await watchdog(story)
  expect(await live(story, '50s')).toEqual([])
  expect(await live(story, '15s')).toEqual(['785s firing first notification: HeartbeatMissing'])
})

test('what it says: which, since when, and what to look at', async () => {
  await using story = await open(awaiting(eu.replace(' }', ', team: platform, labels: { site: fra } }')))
  await watchdog(story)
  await live(story, '1m')
  const alerts: Alert[] = []
  for await (const some of story.deps.store.alerts.scan()) alerts.push(...some)
  const alert = alerts.find(({ labels }) => labels.get('alertname') === 'HeartbeatMissing')
  expect(Object.fromEntries(alert?.labels ?? [])).toEqual({
    alertname: 'HeartbeatMissing',
    heartbeat: 'eu',
    severity: 'critical',
    team: 'platform',
    site: 'fra',
  })
  expect(alert?.annotations.get('summary')).toBe('No heartbeat from eu for 1m')
  expect(alert?.annotations.get('description')).toMatch(
    /^The alert that comes from eu all the time, \{alertname="Watchdog",cluster="eu"\}, was last seen at 2026-11-23T10:00:00Z\. /,
  )
})

test('one that never comes is missed once its timeout is over', async () => {
  await using story = await open(awaiting(eu))
  expect(await live(story, '55s')).toEqual([])
  expect(await live(story, '5s')).toEqual(['60s firing first notification: HeartbeatMissing'])
})

test('a Watchdog that says that it is over, and one of another cluster, are none', async () => {
  await using story = await open(awaiting(eu))
  await watchdog(story)
  await live(story, '30s')
  const ended = new Date(story.deps.clock.now()).toISOString()
  await watchdog(story, { startsAt: ended, endsAt: ended })
  await story.post({ labels: { alertname: 'Watchdog', cluster: 'us' } })
  expect(await live(story, '30s')).toEqual(['60s firing first notification: HeartbeatMissing'])
})

test('the page for one is no sign of life, even where its matchers fit it', async () => {
  await using story = await open(awaiting(`{ name: any, matchers: ['severity="critical"'], timeout: 1m }`))
  expect(await live(story, '1m')).toEqual(['60s firing first notification: HeartbeatMissing'])
  expect(await live(story, '10m')).toEqual([]) // were it one, it would resolve
})

test('two are told of by themselves', async () => {
  await using story = await open(awaiting(eu, eu.replaceAll('eu', 'us').replace('1m', '2m')))
  expect(await live(story, '2m')).toEqual([
    '60s firing first notification: HeartbeatMissing',
    '120s firing first notification: HeartbeatMissing',
  ])
  await watchdog(story)
  expect(await live(story, '15s')).toEqual(['130s resolved all alerts resolved: -HeartbeatMissing'])
})

test('a reload keeps the time that has passed; what is awaited no more resolves', async () => {
  await using story = await open(awaiting(eu))
  await live(story, '40s')
  await story.reload(awaiting(eu, `{ name: new, matchers: [a="b"], timeout: 5m }`))
  expect(await live(story, '20s')).toEqual(['60s firing first notification: HeartbeatMissing'])
  await story.reload(awaiting(eu.replace('1m', '50s'), `{ name: new, matchers: [a="b"], timeout: 5m }`))
  expect(await live(story, '1m')).toEqual([]) // still the same occurrence
  await story.reload(tree)
  expect(await live(story, '15s')).toEqual(['130s resolved all alerts resolved: -HeartbeatMissing'])
  await story.reload(awaiting(eu))
  expect(await live(story, '50s')).toEqual([]) // awaited anew, with its full time
  expect(await live(story, '15s')).toEqual(['200s firing first notification: HeartbeatMissing'])
})

test('with another severity after a reload, the page is another', async () => {
  await using story = await open(awaiting(eu))
  await live(story, '1m')
  await story.reload(awaiting(eu.replace('1m', '1m, severity: warning')))
  expect(await live(story, '15s')).toEqual([
    '65s firing first notification: HeartbeatMissing',
    '70s resolved all alerts resolved: -HeartbeatMissing',
  ])
})

test('while no replica listened nobody could be heard: each gets its full time anew', async () => {
  await using story = await open(awaiting(eu))
  await watchdog(story)
  await live(story, '30s')
  await beAway(story, '1h')
  expect(await live(story, '55s')).toEqual([])
  expect(await live(story, '15s')).toEqual(['3695s firing first notification: HeartbeatMissing'])
  // one that was missing before goes on being so
  await beAway(story, '1h')
  expect(await live(story, '5m')).toEqual(['7305s firing repeat interval elapsed: HeartbeatMissing'])
})

test('a short break does not count against it', async () => {
  await using story = await open(awaiting(eu))
  await watchdog(story)
  await live(story, '30s')
  story.skip('40s')
  expect(await live(story, '25s')).toEqual([])
  expect(await live(story, '10s')).toHaveLength(1)
})

test('replicas that all look at it page once', async () => {
  await using story = await open(awaiting(eu))
  for (let i = 0; i < 30; i++) {
    await story.advance('5s')
    await Promise.all([1, 2, 3].map(() => watchHeartbeats(story.deps)))
  }
  await story.advance('0s')
  expect(story.lines).toEqual(['60s ops/webhook/0 firing first notification: HeartbeatMissing'])
})

test('the Watchdog itself goes where its route leads', async () => {
  await using story = await open(awaiting(eu).replace('receiver: nobody', 'receiver: ops'))
  await watchdog(story)
  expect(await live(story, '5s')).toEqual(['0s firing first notification: Watchdog'])
})

test('what is no heartbeat costs no trip to Redis, and what is one costs few', async () => {
  await using story = await open(awaiting(eu))
  const { heartbeats } = story.deps.store
  const seen: string[][] = []
  const { see } = heartbeats
  heartbeats.see = async (names, at) => {
    seen.push([...names])
    await see(names, at)
  }
  await story.fire('A', 'B', 'C')
  expect(seen).toEqual([])
  for (let i = 0; i < 20; i++) await watchdog(story)
  expect(seen).toEqual([['eu']])
  await story.advance('6s') // a tenth of its timeout
  await watchdog(story)
  expect(seen).toEqual([['eu'], ['eu']])

  // one that could not be noted costs nobody an alert, and is noted with the next
  await story.advance('6s')
  heartbeats.see = () => Promise.reject(new Error('Redis is away'))
  await watchdog(story)
  heartbeats.see = async (names) => void seen.push([...names])
  await watchdog(story)
  expect(seen).toHaveLength(3)
})
