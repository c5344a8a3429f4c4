import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bridgeAbsence } from '../../src/pipeline/absence.ts'
import { retryDelay } from '../../src/pipeline/retry.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, sweepNow, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const config = `
route: { receiver: ops, group_by: [group], group_wait: 30s, group_interval: 5m, repeat_interval: 4h }
receivers: [{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }]
`
const ops = 'ops/webhook/0'

describe('groups and their times', () => {
  test('first after group_wait, then at each group_interval that has news, then after repeat_interval', async () => {
    await using story = await tell(server, config)
    await story.fire('A')
    expect(await story.advance('29s')).toEqual([])
    await story.fire('B')
    expect(await story.advance('1s')).toEqual([`30s ${ops} firing first notification: A B`])
    await story.fire('C')
    expect(await story.advance('5m')).toEqual([`330s ${ops} firing new alerts added: A B C`])
    expect(await story.advance('4h')).toEqual([])
    // checked at ticks only, and strictly: 4h after 5m30s is not over at 4h5m30s to the millisecond
    expect(await story.advance('5m')).toEqual([`15030s ${ops} firing repeat interval elapsed: A B C`])
  })

  test('some resolve, then all: each said once; then the group is new again', async () => {
    await using story = await tell(server, config)
    await story.fire('A', 'B')
    await story.advance('30s')
    await story.resolve('A')
    expect(await story.advance('5m')).toEqual([`330s ${ops} firing some alerts resolved: -A B`])
    await story.resolve('B')
    expect(await story.advance('5m')).toEqual([`630s ${ops} resolved all alerts resolved: -B`])
    expect(await story.advance('1h')).toEqual([])
    await story.fire('B')
    expect(await story.advance('30s')).toEqual([`4260s ${ops} firing first notification: B`])
  })

  test('resolved before anybody heard: nobody hears', async () => {
    await using story = await tell(server, config)
    await story.fire('A')
    await story.advance('10s')
    await story.resolve('A')
    expect(await story.advance('1h')).toEqual([])
  })

  test('repeats from two senders change nothing', async () => {
    await using story = await tell(server, config)
    for (let minute = 0; minute < 60; minute++) {
      await story.fire('A')
      await story.fire('A')
      await story.advance('1m')
    }
    expect(story.lines).toEqual([`30s ${ops} firing first notification: A`])
  })

  test('an alert of the API ends by its end, or by the resolve timeout; one of a webhook does not', async () => {
    await using story = await tell(server, config)
    const labels = (alertname: string) => ({ alertname, group: alertname })
    await story.post(
      { labels: labels('Ends'), endsAt: '2026-11-23T10:04:00Z', startsAt: '2026-11-23T10:00:00Z' },
      { labels: labels('Times') },
    )
    await story.fire('Stays')
    await story.advance('24h')
    expect(story.lines.map((line) => line.replace(/^\S+ \S+ /, ''))).toEqual(
      expect.arrayContaining(['resolved all alerts resolved: -Ends', 'resolved all alerts resolved: -Times']),
    )
    expect(story.lines.some((line) => line.includes('-Stays'))).toBe(false)
  })
})

describe('send_resolved: false', () => {
  const quiet = config.replace("'http://x.invalid'", "'http://x.invalid', send_resolved: false")

  test('the resolve is not sent, and the next firing is a first notification', async () => {
    await using story = await tell(server, quiet)
    await story.fire('A')
    await story.advance('30s')
    await story.resolve('A')
    expect(await story.advance('10m')).toEqual([])
    await story.fire('A')
    expect(await story.advance('30s')).toEqual([`660s ${ops} firing first notification: A`])
  })

  test('resolved alerts do not go along with firing ones', async () => {
    await using story = await tell(server, quiet)
    await story.fire('A')
    await story.advance('30s')
    await story.resolve('A')
    await story.fire('B')
    expect(await story.advance('5m')).toEqual([`330s ${ops} firing new alerts added: B`])
  })
})

describe('a channel that fails', () => {
  const oops = { state: 'failed', reason: 'server error', detail: 'HTTP 500' } as const

  test('is tried again, later each time', async () => {
    await using story = await tell(server, config)
    story.answers.push(oops, oops, oops)
    await story.fire('A')
    expect(await story.advance('40s')).toEqual([
      `30s ${ops} failed firing first notification: A`,
      `31s ${ops} failed firing first notification: A`,
      `33s ${ops} failed firing first notification: A`,
      `37s ${ops} firing first notification: A`,
    ])
  })

  test('never before the time it asked for', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'failed', reason: 'rate limited', detail: 'HTTP 429', retryAfter: 60_000 })
    await story.fire('A')
    expect(await story.advance('2m')).toEqual([
      `30s ${ops} failed firing first notification: A`,
      `91s ${ops} firing first notification: A`,
    ])
  })

  test('says what is true when it works again, not what was when it failed', async () => {
    await using story = await tell(server, config)
    story.answers.push(...Array.from({ length: 9 }, () => oops)) // 1+2+4+…+256 s
    await story.fire('A', 'B')
    await story.advance('2m')
    await story.resolve('A')
    const said = await story.advance('20m')
    expect(said.at(-1)).toMatch(/firing first notification: -A B$/)
    expect(story.lines.filter((line) => !line.includes('failed'))).toHaveLength(1)
  })

  test('an alert that resolved meanwhile is not announced at all', async () => {
    await using story = await tell(server, config)
    story.answers.push(...Array.from({ length: 6 }, () => oops))
    await story.fire('A')
    await story.advance('35s')
    await story.resolve('A')
    expect((await story.advance('1h')).filter((line) => !line.includes('failed'))).toEqual([])
    expect(await story.deps.store.groups.ids()).toEqual([])
  })

  test('what may not be retried is a dead letter, until there is news', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'failed', reason: 'client error', detail: 'HTTP 404: no_service' })
    await story.fire('A')
    await story.advance('1h')
    expect(story.lines).toEqual([`30s ${ops} failed firing first notification: A`])
    expect(await story.deps.store.deadLetters.list(10)).toMatchObject([
      { integration: ops, reason: 'client error', attempts: 1 },
    ])
    await story.fire('B')
    expect((await story.advance('5m')).map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      `${ops} firing first notification: A B`,
    ])
    expect(await story.deps.store.deadLetters.list(10)).toEqual([])
  })

  describe('for good', () => {
    const refused = { state: 'failed', reason: 'client error', detail: 'HTTP 404' } as const
    const said = ({ lines }: Story) => lines.map((line) => line.replace(` ${ops}`, ''))

    test('an alert that fires anew after it was given up is tried anew', async () => {
      await using story = await tell(server, config)
      story.answers.push(refused)
      await story.fire('A')
      await story.advance('1m')
      await story.resolve('A')
      await story.advance('10m')
      await story.fire('A')
      await story.advance('10m')
      expect(said(story)).toEqual(['30s failed firing first notification: A', '690s firing first notification: A'])
    })

    test('so is one of a group that goes on', async () => {
      await using story = await tell(server, config)
      story.answers.push(refused)
      await story.fire('A', 'B')
      await story.advance('1m')
      await story.resolve('A')
      await story.advance('10m')
      await story.fire('A')
      await story.advance('10m')
      expect(said(story)).toEqual(['30s failed firing first notification: A B', '930s firing first notification: A B'])
    })

    test('an end that could not be told leaves the next firing a first notification', async () => {
      await using story = await tell(server, config)
      await story.fire('A')
      await story.advance('1m')
      await story.resolve('A')
      story.answers.push(refused)
      await story.advance('10m')
      await story.fire('A')
      await story.advance('10m')
      expect(said(story)).toEqual([
        '30s firing first notification: A',
        '330s failed resolved all alerts resolved: -A',
        '690s firing first notification: A',
      ])
    })

    test.each([
      ['a newcomer', async (story: Story) => story.fire('B'), '5m'],
      ['its own repeat', async () => {}, '4h10m'],
    ])('what was announced is closed, though %s was given up; and heard again', async (_what, happens, after) => {
      await using story = await tell(server, config)
      await story.fire('A')
      await story.advance('1m')
      story.answers.push(refused)
      await happens(story)
      await story.advance(after)
      await story.resolve('A', 'B')
      await story.advance('6m')
      await story.fire('A')
      await story.advance('6m')
      expect(said(story).map((line) => line.replace(/^\d+s /, '').replace(/: .*/, ''))).toEqual([
        'firing first notification',
        expect.stringContaining('failed firing'),
        'resolved all alerts resolved',
        'firing first notification',
      ])
    })

    test('a reload tries again what was given up', async () => {
      await using story = await tell(server, config)
      story.answers.push(refused)
      await story.fire('A')
      await story.advance('20m')
      await story.reload(config.replace('x.invalid', 'mended.invalid'))
      await story.advance('20m')
      expect(said(story)).toEqual(['30s failed firing first notification: A', '1230s firing first notification: A'])
    })
  })

  test('one whose answer was lost is sent again, marked', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'unknown', detail: 'no answer' })
    await story.fire('A')
    expect(await story.advance('40s')).toEqual([
      `30s ${ops} unknown firing first notification: A`,
      `31s ${ops} repeat? firing first notification: A`,
    ])
  })

  test('one whose answer was lost, and that resolved meanwhile, is closed', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'unknown', detail: 'no answer' })
    await story.fire('A')
    await story.advance('30s')
    await story.resolve('A')
    expect(await story.advance('10m')).toEqual([`31s ${ops} repeat? resolved all alerts resolved: -A`])
    expect(await story.deps.store.groups.ids()).toEqual([])
  })

  test('nothing is announced as the end of it all while one that may have been announced fires on', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'unknown', detail: 'no answer' })
    await story.fire('A', 'B')
    await story.advance('30s')
    await story.silence('alertname="A"', '1h')
    await story.resolve('B')
    await story.advance('30m')
    expect(story.lines.slice(1)).toEqual([])
    await story.resolve('A')
    await story.advance('10m')
    expect(story.lines.slice(1)).toEqual([`2130s ${ops} resolved all alerts resolved: -A -B`])
  })

  test('the end of one whose all-clear may have been lost is told with what is heard next', async () => {
    await using story = await tell(server, config)
    await story.silence('alertname="B"', '10m')
    await story.fire('A')
    await story.advance('30s')
    await story.resolve('A')
    await story.fire('B')
    story.answers.push({ state: 'unknown', detail: 'no answer' })
    await story.advance('30m')
    expect(story.lines.slice(1)).toEqual([
      `330s ${ops} unknown resolved all alerts resolved: -A`,
      `630s ${ops} firing new alerts added: -A B`,
    ])
  })

  test('one that may have been announced and was then silenced is heard when the silence ends', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'unknown', detail: 'no answer' })
    await story.fire('A')
    await story.advance('30s')
    await story.silence('alertname="A"', '20m')
    await story.advance('30m')
    expect(story.lines.slice(1)).toEqual([`1230s ${ops} firing new alerts added: A`])
  })

  test('what resolves while it is on its way is still to be told', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'failed', reason: 'server error', detail: 'HTTP 503', retryAfter: 600_000 })
    await story.fire('A', 'B')
    await story.advance('1m')
    await story.resolve('B')
    await story.advance('1h')
    expect(story.lines).toEqual([
      `30s ${ops} failed firing first notification: A B`,
      `631s ${ops} firing first notification: A -B`,
    ])
  })

  test('is given up in the end', async () => {
    await using story = await tell(server, config)
    story.answers.push(...Array.from({ length: 1000 }, () => oops))
    await story.fire('A')
    await story.advance('26h')
    expect(await story.deps.store.deadLetters.list(10)).toMatchObject([{ reason: 'server error' }])
  })

  test('holds up none of its neighbours', async () => {
    await using story = await tell(server, config.replace('}] }]', "}, { url: 'http://y.invalid' }] }]"))
    story.answers.push(oops)
    await story.fire('A')
    expect(await story.advance('30s')).toEqual([
      `30s ${ops} failed firing first notification: A`,
      '30s ops/webhook/1 firing first notification: A',
    ])
  })
})

test('a job that is lost costs nothing: the sweep wakes what is owed', async () => {
  await using story = await tell(server, config)
  await story.fire('A')
  story.answers.push({ state: 'failed', reason: 'server error', detail: 'HTTP 500' })
  await story.advance('30s')
  story.loseJobs()
  expect(await story.advance('10s')).toEqual([])
  await sweepNow(story)
  expect(await story.advance('1s')).toEqual([`40s ${ops} firing first notification: A`])
})

test('a route’s labels are rendered over its group, and one that fails is left out', async () => {
  await using story = await tell(
    server,
    `
route:
  receiver: ops
  group_by: [group]
  labels: { of: '{{ .GroupLabels.group }}, {{ .NotificationReason }}', bad: '{{ .Nope }}' }
  routes: [{ matchers: [group=g], labels: { link: 'https://x.invalid/{{ routeLabels "of" }}' } }]
receivers: [{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }]
`,
  )
  await story.fire('A')
  expect(await story.advance('30s')).toEqual([
    `30s ${ops} firing first notification: A of=g, unknown link=https://x.invalid/g, unknown`,
  ])
})

describe('after a start with nobody there', () => {
  const fired = '2026-11-23T09:00:00Z'
  const inhibiting = `${config}
inhibit_rules: [{ source_matchers: [alertname=Source], target_matchers: [alertname=Target] }]
`

  test('an old alert waits for what would inhibit it; at other times its group is told of at once', async () => {
    await using story = await tell(server, inhibiting)
    story.deps.calmUntil = story.deps.clock.now() + 90_000
    await story.post({ labels: { alertname: 'Target', group: 'a' }, startsAt: fired })
    expect(await story.advance('10s')).toEqual([])
    await story.post({ labels: { alertname: 'Source', group: 'b' }, startsAt: fired })
    expect(await story.advance('1m')).toEqual([`40s ${ops} firing first notification: Source`])
    await story.advance('1m')
    await story.post({ labels: { alertname: 'Later', group: 'c' }, startsAt: fired })
    expect(await story.advance('0s')).toEqual([`130s ${ops} firing first notification: Later`])
  })

  test('a resolve stays one', async () => {
    await using story = await tell(server, config)
    await story.deps.store.peers.alive(story.deps.clock.now())
    story.skip('2m')
    await story.fire('A')
    await story.resolve('A')
    await bridgeAbsence(story.deps)
    expect(await story.advance('10m')).toEqual([])
  })

  test('alerts that would have ended while nobody was there wait to be sent again', async () => {
    await using story = await tell(server, config)
    const post = (...names: string[]) =>
      story.post(
        ...names.map((alertname) => ({
          labels: { alertname, group: 'g' },
          startsAt: '2026-11-23T10:00:00Z',
          endsAt: new Date(story.deps.clock.now() + 240_000).toISOString(),
        })),
      )
    await post('GoesOn', 'Ends')
    await story.advance('1m')
    await story.deps.store.peers.alive(story.deps.clock.now())
    story.skip('20m')
    await bridgeAbsence(story.deps)
    await story.advance('1m')
    await post('GoesOn')
    expect((await story.advance('10m')).map((line) => line.replace(/^\d+s /, ''))).toEqual([
      `${ops} firing some alerts resolved: -Ends GoesOn`,
      `${ops} resolved all alerts resolved: -GoesOn`,
    ])
  })
})

describe('a reload', () => {
  test('leaves alerts as they were, when they came too', async () => {
    await using story = await tell(server, config)
    await story.fire('A')
    const seen = async () => {
      const [id = ''] = await story.deps.store.groups.ids()
      return (await story.deps.store.groups.load(id))?.alerts
    }
    const before = await seen()
    await story.advance('1m')
    await story.reload(config.replace('group_wait: 30s', 'group_wait: 40s'))
    expect(await seen()).toEqual(before)
  })

  test('that changes nothing for a group repeats nothing and keeps its time', async () => {
    await using story = await tell(server, config)
    await story.fire('A')
    await story.advance('30s')
    await story.fire('B')
    await story.advance('4m')
    await story.reload(`${config}# the same\n`)
    expect(await story.advance('1m')).toEqual([`330s ${ops} firing new alerts added: A B`])
  })

  test('that sends alerts elsewhere tells them there', async () => {
    await using story = await tell(server, config)
    await story.fire('A')
    await story.advance('30s')
    await story.reload(`
route: { receiver: ops, group_by: [group], routes: [{ receiver: new, matchers: [group=g], group_wait: 1s }] }
receivers: [{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }, { name: new, webhook_configs: [{ url: 'http://x.invalid' }] }]
`)
    expect(await story.advance('1h')).toEqual(['30s new/webhook/0 firing first notification: A'])
  })

  test('that this replica has not made yet leaves what it does not know to those that have', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'failed', reason: 'server error', detail: 'HTTP 503', retryAfter: 60_000 })
    await story.fire('A')
    await story.advance('1m')
    await story.reload(config.replaceAll('ops', 'old'))
    await story.deps.store.setConfig('of another replica', '', new Map())
    await story.advance('3m')
    expect(await story.deps.store.deadLetters.list(10)).toEqual([])
    expect(await story.deps.store.outbox.depth()).toBe(1)
    await story.reload(config)
    await sweepNow(story)
    await story.advance('1m')
    expect(story.lines).toEqual([
      `30s ${ops} failed firing first notification: A`,
      expect.stringMatching(/ ops\/webhook\/0 firing first notification: A$/),
    ])
  })

  test('that takes a receiver away leaves what it was owed in the dead letter', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'failed', reason: 'server error', detail: 'HTTP 500' })
    await story.fire('A')
    await story.advance('30s')
    await story.reload(config.replaceAll('ops', 'other'))
    await story.advance('5m')
    expect(await story.deps.store.deadLetters.list(10)).toMatchObject([
      { integration: ops, reason: 'receiver removed' },
    ])
    expect(story.lines.at(-1)).toMatch(/other\/webhook\/0 firing first notification: A$/)
  })
})

test('retries wait longer each time, at most 5 minutes, never less than was asked', () => {
  const failed = { state: 'failed', reason: 'server error', detail: '' } as const
  expect([1, 2, 3, 8, 9, 10, 50].map((attempt) => retryDelay(attempt, failed, 1))).toEqual([
    1000, 2000, 4000, 128_000, 256_000, 300_000, 300_000,
  ])
  expect(retryDelay(3, failed, 0)).toBe(0)
  expect(retryDelay(1, { ...failed, retryAfter: 9000 }, 0)).toBe(9000)
})
