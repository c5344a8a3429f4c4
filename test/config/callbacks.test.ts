import { expect, test } from 'vitest'
import { load, problemsOf } from '../helpers/config.ts'

const file = (callbacks: string, global = '{}') => `route: { receiver: a }
receivers: [{ name: a }]
global: ${global}
callbacks: ${callbacks}
`

test('secrets of callbacks, as they stand there or in a file', () => {
  const text = file(
    '{ slack: { signing_secret: s }, pagerduty: { secrets_file: p }, twilio: { url: "https://x.example/t/" } }',
    '{ twilio_auth_token: t }',
  )
  const { callbacks } = load(text)
  expect(callbacks).toMatchObject({ pagerduty: { file: 'p' }, twilio: { url: 'https://x.example/t' } })
  const revealed = [callbacks.slack, callbacks.twilio?.token].map((source) =>
    source && 'values' in source ? source.values.map((one) => one.reveal()) : source,
  )
  expect(revealed).toEqual([['s'], ['t']])
  expect(JSON.stringify(callbacks)).not.toContain('"t"')
})

test.each(['', '{}', '{ slack: }'])('nothing is listened to with %j', (callbacks) => {
  expect(load(file(callbacks)).callbacks).toEqual({ slack: undefined, pagerduty: undefined, twilio: undefined })
})

test.each([
  ['{ slack: {} }', '4:14 callbacks.slack.signing_secret: is required; set signing_secret or signing_secret_file'],
  [
    '{ slack: { signing_secret: "" } }',
    '4:39 callbacks.slack.signing_secret: is required; set signing_secret or signing_secret_file',
  ],
  [
    '{ slack: { signing_secret: a, signing_secret_file: b } }',
    '4:63 callbacks.slack.signing_secret_file: cannot stand beside signing_secret; keep one of them',
  ],
  ['{ pagerduty: { secrets: [] } }', '4:36 callbacks.pagerduty.secrets: holds an empty secret, or none'],
  ['{ pagerduty: { secrets: [a, ""] } }', '4:36 callbacks.pagerduty.secrets: holds an empty secret, or none'],
  ['{ twilio: { auth_token: a } }', '4:14 callbacks.twilio.url: is required'],
  [
    '{ twilio: { url: "https://x.example" } }',
    '4:14 callbacks.twilio.auth_token: needs auth_token or auth_token_file (or twilio_auth_token in global): what Twilio signs with',
  ],
  [
    '{ twilio: { auth_token: a, url: x } }',
    '4:44 callbacks.twilio.url: is not a URL: it has no scheme; write it as https://host/path',
  ],
  ['{ teams: {} }', '4:14 callbacks.teams: unknown key "teams"; known: slack, pagerduty, twilio'],
])('%s: %s', (callbacks, problem) => {
  expect(problemsOf(file(callbacks))).toEqual([problem])
})
