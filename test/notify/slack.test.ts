import { expect, test } from 'vitest'
import { slack } from '../../src/notify/slack.ts'
import { alertOf } from '../helpers/alerts.ts'
import { openHttpSink, slackAnswer } from '../helpers/http-sink.ts'
import { at, diskFull, notificationOf } from '../helpers/notification.ts'
import { contract, open } from './contract.ts'

const failed = (reason: string, rest = {}) => ({ state: 'failed' as const, reason, ...rest }) as never

contract(slack, (url) => ({ api_url: `${url}/services/T0/B0/s3cret` }), [
  { name: 'ok is delivered', answer: { status: 200, body: 'ok' }, outcome: { state: 'delivered' } },
  { name: '200 that is not ok', answer: { status: 200, body: 'invalid_blocks' }, outcome: failed('client error') },
  {
    name: '429 waits as told',
    answer: { status: 429, headers: { 'Retry-After': '7' }, body: 'rate_limited' },
    outcome: failed('rate limited', { retryAfter: 7000 }),
  },
  { name: '500 is tried again', answer: { status: 500, body: 'rollup_error' }, outcome: failed('server error') },
  {
    name: '400 is not',
    answer: { status: 400, body: 'invalid_payload' },
    outcome: failed('client error', { detail: 'HTTP 400: invalid_payload' }),
  },
  { name: '403 is not', answer: { status: 403, body: 'action_prohibited' }, outcome: failed('unauthorised') },
  { name: '404 is not', answer: { status: 404, body: 'no_service' }, outcome: failed('client error') },
  {
    name: 'fatal_error may have been posted',
    answer: { status: 500, body: 'fatal_error' },
    outcome: { state: 'unknown' },
  },
  { name: 'taken and never answered', answer: { fault: 'hang' }, outcome: { state: 'unknown' } },
  { name: 'taken and reset', answer: { fault: 'reset' }, outcome: { state: 'unknown' } },
  {
    name: 'a redirect is not followed',
    answer: { status: 302, headers: { Location: 'http://127.0.0.1:1/' } },
    outcome: { state: 'unknown' },
  },
])

const tabled = (alerts = [diskFull], rest = {}) => {
  const [entry = {}] = slack.fromTeam('https://hooks.slack.invalid/x')
  return open(slack, entry).compose(notificationOf(alerts, rest)).payload as { attachments: Record<string, unknown>[] }
}

test("the table's message is the seed's attachment", () => {
  expect(tabled().attachments).toEqual([
    {
      color: '#ff0000',
      title: 'Disk full on db-1',
      title_link: diskFull.generatorURL,
      text: 'Volume &lt;data&gt; is above 95% &amp; growing',
      fallback: 'Disk full on db-1',
      callback_id: '',
      fields: [
        { title: 'Severity', value: 'CRITICAL', short: true },
        { title: 'Team', value: 'database', short: true },
      ],
      footer: 'Qlib Pro Monitoring',
      mrkdwn_in: ['fallback', 'pretext', 'text'],
      ts: diskFull.startsAt / 1000,
    },
  ])
})

test.each([
  ['critical', '#ff0000'],
  ['warning', '#ffaa00'],
  ['info', '#0099ff'],
  ['odd', '#0099ff'],
])('%s is %s', (severity, color) => {
  const alert = alertOf({ alertname: 'A', severity }, { startsAt: at })
  expect(tabled([alert]).attachments[0]).toMatchObject({ color })
})

test('a resolved alert says so, in green', () => {
  const [attachment] = tabled([{ ...diskFull, endsAt: at - 1000, endedBy: 'sender' }]).attachments
  expect(attachment).toMatchObject({
    color: '#36a64f',
    title: 'Resolved: Disk full on db-1',
    ts: Math.floor((at - 1000) / 1000),
  })
})

test('an alert without annotations is told by its name', () => {
  expect(tabled([alertOf({ alertname: 'Lonely' })]).attachments[0]).toMatchObject({ title: 'Lonely', text: 'Lonely' })
  expect(tabled([alertOf({ a: 'b' })]).attachments[0]).toMatchObject({ title: 'Alert' })
})

test('a group is told by its first alert and how many more, a line each', () => {
  const other = alertOf(
    { alertname: 'DiskFull', instance: 'db-2:9100' },
    { annotations: new Map([['summary', 'Disk full on db-2']]) },
  )
  expect(tabled([diskFull, other]).attachments[0]).toMatchObject({
    title: 'Disk full on db-1 (+1 more)',
    text: 'Volume &lt;data&gt; is above 95% &amp; growing (db-1:9100)\nDisk full on db-2 (db-2:9100)',
  })
})

test('a label can neither call everybody nor forge a link', () => {
  const loud = alertOf(
    { alertname: '<!channel>' },
    { annotations: new Map([['summary', '<https://evil.example|click>']]) },
  )
  expect(JSON.stringify(tabled([loud]))).not.toMatch(/<!channel>|<https/)
})

test('a message of any size goes out', async () => {
  await using sink = await openHttpSink(slackAnswer)
  const huge = alertOf(
    { alertname: 'A' },
    {
      annotations: new Map([
        ['summary', 'x'.repeat(5000)],
        ['description', '😀'.repeat(100_000)],
      ]),
    },
  )
  const notifier = open(slack, { ...slack.fromTeam('x')[0], api_url: sink.url })
  expect(await notifier.send(notifier.compose(notificationOf([huge])), AbortSignal.timeout(10_000))).toEqual({
    state: 'delivered',
  })
  expect(JSON.parse(sink.requests[0]?.body ?? '').attachments[0].title).toHaveLength(1024)
})

test('a repeat that may be one says so', () => {
  expect(tabled([diskFull], { possibleRepeat: true }).attachments[0]).toMatchObject({
    title: '(possible repeat) Disk full on db-1',
  })
})

test('a link from an alert is http or none', () => {
  const evil = alertOf({ alertname: 'A' }, { generatorURL: 'javascript:alert(1)' })
  expect(tabled([evil]).attachments[0]).not.toHaveProperty('title_link')
})

test("Alertmanager's own message where the file says nothing else", () => {
  const { payload } = open(slack, { api_url: 'https://hooks.slack.invalid/x', channel: '#ops' }).compose(
    notificationOf(),
  )
  expect(payload).toMatchObject({
    channel: '#ops',
    username: 'Alertmanager',
    attachments: [
      {
        title: '[FIRING:1] DiskFull (db-1:9100 critical database)',
        title_link: 'http://tocsin.example.com/#/alerts?receiver=database%2Fcritical',
        color: 'danger',
      },
    ],
  })
})

test('a webhook URL that is missing is an error, not a message to nowhere', () => {
  expect(slack.read({ channel: '#ops' })).toMatchObject({ ok: false })
})

test("a secret's file that is not there is said, without its content", () => {
  const notifier = open(slack, { api_url_file: '/nowhere/slack' })
  expect(() => notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(1000))).toThrow(
    'cannot read /nowhere/slack: ENOENT',
  )
})
