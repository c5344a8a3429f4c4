import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { beside } from '../../src/notify/fields.ts'
import { isLiteral, webhook } from '../../src/notify/webhook.ts'
import { webhookAlerts } from '../helpers/webhook-alerts.ts'
import { toTemplateData } from '../../src/template/notification.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { alertOf } from '../helpers/alerts.ts'
import { at, diskFull, notificationOf } from '../helpers/notification.ts'
import { contract, open, attempt as tryOnce } from './contract.ts'

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
  { content: { status: 200 }, flood: 'delivered' },
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

describe('where a URL leads is of the file or of a label', () => {
  const hookAt = (hook: string) => ({ ...diskFull, annotations: new Map([['hook', hook]]) })
  const login = {
    http_config: { authorization: { credentials: 's3cret' }, http_headers: { 'X-Plain': { values: ['p'] } } },
  }

  test.each([
    ['{{ .CommonAnnotations.hook }}', false],
    ['http://{{ .CommonAnnotations.hook }}', false],
    ['http://127.0.0.1:{{ .CommonAnnotations.hook }}', false],
    ['ORIGIN{{ .CommonAnnotations.hook }}', true],
    ['ORIGIN/{{ .CommonLabels.alertname }}', true],
    ['ORIGIN?{{ .CommonLabels.alertname }}', true],
    ['{{ if eq .Status "firing" }}ORIGIN/a{{ else }}http://b.example{{ end }}', true],
  ])('%s: %s', async (template, isOfFile) => {
    await using sink = await openHttpSink()
    const rest = template.startsWith('http://127')
      ? `${sink.port}/x`
      : template.startsWith('http')
        ? `127.0.0.1:${sink.port}/x`
        : `${sink.url}/x`
    const hook = template.startsWith('ORIGIN') ? '/x' : rest
    const notifier = open(webhook, { url: template.replace('ORIGIN', sink.url), ...login })
    const outcome = await notifier.send(notifier.compose(notificationOf([hookAt(hook)])), AbortSignal.timeout(10_000))
    if (isOfFile) {
      expect(outcome).toEqual({ state: 'delivered' })
      expect(sink.requests[0]?.headers).toMatchObject({ authorization: 'Bearer s3cret', 'x-plain': 'p' })
    } else {
      expect(outcome).toMatchObject({
        state: 'failed',
        reason: 'configuration',
        detail: expect.stringContaining('template'),
      })
      expect(sink.requests).toHaveLength(0)
    }
  })

  test.each([
    ['', true],
    ['/evil.example', true],
    ['?@evil.example', true],
    ['\\\\@evil.example/', true], // browsers and we read it as a path
    ['.evil.example/', false],
    ['@evil.example/', false],
    [':80@evil.example/', false],
    ['\t.evil.example', false],
    ['5', false],
  ])('behind a host of the file a label says %j: %s', (label, wanted) => {
    expect(isLiteral(`http://10.0.0.1${label}`, 'http://10.0.0.1{{ .CommonAnnotations.hook }}')).toBe(wanted)
  })

  test.each([["http://u:it's@a.example/x"], ['http://u:a|b"c`d@a.example/x']])('%s has no template', (url) => {
    expect(isLiteral(url, url)).toBe(true)
  })

  test.each([
    ['http://svc:s3cret@{{ .CommonAnnotations.hook }}/x', 'http://evil.example/x'],
    ['http://svc:s3cret@{{ .CommonAnnotations.hook }}', 'http://evil.example/'],
    ['http://svc:s3cret@a.example/{{ .CommonAnnotations.hook }}', 'http://svc:s3cret@a.example/evil.example'],
  ])('whose login %s is', (url, sent) => {
    const { payload } = open(webhook, { url }).compose(notificationOf([hookAt('evil.example')]))
    expect(Reflect.get(Object(payload), beside).url.reveal()).toBe(sent)
  })

  test('a template in the path makes one destination', () => {
    const notifier = open(webhook, { url: 'http://a.example/{{ .CommonAnnotations.hook }}' })
    const destinations = ['x', 'y', 'z'].map((hook) => notifier.compose(notificationOf([hookAt(hook)])).destination)
    expect(new Set(destinations).size).toBe(1)
  })

  test('a user and a password in the URL go into a header', async () => {
    await using sink = await openHttpSink()
    const url = sink.url.replace('http://', 'http://user:p%40ss@')
    expect(await tryOnce(open(webhook, { url: `${url}/x` }))).toEqual({ state: 'delivered' })
    expect(sink.requests[0]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
      host: `127.0.0.1:${sink.port}`,
    })
  })
})

test('a login in the URL is not told, in whatever form it is echoed', async () => {
  const [user, password] = ['somebody', 'som%40body-s3cret']
  const login = Buffer.from('somebody:som@body-s3cret').toString('base64')
  await using sink = await openHttpSink(({ headers }) => ({
    status: 400,
    body: `${headers.authorization} ${login} ${user}:${password} som@body-s3cret`,
  }))
  const outcome = await tryOnce(open(webhook, { url: sink.url.replace('//', `//${user}:${password}@`) }))
  expect(outcome).toMatchObject({ detail: 'HTTP 400: <secret> <secret> <secret>:<secret> <secret>' })
})

describe('signing', () => {
  const key = Buffer.from('a key of some bytes').toString('base64')
  test.each([
    [`whsec_${key}`, Buffer.from(key, 'base64')],
    ['plain s3cret', Buffer.from('plain s3cret')],
  ])('%s', async (signing_secret, bytes) => {
    await using sink = await openHttpSink()
    expect(await tryOnce(open(webhook, { url: sink.url, signing_secret }))).toEqual({ state: 'delivered' })
    const [request] = sink.requests
    const { 'webhook-id': id, 'webhook-timestamp': sentAt } = request?.headers ?? {}
    const signed = [id, sentAt, request?.body].join('.')
    expect(request?.headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', bytes).update(signed).digest('base64')}`,
    )
  })

  test('without a key there is no signature', async () => {
    await using sink = await openHttpSink()
    await tryOnce(open(webhook, { url: sink.url }))
    expect(sink.requests[0]?.headers).not.toHaveProperty('webhook-signature')
  })
})

describe('413', () => {
  const alerts = Array.from({ length: 9 }, (_, n) => alertOf({ n: String(n) }))
  test.each([
    ['all alerts', {}, 4, 5],
    ['as many as max_alerts has it', { max_alerts: 4 }, 2, 7],
  ])('half of %s', async (_name, settings, kept, truncatedAlerts) => {
    await using sink = await openHttpSink((_request, nth) => ({ status: nth === 1 ? 413 : 200 }))
    const notifier = open(webhook, { url: sink.url, signing_secret: 'k', ...settings })
    expect(await notifier.send(notifier.compose(notificationOf(alerts)), AbortSignal.timeout(10_000))).toEqual({
      state: 'delivered',
    })
    const [first, second] = sink.requests
    expect(JSON.parse(second?.body ?? '')).toMatchObject({ truncatedAlerts, alerts: { length: kept } })
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(second?.headers['webhook-signature']).not.toBe(first?.headers['webhook-signature'])
  })

  test('a template that fails for fewer alerts is not rendered again', async () => {
    await using sink = await openHttpSink({ status: 413 })
    const payload = { last: '{{ (index .Alerts 8).Labels.n }}' }
    const notifier = open(webhook, { url: sink.url, payload })
    expect(await notifier.send(notifier.compose(notificationOf(alerts)), AbortSignal.timeout(10_000))).toMatchObject({
      state: 'failed',
      reason: 'client error',
    })
    expect(sink.requests).toHaveLength(1)
  })
})

test('a header is one header, whatever its value', async () => {
  await using sink = await openHttpSink()
  const http_config = { http_headers: { 'X-Note': { values: ['a\r\nX-Evil: b'] } } }
  await tryOnce(open(webhook, { url: sink.url, http_config }))
  expect(sink.requests.map(({ headers }) => headers['x-evil'])).toEqual([undefined])
})
