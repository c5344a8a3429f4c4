import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { retries } from '../../src/notify/notifier.ts'
import { cutMarkup, escapeSlack } from '../../src/notify/slack-message.ts'
import { slack } from '../../src/notify/slack.ts'
import { alertOf } from '../helpers/alerts.ts'
import { type Answer, openHttpSink, slackAnswer } from '../helpers/http-sink.ts'
import { at, diskFull, notificationOf } from '../helpers/notification.ts'
import { attempt, contract, open } from './contract.ts'

const failed = (reason: string, rest = {}) => ({ state: 'failed' as const, reason, ...rest }) as never

contract(
  slack,
  (url) => ({ api_url: `${url}/services/T0/B0/s3cret` }),
  [
    { name: 'ok is delivered', answer: { status: 200, body: 'ok' }, outcome: { state: 'delivered' } },
    { name: '200 that is not ok', answer: { status: 200, body: 'no_text' }, outcome: failed('client error') },
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
    { name: '404 is not', answer: { status: 404, body: 'no_service' }, outcome: failed('rejected') },
    {
      name: 'fatal_error may have been posted',
      answer: { status: 500, body: 'fatal_error' },
      outcome: { state: 'unknown' },
    },
    { name: 'taken and never answered', answer: { fault: 'hang' }, outcome: { state: 'unknown' } },
    { name: 'taken and reset', answer: { fault: 'reset' }, outcome: { state: 'unknown' } },
  ],
  { content: { status: 200, body: 'ok' }, flood: 'failed' },
)

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

test('a fallback is told whom it stands in for', () => {
  expect(tabled([diskFull], { insteadOf: 'data <base>' }).attachments[0]).toMatchObject({
    title: '(instead of data &lt;base&gt;) Disk full on db-1',
    fallback: expect.stringMatching(/^\(instead of data &lt;base&gt;\) /),
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

test("a secret's file that is not there is said, without its content", async () => {
  const notifier = open(slack, { api_url_file: '/nowhere/slack' })
  await expect(notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(1000))).rejects.toThrow(
    'cannot read /nowhere/slack: ENOENT',
  )
})

describe("Slack's words", () => {
  const retried = 'internal_error service_unavailable request_timeout rate_limited ratelimited'.split(' ')
  const never =
    'invalid_payload no_text too_many_attachments invalid_blocks msg_blocks_too_long channel_not_found not_in_channel channel_is_archived is_archived user_not_found action_prohibited posting_to_general_channel_denied restricted_action no_service no_service_id no_active_hooks no_team team_disabled invalid_token invalid_auth token_revoked token_expired account_inactive missing_scope message_limit_exceeded'.split(
      ' ',
    )
  const rows = [
    ...retried.map((word) => ({ word, isRetried: true })),
    ...never.map((word) => ({ word, isRetried: false })),
    { word: 'fatal_error', isRetried: undefined },
  ]
  const ways = {
    'of a webhook': (word: string) => ({ status: 400, body: word }),
    'of a webhook with 200': (word: string) => ({ status: 200, body: word }),
    'of the Web API': (word: string) => ({ status: 200, body: JSON.stringify({ ok: false, error: word }) }),
    'with a 500': (word: string) => ({ status: 500, body: word }),
  }

  test.each(Object.entries(ways).flatMap(([way, answer]) => rows.map((row) => ({ way, answer, ...row }))))(
    '$word $way: tried again $isRetried',
    async ({ word, answer, isRetried }) => {
      await using sink = await openHttpSink(answer(word))
      const outcome = await attempt(open(slack, { api_url: `${sink.url}/hook` }))
      expect(outcome.state).toBe(isRetried === undefined ? 'unknown' : 'failed')
      if (outcome.state === 'failed') {
        expect(retries[outcome.reason]).toBe(isRetried)
        expect(outcome.detail).toContain(word)
      }
      const isSaidAgain = word === 'invalid_blocks' || word === 'msg_blocks_too_long'
      expect(sink.requests).toHaveLength(isSaidAgain ? 2 : 1)
    },
  )

  test.each(['msg_blocks_too_long', 'invalid_blocks'])('%s: the same in plain words, once', async (word) => {
    await using sink = await openHttpSink((_request, nth) => (nth === 1 ? { status: 400, body: word } : { body: 'ok' }))
    const notifier = open(slack, { ...slack.fromTeam('x')[0], api_url: sink.url })
    expect(await attempt(notifier)).toEqual({ state: 'delivered' })
    expect(JSON.parse(sink.requests[1]?.body ?? '')).toEqual({
      username: 'Tocsin',
      text: `Disk full on db-1\nVolume &lt;data&gt; is above 95% &amp; growing\n<${diskFull.generatorURL.replaceAll('&', '&amp;')}|more>`,
    })
  })

  test.each([
    [{ status: 429, body: '{"retry_after":3.2}' }, 4000],
    [{ status: 429, body: '{"retry_after":3}', headers: { 'Retry-After': '9' } }, 9000],
    [{ status: 200, body: '{"ok":false,"error":"ratelimited"}', headers: { 'Retry-After': '30' } }, 30_000],
  ])('%j waits', async (answer, retryAfter) => {
    await using sink = await openHttpSink(answer)
    expect(await attempt(open(slack, { api_url: sink.url }))).toMatchObject({ reason: 'rate limited', retryAfter })
  })
})

describe('the Web API', () => {
  const posted = JSON.stringify({ ok: true, channel: 'C0123456', ts: '1763934000.000100', message: { text: 'x' } })
  const ways = {
    'app_token and app_url': (url: string) => ({ app_token: 's3cret', app_url: url }),
    'api_url and authorization': (url: string) => ({
      api_url: url,
      http_config: { authorization: { credentials: 's3cret' } },
    }),
  }
  const settings = (url: string) => ({
    ...ways['app_token and app_url'](`${url}/api/chat.postMessage`),
    channel: 'C0123456',
  })

  test.each(Object.entries(ways))('by %s', async (_name, way) => {
    await using sink = await openHttpSink({ body: posted })
    const notifier = open(slack, { ...way(`${sink.url}/api/chat.postMessage`), channel: '#ops' })
    expect(await attempt(notifier)).toEqual({ state: 'delivered', id: 'C0123456:1763934000.000100' })
    const [request] = sink.requests
    expect(request?.path).toBe('/api/chat.postMessage')
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer s3cret',
      'content-type': 'application/json; charset=utf-8',
    })
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      channel: '#ops',
      attachments: [{}],
      metadata: { event_type: 'tocsin_notification', event_payload: { notification: notificationOf().id } },
    })
  })

  test('an answer that is longer than is read is understood by its beginning', async () => {
    await using sink = await openHttpSink({ body: `${posted.slice(0, -2)}${'x'.repeat(100_000)}"}}` })
    expect(await attempt(open(slack, settings(sink.url)))).toMatchObject({
      state: 'delivered',
      id: 'C0123456:1763934000.000100',
    })
  })

  contract(
    slack,
    settings,
    [{ name: 'ok:true is delivered', answer: { body: posted }, outcome: { state: 'delivered' } }],
    { content: { body: posted }, flood: 'failed' },
  )

  const message = (notification: string) => ({
    text: 'x',
    metadata: { event_type: 'tocsin_notification', event_payload: { notification } },
  })
  const page = (messages: unknown[], next = '') => ({
    body: JSON.stringify({ ok: true, messages, has_more: next !== '', response_metadata: { next_cursor: next } }),
  })
  const { id } = notificationOf()

  test.each<[string, Answer[], string, number]>([
    ['it stands there', [page([{ text: 'y' }, message(id)])], 'arrived', 1],
    ['it stands on the second page', [page([{ text: 'y' }], 'more'), page([message(id)])], 'arrived', 2],
    ['others do', [page([message('other'), { text: 'y' }])], 'not there', 1],
    ['nothing does', [page([])], 'not there', 1],
    ['the scope is missing', [{ body: '{"ok":false,"error":"missing_scope"}' }], 'cannot tell', 1],
    ['it is away', [{ status: 503 }], 'cannot tell', 1],
    ['it breaks off', [{ fault: 'reset' }], 'cannot tell', 1],
    ['there is no end of pages', [page([{ text: 'y' }], 'more')], 'cannot tell', 5],
  ])('whether it arrived, where %s', async (_name, answers, wanted, requests) => {
    await using sink = await openHttpSink((_request, nth) => answers[Math.min(nth, answers.length) - 1] ?? {})
    const notifier = open(slack, settings(sink.url))
    const sent = notifier.compose(notificationOf([diskFull], { id: `${id}.0123abcd` }))
    expect(await notifier.reconcile?.(sent, AbortSignal.timeout(10_000))).toBe(wanted)
    expect(sink.requests).toHaveLength(requests)
    const query = new URL(sink.requests[0]?.path ?? '', sink.url)
    expect(query.pathname).toBe('/api/conversations.history')
    expect(Object.fromEntries(query.searchParams)).toMatchObject({ channel: 'C0123456', include_all_metadata: 'true' })
  })

  test('a webhook has no history, and a channel by name none that could be asked for', async () => {
    for (const given of [
      { api_url: 'https://hooks.slack.invalid/x' },
      { ...settings('http://x.invalid'), channel: '#ops' },
    ]) {
      const notifier = open(slack, given)
      expect(await notifier.reconcile?.(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))).toBe(
        'cannot tell',
      )
    }
  })
})

describe('limits', () => {
  const said = (settings: Record<string, unknown>, annotations: Record<string, string>, rest = {}) =>
    open(slack, { api_url: 'https://hooks.slack.invalid/x', ...settings }).compose(
      notificationOf([{ ...diskFull, annotations: new Map(Object.entries(annotations)), ...rest }]),
    ).payload as { text?: string; attachments: [Record<string, unknown> & { fields?: unknown[]; actions?: unknown[] }] }

  test('a text is cut, and its link kept', () => {
    const [{ text }] = said({ text: '{{ .CommonAnnotations.d }}' }, { d: 'word '.repeat(2000) }).attachments
    expect(text).toHaveLength(4000)
    expect(text).toMatch(/word?\s?…\n<http:\/\/tocsin\.example\.com\/#\/alerts\?receiver=[^|>]*\|more>$/)
  })

  test.each([
    ['an escape', '&'],
    ['an emoji', '👨‍👩‍👧‍👦'],
    ['a surrogate pair', '😀'],
  ])('%s is not cut in two', (_name, unit) => {
    for (let before = 0; before < 12; before++) {
      const [{ text }] = said(
        { text: '{{ .CommonAnnotations.d }}' },
        { d: 'x'.repeat(before) + unit.repeat(3000) },
      ).attachments
      expect(text).toMatch(/^x*(?:&amp;|👨‍👩‍👧‍👦|😀)+…\n</u)
    }
  })

  test('a link of the file that is cut leaves nothing open', () => {
    const text = '{{ .CommonAnnotations.d }}<https://a.example/b|see here>'
    for (const length of [3900, 3901, 3910, 3920, 3930])
      expect(said({ text }, { d: 'x'.repeat(length) }).attachments[0]['text']).toMatch(
        /^x+(?:…\n<\S+\|more>|<\S+\|see here>)$/,
      )
  })

  test('fields, buttons and links have their sizes', () => {
    const long = '{{ .CommonAnnotations.d }}'
    const actions = Array.from({ length: 9 }, () => ({ type: 'button', text: long, url: 'https://a.example' }))
    const fields = Array.from({ length: 12 }, () => ({ title: 't', value: long }))
    const [attachment] = said(
      { title: long, footer: long, callback_id: long, actions, fields },
      { d: 'x'.repeat(9000) },
    ).attachments
    expect(attachment['title']).toHaveLength(1024)
    expect(attachment['footer']).toHaveLength(300)
    expect(attachment['callback_id']).toHaveLength(255)
    expect(attachment.actions).toHaveLength(5)
    expect(attachment.actions?.[0]).toMatchObject({ text: `${'x'.repeat(74)}…` })
    expect(attachment.fields?.[0]).toMatchObject({ value: `${'x'.repeat(1999)}…` })
    expect(JSON.stringify(attachment).length).toBeLessThan(40_000)
  })

  test('a link that is too long gives way to one to Tocsin', () => {
    const generatorURL = `https://a.example/?q=${'x'.repeat(4000)}`
    const [entry = {}] = slack.fromTeam('https://hooks.slack.invalid/x')
    const [attachment] = said(entry, {}, { generatorURL }).attachments
    expect(attachment['title_link']).toBe('http://tocsin.example.com')
  })
})

test('a header that cannot be written is not written', async () => {
  await using sink = await openHttpSink()
  const http_config = { http_headers: { 'X-Note': { values: ['a\r\nX-Evil: b'] } } }
  const outcome = await attempt(open(slack, { api_url: sink.url, http_config }))
  expect(outcome).toMatchObject({ state: 'failed', reason: 'configuration' })
  expect(sink.requests).toHaveLength(0)
})

test('whatever a text holds, it is cut within its limit, and neither in an escape nor in a link', () => {
  const part = fc.constantFrom('&amp;', '&lt;', '&gt;', '<https://a.example|b>', '👨‍👩‍👧‍👦', 'e\u0301', 'word ', '\n')
  const text = fc.array(fc.oneof(part, fc.string({ unit: 'grapheme', maxLength: 5 }).map(escapeSlack)), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 40, max: 400 }),
      fc.constantFrom('', '\n<https://t.example|more>'),
      (parts, most, tail) => {
        const whole = parts.join('')
        const done = cutMarkup(whole, most, tail)
        expect(done.length).toBeLessThanOrEqual(most)
        if (done === whole) return
        expect(done.endsWith(`…${tail}`)).toBe(true)
        const kept = done.slice(0, done.length - tail.length - 1)
        expect(whole.startsWith(kept)).toBe(true)
        expect(kept.replace(/&(?:amp|lt|gt);/g, '').replace(/<[^<>]*>/g, '')).not.toMatch(/[&<>]/)
      },
    ),
    { numRuns: 1000 },
  )
})
