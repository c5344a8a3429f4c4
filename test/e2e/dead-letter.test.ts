import { expect, test } from 'vitest'
import { eventually, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'
import { type Answer, openHttpSink } from '../helpers/http-sink.ts'
import { openRedis } from '../helpers/redis.ts'
import { tocsin } from '../helpers/tocsin.ts'

interface Letter {
  id: string
  reason: string
  cure: string
}

test('what was given up is listed with what to do, and sent again once; the ledger adds up all the while', async () => {
  await using server = await openRedis()
  using dir = tempDir()
  let answer: Answer = { status: 404, body: 'no such hook' }
  await using sink = await openHttpSink(() => answer)
  const config = `
route: { receiver: ops, group_by: [alertname], group_wait: 0s }
receivers: [{ name: ops, webhook_configs: [{ url: '${sink.url}/hook' }] }]
`
  await using engine = await startEngine({ config, redis: server.socket, dir: dir.path })
  const startsAt = new Date().toISOString()
  await engine.post('/webhook', webhookPayload({ labels: { alertname: 'A', team: 'quant' }, startsAt }))
  await engine.post('/webhook', webhookPayload({ labels: { alertname: 'B', team: 'quant' }, startsAt }))
  const letters = () => engine.get<Letter[]>('/api/tocsin/v1/deadletters')
  const [first] = await eventually(letters, ({ length }) => length === 2)
  expect(first).toMatchObject({ reason: 'client error', team: 'quant', cure: expect.stringContaining('re-send') })
  expect(sink.requests).toHaveLength(2)

  const url = `--url=${engine.url}`
  const listed = await tocsin('deadletter', 'list', url)
  expect(listed).toMatchObject({ code: 0, err: '' })
  expect(listed.out).toContain('client error: HTTP 404: no such hook')
  expect(listed.out).toContain('to do: ')
  expect(JSON.parse((await tocsin('deadletter', 'show', first?.id ?? '', url)).out)).toMatchObject({ id: first?.id })
  const audit = () => tocsin('audit', `--redis.url=${server.socket}`)
  expect(await audit()).toMatchObject({ code: 0, out: expect.stringContaining('2  dead: client error') })

  answer = { status: 200 }
  const both = await Promise.all([1, 2].map(() => tocsin('deadletter', 'retry', first?.id ?? '', url)))
  expect(new Set(both.map(({ code }) => code))).toEqual(new Set([0, 1]))
  expect(both.map(({ err }) => err).join('')).toMatch(/there is no dead letter .*; it may have been sent again/)
  expect(await tocsin('deadletter', 'retry', '--all', url)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^1 are owed again/),
  })
  await eventually(
    async () => sink.requests.length,
    (count) => count === 4,
  )
  await eventually(letters, ({ length }) => length === 0)
  expect((await engine.post('/api/tocsin/v1/deadletters/nope/retry', '')).status).toBe(404)
  expect(await tocsin('deadletter', 'retry', url)).toMatchObject({
    code: 1,
    err: 'tocsin: error: give ids, or --all\n',
  })

  expect(await audit()).toMatchObject({ code: 0, out: expect.stringContaining('2  delivered') })
  expect(await engine.get('/api/tocsin/v1/ledger')).toMatchObject({ joined: 2, live: 2, open: 0, balanced: true })
  await server.redis.hincrby('{tocsin}:ledger', 'owed', 1)
  const broken = await audit()
  expect(broken.code).toBe(1)
  expect(broken.out).toContain('5 notifications were owed, but 4 came to an end or are owed still')
})

test.each([
  [['audit', '--storage.path=nowhere'], "there is no data of Tocsin's under nowhere; name the Redis"],
  [['deadletter', 'list', '--url=127.0.0.1:9093'], '--url: "127.0.0.1:9093" is no URL; write it as http://'],
  [
    ['deadletter', 'list', '--url=http://u:s3cret@127.0.0.1:47193'],
    'no engine answers at http://127.0.0.1:47193 (ECONNREFUSED); start',
  ],
  [
    ['demo', '--url=http://u:s3cret@127.0.0.1:47193'],
    'no engine answers at http://127.0.0.1:47193 (ECONNREFUSED); start',
  ],
])('tocsin %j says what is wrong', async (args, says) => {
  const { code, out, err } = await tocsin(...args)
  expect(code).toBe(1)
  expect(out + err).toContain(says)
  expect(out + err).not.toContain('s3cret')
})

test('an audit of a Redis that holds nothing of Tocsin’s is none', async () => {
  await using server = await openRedis()
  expect(await tocsin('audit', `--redis.url=${server.socket}`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('Tocsin has kept nothing in this Redis under the prefix tocsin'),
  })
})

test('a wait says until when, and for what', async () => {
  await using sink = await openHttpSink()
  const config = `
route: { receiver: ops, group_by: [alertname], group_wait: 0s }
receivers: [{ name: ops, webhook_configs: [{ url: '${sink.url}/hook' }] }]
budgets: { webhook: { rate: 1/m, burst: 1 } }
`
  await using engine = await startEngine({ config })
  const startsAt = new Date().toISOString()
  await engine.post('/webhook', webhookPayload({ labels: { alertname: 'A' }, startsAt }))
  await engine.post('/webhook', webhookPayload({ labels: { alertname: 'B' }, startsAt }))
  const waiting = await eventually(
    () => engine.get<{ wait?: string; waitsFor?: string }[]>('/api/tocsin/v1/notifications'),
    ([row]) => row?.wait !== undefined,
  )
  expect(waiting).toMatchObject([
    { waitsFor: 'budget', wait: expect.stringMatching(/^leaves in \d+ s: the budget of its destination$/) },
  ])
  expect(await (await fetch(`${engine.url}/metrics`)).text()).toMatch(
    /^tocsin_delivery_waits_total\{channel="webhook",reason="budget"\} [1-9]/m,
  )
})
