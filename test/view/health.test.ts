import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Notifier, Outcome } from '../../src/notify/notifier.ts'
import { regroup } from '../../src/pipeline/accept.ts'
import { watchHeartbeats } from '../../src/pipeline/missing-heartbeats.ts'
import { openOutcomes } from '../../src/pipeline/outcomes.ts'
import { type HealthOptions, type Part, readHealth } from '../../src/view/health.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis('--appendonly', 'yes', '--appendfsync', 'always')))
afterAll(() => server[Symbol.asyncDispose]())

const config = `
route: { receiver: ops, group_wait: 0s }
receivers:
  - name: ops
    webhook_configs: [{ url: 'http://one.example.com' }, { url: 'http://two.example.com' }]
heartbeats: [{ name: eu, matchers: [alertname="Watchdog"], timeout: 1m }]
heartbeat: { url: http://hc.example.com, interval: 1m }
`
const refused: Outcome = { state: 'failed', reason: 'server error', detail: 'HTTP 500' }
const message = { to: '', title: '', text: '', payload: '', destination: '', cost: 1 }

/** An attempt by an integration that ended so. */
async function attempt({ outcomes }: HealthOptions, integration: string, outcome: Outcome): Promise<void> {
  const notifier: Notifier = { compose: () => message, send: async () => outcome }
  await outcomes.watching(integration, 'webhook', notifier).send(message, new AbortController().signal)
}

async function seeWatchdog({ post, deps }: Story): Promise<void> {
  await post({ labels: { alertname: 'Watchdog' } })
  await watchHeartbeats(deps)
}

type Case = {
  part: string // name, and which
  change(story: Story, options: HealthOptions): unknown
  status: Part['status']
  reason: string | RegExp
}

// the engine has run for an hour
test.each<[string, Case]>([
  ['all is well', { part: 'receiving', change() {}, status: 'ok', reason: 'alerts are taken' }],
  [
    'it stops',
    {
      part: 'receiving',
      change: (_story, options) => (options.stopping = AbortSignal.abort()),
      status: 'down',
      reason: 'Tocsin is stopping',
    },
  ],
  ['Redis answers', { part: 'redis', change() {}, status: 'ok', reason: /^a write took \d+ ms; durability always$/ }],
  [
    'Redis keeps nothing',
    {
      part: 'redis',
      change: ({ deps }) => (deps.store.vitals.durability = async () => 'none'),
      status: 'degraded',
      reason: /appendfsync always/,
    },
  ],
  [
    'Redis is not as it should be',
    {
      part: 'redis',
      change: (_story, { watch }) => (watch.notReady = () => 'this Redis is a replica'),
      status: 'degraded',
      reason: 'this Redis is a replica',
    },
  ],
  [
    'there is too much of something',
    {
      part: 'receiving',
      change: (_story, { watch }) => (watch.refusal = () => ({ reason: 'owed', message: 'too many are owed' })),
      status: 'down',
      reason: 'alerts are answered with 503: too many are owed',
    },
  ],
  ['nothing is due', { part: 'flush', change() {}, status: 'ok', reason: 'groups are flushed when they are due' }],
  [
    'flushes are late',
    {
      part: 'flush',
      async change(story) {
        await story.fire('A')
        story.skip('20s')
      },
      status: 'degraded',
      reason: 'a group has been due for 20s',
    },
  ],
  [
    'nothing is flushed',
    {
      part: 'flush',
      async change(story) {
        await story.fire('A')
        story.skip('10m')
      },
      status: 'down',
      reason: 'a group has been due for 10m',
    },
  ],
  ['nothing is owed', { part: 'queue webhook', change() {}, status: 'ok', reason: 'nothing is owed' }],
  [
    'something is owed for a moment',
    {
      part: 'queue webhook',
      async change(story) {
        await story.fire('A')
        story.answers.push(refused)
        await story.advance('0s')
      },
      status: 'ok',
      reason: '1 owed, the oldest for 0s',
    },
  ],
  [
    'something is owed for long',
    {
      part: 'queue webhook',
      async change(story) {
        await story.fire('A')
        story.answers.push(refused, refused)
        await story.advance('0s')
        story.skip('3m')
      },
      status: 'degraded',
      reason: '2 owed, the oldest for 3m',
    },
  ],
  [
    'nothing was delivered',
    { part: 'delivery webhook', change() {}, status: 'ok', reason: 'nothing was to be delivered since the start' },
  ],
  [
    'one delivers',
    {
      part: 'delivery webhook',
      async change(story, options) {
        await attempt(options, 'ops/webhook/0', { state: 'delivered' })
        story.skip('90s')
      },
      status: 'ok',
      reason: 'the last one was delivered 1m30s ago',
    },
  ],
  [
    'one fails again and again, while its neighbour delivers',
    {
      part: 'delivery webhook',
      async change(_story, options) {
        for (let i = 0; i < 4; i++) {
          await attempt(options, 'ops/webhook/0', { state: 'delivered' })
          await attempt(options, 'ops/webhook/1', refused)
        }
      },
      status: 'degraded',
      reason: 'ops/webhook/1 failed 4 times in a row (HTTP 500)',
    },
  ],
  [
    'one that failed is gone from the file',
    {
      part: 'delivery webhook',
      async change(_story, options) {
        for (let i = 0; i < 4; i++) await attempt(options, 'dev/webhook/0', refused)
      },
      status: 'ok',
      reason: 'nothing was to be delivered since the start',
    },
  ],
  [
    'one that failed has recovered',
    {
      part: 'delivery webhook',
      async change(_story, options) {
        for (let i = 0; i < 4; i++) await attempt(options, 'ops/webhook/1', refused)
        await attempt(options, 'ops/webhook/1', { state: 'delivered' })
      },
      status: 'ok',
      reason: 'the last one was delivered 0s ago',
    },
  ],
  [
    'the canary arrives',
    {
      part: 'canary',
      async change(story) {
        await story.canary.send(story.deps)
        await story.advance('30s')
      },
      status: 'ok',
      reason: "Tocsin's own alert last went the whole way 30s ago",
    },
  ],
  ['the canary never came', { part: 'canary', change() {}, status: 'down', reason: /never$/ }],
  [
    'the canary may still come: the engine has just started',
    {
      part: 'canary',
      change: (story, options) => (options.startedAt = story.deps.clock.now()),
      status: 'ok',
      reason: /never$/,
    },
  ],
  [
    'the service outside was called',
    {
      part: 'heartbeat',
      async change({ deps, skip }) {
        await deps.store.heartbeats.called(deps.clock.now())
        skip('1m')
      },
      status: 'ok',
      reason: 'the service outside was last called 1m ago',
    },
  ],
  [
    'the service outside was not called for long',
    {
      part: 'heartbeat',
      async change({ deps, skip }) {
        await deps.store.heartbeats.called(deps.clock.now())
        skip('3m')
      },
      status: 'degraded',
      reason: 'the service outside was last called 3m ago',
    },
  ],
  ['a heartbeat may still come', { part: 'awaited eu', change() {}, status: 'ok', reason: 'not seen yet' }],
  [
    'a heartbeat came',
    {
      part: 'awaited eu',
      async change(story) {
        await seeWatchdog(story)
        story.skip('20s')
      },
      status: 'ok',
      reason: 'last seen 20s ago',
    },
  ],
  [
    'a heartbeat is missing',
    {
      part: 'awaited eu',
      async change(story) {
        await seeWatchdog(story)
        for (let i = 0; i < 12; i++) {
          story.skip('5s')
          await watchHeartbeats(story.deps)
        }
      },
      status: 'degraded',
      reason: 'missing, last seen 1m ago',
    },
  ],
  ['the file is in force', { part: 'config', change() {}, status: 'ok', reason: 'the routing file is in force' }],
  [
    'the file is broken',
    {
      part: 'config',
      change: (_story, options) => (options.configFault = () => 'it is broken'),
      status: 'degraded',
      reason: 'it is broken',
    },
  ],
])('%s', async (_what, { part, change, status, reason }) => {
  await using story = await tell(server, config)
  await regroup(story.deps)
  await watchHeartbeats(story.deps)
  const { clock } = story.deps
  const options: HealthOptions = {
    deps: story.deps,
    outcomes: openOutcomes(clock),
    calls: true,
    watch: { refusal: () => undefined, notReady: () => undefined },
    startedAt: clock.now() - 3_600_000,
    stopping: new AbortController().signal,
    configFault: () => undefined,
  }
  await change(story, options)
  const { parts } = await readHealth(options)
  const found = parts.find(({ name, of }) => [name, of].filter(Boolean).join(' ') === part)
  expect(found).toMatchObject({ status, reason: typeof reason === 'string' ? reason : expect.stringMatching(reason) })
})

test('the whole is as bad as its worst part', async () => {
  await using story = await tell(server, config)
  const { deps } = story
  const options = (canaryIsThere: boolean, fault?: string): HealthOptions => ({
    deps,
    outcomes: openOutcomes(deps.clock),
    calls: true,
    watch: { refusal: () => undefined, notReady: () => undefined },
    startedAt: canaryIsThere ? deps.clock.now() : 0,
    stopping: new AbortController().signal,
    configFault: () => fault,
  })
  expect((await readHealth(options(true))).status).toBe('ok')
  expect((await readHealth(options(true, 'broken'))).status).toBe('degraded')
  expect((await readHealth(options(false, 'broken'))).status).toBe('down')
})
