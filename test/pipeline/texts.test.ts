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

test('the four letters in a page name its group to who answers from its number', async () => {
  await using told = await page()
  const { story, twilio } = told
  const text = new URLSearchParams(twilio.requests[0]?.body).get('Body') ?? ''
  const [, reference = ''] = /#([A-Z]{4})\b/.exec(text) ?? []
  const [group] = await story.deps.store.groups.ids()
  expect(await story.deps.store.sms.groupOf('+61400000000', reference)).toBe(group)
  expect(await story.deps.store.sms.groupOf('+61400000001', reference)).toBeUndefined()
})
