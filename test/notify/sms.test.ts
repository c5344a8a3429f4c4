import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fit, plainText, sizeOf } from '../../src/notify/gsm.ts'
import { referenceOf, sms } from '../../src/notify/sms.ts'
import { alertOf } from '../helpers/alerts.ts'
import { type Answer, openHttpSink, twilioAnswer } from '../helpers/http-sink.ts'
import { diskFull, notificationOf } from '../helpers/notification.ts'
import { attempt, contract, open } from './contract.ts'

const failed = (reason: string, rest = {}) => ({ state: 'failed' as const, reason, ...rest }) as never
const json = { 'Content-Type': 'application/json' }
const twilio = (status: number, code: number) => ({
  status,
  headers: json,
  body: JSON.stringify({ code, message: 'no', status }),
})
const settings = (url: string) => ({
  to: '+61400000000',
  from: '+15005550006',
  account_sid: 'AC1',
  auth_token: 's3cret',
  api_url: url,
})

contract(
  sms,
  settings,
  [
    {
      name: '201 is delivered',
      answer: { status: 201, headers: json, body: '{"sid":"SM1","status":"queued"}' },
      outcome: { state: 'delivered', id: 'SM1' } as never,
    },
    {
      name: '429 waits as told',
      answer: { ...twilio(429, 20429), headers: { ...json, 'Retry-After': '2' } },
      outcome: failed('rate limited', { retryAfter: 2000 }),
    },
    {
      name: 'a number that is none',
      answer: twilio(400, 21211),
      outcome: failed('rejected', { detail: 'HTTP 400: 21211 no' }),
    },
    { name: 'a number that said STOP', answer: twilio(400, 21610), outcome: failed('rejected') },
    { name: 'bad credentials', answer: twilio(401, 20003), outcome: failed('unauthorised') },
    { name: '404', answer: twilio(404, 20404), outcome: failed('client error') },
    { name: 'what a 500 left behind is not known', answer: twilio(500, 0), outcome: { state: 'unknown' } },
    { name: 'taken and never answered', answer: { fault: 'hang' }, outcome: { state: 'unknown' } },
    { name: 'taken and reset', answer: { fault: 'reset' }, outcome: { state: 'unknown' } },
  ],
  { content: { status: 201, headers: json, body: '{"sid":"SM1"}' }, flood: 'unknown', serverError: 'unknown' },
)

test('a text goes out as Twilio takes it', async () => {
  await using sink = await openHttpSink(twilioAnswer)
  const notifier = open(sms, settings(sink.url))
  expect(await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))).toMatchObject({
    state: 'delivered',
  })
  const form = new URLSearchParams(sink.requests[0]?.body)
  expect(Object.fromEntries(form)).toEqual({
    To: '+61400000000',
    From: '+15005550006',
    Body: `CRITICAL database: Disk full on db-1. Volume <data> is above 95% & growing ${diskFull.generatorURL} #KNWN`,
    ValidityPeriod: '3600',
  })
})

test('one entry a number', () => {
  expect(sms.fromTeam(['+61400000000', '+61400000001'])).toEqual([{ to: '+61400000000' }, { to: '+61400000001' }])
})

test.each(['0400000000', '+', '+61 400', 'x'])('%j is no number', (to) => {
  expect(sms.read({ ...settings('http://x.invalid'), to })).toMatchObject({ ok: false })
})

test('a long text is cut to its segments, the link kept', () => {
  const wordy = alertOf(
    { alertname: 'A' },
    {
      annotations: new Map([
        ['summary', 'word '.repeat(500)],
        ['runbook_url', 'https://r.example.com/1'],
      ]),
    },
  )
  const { text, payload } = open(sms, settings('http://x.invalid')).compose(notificationOf([wordy]))
  expect(payload).toMatchObject({ segments: 3, encoding: 'GSM-7' })
  expect(text).toMatch(/[word]\.\.\. https:\/\/r\.example\.com\/1 #[A-Z]{4}$/)
})

describe('GSM-7', () => {
  test.each([
    ['a'.repeat(160), 'GSM-7', 1],
    ['a'.repeat(161), 'GSM-7', 2],
    ['€'.repeat(80), 'GSM-7', 1],
    ['€'.repeat(81), 'GSM-7', 2],
    ['ж'.repeat(70), 'UCS-2', 1],
    ['ж'.repeat(71), 'UCS-2', 2],
    ['😀'.repeat(35), 'UCS-2', 1],
    ['', 'GSM-7', 1],
  ])('%s', (text, encoding, segments) => {
    expect(sizeOf(text)).toEqual({ encoding, segments })
  })

  test.each([
    ['“quoted” – it’s…', '"quoted" - it\'s...'],
    ['Zoë Čech', 'Zoe Cech'],
    ['naïve café', 'naive café'],
    ['a\u202eb\u0007c\u200bd', 'abcd'],
    ['жук', 'жук'],
  ])('%j becomes %j', (text, plain) => {
    expect(plainText(text)).toBe(plain)
  })

  test('what is fitted fits, ends in its link, and is cut between graphemes', () => {
    const anyText = fc.string({ unit: 'grapheme', maxLength: 600 })
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 3 }), (text, segments) => {
        const fitted = fit(text, 'https://t.example', segments)
        expect(sizeOf(fitted).segments).toBeLessThanOrEqual(segments)
        expect(fitted.endsWith('https://t.example')).toBe(true)
        expect(fitted).not.toMatch(/\p{Surrogate}/u)
      }),
    )
  })
})

describe("Twilio's codes", () => {
  test.each<[number, string, number?]>([
    // code  what becomes of it  waits at least
    [20429, 'rate limited'],
    [63017, 'rate limited'],
    [30001, 'rate limited', 30_000],
    [30022, 'rate limited', 30_000],
    [21611, 'rate limited', 30_000],
    [14107, 'rate limited', 30_000],
    [30003, 'server error'],
    [21211, 'rejected'],
    [21610, 'rejected'],
    [21612, 'rejected'],
    [21614, 'rejected'],
    [21635, 'rejected'],
    [30005, 'rejected'],
    [30006, 'rejected'],
    [30007, 'rejected'],
    [20003, 'unauthorised'],
    [21606, 'unauthorised'],
    [21608, 'unauthorised'],
    [99999, 'client error'],
  ])('%d is %s', async (code, reason, retryAfter) => {
    await using sink = await openHttpSink(twilio(400, code))
    const outcome = await attempt(open(sms, settings(sink.url)))
    expect(outcome).toMatchObject({ state: 'failed', reason, detail: expect.stringContaining(String(code)) })
    expect('retryAfter' in outcome ? outcome.retryAfter : undefined).toBe(retryAfter)
    expect(sink.requests).toHaveLength(1)
  })

  test('the same stands in a text that was taken and has failed already', async () => {
    await using sink = await openHttpSink({
      status: 201,
      headers: json,
      body: '{"sid":"SM1","status":"failed","error_code":21610}',
    })
    expect(await attempt(open(sms, settings(sink.url)))).toMatchObject({ state: 'failed', reason: 'rejected' })
  })

  test('a handset that is off is tried once more', async () => {
    await using sink = await openHttpSink(twilio(400, 30003))
    const notifier = open(sms, settings(sink.url))
    const outcomes = []
    for (const nth of [1, 2])
      outcomes.push(
        await notifier.send(
          notifier.compose(notificationOf([diskFull], { attempt: nth })),
          AbortSignal.timeout(10_000),
        ),
      )
    expect(outcomes).toMatchObject([{ reason: 'server error' }, { reason: 'rejected' }])
  })

  test.each([20429, 21211])('a 429 was never processed, whatever the code: %d', async (code) => {
    await using sink = await openHttpSink({ ...twilio(429, code), headers: { ...json, 'Retry-After': '5' } })
    expect(await attempt(open(sms, settings(sink.url)))).toMatchObject({ reason: 'rate limited', retryAfter: 5000 })
  })
})

describe('whether a text arrived', () => {
  const reference = referenceOf(notificationOf().id)
  const at = notificationOf().at
  const item = (body: string, { status = 'delivered', age = 60_000 } = {}) => ({
    sid: 'SM1',
    body,
    status,
    to: '+61400000000',
    date_created: new Date(at - age).toUTCString(),
    date_sent: null,
  })
  const page = (messages: unknown[], next: string | null = null): Answer => ({
    headers: json,
    body: JSON.stringify({ messages, next_page_uri: next && `/2010-04-01/Accounts/AC1/Messages.json?Page=${next}` }),
  })
  const ours = item(`x #${reference}`)
  const other = item('x #BCDF')

  test.each<[string, Answer[], string, number]>([
    ['it is the newest', [page([ours, other])], 'arrived', 1],
    ['it still waits', [page([item(`x #${reference}`, { status: 'queued' })])], 'arrived', 1],
    ['it is on the second page', [page([other], '1'), page([ours])], 'arrived', 2],
    ['it failed', [page([item(`x #${reference}`, { status: 'failed' })])], 'not there', 1],
    ['it was undelivered', [page([item(`x #${reference}`, { status: 'undelivered' })])], 'not there', 1],
    ['others did', [page([other])], 'not there', 1],
    ['none did', [page([])], 'not there', 1],
    ['the others are of the day before', [page([item('x', { age: 25 * 3_600_000 })], '1')], 'not there', 1],
    ['there is no end of pages', [page([other], '1')], 'cannot tell', 5],
    ['nobody may ask', [twilio(401, 20003)], 'cannot tell', 1],
    ['Twilio is away', [{ status: 503 }], 'cannot tell', 1],
    ['the answer breaks off', [{ fault: 'reset' }], 'cannot tell', 1],
    ['the answer is no list', [{ body: '<html>' }], 'cannot tell', 1],
  ])('%s', async (_name, answers, wanted, requests) => {
    await using sink = await openHttpSink((_request, nth) => answers[Math.min(nth, answers.length) - 1] ?? {})
    const notifier = open(sms, settings(sink.url))
    const sent = notifier.compose(notificationOf([diskFull], { id: `${notificationOf().id}.0123abcd` }))
    expect(await notifier.reconcile?.(sent, AbortSignal.timeout(10_000))).toBe(wanted)
    expect(sink.requests).toHaveLength(requests)
    expect(sink.requests[0]?.path).toBe('/2010-04-01/Accounts/AC1/Messages.json?To=%2B61400000000&PageSize=100')
    expect(sink.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('AC1:s3cret').toString('base64')}`)
  })

  test('nobody listens', async () => {
    const sink = await openHttpSink()
    await sink[Symbol.asyncDispose]()
    const notifier = open(sms, settings(sink.url))
    expect(await notifier.reconcile?.(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))).toBe(
      'cannot tell',
    )
  })

  test('the reference is of the notification, whatever it came to say', () => {
    expect(referenceOf('a-b.0123abcd')).toBe(referenceOf('a-b.89abcdef'))
    expect(referenceOf('a-b')).not.toBe(referenceOf('a-c'))
    expect(referenceOf('a-b')).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}$/)
  })
})

describe('what a text says', () => {
  const textOf = (annotations: Record<string, string>, rest = {}) =>
    open(sms, { ...settings('http://x.invalid'), ...rest }).compose(
      notificationOf([{ ...diskFull, annotations: new Map(Object.entries(annotations)) }]),
    )

  test('it says it may be a repeat, and keeps its reference', () => {
    const notifier = open(sms, settings('http://x.invalid'))
    const [first, second] = [{}, { possibleRepeat: true, attempt: 2 }].map(
      (rest) => notifier.compose(notificationOf([diskFull], rest)).text,
    )
    expect(second).toBe(`(possible repeat) ${first}`)
  })

  test('it says whom it stands in for', () => {
    const notifier = open(sms, settings('http://x.invalid'))
    const own = notifier.compose(notificationOf()).text
    const instead = { insteadOf: 'database', possibleRepeat: true }
    expect(notifier.compose(notificationOf([diskFull], instead)).text).toBe(
      `(possible repeat) (instead of database) ${own}`,
    )
  })

  test('no link but to what it is about', () => {
    const { text } = textOf({
      summary: 'click https://evil.example/x or www.evil.example now',
      runbook_url: 'https://r.example/1',
    })
    expect(text).toMatch(/click {2}or {2}now\.? .*https:\/\/r\.example\/1 #[A-Z]{4}$/)
  })

  test('no link at all where texts with one are thrown away', () => {
    expect(
      textOf({ summary: 's https://r.example', runbook_url: 'https://r.example' }, { to: '+8613800000000' }).text,
    ).not.toContain('http')
  })

  test('a page is worth an hour, anything else as long as Twilio keeps it', () => {
    const notifier = open(sms, settings('http://x.invalid'))
    expect(notifier.compose(notificationOf()).payload).toMatchObject({ validityPeriod: 3600 })
    expect(notifier.compose(notificationOf([diskFull], { severity: 'info' })).payload).toMatchObject({
      validityPeriod: 36_000,
    })
  })

  test('Twilio is told where to report, where there is such a place', async () => {
    await using sink = await openHttpSink(twilioAnswer)
    await attempt(open(sms, settings(sink.url), { statusCallback: 'https://tocsin.example.com/callbacks/twilio' }))
    expect(new URLSearchParams(sink.requests[0]?.body).get('StatusCallback')).toBe(
      'https://tocsin.example.com/callbacks/twilio',
    )
  })

  test('what it costs are its segments, and its destination is its sender', () => {
    const long = textOf({ summary: 'ж'.repeat(500) })
    expect(long.cost).toBe(3)
    expect(long.destination).toBe(textOf({ summary: 'x' }, { to: '+61400000001' }).destination)
    expect(long.destination).not.toBe(textOf({ summary: 'x' }, { from: '+15005550007' }).destination)
  })

  test('whatever an alert says: it fits, is well-formed, and holds no control or direction character', () => {
    const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u
    const anyText = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 3000 }),
      fc.string({ unit: 'grapheme-composite', maxLength: 800 }),
      fc.string({ maxLength: 3000 }),
    )
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 10 }), (summary, max_segments) => {
        const { text, cost } = textOf({ summary }, { max_segments })
        expect(cost).toBe(sizeOf(text).segments)
        expect(cost).toBeLessThanOrEqual(max_segments)
        expect(text.length).toBeLessThanOrEqual(1600)
        expect(text).not.toMatch(control)
        expect(text).toMatch(/#[A-Z]{4}$/)
      }),
    )
  })

  test.each([
    [`${'a'.repeat(152)}€${'a'.repeat(152)}`, 3], // the escape and its character go over together
    [`${'a'.repeat(151)}€${'a'.repeat(153)}`, 2],
    [`${'ж'.repeat(66)}😀${'ж'.repeat(66)}`, 3],
    [`${'ж'.repeat(65)}😀${'ж'.repeat(67)}`, 2],
  ])('no character is split over two segments', (text, segments) => {
    expect(sizeOf(text).segments).toBe(segments)
  })
})
