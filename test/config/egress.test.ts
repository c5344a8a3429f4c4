import { describe, expect, test } from 'vitest'
import { openHttpSink, twilioAnswer } from '../helpers/http-sink.ts'
import { load, problemsOf } from '../helpers/config.ts'
import { notificationOf } from '../helpers/notification.ts'

const fileOf = (egress: string, url = 'https://a.example') =>
  `${egress}\nroute: { receiver: r }\nreceivers: [{ name: r, webhook_configs: [{ url: '${url}' }] }]\n`

describe('egress', () => {
  test.each([
    // the file says                                   an address of this machine is written to
    ['', true],
    ['egress:', true],
    ['egress: {}', true],
    ['egress: { allow_private: }', true],
    ['egress: { allow_private: true }', true],
    ['egress: { allow_private: yes }', true],
    ['egress: { allow_private: [127.0.0.0/8, fd00::/8] }', true],
    ['egress: { allow_private: [127.0.0.1] }', true],
    ['egress: { allow_private: ["::ffff:127.0.0.0/104"] }', true],
    ['egress: { allow_private: false }', false],
    ['egress: { allow_private: [] }', false],
    ['egress: { allow_private: [10.0.0.0/8] }', false],
  ])('%j reaches what delivers: %s', async (egress, allowed) => {
    await using sink = await openHttpSink()
    const config = load(fileOf(egress, sink.url))
    const notifier = config.integrations.get('r/webhook/0')?.open()
    const message = notifier?.compose(notificationOf())
    const outcome = message && (await notifier?.send(message, AbortSignal.timeout(10_000)))
    expect(outcome?.state).toBe(allowed ? 'delivered' : 'failed')
    expect(sink.requests).toHaveLength(allowed ? 1 : 0)
  })

  test.each([
    [
      'egress: { allow_private: maybe }',
      '1:26 egress.allow_private: must be true, false or a list of ranges of addresses, such as [10.0.0.0/8]',
    ],
    [
      'egress: { allow_private: 10.0.0.0/8 }',
      '1:26 egress.allow_private: must be true, false or a list of ranges of addresses, such as [10.0.0.0/8]',
    ],
    [
      'egress: { allow_private: [10.0.0.0/8, 10.0/8] }',
      '1:39 egress.allow_private.1: "10.0/8" is no range of addresses; write it as 10.0.0.0/8 or fd00::/8',
    ],
    [
      'egress: { allow_private: [5] }',
      '1:27 egress.allow_private.0: "5" is no range of addresses; write it as 10.0.0.0/8 or fd00::/8',
    ],
    [
      'egress: { allow_privat: true }',
      '1:11 egress.allow_privat: unknown key "allow_privat"; did you mean "allow_private"?',
    ],
  ])('%s', (egress, problem) => {
    expect(problemsOf(fileOf(egress))).toEqual([problem])
  })
})

test('where Twilio is to report follows from where its callbacks are awaited', async () => {
  await using sink = await openHttpSink(twilioAnswer)
  const config = load(`
global: { twilio_account_sid: AC1, twilio_auth_token: t, twilio_from: "+15005550006", twilio_api_url: "${sink.url}" }
callbacks: { twilio: { url: "https://tocsin.example.com/prefix/" } }
route: { receiver: r }
receivers: [{ name: r, sms_configs: [{ to: "+61400000000" }] }]
`)
  const notifier = config.integrations.get('r/sms/0')?.open()
  const message = notifier?.compose(notificationOf())
  expect(message && (await notifier?.send(message, AbortSignal.timeout(20_000)))).toMatchObject({ state: 'delivered' })
  const form = new URLSearchParams(sink.requests[0]?.body)
  expect(form.get('StatusCallback')).toBe('https://tocsin.example.com/prefix/callbacks/twilio/status')
  expect(form.get('Body')).toContain(`#${message?.reference}`)
})
