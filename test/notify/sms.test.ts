import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fit, plainText, sizeOf } from '../../src/notify/gsm.ts'
import { sms } from '../../src/notify/sms.ts'
import { alertOf } from '../helpers/alerts.ts'
import { openHttpSink, twilioAnswer } from '../helpers/http-sink.ts'
import { diskFull, notificationOf } from '../helpers/notification.ts'
import { contract, open } from './contract.ts'

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

contract(sms, settings, [
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
])

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
    Body: `CRITICAL database: Disk full on db-1. Volume <data> is above 95% & growing ${diskFull.generatorURL}`,
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
  expect(text).toMatch(/[word]\.\.\. https:\/\/r\.example\.com\/1$/)
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
