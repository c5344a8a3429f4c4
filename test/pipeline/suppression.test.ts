import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const config = `
route:
  receiver: ops
  group_by: [group]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
receivers: [{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }]
`
/** What was told, without the integration. */
const toldBy = ({ lines }: Story) => lines.map((line) => line.replace(' ops/webhook/0', ''))

describe('a silence', () => {
  test('keeps its alerts quiet, and nobody else', async () => {
    await using story = await tell(server, config)
    await story.silence('alertname="A"', '1h')
    await story.fire('A', 'B')
    await story.advance('10m')
    expect(toldBy(story)).toEqual(['30s firing first notification: B'])
  })

  test('that ends lets a firing alert be heard at the next flush', async () => {
    await using story = await tell(server, config)
    const id = await story.silence('alertname=~"A|B"', '1h')
    await story.fire('A')
    await story.advance('7m')
    await story.expire(id)
    await story.advance('5m')
    expect(toldBy(story)).toEqual(['630s firing first notification: A'])
  })

  test('that is over changes nothing', async () => {
    await using story = await tell(server, config)
    await story.silence('alertname="A"', '1h')
    await story.advance('1h')
    await story.fire('A')
    await story.advance('30s')
    expect(toldBy(story)).toEqual(['3630s firing first notification: A'])
  })

  test('made while a page waits for its channel keeps it back', async () => {
    await using story = await tell(server, config)
    story.answers.push({ state: 'failed', reason: 'server error', detail: 'HTTP 500' })
    await story.fire('A')
    await story.advance('30s')
    await story.silence('alertname="A"', '1h')
    await story.advance('30m')
    expect(toldBy(story)).toEqual(['30s failed firing first notification: A'])
  })
})

describe('a silenced alert that was announced', () => {
  async function announced(exact: boolean, yaml = config): Promise<Story> {
    const story = await tell(server, yaml, { exact })
    await story.fire('A', 'B')
    await story.advance('1m')
    await story.silence('alertname="A"', '2h')
    return story
  }

  test('is closed when it resolves (prometheus/alertmanager#226)', async () => {
    await using story = await announced(false)
    await story.resolve('A', 'B')
    await story.advance('5m')
    expect(toldBy(story).slice(1)).toEqual(['330s resolved all alerts resolved: -A -B'])
    expect(await story.deps.store.groups.ids()).toEqual([])
  })

  test('is not: alertmanager-exact', async () => {
    await using story = await announced(true)
    await story.resolve('A', 'B')
    await story.advance('5m')
    expect(toldBy(story).slice(1)).toEqual(['330s resolved all alerts resolved: -B'])
  })

  test('is closed beside what goes on firing', async () => {
    await using story = await announced(false)
    await story.resolve('A')
    await story.advance('10m')
    expect(toldBy(story).slice(1)).toEqual(['330s firing some alerts resolved: -A B'])
  })

  test('keeps the group open while it fires (#5247), and then both are closed at once', async () => {
    await using story = await announced(false)
    await story.resolve('B')
    await story.advance('1h')
    expect(toldBy(story).slice(1)).toEqual([])
    await story.resolve('A')
    await story.advance('5m')
    expect(toldBy(story).slice(1)).toEqual(['3930s resolved all alerts resolved: -A -B'])
    expect(await story.deps.store.groups.ids()).toEqual([])
  })

  test('is forgotten, and the group announced as resolved: alertmanager-exact', async () => {
    await using story = await announced(true)
    await story.resolve('B')
    await story.advance('1h')
    expect(toldBy(story).slice(1)).toEqual(['330s resolved all alerts resolved: -B'])
    await story.resolve('A')
    await story.advance('1h')
    expect(toldBy(story).slice(2)).toEqual([])
  })

  test('stays announced through what is told meanwhile', async () => {
    await using story = await announced(false)
    await story.fire('C')
    await story.advance('5m')
    await story.resolve('B', 'C')
    await story.advance('10m')
    expect(toldBy(story).slice(1)).toEqual(['330s firing new alerts added: B C'])
    await story.resolve('A')
    await story.advance('5m')
    expect(toldBy(story).slice(2)).toEqual(['1230s resolved all alerts resolved: -A -B -C'])
  })

  test('that fires again after its silenced resolve is a first notification, not a lost page', async () => {
    await using story = await announced(
      false,
      config.replace("'http://x.invalid'", "'http://x.invalid', send_resolved: false"),
    )
    await story.resolve('A', 'B')
    await story.advance('3h')
    await story.fire('A')
    await story.advance('30s')
    expect(toldBy(story).slice(1)).toEqual(['10890s firing first notification: A'])
  })

  test('keeps no sibling from being heard again that ended meanwhile', async () => {
    await using story = await announced(false)
    await story.resolve('B')
    await story.advance('30m')
    await story.fire('B')
    await story.advance('5m')
    expect(toldBy(story).slice(1)).toEqual(['2130s firing new alerts added: B'])
  })

  test('neither where resolves are not sent', async () => {
    await using story = await announced(
      false,
      config.replace("'http://x.invalid'", "'http://x.invalid', send_resolved: false"),
    )
    await story.resolve('B')
    await story.advance('30m')
    await story.fire('B')
    await story.advance('5m')
    expect(toldBy(story).slice(1)).toEqual(['2130s firing new alerts added: B'])
  })

  test('is remembered for as long as it takes', async () => {
    await using story = await announced(false)
    await story.advance('5m')
    const [id = ''] = await story.deps.store.groups.ids()
    const key = `${story.deps.store.queuePrefix}:nflog:${id}`
    await server.redis.pexpire(key, 1000)
    await story.advance('5m')
    expect(await server.redis.pttl(key)).toBeGreaterThan(60_000) // B is told, A is not
    await story.resolve('B')
    await story.advance('5m')
    await server.redis.pexpire(key, 1000)
    await story.advance('5m')
    expect(await server.redis.pttl(key)).toBeGreaterThan(60_000)
  })

  test('a silence made while a resolve waits for its channel loses none of it', async () => {
    await using story = await tell(server, config)
    await story.fire('A', 'B')
    await story.advance('1m')
    await story.resolve('B')
    story.answers.push({ state: 'failed', reason: 'server error', detail: 'HTTP 500', retryAfter: 20_000 })
    await story.advance('4m30s')
    await story.silence('alertname="A"', '1h')
    await story.advance('20m')
    await story.resolve('A')
    await story.advance('5m')
    expect(toldBy(story).slice(1)).toEqual([
      '330s failed firing some alerts resolved: A -B',
      '1830s resolved all alerts resolved: -A -B',
    ])
  })
})

describe('an inhibition', () => {
  const inhibiting = `${config}
inhibit_rules:
  - { source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [cluster] }
`
  const alert = (alertname: string, severity: string, more: Record<string, string> = {}, resolved = false) => ({
    labels: { alertname, severity, group: severity, ...more },
    startsAt: '2026-11-23T10:00:00Z',
    ...(resolved ? { endsAt: '2026-11-23T10:00:01Z' } : { endsAt: '2026-11-23T20:00:00Z' }),
  })
  const names = (story: Story) => toldBy(story).map((line) => line.replace(/^\d+s /, ''))

  test('keeps a target quiet while its source fires, whatever came first', async () => {
    await using story = await tell(server, inhibiting)
    await story.post(alert('Target', 'warning', { cluster: 'a' }), alert('Other', 'warning', { cluster: 'b' }))
    await story.post(alert('Source', 'critical', { cluster: 'a' }))
    await story.advance('1h')
    expect(names(story).sort()).toEqual(['firing first notification: Other', 'firing first notification: Source'])
    await story.post(alert('Source', 'critical', { cluster: 'a' }, true))
    await story.advance('5m')
    expect(names(story).slice(2).sort()).toEqual(
      ['firing new alerts added: Other Target', 'resolved all alerts resolved: -Source'].sort(),
    )
  })

  test.each([
    ['a label that both lack', {}, {}],
    ['a label that is empty here and missing there', { cluster: '' }, {}],
  ])('%s is equal', async (_name, target, source) => {
    await using story = await tell(server, inhibiting)
    await story.post(alert('Target', 'warning', target), alert('Source', 'critical', source))
    await story.advance('1h')
    expect(names(story)).toEqual(['firing first notification: Source'])
  })

  test('no alert inhibits itself, and two that are both sides do not inhibit each other; a mere source inhibits both', async () => {
    await using story = await tell(
      server,
      `${config}
inhibit_rules: [{ source_matchers: ['severity=~"critical|warning"'], target_matchers: [severity=warning] }]
`,
    )
    await story.post(alert('One', 'warning'), alert('Two', 'warning'))
    await story.advance('30s')
    expect(names(story)).toEqual(['firing first notification: One Two'])
    await story.post(alert('Three', 'warning'), alert('Source', 'critical'))
    await story.advance('1h')
    expect(names(story).slice(1)).toEqual(['firing first notification: Source'])
  })

  test('every source counts: one that is both sides and ends last hides no other', async () => {
    await using story = await tell(
      server,
      `${config}
inhibit_rules: [{ source_matchers: [kind=s], target_matchers: ['severity="warning"'] }]
`,
    )
    await story.post(
      { ...alert('Target', 'warning', { kind: 's' }) },
      { ...alert('Both', 'warning', { kind: 's' }), endsAt: '2026-11-23T22:00:00Z' },
      { ...alert('Source', 'critical', { kind: 's' }), endsAt: '2026-11-23T11:00:00Z' },
    )
    await story.advance('30m')
    expect(names(story)).toEqual(['firing first notification: Source'])
  })

  test('an inhibited or silenced source inhibits all the same', async () => {
    await using story = await tell(server, inhibiting)
    await story.silence('severity="critical"', '2h')
    await story.post(alert('Target', 'warning'), alert('Source', 'critical'))
    await story.advance('1h')
    expect(names(story)).toEqual([])
  })

  test('a rule that comes with a reload finds the sources that fire already', async () => {
    await using story = await tell(server, config)
    await story.post(alert('Source', 'critical'))
    await story.advance('1h')
    await story.reload(inhibiting)
    await story.post(alert('Target', 'warning'))
    await story.advance('1h')
    expect(names(story)).toEqual(['firing first notification: Source'])
    await story.reload(config)
    await story.advance('1h')
    expect(names(story).slice(1)).toEqual(['firing first notification: Target'])
  })

  test('what was announced before it was inhibited is closed when it resolves', async () => {
    await using story = await tell(server, inhibiting)
    await story.post(alert('Target', 'warning'))
    await story.advance('1m')
    await story.post(alert('Source', 'critical'))
    await story.advance('10m')
    await story.post(alert('Target', 'warning', {}, true))
    await story.advance('10m')
    expect(names(story)).toEqual([
      'firing first notification: Target',
      'firing first notification: Source',
      'resolved all alerts resolved: -Target',
    ])
  })
})

describe('time intervals', () => {
  const timed = (route: string) => `
route:
  receiver: ops
  routes: [{ matchers: [group=g], ${route}, group_by: [group], group_wait: 30s, group_interval: 5m, repeat_interval: 4h }]
receivers: [{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }]
time_intervals:
  - { name: until eleven, time_intervals: [{ times: [{ start_time: '00:00', end_time: '11:00' }] }] }
  - { name: after eleven, time_intervals: [{ times: [{ start_time: '11:00', end_time: '24:00' }] }] }
  - { name: never, time_intervals: [] }
`
  // stories begin at ten
  test.each([
    ['within a muting one', 'mute_time_intervals: [never, until eleven]', ['until eleven']],
    ['outside all active ones', 'active_time_intervals: [after eleven, never]', ['after eleven', 'never']],
    [
      'both: the active ones come first',
      'mute_time_intervals: [until eleven], active_time_intervals: [never]',
      ['never'],
    ],
  ])('a group is quiet %s, and says by which', async (_name, route, mutedBy) => {
    await using story = await tell(server, timed(route))
    await story.fire('A')
    await story.advance('50m')
    expect(toldBy(story)).toEqual([])
    const [id = ''] = await story.deps.store.groups.ids()
    expect((await story.deps.store.groups.mutedBy([id])).get(id)).toEqual(mutedBy)
  })

  test('what fires when the mute ends is told at the next flush, and the group is marked no more', async () => {
    await using story = await tell(server, timed('mute_time_intervals: [until eleven]'))
    await story.fire('A')
    await story.advance('2h')
    expect(toldBy(story)).toEqual(['3630s firing first notification: A'])
    expect((await story.deps.store.groups.mutedBy(await story.deps.store.groups.ids())).size).toBe(0)
  })

  test('what was announced and resolves while muted is closed when the mute ends', async () => {
    await using story = await tell(server, timed('active_time_intervals: [until eleven]'))
    await story.advance('50m')
    await story.fire('A')
    await story.advance('15m')
    await story.resolve('A')
    await story.advance('20m')
    expect(toldBy(story)).toEqual(['3030s firing first notification: A'])
    await story.reload(timed('active_time_intervals: [after eleven]'))
    await story.advance('5m')
    expect(toldBy(story).slice(1)).toEqual(['5130s resolved all alerts resolved: -A'])
    expect(await story.deps.store.groups.ids()).toEqual([])
  })

  test('what was announced, ends and fires again while muted is told as news when the mute ends', async () => {
    await using story = await tell(server, timed('active_time_intervals: [until eleven]'))
    await story.advance('50m')
    await story.fire('A')
    await story.advance('15m')
    await story.resolve('A')
    await story.advance('20m')
    await story.fire('A')
    await story.advance('20m')
    await story.reload(timed('active_time_intervals: [after eleven]'))
    await story.advance('5m')
    expect(toldBy(story).map((line) => line.replace(/^\d+s /, ''))).toEqual([
      'firing first notification: A',
      'firing new alerts added: A',
    ])
  })

  test('it is not: alertmanager-exact', async () => {
    await using story = await tell(server, timed('active_time_intervals: [until eleven]'), { exact: true })
    await story.advance('50m')
    await story.fire('A')
    await story.advance('15m')
    await story.resolve('A')
    await story.advance('20m')
    expect(await story.deps.store.groups.ids()).toEqual([])
  })
})

describe('a channel that refuses', () => {
  const limited = { state: 'failed', reason: 'rate limited', detail: 'HTTP 429', retryAfter: 60_000 } as const

  test('by 429 is asked again after the time that it names (#2205)', async () => {
    await using story = await tell(server, config)
    story.answers.push(limited)
    await story.fire('A')
    await story.advance('5m')
    expect(toldBy(story)).toEqual(['30s failed firing first notification: A', '91s firing first notification: A'])
  })

  test.each([
    ['429', limited],
    ['404', { state: 'failed', reason: 'client error', detail: 'HTTP 404' } as const],
  ])('by %s is asked again at the next flush: alertmanager-exact', async (_status, outcome) => {
    await using story = await tell(server, config, { exact: true })
    story.answers.push(outcome)
    await story.fire('A')
    await story.advance('20m')
    expect(toldBy(story)).toEqual(['30s failed firing first notification: A', '330s firing first notification: A'])
  })

  test('keeps what resolved in its group until it is told: alertmanager-exact', async () => {
    await using story = await tell(server, config, { exact: true })
    await story.fire('A')
    await story.advance('1m')
    story.answers.push(limited)
    await story.resolve('A')
    await story.advance('20m')
    expect(toldBy(story)).toEqual([
      '30s firing first notification: A',
      '330s failed resolved all alerts resolved: -A',
      '630s resolved all alerts resolved: -A',
    ])
    expect(await story.deps.store.groups.ids()).toEqual([])
  })

  test('keeps it there for one of two that did not hear of it: alertmanager-exact', async () => {
    const two = config.replace('}] }]', "}, { url: 'http://y.invalid' }] }]")
    await using story = await tell(server, two, { exact: true })
    await story.fire('A', 'B')
    await story.advance('1m')
    story.answers.push(limited)
    await story.resolve('A')
    await story.advance('20m')
    expect(story.lines.slice(2)).toEqual([
      '330s ops/webhook/0 failed firing some alerts resolved: -A B',
      '330s ops/webhook/1 firing some alerts resolved: -A B',
      '630s ops/webhook/0 firing some alerts resolved: -A B',
    ])
  })
})
