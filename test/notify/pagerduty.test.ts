import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Notification } from '../../src/notify/notifier.ts'
import { pagerduty } from '../../src/notify/pagerduty.ts'
import { alertOf } from '../helpers/alerts.ts'
import { openHttpSink, pagerdutyAnswer } from '../helpers/http-sink.ts'
import { at, diskFull, notificationOf } from '../helpers/notification.ts'
import { attempt, contract, open } from './contract.ts'

const failed = (reason: string, rest = {}) => ({ state: 'failed' as const, reason, ...rest }) as never
const json = { 'Content-Type': 'application/json' }
const settings = (url: string) => ({
  routing_key: 's3cret',
  url: `${url}/v2/enqueue`,
  http_config: { authorization: { credentials: 's3cret' } },
})

contract(
  pagerduty,
  settings,
  [
    {
      name: '202 is delivered',
      answer: { status: 202, headers: json, body: '{"status":"success"}' },
      outcome: { state: 'delivered' },
    },
    {
      name: '202 without JSON is delivered too',
      answer: { status: 202, body: 'accepted' },
      outcome: { state: 'delivered' },
    },
    {
      name: '400 says what PagerDuty disliked',
      answer: {
        status: 400,
        headers: json,
        body: '{"status":"invalid event","message":"Event object is invalid","errors":["x is missing"]}',
      },
      outcome: failed('client error', { detail: 'HTTP 400: Event object is invalid: x is missing' }),
    },
    {
      name: '429 is sent once and waits',
      answer: { status: 429, headers: { ...json, 'Retry-After': '30' }, body: '{}' },
      outcome: failed('rate limited', { retryAfter: 30_000 }),
    },
    { name: '429 without JSON', answer: { status: 429, body: 'slow down' }, outcome: failed('rate limited') },
    { name: '500 is tried again', answer: { status: 500, body: '<html>' }, outcome: failed('server error') },
    {
      name: '403 is not',
      answer: { status: 403, headers: json, body: '{"message":"Forbidden"}' },
      outcome: failed('unauthorised'),
    },
    { name: 'taken and never answered', answer: { fault: 'hang' }, outcome: { state: 'unknown' } },
    { name: 'taken and reset', answer: { fault: 'reset' }, outcome: { state: 'unknown' } },
  ],
  { content: { status: 202, headers: json, body: '{}' }, flood: 'delivered', floor: 30_000 },
)

test.each(['/v2/enqueue', '/eu/v2/enqueue', '/custom/path'])('posts to the path %s', async (path) => {
  await using sink = await openHttpSink({ status: 202, headers: json, body: '{}' })
  const notifier = open(pagerduty, { routing_key: 'key', url: sink.url + path })
  expect(await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))).toMatchObject({
    state: 'delivered',
  })
  expect(sink.requests.map((request) => request.path)).toEqual([path])
})

test('over https the certificate is checked', async () => {
  await using sink = await openHttpSink(pagerdutyAnswer, selfSigned)
  const notifier = open(pagerduty, settings(sink.url))
  const outcome = await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))
  expect(outcome).toMatchObject({ state: 'failed', reason: 'configuration' })
  expect(sink.requests).toHaveLength(0)
})

const tabled = (alerts = [diskFull], rest: Partial<Notification> = {}) => {
  const [entry = {}] = pagerduty.fromTeam('key')
  return open(pagerduty, entry).compose(notificationOf(alerts, rest)).payload as Record<string, unknown> & {
    payload: Record<string, unknown> & { custom_details: Details }
  }
}

interface Details {
  firing?: unknown[]
  left_out?: string
}

test("the table's page is one that PagerDuty takes", async () => {
  await using sink = await openHttpSink(pagerdutyAnswer)
  const notifier = open(pagerduty, { ...pagerduty.fromTeam('R0UT1NG')[0], url: `${sink.url}/v2/enqueue` })
  const dedupKey = createHash('sha256').update('{}:{alertname="DiskFull"}').digest('hex')
  expect(await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))).toEqual({
    state: 'delivered',
    id: dedupKey,
  })
  expect(JSON.parse(sink.requests[0]?.body ?? '')).toMatchObject({
    routing_key: 'R0UT1NG',
    event_action: 'trigger',
    dedup_key: dedupKey,
    payload: {
      summary: 'Disk full on db-1',
      source: 'db-1:9100',
      severity: 'critical',
      class: 'DiskFull',
      group: 'database',
      custom_details: { num_firing: 1, num_resolved: 0, firing: [{ labels: { alertname: 'DiskFull' } }] },
    },
    client: 'Tocsin',
    links: [{ href: diskFull.generatorURL, text: 'Source' }],
  })
})

test('an incident says whom it stands in for, and not that it may be a repeat: its key tells', () => {
  const { payload } = tabled([diskFull], { insteadOf: 'database', possibleRepeat: true })
  expect(payload).toMatchObject({ summary: '(instead of database) Disk full on db-1' })
})

test('a resolve carries the same dedup key', () => {
  const resolved = tabled([{ ...diskFull, endsAt: at - 1, endedBy: 'sender' }])
  expect(resolved).toMatchObject({ event_action: 'resolve', dedup_key: tabled()['dedup_key'] })
})

test.each([
  ['critical', 'critical'],
  ['error', 'error'],
  ['warning', 'warning'],
  ['info', 'info'],
  ['odd', 'info'],
  ['', 'info'],
])('severity %j is %s', (severity, wanted) => {
  expect(tabled([alertOf({ alertname: 'A', severity })]).payload).toMatchObject({ severity: wanted })
})

test.each([
  ['many alerts keep the first ones', 300, 3000, (details: Details) => (details.firing?.length ?? 0) > 100],
  ['one that is too large is shortened', 1, 1_000_000, (details: Details) => details.firing?.length === 1],
])('an event that is too large: %s', (_name, count, length, holds) => {
  const many = Array.from({ length: count }, (_, n) =>
    alertOf({ n: String(n) }, { annotations: new Map([['description', 'x'.repeat(length)]]) }),
  )
  const event = tabled(many)
  expect(JSON.stringify(event).length).toBeLessThan(512_000)
  expect(holds(event.payload.custom_details)).toBe(true)
  expect(event.payload.custom_details.left_out).toContain(`of ${count} alerts`)
})

test('details of the file that are too large are left out, and the page goes out', () => {
  const details = { firing: '{{ .CommonAnnotations.description }}' }
  const alert = alertOf({ n: '1' }, { annotations: new Map([['description', 'x'.repeat(600_000)]]) })
  const { payload } = open(pagerduty, { routing_key: 'k', details }).compose(notificationOf([alert]))
  expect(JSON.stringify(payload).length).toBeLessThan(512_000)
  expect(payload).toMatchObject({ payload: { custom_details: { error: expect.stringContaining('512000') } } })
})

// a key pair for 127.0.0.1 that nobody has signed; made for these tests
const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgi9cyTWeAfC/vkoYS
vaGoGSLWKT7nN0Ilrvl+TwBPTvChRANCAARkk+rCvZCtyHi71Cu3sH1bOYOGY4HP
VwkWFVuelQ+tsE3RCSKMwojuaojwItfzczmR6OlGIMHnYG5y9QcEXGPV
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIUVlLntGWZAZV4ZswVuU+1/WTUD5cwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyNDEzMDg0NVoYDzIxMjYxMDMx
MTMwODQ1WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARkk+rCvZCtyHi71Cu3sH1bOYOGY4HPVwkWFVuelQ+tsE3RCSKMwoju
aojwItfzczmR6OlGIMHnYG5y9QcEXGPVo2QwYjAdBgNVHQ4EFgQUI9dvJry/m7u0
L/Y7AulRe3xgenkwHwYDVR0jBBgwFoAUI9dvJry/m7u0L/Y7AulRe3xgenkwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0cAMEQC
IFrgn6MaPl2k/+97taQdasi31kpqzycDtZFgk0h7TmAGAiBkuHvBTHnc+gElEuof
58wp/F1UjcialgdEbhqiHRgEaA==
-----END CERTIFICATE-----`,
}

test('headers of the file go along', async () => {
  await using sink = await openHttpSink(pagerdutyAnswer)
  expect(await attempt(open(pagerduty, settings(sink.url)))).toMatchObject({ state: 'delivered' })
  expect(sink.requests[0]?.headers).toMatchObject({ authorization: 'Bearer s3cret' })
})
