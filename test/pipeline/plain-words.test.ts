import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everywhere } from '../../src/model/egress.ts'
import { webhook } from '../../src/notify/webhook.ts'
import { inPlainWords } from '../../src/pipeline/plain-words.ts'
import { alertOf } from '../helpers/alerts.ts'
import { openHttpSink, pagerdutyAnswer, slackAnswer, twilioAnswer } from '../helpers/http-sink.ts'
import { diskFull, notificationOf, templates } from '../helpers/notification.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { openSmtpSink } from '../helpers/smtp-sink.ts'
import { type Story, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const fails = '{{ .Nope }}'
const said = (place: string) =>
  expect.stringMatching(
    new RegExp(`^\\[firing:1\\] g \\(a template failed: ${place}: template: .*can't evaluate field Nope`),
  )

/** What an integration is told of one alert; the template's failure must have been counted and logged, once. */
async function told(kind: string, settings: Record<string, unknown>): Promise<Story> {
  const receiver = { name: 'ops', [`${kind}_configs`]: [settings] }
  const route = { receiver: 'ops', group_by: ['group'], group_wait: '0s' }
  const story = await tell(server, JSON.stringify({ route, receivers: [receiver] }), { deliverBy: 'channels' })
  await story.fire('A')
  await story.advance('1ms')
  return story
}

async function failuresOf({ log, deps }: Story): Promise<unknown> {
  const { values } = await deps.metrics.templateErrors.get()
  expect(values.map(({ value }) => value)).toEqual([1])
  const lines = log.filter(({ message }) => /a template failed/.test(String(message)))
  expect(lines).toHaveLength(1)
  const [line] = lines
  return Array.isArray(line?.['failures']) ? line['failures'].map(({ field }: { field: string }) => field) : undefined
}

describe('Slack', () => {
  const all = {
    title: fails,
    channel: fails,
    username: `x${fails}`,
    icon_emoji: fails,
    icon_url: `https://x.invalid/${fails}`,
    title_link: fails,
    color: fails,
    text: 'all {{ len .Alerts }}',
    fields: [{ title: 'kept', value: fails }],
    actions: [{ type: 'button', text: 'Look', url: fails }],
  }

  test('people read plain words; where it goes is left to the webhook', async () => {
    await using sink = await openHttpSink(slackAnswer)
    await using story = await told('slack', { api_url: sink.url, ...all })
    const message: { attachments: object[] } = JSON.parse(sink.requests[0]?.body ?? '')
    expect(Object.keys(message)).toEqual(['attachments'])
    const [attachment] = message.attachments
    expect(attachment).toMatchObject({
      title: said('ops/slack/0 title'),
      text: 'all 1',
      fields: [{ title: 'kept', value: said('ops/slack/0 fields\\[0\\].value'), short: false }],
      actions: [{ type: 'button', text: 'Look', url: '' }],
    })
    for (const key of ['title_link', 'color']) expect(attachment).not.toHaveProperty(key)
    expect(await failuresOf(story)).toEqual(
      ['title', 'title_link', 'color', 'fields[0].value', 'actions[0].url', 'channel', 'username', 'icon_emoji']
        .concat('icon_url')
        .map((field) => `ops/slack/0 ${field}`),
    )
  })

  test('it is told once, however often it is tried', async () => {
    await using sink = await openHttpSink((request, nth) => (nth < 4 ? { status: 500 } : slackAnswer(request)))
    await using story = await told('slack', { api_url: sink.url, ...all })
    await story.advance('1m')
    expect(sink.requests).toHaveLength(4)
    expect(await failuresOf(story)).toHaveLength(9)
  })
})

describe('webhook', () => {
  test('a payload says it where it failed; its keys stay as they are written', async () => {
    await using sink = await openHttpSink()
    const payload = { text: fails, [`key ${fails}`]: 'kept', list: ['{{ .Status }}', { deep: fails }], n: '{{ 5 }}' }
    await using story = await told('webhook', { url: sink.url, payload })
    expect(JSON.parse(sink.requests[0]?.body ?? '')).toEqual({
      text: said('ops/webhook/0 payload.text'),
      [`key ${fails}`]: 'kept',
      list: ['firing', { deep: said('ops/webhook/0 payload.list\\[1\\].deep') }],
      n: 5,
    })
    expect(await failuresOf(story)).toContain('ops/webhook/0 a key of payload')
  })

  test('a number that JSON has not is what it reads as, beside a failure', async () => {
    await using sink = await openHttpSink()
    await using story = await told('webhook', { url: sink.url, payload: { text: fails, n: '{{ ".nan" }}' } })
    expect(JSON.parse(sink.requests[0]?.body ?? '')).toMatchObject({ n: '.nan' })
    expect(await failuresOf(story)).toHaveLength(1)
  })

  test.each([
    ['a branch that is a whole URL', `{{ if .Nope }}URL/a{{ else }}URL/longer{{ end }}`, ['/longer']],
    ['one that is cut short', `URL/${fails}`, []],
    ['one that is nothing else', fails, []],
  ])('a URL that fails, of %s', async (_what, url, paths) => {
    await using sink = await openHttpSink()
    await using story = await told('webhook', { url: url.replaceAll('URL', sink.url) })
    expect(sink.requests.map(({ path }) => path)).toEqual(paths)
    expect(await failuresOf(story)).toEqual(['ops/webhook/0 url'])
    if (paths.length > 0) return
    await story.advance('25h')
    const [letter] = await story.deps.store.deadLetters.list(1)
    expect(letter).toMatchObject({ reason: 'configuration' })
    expect(letter?.detail).toMatch(/^the template of ops\/webhook\/0 url failed: .*can't evaluate field Nope/)
    expect(letter?.detail).not.toContain(sink.url)
    expect(letter?.attempts).toBeGreaterThan(5) // somebody may mend it meanwhile
  })
})

test('in plain words too a payload is over the alerts that are kept', () => {
  const reading = webhook.read({
    url: 'http://x.invalid',
    max_alerts: 1,
    payload: { text: fails, n: '{{ len .Alerts }}' },
  })
  if (!reading.ok) throw new Error('the settings are bad')
  const { plain, failures } = inPlainWords(notificationOf([diskFull, alertOf({ alertname: 'B' })]), templates)
  expect(reading.open({ egress: everywhere }).compose(plain).payload).toMatchObject({ n: 1 })
  expect(failures).toHaveLength(1)
})

describe('mail', () => {
  const settings = (smarthost: string) => ({ smarthost, require_tls: false, from: 'a@x.example', to: 'b@x.example' })

  test('subject and parts say it; a header that fails is left out', async () => {
    await using sink = await openSmtpSink()
    const headers = { Subject: fails, 'Reply-To': fails }
    await using story = await told('email', {
      ...settings(sink.smarthost),
      headers,
      html: `<p>${fails}</p>`,
      text: 't',
    })
    const [sent] = sink.mails
    expect(sent?.mail.subject).toEqual(said('ops/email/0 headers.Subject'))
    expect(sent?.mail.html).toMatch(/ops\/email\/0 html: /)
    expect(sent?.mail.text).toBe('t')
    expect(sent?.mail.headers.has('reply-to')).toBe(false)
    expect(await failuresOf(story)).toHaveLength(3)
  })

  test.each([
    ['to', `${fails}, Ops <b@x.example>, oncall-${fails}@x.example, c@x.example`, ['b@x.example', 'c@x.example']],
    ['to', fails, undefined],
    ['from', `Team ${fails} <a@x.example>`, ['b@x.example']],
    ['from', `${fails}@x.example`, undefined],
  ])('%s: %s', async (key, template, recipients) => {
    await using sink = await openSmtpSink()
    await using story = await told('email', { ...settings(sink.smarthost), [key]: template })
    expect(sink.mails.map(({ to }) => to)).toEqual(recipients ? [recipients] : [])
    expect(await failuresOf(story)).toEqual([`ops/email/0 ${key}`])
    if (recipients) return
    await story.advance('25h')
    expect(await story.deps.store.deadLetters.list(1)).toMatchObject([
      { reason: 'configuration', detail: expect.stringContaining(`ops/email/0 ${key} failed: `) },
    ])
  })
})

describe('PagerDuty', () => {
  const key = '0123456789abcdef0123456789abcdef'

  test('its summary says it; what its rules go by falls back', async () => {
    await using sink = await openHttpSink(pagerdutyAnswer)
    const severity = `{{ if ${fails.slice(3, -3)} }}info{{ end }}`
    await using story = await told('pagerduty', {
      routing_key: `{{ if .Nope }}${key}{{ end }}`,
      url: `${sink.url}/v2/enqueue`,
      description: fails,
      severity,
      class: fails,
      client: fails,
      details: { runbook: fails },
      links: [{ href: fails, text: 'x' }],
    })
    const event: unknown = JSON.parse(sink.requests[0]?.body ?? '')
    expect(event).toMatchObject({
      routing_key: key,
      payload: {
        summary: said('ops/pagerduty/0 description'),
        severity: 'error',
        source: 'Tocsin',
        custom_details: { runbook: said('ops/pagerduty/0 details.runbook'), num_firing: 1 },
      },
    })
    for (const path of ['links', 'client', 'payload.class']) expect(event).not.toHaveProperty(path)
    expect(await failuresOf(story)).toContain('ops/pagerduty/0 routing_key')
  })

  test('a routing key that fails whole is an error of the configuration', async () => {
    await using sink = await openHttpSink(pagerdutyAnswer)
    await using story = await told('pagerduty', { routing_key: `${key.slice(1)}${fails}`, url: sink.url })
    await story.advance('25h')
    expect(sink.requests).toEqual([])
    const [letter] = await story.deps.store.deadLetters.list(1)
    expect(letter).toMatchObject({ reason: 'configuration' })
    expect(letter?.detail).not.toContain(key.slice(1))
  })
})

test('SMS', async () => {
  await using sink = await openHttpSink(twilioAnswer)
  const account = { account_sid: `AC${'0'.repeat(32)}`, auth_token: 'x', from: '+15005550006', api_url: sink.url }
  await using story = await told('sms', { ...account, to: '+61400000000', text: fails })
  const body = new URLSearchParams(sink.requests[0]?.body).get('Body')
  expect(body).toMatch(/^\[firing:1\] g \(a template failed: ops\/sms\/0 text: /)
  expect(await failuresOf(story)).toEqual(['ops/sms/0 text'])
})

test('labels of a route that fail are told once a notification, on one line', async () => {
  await using sink = await openHttpSink((_request, nth) => ({ status: nth < 4 ? 500 : 200 }))
  const labels = { one: fails, two: fails, three: 'x' }
  await using story = await tell(
    server,
    JSON.stringify({
      route: { receiver: 'ops', group_wait: '0s', labels },
      receivers: [{ name: 'ops', webhook_configs: [{ url: sink.url }] }],
    }),
    { deliverBy: 'channels' },
  )
  await story.fire('A')
  await story.advance('1m')
  expect(sink.requests).toHaveLength(4)
  expect(story.log.filter(({ message }) => /route labels failed/.test(String(message)))).toMatchObject([
    { failed: [{ label: 'one' }, { label: 'two' }] },
  ])
})
