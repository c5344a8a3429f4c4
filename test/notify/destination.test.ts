import { expect, test } from 'vitest'
import { email } from '../../src/notify/email.ts'
import type { Channel } from '../../src/notify/notifier.ts'
import { pagerduty } from '../../src/notify/pagerduty.ts'
import { slack } from '../../src/notify/slack.ts'
import { sms } from '../../src/notify/sms.ts'
import { webhook } from '../../src/notify/webhook.ts'
import { alertOf } from '../helpers/alerts.ts'
import { notificationOf } from '../helpers/notification.ts'
import { open } from './contract.ts'

const chat = 'https://slack.com/api/chat.postMessage'
const bot = { app_token: 's3cret', app_url: chat }
const mail = { to: 'a@example.com', from: 'b@example.com', smarthost: 'mail.example:587' }
const text = { to: '+61400000000', from: '+15005550006', account_sid: 'AC1', auth_token: 's3cret' }
const template = '{{ .CommonLabels.alertname }}'

/** What budgets and breakers count by, for two groups that differ in all that a template may say. */
function destinationsOf(channel: Channel, settings: Record<string, unknown>): string[] {
  const notifier = open(channel, settings)
  return ['A', 'B'].map((alertname) => notifier.compose(notificationOf([alertOf({ alertname })])).destination)
}

test.each<[string, Channel, Record<string, unknown>, Record<string, unknown>, boolean]>([
  [
    'a Slack webhook',
    slack,
    { api_url: 'https://h.example/s3cret' },
    { api_url: 'https://h.example/s3cret', title: 'x' },
    true,
  ],
  ['another Slack webhook', slack, { api_url: 'https://h.example/1' }, { api_url: 'https://h.example/2' }, false],
  ['another channel of a webhook', slack, { api_url: chat, channel: '#a' }, { api_url: chat, channel: '#b' }, false],
  ['another channel of a bot', slack, { ...bot, channel: '#a' }, { ...bot, channel: '#b' }, false],
  ['a routing key', pagerduty, { routing_key: 's3cret' }, { routing_key: 's3cret', severity: 'info' }, true],
  ['a routing key with space around it', pagerduty, { routing_key: ' s3cret\n' }, { routing_key: 's3cret' }, false],
  ['another routing key', pagerduty, { routing_key: 'a' }, { routing_key: 'b' }, false],
  ['a mail server', email, mail, { ...mail, to: 'c@example.com', from: 'd@example.com' }, true],
  ['another mail server', email, mail, { ...mail, smarthost: 'other.example:587' }, false],
  ['another port of a mail server', email, mail, { ...mail, smarthost: 'mail.example:25' }, false],
  ['a number that texts come from', sms, text, { ...text, to: '+61400000001' }, true],
  ['another such number', sms, text, { ...text, from: '+15005550007' }, false],
  ['a webhook', webhook, { url: 'https://a.example/x' }, { url: 'https://a.example/x', max_alerts: 5 }, true],
  ['another path of a webhook', webhook, { url: 'https://a.example/x' }, { url: 'https://a.example/y' }, false],
])('%s', (_name, channel, one, other, isSame) => {
  const [first] = destinationsOf(channel, one)
  const [second] = destinationsOf(channel, other)
  expect(first === second).toBe(isSame)
  for (const settings of [one, other]) {
    const notifier = open(channel, settings)
    const { to, destination } = notifier.compose(notificationOf())
    expect(notifier.fixed).toEqual({ to, destination }) // known before there is a message
  }
  expect(`${first} ${second}`).toMatch(new RegExp(`^${channel.name}-[0-9a-f]{16} ${channel.name}-[0-9a-f]{16}$`))
})

test.each<[string, Channel, Record<string, unknown>, number]>([
  ['a path of a template is one destination', webhook, { url: `https://a.example/${template}` }, 1],
  ['a host of a template is as many as there are', webhook, { url: `https://${template}.example/` }, 2],
  ['a channel of a template is as many as there are', slack, { api_url: 'https://h.example', channel: template }, 2],
  ['a routing key of a template is as many as there are', pagerduty, { routing_key: template }, 2],
  ['recipients of a template are one', email, { ...mail, to: `${template}@example.com` }, 1],
])('%s', (_name, channel, settings, count) => {
  expect(new Set(destinationsOf(channel, settings)).size).toBe(count)
  expect(open(channel, settings).fixed).toBeUndefined()
})
