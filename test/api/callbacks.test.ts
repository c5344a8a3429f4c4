import { createHash, createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../src/store/store.ts'
import { type Engine, eventually, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { as, webFile } from '../helpers/access.ts'

const dir = tempDir()
const publicURL = 'https://hooks.example.com/tocsin'
const secretFile = join(dir.path, 'pagerduty')
const config = `
severities:
  critical: { notify: [email], incident: true, group_wait: 0s }
teams:
  quant: { email: quant@example.com }
route: { group_by: [alertname] }
global: { twilio_auth_token: twilio-token, smtp_smarthost: 'localhost:1', smtp_from: a@example.com }
callbacks:
  slack: { signing_secret: slack-secret }
  pagerduty: { secrets_file: ${secretFile} }
  twilio: { url: ${publicURL}/ }
`

let redis: TestRedis
let engine: Engine
let store: ReturnType<typeof openStore>
beforeAll(async () => {
  writeFileSync(secretFile, 'old-secret\npagerduty-secret\n')
  redis = await openRedis()
  store = openStore(redis.redis, 'tocsin')
  // callbacks need no login: their signature says who calls
  engine = await startEngine({
    config,
    redis: redis.socket,
    args: ['--sandbox', `--web.config.file=${webFile(dir.path, ['admin'])}`],
  })
}, 60_000)
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
  dir[Symbol.dispose]()
})

let incident = { id: '', groupKey: '' }
let count = 0
beforeEach(async () => {
  count += 1
  const alertname = `A${count}`
  const body = webhookPayload({
    labels: { alertname, severity: 'critical', team: 'quant' },
    annotations: { summary: alertname },
  })
  const headers = { 'Content-Type': 'application/json', ...as('admin') }
  await fetch(`${engine.url}/webhook`, { method: 'POST', headers, body: JSON.stringify(body) })
  const [found] = await eventually(
    () => store.incidents.list(1, ({ title }) => title === alertname),
    (all) => all.length === 1,
  )
  incident = { id: found?.id ?? '', groupKey: found?.groupKey ?? '' }
})
const state = async () => {
  const found = await store.incidents.get(incident.id)
  return found?.state === 'open' ? 'open' : `${found?.state} by ${found?.acknowledgedBy ?? '-'}`
}

const post = (path: string, body: string, headers: Record<string, string>) =>
  fetch(engine.url + path, { method: 'POST', body, headers })
const formType = { 'Content-Type': 'application/x-www-form-urlencoded' }

function slack(payload: unknown, { secret = 'slack-secret', at = Date.now() } = {}) {
  const body = `payload=${encodeURIComponent(JSON.stringify(payload))}`
  const timestamp = String(Math.floor(at / 1000))
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`
  return { body, headers: { ...formType, 'X-Slack-Request-Timestamp': timestamp, 'X-Slack-Signature': signature } }
}
const button = (value: string) => ({
  type: 'block_actions',
  user: { id: 'U1', username: 'ada' },
  actions: [{ action_id: 'a', value }],
})

describe('Slack', () => {
  test('a button acknowledges the incident that it names; pressed again it changes nothing', async () => {
    const { body, headers } = slack(button(`ack:${incident.id}`))
    const answer = await post('/callbacks/slack', body, headers)
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { response_type: 'ephemeral', replace_original: false, text: `Acknowledged: A${count}` },
    ])
    expect(await state()).toBe('acknowledged by ada (Slack)')
    expect((await post('/callbacks/slack', body, headers)).status).toBe(200)
    const timeline = (await store.incidents.get(incident.id))?.timeline ?? []
    expect(timeline.filter(({ event }) => event === 'acknowledged')).toHaveLength(1)
  })

  test('so does one of an older attachment', async () => {
    const legacy = {
      type: 'interactive_message',
      callback_id: `ack:${incident.id}`,
      user: { id: 'U2', name: 'bob' },
      actions: [{ name: 'ack', value: 'yes' }],
    }
    const { body, headers } = slack(legacy)
    expect((await post('/callbacks/slack', body, headers)).status).toBe(200)
    expect(await state()).toBe('acknowledged by bob (Slack)')
  })

  test.each([
    ['another secret', () => slack(button(`ack:${incident.id}`), { secret: 'other' })],
    ['no secret', () => slack(button(`ack:${incident.id}`), { secret: '' })],
    ['a replay of ten minutes ago', () => slack(button(`ack:${incident.id}`), { at: Date.now() - 600_000 })],
    ['one from the future', () => slack(button(`ack:${incident.id}`), { at: Date.now() + 600_000 })],
  ])('%s is refused, and does nothing', async (_name, make) => {
    const { body, headers } = make()
    expect((await post('/callbacks/slack', body, headers)).status).toBe(403)
    expect(await state()).toBe('open')
  })

  test('a body that is another than was signed is refused', async () => {
    const { body, headers } = slack(button('ack:0'))
    expect((await post('/callbacks/slack', body.replace('ack%3A0', `ack%3A${incident.id}`), headers)).status).toBe(403)
    expect(await state()).toBe('open')
  })

  test.each([
    ['a button of somebody else', button('deploy:1')],
    ['an incident that is not there', button('ack:999999')],
    ['a path', button('ack:../x')],
    ['a view', { type: 'view_submission', user: { id: 'U' } }],
    ['a list', []],
    ['no user', { type: 'block_actions', actions: [{ value: 'ack:1' }] }],
  ])('%s is answered, and changes nothing', async (_name, payload) => {
    const { body, headers } = slack(payload)
    expect((await post('/callbacks/slack', body, headers)).status).toBe(200)
    expect(await state()).toBe('open')
  })

  test('what is signed and no JSON is no fault of ours', async () => {
    const body = 'payload=%7B'
    const timestamp = String(Math.floor(Date.now() / 1000))
    const signature = `v0=${createHmac('sha256', 'slack-secret').update(`v0:${timestamp}:${body}`).digest('hex')}`
    const headers = { ...formType, 'X-Slack-Request-Timestamp': timestamp, 'X-Slack-Signature': signature }
    expect((await post('/callbacks/slack', body, headers)).status).toBe(400)
  })
})

describe('PagerDuty', () => {
  const event = (event_type: string, id: string, more: object = {}) => ({
    event: {
      id,
      event_type,
      resource_type: 'incident',
      agent: { summary: 'Tenex Engineer', type: 'user_reference' },
      data: {
        id: 'PGR0VU2',
        type: 'incident',
        incident_key: createHash('sha256').update(incident.groupKey).digest('hex'),
        ...more,
      },
    },
  })
  const send = (payload: unknown, secrets = ['pagerduty-secret']) => {
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
    const signature = secrets.map((secret) => `v1=${createHmac('sha256', secret).update(body).digest('hex')}`).join(',')
    return post('/callbacks/pagerduty', body, {
      'Content-Type': 'application/json',
      'X-PagerDuty-Signature': signature,
    })
  }

  test('acknowledged there is acknowledged here, resolved there resolved here; told twice it happens once', async () => {
    const acknowledged = event('incident.acknowledged', 'e1')
    expect((await send(acknowledged)).status).toBe(200)
    expect(await state()).toBe('acknowledged by Tenex Engineer (PagerDuty)')
    expect((await send(event('incident.resolved', 'e2'))).status).toBe(200)
    expect(await state()).toContain('resolved')
    expect((await send(acknowledged)).status).toBe(200)
    expect(await state()).toContain('resolved')
  })

  test('it is found by its key, however many are newer', async () => {
    await redis.redis.zrem('{tocsin}:incidents', incident.id)
    expect((await send(event('incident.acknowledged', 'e9'))).status).toBe(200)
    expect(await state()).toBe('acknowledged by Tenex Engineer (PagerDuty)')
  })

  test('by any secret that is in use', async () => {
    expect((await send(event('incident.acknowledged', 'e3'), ['newer', 'old-secret'])).status).toBe(200)
    expect(await state()).toBe('acknowledged by Tenex Engineer (PagerDuty)')
  })

  test.each([['other'], ['']])('signed with %j it is refused', async (secret) => {
    expect((await send(event('incident.acknowledged', 'e4'), [secret])).status).toBe(403)
    expect(await state()).toBe('open')
  })

  test.each([
    ['another event', () => event('incident.priority_updated', 'e5')],
    ['a service', () => ({ event: { id: 'e6', event_type: 'service.updated', data: {} } })],
    ['an incident that is not ours', () => event('incident.acknowledged', 'e7', { incident_key: 'x' })],
    ['an incident without a key', () => event('incident.acknowledged', 'e8', { incident_key: null })],
    ['something new', () => ({ event: [] })],
    ['a number', () => 5],
  ])('%s is taken, and changes nothing', async (_name, make) => {
    expect((await send(make())).status).toBe(200)
    expect(await state()).toBe('open')
  })
})

describe('Twilio', () => {
  const send = (
    path: string,
    fields: Record<string, string>,
    { token = 'twilio-token', url = publicURL + path, headers = {} } = {},
  ) => {
    const signed =
      url +
      Object.keys(fields)
        .sort()
        .map((name) => name + fields[name])
        .join('')
    const signature = createHmac('sha1', token).update(signed).digest('base64')
    return post(path, new URLSearchParams(fields).toString(), {
      ...formType,
      'X-Twilio-Signature': signature,
      ...headers,
    })
  }
  const sid = (n: number) => `SM${String(n).padStart(32, '0')}`

  test.each([
    ['in order', ['queued', 'sent', 'delivered'], 'delivered'],
    ['out of order', ['delivered', 'sent', 'queued'], 'delivered'],
    ['repeated', ['sent', 'sent', 'delivered', 'delivered', 'sent'], 'delivered'],
    ['failed is final', ['queued', 'undelivered', 'sent', 'delivered'], 'undelivered'],
    ['delivered is final', ['delivered', 'failed'], 'delivered'],
    ['an unknown word', ['sent', 'exploded'], 'sent'],
  ])('how far a message got never goes back: %s', async (_name, statuses, expected) => {
    const MessageSid = sid(5000 + count)
    for (const MessageStatus of statuses)
      expect((await send('/callbacks/twilio/status', { MessageSid, MessageStatus, ErrorCode: '30003' })).status).toBe(
        204,
      )
    expect(await store.sms.status(MessageSid)).toMatchObject({ status: expected, error: '30003' })
  })

  test('a forged one is refused: another token, or an address that the request itself makes up', async () => {
    const fields = { MessageSid: sid(99), MessageStatus: 'delivered' }
    const path = '/callbacks/twilio/status'
    expect((await send(path, fields, { token: 'other' })).status).toBe(403)
    expect((await send(path, fields, { token: '' })).status).toBe(403)
    const url = engine.url + path
    const { host } = new URL(engine.url)
    const headers = { 'X-Forwarded-Host': host, 'X-Forwarded-Proto': 'http' }
    expect((await send(path, fields, { url, headers })).status).toBe(403)
    expect(await store.sms.status(sid(99))).toBe(undefined)
  })

  test('a query of the address is part of what is signed', async () => {
    const path = '/callbacks/twilio/status?notification=7'
    expect((await send(path, { MessageSid: sid(98), MessageStatus: 'sent' })).status).toBe(204)
    const signed = { url: `${publicURL}/callbacks/twilio/status?notification=8` }
    expect((await send(path, { MessageSid: sid(98), MessageStatus: 'sent' }, signed)).status).toBe(403)
  })

  const answer = (Body: string, From: string, n: number) =>
    send('/callbacks/twilio/sms', { MessageSid: sid(n), From, Body, To: '+15005550006' })

  test('an answer by text message counts from the number that was told, with the reference of a page sent to it', async () => {
    await store.sms.remember('+61400000000', 'ABCD', incident.id)
    const nothing = await answer('ack ABCD', '+61400000001', 1000)
    expect([nothing.status, await nothing.text()]).toEqual([200, '<Response/>'])
    await answer('ack WXYZ', '+61400000000', 1001)
    await answer('please ack ABCD', '+61400000000', 1002)
    expect(await state()).toBe('open')
    const done = await answer(' Ack abcd. ', '+61400000000', 1003)
    expect(done.headers.get('content-type')).toContain('text/xml')
    expect(await done.text()).toBe(
      `<?xml version="1.0" encoding="UTF-8"?><Response><Message>Acknowledged: A${count}</Message></Response>`,
    )
    expect(await state()).toBe('acknowledged by …0000 (SMS)')
    expect(await (await answer('ack abcd', '+61400000000', 1003)).text()).toBe('<Response/>') // the same message again
  })

  test('an answer to a page that had no incident acknowledges none', async () => {
    await store.sms.remember('+61400000000', 'EFGH', '')
    expect(await (await answer('ack EFGH', '+61400000000', 1010)).text()).toBe('<Response/>')
    expect(await state()).toBe('open')
  })

  test('a number does not stand in Redis, nor in the log', async () => {
    const keys = await redis.redis.keys('*sms-reference*')
    expect(keys.length).toBeGreaterThan(0)
    expect(JSON.stringify([keys, engine.log])).not.toContain('61400000000')
  })
})

describe('while Redis is away', () => {
  test('a vendor is told to come again, and then it counts', async () => {
    const { body, headers } = slack(button(`ack:${incident.id}`))
    await redis.redis.call('CLIENT', 'PAUSE', '60000', 'WRITE')
    const refused = await post('/callbacks/slack', body, headers)
    expect(refused.status).toBe(503)
    await redis.redis.call('CLIENT', 'UNPAUSE')
    expect((await post('/callbacks/slack', body, headers)).status).toBe(200)
    expect(await state()).toBe('acknowledged by ada (Slack)')
  })
})

test('a vendor whose secret is not set is not listened to', async () => {
  await using plain = await startEngine({ config: 'route: { receiver: a }\nreceivers: [{ name: a }]\n' })
  for (const path of ['slack', 'pagerduty', 'twilio/status', 'twilio/sms']) {
    const answer = await fetch(`${plain.url}/callbacks/${path}`, {
      method: 'POST',
      body: '{}',
      headers: { 'X-Slack-Signature': 'v0=' },
    })
    expect([path, answer.status]).toEqual([path, 404])
  }
})

test('the secrets of callbacks stand in no answer and no line of the log', async () => {
  const shown = await (await fetch(`${engine.url}/api/v2/status`, { headers: as('admin') })).text()
  for (const secret of ['slack-secret', 'pagerduty-secret', 'twilio-token', 'old-secret'])
    expect(shown + JSON.stringify(engine.log)).not.toContain(secret)
  expect(shown).not.toContain('callbacks')
})
