import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditAll, whyNotBalanced } from '../../src/pipeline/audit.ts'
import type { Outcome } from '../../src/notify/notifier.ts'
import { repeats, seed, write } from '../chaos/tier.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, sweepNow, tell } from '../helpers/story.ts'

// reliability.md P2, P4: whatever happens, and in whatever order, what each integration hears is a story that makes sense,
// and everything that was taken is accounted for.

const HISTORIES = repeats(200, 20_000)

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const config = `
route: { receiver: ops, group_by: [group], group_wait: 10s, group_interval: 1m, repeat_interval: 1h }
receivers:
  - name: ops
    fallback: lead
    slack_configs:
      - { api_url: 'http://x.invalid', send_resolved: true }
      - { api_url: 'http://y.invalid', send_resolved: true, on_unconfirmed: skip }
  - { name: lead, webhook_configs: [{ url: 'http://z.invalid' }] }
budgets: { slack: { rate: 10/m, burst: 2, digest_above: 3 } }
`

type Step =
  | { do: 'fire' | 'resolve'; alert: string }
  | { do: 'wait' | 'away'; seconds: number }
  | { do: 'answer'; outcome: Outcome; times: number }
  | { do: 'lose jobs' }
  | { do: 'silence'; alert: string; seconds: number }

const alert = fc.constantFrom('A', 'B', 'C')
const outcome = fc.constantFrom<Outcome>(
  { state: 'failed', reason: 'network', detail: 'ECONNREFUSED' },
  { state: 'failed', reason: 'server error', detail: 'HTTP 500' },
  { state: 'failed', reason: 'client error', detail: 'HTTP 400' },
  { state: 'failed', reason: 'rate limited', detail: 'HTTP 429', retryAfter: 20_000 },
  { state: 'unknown', detail: 'no answer' },
  { state: 'delivered' },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('fire' as const), alert }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('resolve' as const), alert }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 5, 15, 60, 90, 600, 4000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('away' as const), seconds: fc.constantFrom(20, 50) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('answer' as const), outcome, times: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose jobs' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('silence' as const), alert, seconds: fc.constantFrom(30, 300) }),
  },
)

async function play(story: Story, steps: readonly Step[], accepted: Accepted): Promise<void> {
  for (const one of steps) {
    if (one.do === 'fire') {
      await story.fire(one.alert)
      accepted.set(one.alert, 'firing')
    } else if (one.do === 'resolve') {
      await story.resolve(one.alert)
      accepted.set(one.alert, 'resolved')
    } else if (one.do === 'wait') await advance(story, one.seconds)
    else if (one.do === 'away') story.skip(`${one.seconds}s`)
    else if (one.do === 'answer') story.answers.push(...Array.from({ length: one.times }, () => one.outcome))
    else if (one.do === 'lose jobs') story.loseJobs()
    else if (one.do === 'silence') await story.silence(`alertname=${one.alert}`, `${one.seconds}s`)
  }
}

type Accepted = Map<string, 'firing' | 'resolved'>

/** Moves time as an engine does: with a sweep every few seconds where jobs may be lost. */
async function advance(story: Story, seconds: number): Promise<void> {
  const pause = seconds <= 60 ? 8 : 300
  for (let left = seconds; left > 0; left -= pause) {
    await story.advance(`${Math.min(left, pause)}s`)
    await sweepNow(story)
  }
  await story.advance('0s')
}

/** What of what an integration was told makes no sense; '' where all does. */
function nonsense(lines: readonly string[]): string {
  const heard = new Map<string, Set<string>>() // by integration: what it may believe to fire
  for (const line of lines) {
    const [, integration = '', rest = ''] = /^\S+ (\S+) (.*)$/.exec(line) ?? []
    const [head = '', names = ''] = rest.split(': ')
    const believed = heard.get(integration) ?? new Set()
    heard.set(integration, believed)
    const isFailed = head.startsWith('failed')
    const told = names.split(' ').filter(Boolean)
    const firing = told.filter((name) => !name.startsWith('-'))
    const resolved = told.filter((name) => name.startsWith('-')).map((name) => name.slice(1))
    if (firing.length === 0 && !isFailed && !resolved.some((name) => believed.has(name)))
      return `an all-clear for what was never announced: ${line}`
    if (isFailed) continue
    for (const name of firing) believed.add(name)
    // after an attempt of which the answer was lost both may be believed
    if (!head.startsWith('unknown')) for (const name of resolved) believed.delete(name)
  }
  return ''
}

const title = `${HISTORIES} random histories make sense, end told, and add up`

test(`${title} (seed ${seed})`, async () => {
  const startedAt = Date.now()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
      await using story = await tell(server, config)
      const accepted: Accepted = new Map()
      await play(story, steps, accepted)
      // then all works again, for long enough that every silence, pause and deadline is over
      story.answers.length = 0
      await advance(story, 3 * 3600)

      expect(nonsense(story.lines)).toBe('')
      const ledger = await story.deps.store.ledger.read()
      const missing = await auditAll(story.deps.store, story.deps.clock.now())
      expect([...whyNotBalanced(ledger), ...missing]).toEqual([])
      expect(ledger.open).toBe(0)
      // what fires is known to whoever is told repeats
      const believed = new Set<string>()
      for (const line of story.lines.filter(
        (one) => one.includes(' ops/slack/0 ') && !/ (?:failed|unknown) /.test(one),
      )) {
        for (const name of (line.split(': ')[1] ?? '').split(' ')) {
          if (name.startsWith('-')) believed.delete(name.slice(1))
          else believed.add(name)
        }
      }
      const firing = [...accepted].filter(([, state]) => state === 'firing').map(([name]) => name)
      // a dead letter stands for what was not said
      if (![...ledger.ended.keys()].some((word) => word.startsWith('dead: ')))
        expect([...believed].sort(order)).toEqual(firing.sort(order))
    }),
    { numRuns: HISTORIES, seed },
  )
  const took = Date.now() - startedAt
  write({ name: title, promises: 'P2, P4', rounds: HISTORIES, facts: HISTORIES, failures: 0, seed, took, notes: [] })
}, 3_600_000)

const order = (a: string, b: string) => (a < b ? -1 : 1)
