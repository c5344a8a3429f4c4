import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { audit, auditAll, whyNotBalanced } from '../../src/pipeline/audit.ts'
import { resend } from '../../src/pipeline/dead-letters.ts'
import { bridgeAbsence } from '../../src/pipeline/absence.ts'
import { deliver } from '../../src/pipeline/deliver.ts'
import { flushDue } from '../../src/pipeline/flush.ts'
import { contentOf } from '../../src/pipeline/telling.ts'
import type { Row } from '../../src/store/outbox.ts'
import { openHttpSink, slackAnswer } from '../helpers/http-sink.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, sweepNow, tell } from '../helpers/story.ts'

// reliability.md §4: the rules of delivery, with a clock that the test moves.

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const ops = 'ops/webhook/0'
const config = (rest = '', receivers = `[{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }]`) => `
route: { receiver: ops, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 4h }
receivers: ${receivers}
${rest}`
const down = { state: 'failed', reason: 'network', detail: 'ECONNREFUSED' } as const
const refused = { state: 'failed', reason: 'client error', detail: 'HTTP 400' } as const
const lost = { state: 'unknown', detail: 'no answer' } as const

async function fire(story: Story, severity: string, ...names: string[]): Promise<void> {
  const endsAt = new Date(story.deps.clock.now() + 48 * 3_600_000).toISOString()
  await story.post(...names.map((alertname) => ({ labels: { alertname, severity }, endsAt })))
}
/** What was told, without times: `delivered A`, `failed B`. */
const said = ({ lines }: Pick<Story, 'lines'>) =>
  lines.map((line) => line.replace(/^\S+ /, '').replace(/(?:firing|resolved) [\w ]+: /, ''))
const names = (count: number, prefix = 'N') => Array.from({ length: count }, (_none, i) => `${prefix}${i}`)
const owed = async ({ deps }: Story) => deps.store.outbox.list(100)

/** Flushes what is due; nobody delivers it. */
async function flushAlone(story: Story): Promise<void> {
  await flushDue(story.deps)
  story.loseJobs()
}

/** A turn of a row that somebody takes, and does not end. */
async function claimed({ deps }: Story, id = ''): Promise<Row> {
  const claim = await deps.store.outbox.claim(id, deps.clock.now(), 12_000)
  if (!claim || !('row' in claim)) throw new Error('not claimed')
  return claim.row
}

/** Whether accepted = delivered + named reasons, as the audit has it. */
async function balanced({ deps }: Story): Promise<string[]> {
  const missing = await auditAll(deps.store, deps.clock.now())
  return [...whyNotBalanced(await deps.store.ledger.read()), ...missing.map(({ why }) => why)]
}

describe('a budget', () => {
  const slow = config('budgets: { webhook: { rate: 1/s, burst: 3 } }')

  test('lets a burst go, then one a second; who waits says so', async () => {
    await using story = await tell(server, slow)
    await fire(story, 'warning', ...names(6))
    await story.advance('0s')
    expect(story.lines).toHaveLength(3)
    const waiting = (await owed(story)).filter(({ waitsFor }) => waitsFor === 'budget')
    expect(waiting).toHaveLength(3)
    expect(Math.max(...waiting.map(({ dueAt }) => dueAt - story.deps.clock.now()))).toBeLessThanOrEqual(3000)
    await story.advance('2s')
    expect(story.lines).toHaveLength(5)
    await story.advance('1s')
    expect(story.lines).toHaveLength(6)
    expect(await owed(story)).toEqual([])
    expect(await balanced(story)).toEqual([])
    const { deliveries } = await story.deps.store.deliveries.before('', 100)
    const late = deliveries.map(({ at, owedAt = at, waitedFor }) => [Date.parse(at) - Date.parse(owedAt), waitedFor])
    expect(late).toEqual([
      [3000, 'budget'],
      [2000, 'budget'],
      [1000, 'budget'],
      [0, undefined],
      [0, undefined],
      [0, undefined],
    ])
  })

  describe('with as many messages in the air as it takes', () => {
    const many = config('budgets: { webhook: { in_flight: 2 } }')
    /** Two messages that another engine sends, and that end in 12 s at the latest. */
    async function fly(story: Story): Promise<() => Promise<unknown>> {
      const flight = `${story.deps.store.queuePrefix}:flight:${ops}`
      await server.redis.zadd(flight, story.deps.clock.now() + 12_000, 'x', story.deps.clock.now() + 12_500, 'y')
      return () => server.redis.del(flight)
    }

    test('a row stands in line without a turn, and goes when one of them is over', async () => {
      await using story = await tell(server, many)
      await fly(story)
      await fire(story, 'warning', 'A', 'B')
      await story.advance('1s')
      expect(said(story)).toEqual([])
      const standing = await owed(story)
      expect(standing.map(({ waitsFor, state, attempt }) => [waitsFor, state, attempt])).toEqual([
        ['flight', 'owed', 0],
        ['flight', 'owed', 0],
      ])
      await story.advance('12s') // the engine that sent them is gone
      expect(said(story)).toEqual([`${ops} A`, `${ops} B`])
      const { deliveries } = await story.deps.store.deliveries.before('', 100)
      expect(deliveries.map(({ waitedFor }) => waitedFor)).toEqual(['flight', 'flight'])
      expect(await balanced(story)).toEqual([])
    })

    test('one that comes later joins the line with its flush; what is graver is looked at', async () => {
      await using story = await tell(server, many)
      const land = await fly(story)
      await fire(story, 'warning', 'A')
      await story.advance('1s')
      await fire(story, 'warning', 'B')
      await fire(story, 'critical', 'Page')
      await flushAlone(story) // nothing is delivered
      const seen = (await owed(story)).map(
        ({ rank, waitsFor, owedAt, dueAt }) => `${rank} ${waitsFor} ${dueAt - owedAt}`,
      )
      expect(seen.toSorted()).toEqual(['0 undefined 0', '2 flight 11000', '2 flight 12000'])
      const cameIn = (await owed(story)).map((row) => story.deps.origins.cameInAt(row) !== undefined)
      expect(cameIn).toEqual([true, true, true]) // which end-to-end times are measured from
      story.skip('6s')
      await sweepNow(story) // its job was lost
      await story.advance('0s')
      await land()
      await fire(story, 'warning', 'C')
      await story.advance('0s')
      expect(said(story)).toEqual([`${ops} C`, `${ops} Page`, `${ops} A`, `${ops} B`])
      expect(await balanced(story)).toEqual([])
    })

    /** A claim as a delivery makes it, which knows where its message goes. */
    const bound = { destination: ops, audience: '', inFlight: 2, unread: 600_000 }
    const claim = async ({ deps }: Story, id: string) =>
      deps.store.outbox.claim(id, deps.clock.now(), 12_000, { bound })
    const rowOf = async (story: Story, rank: number) =>
      (await owed(story)).find((row) => row.rank === rank && row.attempt === 0)?.id ?? ''

    test('who gives a place back for what is graver wakes it', async () => {
      await using story = await tell(server, many)
      const flight = `${story.deps.store.queuePrefix}:flight:${ops}`
      await server.redis.zadd(flight, story.deps.clock.now() + 12_000, 'x')
      await fire(story, 'warning', 'Late')
      await flushAlone(story)
      const late = await claim(story, await rowOf(story, 2))
      await fire(story, 'critical', 'Page')
      await flushAlone(story)
      const page = await rowOf(story, 0)
      expect(await claim(story, page)).toHaveProperty('standing')
      if (!late || !('row' in late)) throw new Error('not claimed')
      const budget = { burst: 1, refill: 0, inFlight: 2, digestAbove: 0 }
      const asking = { destination: ops, audience: '', cost: 1, budget, lease: 12_000, digestMargin: 0, content: '' }
      const now = story.deps.clock.now()
      expect(await story.deps.store.outbox.begin(late.row, { ...asking, until: now + 3_600_000 }, now)).toMatchObject({
        state: 'wait',
        waitsFor: 'flight',
        woken: [{ id: page, at: now }],
      })
      expect(await claim(story, page)).toHaveProperty('row')
    })

    test('what may have arrived does not stand in line before its channel is asked', async () => {
      await using story = await tell(server, many)
      await fly(story)
      story.answers.push(lost)
      await fire(story, 'warning', 'A')
      await flushAlone(story)
      const id = await rowOf(story, 2)
      await server.redis.hset(`${story.deps.store.queuePrefix}:row:${id}`, 'unconfirmed', '1')
      expect(await claim(story, id)).toHaveProperty('row')
    })

    test('what stands in line and is over, or goes elsewhere by now, holds up nobody', async () => {
      await using story = await tell(server, many)
      const land = await fly(story)
      const line = `${story.deps.store.queuePrefix}:line:${ops}`
      await fire(story, 'warning', 'A', 'B')
      await story.advance('1s')
      await server.redis.zadd(line, 1, 'gone', 2, 'elsewhere')
      await server.redis.hset(`${story.deps.store.queuePrefix}:row:elsewhere`, { state: 'owed', destination: 'other' })
      await land()
      await fire(story, 'warning', 'C')
      await story.advance('1s')
      expect(said(story).toSorted()).toEqual([`${ops} A`, `${ops} B`, `${ops} C`])
      expect(await server.redis.exists(line)).toBe(0)
      await server.redis.del(`${story.deps.store.queuePrefix}:row:elsewhere`)
    })

    test('what is graver goes first as soon as there is room; one that ends wakes the next', async () => {
      await using story = await tell(server, many)
      const land = await fly(story)
      await fire(story, 'warning', 'A', 'B')
      await story.advance('0s')
      await fire(story, 'critical', 'Page')
      await story.advance('1s')
      expect(said(story)).toEqual([])
      await land()
      await fire(story, 'warning', 'C')
      await story.advance('1s')
      // C finds room, and its end wakes the gravest in line, whose end wakes the next
      expect(said(story)).toEqual([`${ops} C`, `${ops} Page`, `${ops} A`, `${ops} B`])
      expect(await balanced(story)).toEqual([])
    })
  })

  test('critical goes before what waited longer', async () => {
    await using story = await tell(server, slow)
    await fire(story, 'warning', ...names(6))
    await story.advance('0s')
    await fire(story, 'critical', 'Page')
    await story.advance('1s')
    expect(said(story).slice(3)).toEqual([`${ops} Page`])
    await story.advance('10s')
    expect(story.lines).toHaveLength(7)
  })

  test('is the destination’s: a full one holds up no other', async () => {
    const two = config(
      'budgets: { webhook: { rate: 1/h, burst: 1 } }',
      `[{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }, { url: 'http://y.invalid' }] }]`,
    )
    await using story = await tell(server, two)
    await fire(story, 'warning', 'A')
    await story.advance('0s')
    expect(story.lines).toHaveLength(2)
  })

  test('what waits tells what is true when it leaves: a resolved one does not', async () => {
    await using story = await tell(server, slow)
    await fire(story, 'warning', ...names(6))
    await story.advance('0s')
    await story.post(
      ...names(6).map((alertname) => ({
        labels: { alertname, severity: 'warning' },
        endsAt: new Date(story.deps.clock.now() - 1).toISOString(),
      })),
    )
    await story.advance('1h')
    expect(said(story).slice(0, 3).sort()).not.toEqual([])
    expect(story.lines.filter((line) => line.includes('all alerts resolved'))).toHaveLength(3)
    expect(story.lines.filter((line) => line.includes('first notification'))).toHaveLength(3)
    expect(await balanced(story)).toEqual([])
  })

  test('one that is told more than it has waits until it is full', async () => {
    await using story = await tell(server, config('budgets: { webhook: { rate: 1/s, burst: 2 } }'))
    await fire(story, 'warning', 'A', 'B', 'C')
    await story.advance('1s')
    expect(story.lines).toHaveLength(3)
  })
})

describe('Retry-After', () => {
  test('is kept by all that goes there, and only there', async () => {
    const two = config(
      '',
      `[{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }, { url: 'http://y.invalid' }] }]`,
    )
    await using story = await tell(server, two)
    story.answers.push({ state: 'failed', reason: 'rate limited', detail: 'HTTP 429', retryAfter: 30_000 })
    await fire(story, 'warning', 'A')
    await story.advance('0s')
    await fire(story, 'critical', 'B')
    await story.advance('29s')
    expect(said(story)).toEqual([`${ops} failed A`, 'ops/webhook/1 A', 'ops/webhook/1 B'])
    expect(await owed(story)).toMatchObject([{ waitsFor: 'asked' }, {}])
    await story.advance('10s')
    expect(said(story).slice(3).sort()).toEqual([`${ops} A`, `${ops} B`])
  })
})

describe('a breaker', () => {
  test('opens after five failures, parks what goes there, and closes with the first success', async () => {
    await using story = await tell(server, config())
    story.answers.push(...Array.from({ length: 5 }, () => down))
    await fire(story, 'critical', 'A', 'B', 'C', 'D', 'E')
    await story.advance('0s')
    expect(story.lines).toHaveLength(5)
    await fire(story, 'critical', 'F')
    await story.advance('9s')
    expect(said(story).slice(5)).toEqual([]) // parked, and failed by nobody
    expect((await owed(story)).filter(({ waitsFor }) => waitsFor === 'breaker')).toHaveLength(6)
    await story.advance('3s')
    expect(new Set(said(story).slice(5))).toEqual(new Set(names(6, '').map((_n, i) => `${ops} ${'ABCDEF'[i]}`)))
    expect(await balanced(story)).toEqual([])
  })

  test('one goes and sees, the others wait; each failure doubles the wait', async () => {
    await using story = await tell(server, config())
    story.answers.push(...Array.from({ length: 8 }, () => down))
    await fire(story, 'critical', 'A', 'B', 'C', 'D', 'E')
    await story.advance('1m')
    // 5 at once, then one after 10 s, one 20 s later, and one 40 s after that
    expect(story.lines).toHaveLength(7)
    await story.advance('10s')
    expect(story.lines.length).toBeLessThanOrEqual(8)
    await story.advance('3m')
    expect(said(story).filter((line) => !line.includes('failed'))).toHaveLength(5)
  })

  test('a message that is refused says nothing against the destination', async () => {
    await using story = await tell(server, config())
    story.answers.push(...Array.from({ length: 6 }, () => refused))
    await fire(story, 'critical', ...names(6))
    await story.advance('0s')
    await fire(story, 'critical', 'A')
    await story.advance('0s')
    expect(said(story).at(-1)).toBe(`${ops} A`)
  })
})

test('at first two are in the air at a time to one destination; that a third waits is seen', async () => {
  await using story = await tell(server, config())
  const { store, clock } = story.deps
  await fire(story, 'critical', 'A', 'B', 'C')
  // claimed and begun by engines that do not come to an end
  const taken: string[] = []
  story.loseJobs()
  await flushAlone(story)
  for (const { id } of await owed(story)) {
    const claim = await claimed(story, id)
    const budget = story.deps.routing.config.budgets.get('webhook')
    const asking = {
      destination: ops,
      cost: 1,
      audience: '',
      budget,
      lease: 12_000,
      digestMargin: 0,
      until: Infinity,
      content: '',
    }
    taken.push((await store.outbox.begin(claim, { ...asking, until: 1e15 }, clock.now())).state)
  }
  expect(taken).toEqual(['go', 'go', 'wait'])
})

describe('a storm', () => {
  const small = config(
    'budgets: { slack: { rate: 1/s, burst: 1, digest_above: 5 } }',
    `[{ name: ops, slack_configs: [{ api_url: 'http://x.invalid' }] }]`,
  )

  test('is told as one digest, each critical by itself; all are told', async () => {
    await using story = await tell(server, small)
    await fire(story, 'warning', ...names(40))
    await fire(story, 'critical', ...names(3, 'Page'))
    await story.advance('10s')
    expect(said(story).filter((line) => / Page\d$/.test(line))).toHaveLength(3)
    expect(story.lines.length).toBeLessThanOrEqual(6)
    expect(await owed(story)).toEqual([])
    const told = new Set(story.lines.flatMap((line) => line.match(/\b(?:N|Page)\d+\b/g) ?? []))
    expect(told.size).toBe(43)
    expect(await balanced(story)).toEqual([])
    // each group hears of its end
    const before = story.lines.length
    await story.advance('10m')
    expect(story.lines.slice(before).join()).not.toContain('first notification')
  })

  test('a digest that fails is tried again, and tells what is true then', async () => {
    await using story = await tell(server, small)
    await fire(story, 'warning', ...names(20))
    story.answers.push({ state: 'delivered' }, down)
    await story.advance('1s')
    await story.advance('1m')
    const told = new Set(
      said(story)
        .filter((line) => !line.includes('failed'))
        .flatMap((line) => line.match(/\bN\d+\b/g) ?? []),
    )
    expect(told.size).toBe(20)
    expect(await balanced(story)).toEqual([])
  })

  test('in Slack it says how many, and what they have in common', async () => {
    await using sink = await openHttpSink(slackAnswer)
    const slack = config(
      'budgets: { slack: { rate: 1/s, burst: 1, digest_above: 5 } }',
      `[{ name: ops, slack_configs: [{ api_url: '${sink.url}/services/x' }] }]`,
    )
    await using story = await tell(server, slack, { deliverBy: 'channels' })
    await fire(story, 'warning', ...names(30))
    await story.advance('5s')
    const [, digest] = sink.requests.map(({ body }) => JSON.parse(body).attachments[0])
    expect(sink.requests).toHaveLength(2)
    expect(digest.title).toBe('[FIRING] 29 alerts in 29 groups: 29 firing, 0 resolved')
    expect(digest.text).toContain('severity: warning 29')
    expect(digest.text).toContain('alertname: N0 1')
  })
})

describe('a deadline', () => {
  const withFallback = `
  - { name: ops, fallback: lead, webhook_configs: [{ url: 'http://x.invalid' }] }
  - { name: lead, webhook_configs: [{ url: 'http://y.invalid' }] }`
  const failing = (story: Story, times: number) => {
    story.answers.push(...Array.from({ length: times }, () => down))
  }

  test('of a critical one is an hour, behind a breaker too; of others a day', async () => {
    await using story = await tell(server, config())
    failing(story, 1000)
    await fire(story, 'critical', 'A')
    await story.advance('61m')
    expect(story.lines.length).toBeLessThan(60)
    expect(await story.deps.store.deadLetters.list(10)).toMatchObject([
      { severity: 'critical', detail: expect.stringContaining('ECONNREFUSED') },
    ])
    await fire(story, 'warning', 'B')
    await story.advance('23h')
    expect(await story.deps.store.deadLetters.list(10)).toHaveLength(1)
    await story.advance('2h')
    expect(await story.deps.store.deadLetters.list(10)).toHaveLength(2)
    expect(await balanced(story)).toEqual([])
  })

  test('a page that fails again and again is told by the fallback, too, once, and by its own when that works', async () => {
    await using story = await tell(server, config('', withFallback))
    failing(story, 3)
    await fire(story, 'critical', 'A')
    await story.advance('10m')
    expect(said(story).filter((line) => !line.includes('failed'))).toEqual([
      'lead/webhook/0 instead of ops A',
      `${ops} A`,
    ])
    await story.post({
      labels: { alertname: 'A', severity: 'critical' },
      endsAt: new Date(story.deps.clock.now()).toISOString(),
    })
    await story.advance('5m')
    expect(said(story).slice(-2).sort()).toEqual(['lead/webhook/0 instead of ops -A', `${ops} -A`])
    expect(await balanced(story)).toEqual([])
  })

  test('so is one that waits behind a breaker; a warning waits', async () => {
    await using story = await tell(server, config('', withFallback))
    failing(story, 5)
    await fire(story, 'warning', ...names(5))
    await story.advance('0s')
    await fire(story, 'critical', 'Page')
    await fire(story, 'warning', 'Other')
    await story.advance('1s')
    expect(said(story).slice(5)).toEqual(['lead/webhook/0 instead of ops Page'])
  })

  test('what is refused goes to the fallback at once, which hears of the end, too', async () => {
    await using story = await tell(server, config('', withFallback))
    story.answers.push(refused)
    await fire(story, 'critical', 'A')
    await story.advance('1s')
    expect(said(story)).toEqual([`${ops} failed A`, 'lead/webhook/0 instead of ops A'])
    expect(await story.deps.store.deadLetters.list(10)).toMatchObject([{ reason: 'client error', fallback: 'lead' }])
    await story.post({
      labels: { alertname: 'A', severity: 'critical' },
      endsAt: new Date(story.deps.clock.now()).toISOString(),
    })
    await story.advance('5m')
    expect(said(story).slice(2)).toEqual(['lead/webhook/0 instead of ops -A'])
    expect(await story.deps.store.groups.ids()).toEqual([])
    expect(await balanced(story)).toEqual([])
  })

  test('a fallback that fails has no fallback of its own', async () => {
    const receivers = `
  - { name: ops, fallback: lead, webhook_configs: [{ url: 'http://x.invalid' }] }
  - { name: lead, fallback: ops, webhook_configs: [{ url: 'http://y.invalid' }] }`
    await using story = await tell(server, config('', receivers))
    story.answers.push(refused, refused)
    await fire(story, 'critical', 'A')
    await story.advance('30s')
    expect(said(story)).toEqual([`${ops} failed A`, 'lead/webhook/0 failed instead of ops A'])
    expect(await balanced(story)).toEqual([])
  })
})

describe('an attempt whose answer was lost', () => {
  const policy = (word: string) =>
    config('', `[{ name: ops, webhook_configs: [{ url: 'http://x.invalid', on_unconfirmed: ${word} }] }]`)

  test('resend: it is sent again, and says so', async () => {
    await using story = await tell(server, policy('resend'))
    story.answers.push(lost)
    await fire(story, 'critical', 'A')
    await story.advance('1m')
    expect(said(story)).toEqual([`${ops} unknown A`, `${ops} repeat? A`])
  })

  test('skip: it is not sent again, and stands in the dead letter; news is told', async () => {
    await using story = await tell(server, policy('skip'))
    story.answers.push(lost)
    await fire(story, 'critical', 'A')
    await story.advance('30m')
    expect(said(story)).toEqual([`${ops} unknown A`])
    expect(await story.deps.store.deadLetters.list(10)).toMatchObject([{ reason: 'unconfirmed' }])
    await story.post({
      labels: { alertname: 'A', severity: 'critical' },
      endsAt: new Date(story.deps.clock.now()).toISOString(),
    })
    await story.advance('5m')
    expect(said(story).slice(1)).toEqual([`${ops} -A`])
  })

  test('skip, where the engine died while it sent: the same', async () => {
    await using story = await tell(server, policy('skip'))
    await die(story, 'A', true)
    await story.advance('30m')
    await sweepNow(story)
    await story.advance('1m')
    expect(said(story)).toEqual([])
    expect(await story.deps.store.deadLetters.list(10)).toMatchObject([{ reason: 'unconfirmed' }])
    expect(await balanced(story)).toEqual([])
  })
})

/** An alert whose delivery is begun, and never ended. */
async function die(story: Story, alertname: string, sends: boolean): Promise<void> {
  const { store, clock } = story.deps
  if (alertname !== '') {
    await fire(story, 'critical', alertname)
    await flushDue(story.deps)
  }
  story.loseJobs()
  for (const { id } of await store.outbox.overdue(clock.now(), 10)) {
    const claim = await store.outbox.claim(id, clock.now(), 12_000)
    if (!claim || !('row' in claim) || !sends) continue
    const group = await store.groups.load(claim.row.group)
    const firing = new Set(group?.alerts.map(({ fingerprint }) => fingerprint))
    const content = contentOf({ firing, resolved: new Set(), hidden: new Set() })
    const until = 1e15
    const asking = {
      destination: ops,
      cost: 1,
      audience: '',
      budget: undefined,
      lease: 12_000,
      digestMargin: 0,
      until,
      content,
    }
    await store.outbox.begin(claim.row, asking, clock.now())
  }
}

describe('poison', () => {
  test('one death leaves a repeat that says so; three, and it goes out in the plainest words', async () => {
    await using story = await tell(server, config())
    await die(story, 'A', true)
    for (let death = 1; death < 3; death++) {
      story.skip('15s')
      await die(story, '', true)
    }
    story.skip('15s')
    await sweepNow(story)
    await story.advance('1s')
    expect(said(story)).toEqual([`${ops} repeat? A`])
    expect(story.log.map(({ message }) => message).join()).toContain('plainest words')
    expect(await balanced(story)).toEqual([])
  })

  test('where those kill it too, it is given up', async () => {
    await using story = await tell(server, config())
    await die(story, 'A', true)
    for (let death = 1; death < 5; death++) {
      story.skip('15s')
      await die(story, '', true)
    }
    story.skip('15s')
    await sweepNow(story)
    await story.advance('1s')
    expect(said(story)).toEqual([])
    expect(await story.deps.store.deadLetters.list(10)).toMatchObject([{ reason: 'quarantined' }])
  })

  test('suspects run one at a time, so that an innocent one is let go of', async () => {
    await using story = await tell(server, config())
    await fire(story, 'critical', 'A', 'B')
    await flushDue(story.deps)
    for (let death = 0; death < 2; death++) {
      await die(story, '', false)
      story.skip('15s')
    }
    const { store, clock } = story.deps
    const [first, second] = await store.outbox.overdue(clock.now(), 10)
    expect(await store.outbox.claim(first?.id ?? '', clock.now(), 12_000)).toHaveProperty('row')
    expect(await store.outbox.claim(second?.id ?? '', clock.now(), 12_000)).toHaveProperty('busy')
    story.skip('15s')
    await sweepNow(story)
    await story.advance('5s')
    await sweepNow(story)
    await story.advance('5s')
    expect(said(story).sort()).toEqual([`${ops} A`, `${ops} B`])
  })
})

test('a late engine neither sends nor writes: its turn is over', async () => {
  await using story = await tell(server, config())
  await fire(story, 'critical', 'A')
  await flushAlone(story)
  const { store, clock } = story.deps
  const [row] = await store.outbox.overdue(clock.now(), 1)
  const late = await claimed(story, row?.id)
  story.skip('15s')
  await sweepNow(story)
  await story.advance('1s')
  expect(said(story)).toEqual([`${ops} A`])
  const asking = {
    destination: ops,
    cost: 1,
    audience: '',
    budget: undefined,
    lease: 1,
    digestMargin: 0,
    until: 1e15,
    content: '',
  }
  expect(await store.outbox.begin(late, asking, clock.now())).toEqual({ state: 'lost' })
})

describe('a dead letter', () => {
  test('sent again twice goes out once, with what is true then', async () => {
    await using story = await tell(server, config())
    story.answers.push(refused)
    await fire(story, 'critical', 'A')
    await story.advance('10s')
    const [letter] = await story.deps.store.deadLetters.list(10)
    if (!letter) throw new Error('there is no letter')
    expect(await resend(letter, story.deps)).toBe('owed')
    expect(await resend(letter, story.deps)).toBe('none')
    await story.advance('1m')
    expect(said(story)).toEqual([`${ops} failed A`, `${ops} A`])
    expect(await story.deps.store.deadLetters.list(10)).toEqual([])
    expect(await balanced(story)).toEqual([])
  })

  test('of what has resolved since, and was never announced, tells nothing', async () => {
    await using story = await tell(server, config())
    story.answers.push(refused)
    await fire(story, 'critical', 'A')
    await story.advance('10s')
    const [letter] = await story.deps.store.deadLetters.list(10)
    if (!letter) throw new Error('there is no letter')
    await story.post({
      labels: { alertname: 'A', severity: 'critical' },
      endsAt: new Date(story.deps.clock.now()).toISOString(),
    })
    expect(await resend(letter, story.deps)).toBe('owed')
    await story.advance('0s')
    expect(said(story)).toEqual([`${ops} failed A`])
    await story.advance('5m')
    expect(await balanced(story)).toEqual([])
  })

  test('whose group is gone says so, and stays', async () => {
    await using story = await tell(server, config())
    story.answers.push(refused)
    await fire(story, 'critical', 'A')
    await story.advance('10s')
    const [letter] = await story.deps.store.deadLetters.list(10)
    await story.post({
      labels: { alertname: 'A', severity: 'critical' },
      endsAt: new Date(story.deps.clock.now()).toISOString(),
    })
    await story.advance('5m')
    if (!letter) throw new Error('there is no letter')
    expect(await resend(letter, story.deps)).toBe('gone')
    expect(await story.deps.store.deadLetters.list(10)).toHaveLength(1)
  })
})

describe('the audit', () => {
  test('adds up over silences, resolves, dead letters, regrouping', async () => {
    await using story = await tell(server, config())
    await story.silence('alertname=Quiet', '2h')
    story.answers.push(refused)
    await fire(story, 'critical', 'Dead')
    await story.advance('1s')
    await fire(story, 'warning', 'Quiet', 'Loud')
    await story.advance('2m')
    await story.post(
      ...['Quiet', 'Loud', 'Dead'].map((alertname) => ({
        labels: { alertname, severity: alertname === 'Dead' ? 'critical' : 'warning' },
        endsAt: new Date(story.deps.clock.now()).toISOString(),
      })),
    )
    await story.advance('10m')
    await fire(story, 'info', 'Moved')
    await story.advance('1s')
    await story.reload(
      config('', `[{ name: ops, webhook_configs: [{ url: 'http://z.invalid' }] }]`).replace(
        'group_by: [alertname]',
        'group_by: [severity]',
      ),
    )
    await story.advance('2m')
    const { left, ...ledger } = await story.deps.store.ledger.read()
    expect(Object.fromEntries(left)).toMatchObject({ silenced: 1, delivered: 1, 'given-up': 1 })
    expect(ledger).toMatchObject({ live: 2, open: 0 }) // the group of before goes on to its end
    expect(await balanced(story)).toEqual([])
  })

  test('finds a row that was lost, and a group that nobody looks at', async () => {
    await using story = await tell(server, config())
    await fire(story, 'critical', 'A')
    await flushAlone(story)
    const [row] = await owed(story)
    const keys = await server.redis.keys(`*:row:${row?.id}`)
    await server.redis.del(keys)
    const tag = keys[0]?.split(':row:')[0] ?? ''
    await server.redis.zrem(`${tag}:owed`, row?.id ?? '')
    await server.redis.del(await server.redis.keys(`${tag}:outbox:*`))
    expect(await balanced(story)).toEqual([
      expect.stringContaining('notifications were owed'),
      'it was owed, is owed no more, and how it ended is not known',
    ])
    expect(await audit(story.deps)).toBe(2)
    expect(await audit(story.deps)).toBe(0) // another replica has just done it
    await story.advance('0s') // what was missed is looked at again, and the default team hears of it
    expect(said(story).sort()).toEqual([`${ops} A`, `${ops} TocsinAuditMissing`])
    story.skip('1h')
    expect((await balanced(story)).at(-1)).toBe('it was due and nobody has looked at it')
  })

  test('of what is older than the ledger', async () => {
    await using story = await tell(server, config())
    await fire(story, 'critical', 'A', 'B')
    await story.advance('1s')
    await server.redis.del(await server.redis.keys('{story*}:ledger'))
    await story.deps.store.ledger.open()
    expect(await balanced(story)).toEqual([])
  })
})

describe('found by reading', () => {
  const resolve = (story: Story, alertname: string) =>
    story.post({
      labels: { alertname, severity: 'critical' },
      endsAt: new Date(story.deps.clock.now()).toISOString(),
    })
  const asked = { state: 'failed', reason: 'rate limited', detail: 'HTTP 429', retryAfter: 900_000 } as const

  test('an end that could not be told in time leaves the next firing a first notification', async () => {
    await using story = await tell(server, config())
    await fire(story, 'critical', 'A')
    await story.advance('1s')
    story.answers.push(...Array.from({ length: 50 }, () => asked))
    await resolve(story, 'A')
    await story.advance('2h')
    expect(await story.deps.store.deadLetters.list(10)).toHaveLength(1)
    story.answers.length = 0
    await fire(story, 'critical', 'A')
    await story.advance('20m')
    expect(said(story).at(-1)).toBe(`${ops} A`)
  })

  test('what becomes graver is tried from then on, and leaves before what is not', async () => {
    const grouped = config('budgets: { webhook: { rate: 1/m, burst: 1 } }').replace('[alertname]', '[group]')
    await using story = await tell(server, grouped)
    const post = (severity: string, group: string) =>
      story.post({
        labels: { alertname: severity, group, severity },
        endsAt: new Date(story.deps.clock.now() + 48 * 3_600_000).toISOString(),
      })
    for (const group of names(10, 'g')) await post('warning', group)
    await story.advance('1s')
    await post('critical', 'g9')
    await story.advance('2m')
    expect(said(story).slice(1, 3)).toContain(`${ops} critical warning`)

    await using late = await tell(server, config().replace('[alertname]', '[group]'))
    const postLate = (severity: string) =>
      late.post({
        labels: { alertname: severity, group: 'g', severity },
        endsAt: new Date(late.deps.clock.now() + 48 * 3_600_000).toISOString(),
      })
    late.answers.push(...Array.from({ length: 2000 }, () => down))
    await postLate('warning')
    await late.advance('2h')
    await postLate('critical')
    await late.advance('30m')
    late.answers.length = 0
    await late.advance('10m')
    expect(said(late).at(-1)).toBe(`${ops} critical warning`)
  })

  test('a digest goes where each of its messages would: others do not read it', async () => {
    await using sink = await openHttpSink(slackAnswer)
    const byTeam = config(
      'budgets: { slack: { rate: 1/s, burst: 1, digest_above: 5 } }',
      `[{ name: ops, slack_configs: [{ api_url: '${sink.url}/services/x', channel: '#{{ .CommonLabels.team }}' }] }]`,
    )
    await using story = await tell(server, byTeam, { deliverBy: 'channels' })
    const endsAt = new Date(story.deps.clock.now() + 3_600_000).toISOString()
    await story.post(
      ...names(30).map((alertname, i) => ({
        labels: { alertname, team: i % 2 ? 'red' : 'blue', severity: 'warning' },
        endsAt,
      })),
    )
    await story.advance('1m')
    const bodies = sink.requests.map(
      ({ body }) => JSON.parse(body) as { channel: string; attachments: { text: string }[] },
    )
    expect(new Set(bodies.map(({ channel }) => channel))).toEqual(new Set(['#red', '#blue']))
    for (const { channel, attachments } of bodies)
      expect(JSON.stringify(attachments)).not.toContain(channel === '#red' ? 'blue' : 'red')
    expect(await owed(story)).toEqual([])
    expect(bodies.length).toBeLessThan(8)
  })

  const digests = config(
    'budgets: { slack: { rate: 1/s, burst: 1, digest_above: 5 } }',
    `[{ name: ops, slack_configs: [{ api_url: 'http://x.invalid' }] }]`,
  )

  test.each([
    ['of which the answer is lost is sent again as one, and says so', lost, 'repeat? '],
    ['that is refused is told one by one', refused, ''],
  ])('a digest %s', async (_what, answer, label) => {
    await using story = await tell(server, digests)
    await fire(story, 'warning', ...names(30))
    story.answers.push({ state: 'delivered' }, answer)
    await story.advance('2m')
    const told = new Set(
      said(story)
        .filter((line) => !/ (?:failed|unknown) /.test(line))
        .flatMap((line) => line.match(/\bN\d+\b/g) ?? []),
    )
    expect(told.size).toBe(30)
    expect(story.lines.some((line) => line.includes(label))).toBe(true)
    if (label) expect(story.lines.length).toBeLessThan(6)
    else expect(story.lines.length).toBe(31)
    expect(await balanced(story)).toEqual([])
  })

  test('a row that is made anew has another turn than it ever had', async () => {
    await using story = await tell(server, config())
    await fire(story, 'critical', 'A')
    await flushAlone(story)
    const { store, clock } = story.deps
    const [row] = await store.outbox.overdue(clock.now(), 1)
    const frozen = await claimed(story, row?.id)
    story.skip('15s')
    await sweepNow(story)
    await story.advance('1s') // another delivers it
    await resolve(story, 'A')
    story.skip('1m')
    await flushDue(story.deps)
    const claim = await claimed(story, row?.id)
    expect(claim.turn).toBeGreaterThan(frozen.turn + 2)
  })

  test('where Redis failed five times, nothing is quarantined', async () => {
    await using story = await tell(server, config())
    await fire(story, 'critical', 'A')
    const { begin } = story.deps.store.outbox
    await flushAlone(story)
    const [row] = await story.deps.store.outbox.overdue(story.deps.clock.now(), 1)
    story.deps.store.outbox.begin = () => Promise.reject(new Error('Command timed out'))
    for (let time = 0; time < 6; time++) {
      await expect(deliver(row?.id ?? '', 10_000, ops, story.deps)).rejects.toThrow('timed out')
      story.skip('15s')
    }
    story.deps.store.outbox.begin = begin
    await sweepNow(story)
    await story.advance('1s')
    expect(said(story)).toEqual([`${ops} A`])
    expect(story.log.map(({ message }) => message).join()).not.toContain('plainest')
  })

  test('a quarantine holds, and a poison that waits in between still comes to three', async () => {
    await using story = await tell(server, config())
    await die(story, 'A', true)
    for (let death = 1; death < 5; death++) {
      story.skip('15s')
      await die(story, '', true)
    }
    story.skip('15s')
    await sweepNow(story)
    await story.advance('1h')
    expect(story.lines).toEqual([])
    expect(await owed(story)).toEqual([])
  })

  test('skip: news after a lost attempt is tried as any other', async () => {
    const receivers = `[{ name: ops, webhook_configs: [{ url: 'http://x.invalid', on_unconfirmed: skip }] }]`
    await using story = await tell(server, config('', receivers).replace('[alertname]', '[severity]'))
    await die(story, 'A', true)
    await fire(story, 'critical', 'B')
    story.answers.push(down)
    story.skip('15s')
    await sweepNow(story)
    await story.advance('1m')
    expect(said(story)).toEqual([`${ops} failed repeat? A B`, `${ops} repeat? A B`])
  })

  test('a fallback that was told early hears what is new, too', async () => {
    const receivers = `
  - { name: ops, fallback: lead, webhook_configs: [{ url: 'http://x.invalid' }] }
  - { name: lead, webhook_configs: [{ url: 'http://y.invalid' }] }`
    await using story = await tell(server, config('', receivers).replace('[alertname]', '[severity]'))
    story.answers.push(down, down, down)
    await fire(story, 'critical', 'A')
    await story.advance('8s')
    story.answers.push(asked)
    await story.advance('2m')
    await fire(story, 'critical', 'B')
    await story.advance('3m')
    expect(said(story).filter((line) => line.startsWith('lead'))).toEqual([
      'lead/webhook/0 instead of ops A',
      'lead/webhook/0 instead of ops A B',
    ])
  })

  test('what takes more of a budget is not overtaken for ever by what takes less', async () => {
    await using story = await tell(server, config())
    const { store, clock } = story.deps
    await fire(story, 'warning', ...names(20))
    await fire(story, 'critical', 'Page')
    await flushAlone(story)
    const budget = { burst: 3, refill: 1000, inFlight: 50, digestAbove: 0 }
    let left: number | undefined
    const gone = new Set<string>()
    for (let second = 0; second < 20 && left === undefined; second++) {
      for (const { id, rank } of await store.outbox.overdue(clock.now(), 50)) {
        if (gone.has(id)) continue
        const claim = await store.outbox.claim(id, clock.now(), 12_000)
        if (!claim || !('row' in claim)) continue
        const cost = rank === 0 ? 3 : 1
        const asking = {
          destination: 'sms',
          cost,
          audience: '',
          budget,
          lease: 1,
          digestMargin: 0,
          until: 1e15,
          content: '',
        }
        const begun = await store.outbox.begin(claim.row, asking, clock.now())
        if (begun.state === 'go') gone.add(id)
        if (begun.state === 'go' && rank === 0) left = second
      }
      story.skip('1s')
    }
    expect(left).toBeLessThanOrEqual(4)
  })

  test('who is behind some that went or were dropped comes sooner', async () => {
    await using story = await tell(server, config('budgets: { webhook: { rate: 1/s, burst: 1 } }'))
    await fire(story, 'warning', ...names(100))
    await story.advance('1s')
    const endsAt = new Date(story.deps.clock.now()).toISOString()
    await story.post(...names(100).map((alertname) => ({ labels: { alertname, severity: 'warning' }, endsAt })))
    await fire(story, 'info', 'Last')
    await story.advance('105s')
    const before = story.lines.length
    await fire(story, 'info', 'Now')
    await story.advance('3s')
    expect(said(story).slice(before)).toEqual([`${ops} Now`])
  })

  test('a flush that always fails is missed', async () => {
    await using story = await tell(server, config())
    await fire(story, 'critical', 'A')
    const { claimDue } = story.deps.store.groups
    for (let second = 0; second < 300; second += 10) {
      await claimDue(story.deps.clock.now(), 10_000, 10, 'somebody')
      story.skip('10s')
    }
    expect(await balanced(story)).toEqual(['it was due and nobody has looked at it'])
  })

  test('a ledger that was lost while alerts came and went is opened with its sums', async () => {
    await using story = await tell(server, config())
    await fire(story, 'critical', 'A', 'B')
    await resolve(story, 'B')
    const [ledger = ''] = (await server.redis.keys('{story*}:ledger')).slice(-1)
    await server.redis.del(await server.redis.keys('{story*}:ledger'))
    await server.redis.hset(ledger, 'left:unheard', 3, 'joined', 1)
    await story.deps.store.ledger.open()
    await story.advance('2m')
    expect(await balanced(story)).toEqual([])
  })

  test('what a receiver is owed that a reload removes, with its route, is a dead letter', async () => {
    const two = `
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 0s
  routes: [{ receiver: pd, matchers: [alertname="A"] }]
receivers:
  - { name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }
  - { name: pd, webhook_configs: [{ url: 'http://y.invalid' }] }`
    await using story = await tell(server, two)
    story.answers.push(down)
    await fire(story, 'critical', 'A')
    await story.advance('0s')
    await story.reload(config())
    await story.advance('1m')
    expect(await story.deps.store.deadLetters.list(10)).toMatchObject([
      { reason: 'receiver removed', integration: 'pd/webhook/0' },
    ])
    expect(said(story).at(-1)).toBe(`${ops} A`)
    expect(await balanced(story)).toEqual([])
  })

  test('in exact mode no breaker holds anything, and what is given up is tried again with the next flush', async () => {
    await using story = await tell(server, config(), { exact: true })
    story.answers.push(...Array.from({ length: 200 }, () => down))
    await fire(story, 'critical', 'A')
    await story.advance('1m')
    expect(story.lines.length).toBeGreaterThan(6)
    story.answers.length = 0
    await story.advance('2m')
    expect(said(story).at(-1)).toBe(`${ops} A`)
  })

  test('after an absence what is owed gets its whole deadline again', async () => {
    await using story = await tell(server, config('budgets: { webhook: { rate: 1/s, burst: 3 } }'))
    await fire(story, 'critical', ...names(10))
    await flushAlone(story)
    await story.deps.store.peers.alive(story.deps.clock.now())
    story.skip('61m')
    await bridgeAbsence(story.deps)
    await sweepNow(story)
    await story.advance('1m')
    expect(new Set(said(story)).size).toBe(10)
    expect(await story.deps.store.deadLetters.list(10)).toEqual([])
    // what is due for long is about to be looked at: no reason to page anybody
    expect(await audit(story.deps)).toBe(0)
  })

  test('what joins a group that fails has a deadline of its own', async () => {
    await using story = await tell(server, config().replace('[alertname]', '[severity]'))
    story.answers.push(...Array.from({ length: 500 }, () => down))
    const endsAt = new Date(story.deps.clock.now() + 48 * 3_600_000).toISOString()
    const startsNow = () => new Date(story.deps.clock.now()).toISOString()
    await story.post({ labels: { alertname: 'A', severity: 'critical' }, startsAt: startsNow(), endsAt })
    await story.advance('58m')
    await story.post({ labels: { alertname: 'B', severity: 'critical' }, startsAt: startsNow(), endsAt })
    await story.advance('10m')
    story.answers.length = 0
    await story.advance('10m')
    expect(said(story).at(-1)).toBe(`${ops} A B`)
  })

  test('a breaker that opens while many are in the air is open for ten seconds, not for five minutes', async () => {
    await using story = await tell(server, config())
    const { store, clock } = story.deps
    await fire(story, 'critical', ...names(16))
    await flushAlone(story)
    const budget = { burst: 99, refill: 0, inFlight: 99, digestAbove: 0 }
    const asking = {
      destination: 'd',
      cost: 1,
      audience: '',
      budget,
      lease: 12_000,
      digestMargin: 0,
      until: 1e15,
      content: '',
    }
    await server.redis.hset(tagOf(story) + ':destination:d', 'streak', 50)
    const turns: Row[] = []
    for (const { id } of await owed(story)) {
      const row = await claimed(story, id)
      await store.outbox.begin(row, asking, clock.now())
      turns.push(row)
    }
    const retry = { how: 'retry' as const, retryAt: clock.now() + 60_000, unconfirmed: true, content: '', said: '' }
    const standing = { destination: 'd', standing: 'bad' as const, askedUntil: 0 }
    const records = { log: '', timeline: '', nextNotification: 'x', retention: 1, standing }
    for (const row of turns) await store.outbox.record(row, retry, records, clock.now())
    const open = Number(await server.redis.hget(tagOf(story) + ':destination:d', 'open'))
    expect(open - clock.now()).toBe(10_000)
  })

  test('a critical that joins a group in a digest is told by itself', async () => {
    const receivers = `[{ name: ops, slack_configs: [{ api_url: 'http://x.invalid' }] }]`
    const grouped = config('budgets: { slack: { rate: 1/s, burst: 1, digest_above: 5 } }', receivers)
    await using story = await tell(server, grouped.replace('[alertname]', '[group]'))
    const endsAt = new Date(story.deps.clock.now() + 48 * 3_600_000).toISOString()
    const post = (alertname: string, severity: string, group: string) =>
      story.post({ labels: { alertname, group, severity }, endsAt })
    for (const name of names(20)) await post(name, 'warning', name)
    await story.advance('0s')
    await post('Page', 'critical', 'N15')
    await story.advance('10s')
    const withPage = said(story).filter((line) => line.includes('Page'))
    expect(withPage).toEqual(['ops/slack/0 N15 Page'])
    expect(await owed(story)).toEqual([])
    expect(await balanced(story)).toEqual([])
  })

  test('a letter that is sent again is not taken for one that was just given up', async () => {
    await using story = await tell(server, config().replace('[alertname]', '[severity]'))
    story.answers.push(refused)
    await fire(story, 'critical', 'A', 'B')
    await story.advance('1s')
    const [letter] = await story.deps.store.deadLetters.list(1)
    if (!letter) throw new Error('there is no letter')
    const group = await story.deps.store.groups.load(letter.group)
    await resend(letter, story.deps)
    // a flush that had read the group before writes it down again
    const log =
      (await server.redis.keys('*:nflog:*')).find((key) => key.includes(letter.group)) ??
      `${tagOf(story)}:nflog:${letter.group}`
    const given = group?.givenUp.get(ops)
    await server.redis.hset(
      log,
      `dead:${ops}`,
      JSON.stringify({ ...given, firing: [...(given?.firing ?? [])], resolved: [], ended: [] }),
    )
    await story.advance('1s')
    expect(said(story).at(-1)).toBe(`${ops} A B`)
  })

  test('in exact mode nobody is told who is not on the route', async () => {
    const two = (receiver: string) => `
route: { receiver: ${receiver}, group_by: [alertname], group_wait: 0s, group_interval: 1m, repeat_interval: 4h }
receivers:
  - { name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }
  - { name: lead, webhook_configs: [{ url: 'http://y.invalid' }] }`
    await using story = await tell(server, two('ops'), { exact: true })
    await fire(story, 'critical', 'A')
    await story.advance('1s')
    await story.reload(two('lead'))
    await resolve(story, 'A')
    await story.advance('5m')
    expect(said(story)).toEqual([`${ops} A`])
  })
})

/** What all keys of a story begin with. */
function tagOf({ deps }: Story): string {
  return deps.store.queuePrefix
}
