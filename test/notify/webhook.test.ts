import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { webhook } from '../../src/notify/webhook.ts'
import { webhookAlerts } from '../../src/ingest/webhook.ts'
import { toTemplateData } from '../../src/template/notification.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { alertOf } from '../helpers/alerts.ts'
import { at, diskFull, notificationOf } from '../helpers/notification.ts'
import { contract, open } from './contract.ts'

const failed = (reason: string, rest = {}) => ({ state: 'failed' as const, reason, ...rest }) as never
const soon = new Date(Date.now() + 20_000).toUTCString()

contract(
  webhook,
  (url) => ({ url: `${url}/hook?token=s3cret`, http_config: { authorization: { credentials: 's3cret' } } }),
  [
    { name: '204 is delivered', answer: { status: 204 }, outcome: { state: 'delivered' } },
    {
      name: '429 waits as told',
      answer: { status: 429, headers: { 'Retry-After': '3' } },
      outcome: failed('rate limited', { retryAfter: 3000 }),
    },
    {
      name: '503 waits until a date',
      answer: { status: 503, headers: { 'Retry-After': soon } },
      outcome: failed('server error', { retryAfter: expect.any(Number) }),
    },
    {
      name: 'a wait is never longer than 15 min',
      answer: { status: 429, headers: { 'Retry-After': '999999' } },
      outcome: failed('rate limited', { retryAfter: 900_000 }),
    },
    { name: '500 is tried again', answer: { status: 500 }, outcome: failed('server error') },
    { name: '408 is tried again', answer: { status: 408 }, outcome: failed('timeout') },
    {
      name: '400 is not',
      answer: { status: 400, body: 'no' },
      outcome: failed('client error', { detail: 'HTTP 400: no' }),
    },
    { name: '401 is not', answer: { status: 401 }, outcome: failed('unauthorised') },
    { name: '404 is not', answer: { status: 404 }, outcome: failed('client error') },
    {
      name: 'a redirect is not followed',
      answer: { status: 302, headers: { Location: 'http://127.0.0.1:1/' } },
      outcome: failed('client error'),
    },
    { name: 'taken and never answered', answer: { fault: 'hang' }, outcome: { state: 'unknown' } },
    { name: 'taken and reset', answer: { fault: 'reset' }, outcome: { state: 'unknown' } },
  ],
)

test("the body is Alertmanager's, byte for byte", async () => {
  interface Captured {
    body: {
      alerts: unknown[]
      groupLabels: Record<string, string>
      externalURL: string
      groupKey: string
      notification_reason: string
    }
    rawBody: string
  }
  const file = new URL('../vectors/webhook.json', import.meta.url)
  const captured: Captured[] = JSON.parse(readFileSync(file, 'utf8'))
  for (const { body, rawBody } of captured) {
    await using sink = await openHttpSink()
    const now = Date.UTC(2027, 0, 1)
    const { alerts } = webhookAlerts({ version: '4', alerts: body.alerts }, now)
    const data = toTemplateData(
      {
        receiver: 'team-db.all+1',
        reason: body.notification_reason,
        groupLabels: new Map(Object.entries(body.groupLabels)),
        externalURL: body.externalURL,
        alerts,
      },
      now,
    )
    const notifier = open(webhook, { url: sink.url })
    await notifier.send(
      notifier.compose(notificationOf(alerts, { data, groupKey: body.groupKey })),
      AbortSignal.timeout(10_000),
    )
    expect(sink.requests[0]?.body).toBe(rawBody)
    expect(sink.requests[0]?.headers['content-type']).toBe('application/json')
  }
})

test('max_alerts cuts, and says how many are left out', () => {
  const resolved = { ...alertOf({ alertname: 'B' }), endsAt: at - 1 }
  const { payload } = open(webhook, { url: 'http://x.invalid', max_alerts: 1 }).compose(
    notificationOf([resolved, diskFull]),
  )
  expect(payload).toMatchObject({ status: 'resolved', truncatedAlerts: 1, commonLabels: { alertname: 'B' } })
})

test('a notification has the same id on each attempt', async () => {
  await using sink = await openHttpSink()
  const notifier = open(webhook, { url: sink.url })
  for (const attempt of [1, 2])
    await notifier.send(notifier.compose(notificationOf([diskFull], { attempt })), AbortSignal.timeout(10_000))
  expect(sink.requests.map(({ headers }) => [headers['webhook-id'], headers['webhook-attempt']])).toEqual([
    [notificationOf().id, '1'],
    [notificationOf().id, '2'],
  ])
})

test('a URL may be a template', async () => {
  await using sink = await openHttpSink()
  const notifier = open(webhook, { url: `${sink.url}/{{ .Status }}/{{ .CommonLabels.alertname | urlquery }}` })
  await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))
  expect(sink.requests.map(({ path }) => path)).toEqual(['/firing/DiskFull'])
})

test('url and url_file together are refused', () => {
  expect(webhook.read({ url: 'http://x.example', url_file: '/x' })).toMatchObject({ ok: false })
})
