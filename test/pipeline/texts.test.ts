import { afterAll, beforeAll, expect, test } from 'vitest'
import { arrived, missArrivals } from '../../src/pipeline/texts.ts'
import { openHttpSink, twilioAnswer } from '../helpers/http-sink.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const sid = 'SM00000000000000000000000000000001' // as the fake Twilio calls each

/** A page by text message, whose fallback is a webhook. */
async function page(callbacks = 'callbacks: { twilio: { url: "https://tocsin.example.com" } }') {
  const twilio = await openHttpSink(twilioAnswer)
  const sink = await openHttpSink()
  const story = await tell(
    server,
    `
global: { twilio_account_sid: AC1, twilio_auth_token: t, twilio_from: "+15005550006", twilio_api_url: '${twilio.url}' }
route: { receiver: ops, group_by: [alertname], group_wait: 0s }
receivers:
  - { name: ops, fallback: lead, sms_configs: [{ to: "+61400000000" }] }
  - { name: lead, webhook_configs: [{ url: '${sink.url}' }] }
${callbacks}`,
    { deliverBy: 'channels' },
  )
  const endsAt = new Date(story.deps.clock.now() + 86_400_000).toISOString()
  await story.post({ labels: { alertname: 'A', severity: 'critical' }, endsAt })
  await story.advance('1s')
  return {
    story,
    twilio,
    sink,
    async [Symbol.asyncDispose]() {
      await story[Symbol.asyncDispose]()
      await Promise.all([twilio, sink].map((one) => one[Symbol.asyncDispose]()))
    },
  }
}

test.each(['undelivered', 'failed'] as const)(
  'a text message that Twilio calls %s is told by the fallback, once',
  async (status) => {
    await using told = await page()
    const { story, sink, twilio } = told
    expect(twilio.requests).toHaveLength(1)
    expect(new URLSearchParams(twilio.requests[0]?.body).get('StatusCallback')).toBe(
      'https://tocsin.example.com/callbacks/twilio/status',
    )
    await arrived(sid, status, '30003', story.deps)
    await arrived(sid, status, '30003', story.deps)
    await story.advance('10s')
    expect(sink.requests).toHaveLength(1)
  },
)

test('one of which nothing is heard within two minutes, too; one that arrived is not', async () => {
  await using told = await page()
  const { story, sink } = told
  await story.advance('1m')
  await missArrivals(story.deps)
  await story.advance('1s')
  expect(sink.requests).toHaveLength(0)
  await story.advance('1m')
  await missArrivals(story.deps)
  await story.advance('1s')
  expect(sink.requests).toHaveLength(1)

  await using well = await page()
  await arrived(sid, 'delivered', '', well.story.deps)
  await well.story.advance('5m')
  await missArrivals(well.story.deps)
  await well.story.advance('1s')
  expect(well.sink.requests).toHaveLength(0)
})

test('where Twilio cannot reach us, nothing is waited for', async () => {
  await using told = await page('')
  const { story, sink, twilio } = told
  expect(new URLSearchParams(twilio.requests[0]?.body).has('StatusCallback')).toBe(false)
  await story.advance('5m')
  await missArrivals(story.deps)
  expect(sink.requests).toHaveLength(0)
})

test('what was heard of before it was waited for is not overdue', async () => {
  await using told = await page()
  const { story, sink } = told
  const { store, clock } = story.deps
  await arrived(sid, 'delivered', '', story.deps)
  const about = await store.sms.page(sid)
  if (!about) throw new Error('nothing is known of the page')
  const early = 'SM00000000000000000000000000000002'
  expect(await store.sms.advance(early, 'delivered', clock.now(), '')).toBe(true)
  await arrived(early, 'delivered', '', story.deps)
  await store.sms.sent(early, about, clock.now())
  await story.advance('1s')
  await missArrivals(story.deps)
  await story.advance('1s')
  expect(sink.requests).toHaveLength(0)
  expect(await store.sms.overdue(clock.now())).toEqual([])
})

test('the four letters in a page name its incident, and no later one, to who answers from its number', async () => {
  await using twilio = await openHttpSink(twilioAnswer)
  await using story = await tell(
    server,
    `
global: { twilio_account_sid: AC1, twilio_auth_token: t, twilio_from: "+15005550006", twilio_api_url: '${twilio.url}' }
severities: { critical: { notify: [sms], incident: true, group_wait: 0s, group_interval: 1m } }
teams: { ops: { sms: "+61400000000" } }
incidents: { reopen_within: 1m }
route: { group_by: [alertname] }
`,
    { deliverBy: 'channels' },
  )
  const { store, clock } = story.deps
  const labels = { alertname: 'A', severity: 'critical', team: 'ops' }
  const later = (ms: number) => new Date(clock.now() + ms).toISOString()
  const references = () =>
    twilio.requests.map(({ body }) => /#([A-Z]{4})\b/.exec(new URLSearchParams(body).get('Body') ?? '')?.[1] ?? '')
  await story.post({ labels, endsAt: later(86_400_000) })
  await story.advance('1s')
  const [first = ''] = references()
  const [opened] = await store.incidents.list(1)
  expect(opened?.groupKey).toContain('A')
  expect(await store.sms.incidentOf('+61400000000', first)).toBe(opened?.id)
  expect(await store.sms.incidentOf('+61400000001', first)).toBeUndefined()

  await story.post({ labels, endsAt: later(0) })
  await story.advance('1h')
  await story.post({ labels, endsAt: later(86_400_000) })
  await story.advance('2m')
  const [reopened] = await store.incidents.list(1)
  expect(reopened?.id).not.toBe(opened?.id)
  expect(await store.sms.incidentOf('+61400000000', references().at(-1) ?? '')).toBe(reopened?.id)
  expect(await store.sms.incidentOf('+61400000000', first)).toBe(opened?.id)
})

test('where there is no incident they name nothing', async () => {
  await using told = await page()
  const { story, twilio } = told
  const text = new URLSearchParams(twilio.requests[0]?.body).get('Body') ?? ''
  const [, reference = ''] = /#([A-Z]{4})\b/.exec(text) ?? []
  expect(reference).not.toBe('')
  expect(await story.deps.store.sms.incidentOf('+61400000000', reference)).toBeUndefined()
})
