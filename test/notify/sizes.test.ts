import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Alert } from '../../src/alert/alert.ts'
import { email } from '../../src/notify/email.ts'
import type { Channel } from '../../src/notify/notifier.ts'
import { pagerduty } from '../../src/notify/pagerduty.ts'
import { slack } from '../../src/notify/slack.ts'
import { sms } from '../../src/notify/sms.ts'
import { webhook } from '../../src/notify/webhook.ts'
import { alertOf } from '../helpers/alerts.ts'
import { type Received, openHttpSink, pagerdutyAnswer, slackAnswer, twilioAnswer } from '../helpers/http-sink.ts'
import { at, notificationOf } from '../helpers/notification.ts'
import { openSmtpSink } from '../helpers/smtp-sink.ts'
import { open } from './contract.ts'

// A message of any size goes out: whatever the alerts say and however many there are, each channel is sent what it takes.

const runbook = 'https://runbooks.example.com/1'

function many(count: number, annotation: (n: number) => string): Alert[] {
  return Array.from({ length: count }, (_, n) =>
    alertOf(
      { alertname: 'A', severity: 'critical', instance: `host-${n}`, team: 'database' },
      {
        startsAt: at - 60_000,
        annotations: new Map([
          ['summary', annotation(n)],
          ['description', annotation(n)],
          ['runbook_url', runbook],
        ]),
        generatorURL: `http://prometheus.example.com/graph?n=${n}`,
        fingerprint: createHash('sha256').update(String(n)).digest('hex').slice(0, 16),
      },
    ),
  )
}

const megabyte = 1024 * 1024
const groups: Record<string, () => Alert[]> = {
  'a megabyte of letters': () => many(1, () => 'word '.repeat(megabyte / 5)),
  'a megabyte without a space': () => many(1, () => 'x'.repeat(megabyte)),
  'a megabyte of emoji': () => many(1, () => '👨‍👩‍👧‍👦'.repeat(megabyte / 25)),
  'a megabyte of marks on one letter': () => many(1, () => `a${'\u0301'.repeat(megabyte / 2)}`),
  'a megabyte of what Slack escapes': () => many(1, () => '&<>'.repeat(megabyte / 3)),
  'a megabyte of control characters': () => many(1, () => '\u0000\u202e\r\n'.repeat(megabyte / 6)),
  '10,000 alerts': () => many(10_000, (n) => `summary of ${n}`),
  '10,000 resolved alerts': () =>
    many(10_000, (n) => `summary of ${n}`).map((alert) => ({ ...alert, endsAt: at - 1, endedBy: 'sender' })),
}

async function sendOver(channel: Channel, settings: Record<string, unknown>, alerts: Alert[]) {
  const notifier = open(channel, { ...settings, send_resolved: true })
  try {
    return await notifier.send(notifier.compose(notificationOf(alerts)), AbortSignal.timeout(60_000))
  } finally {
    notifier.close?.()
  }
}

interface Way {
  channel: Channel
  answer: (request: Received) => { status?: number; body?: string }
  settings: (url: string) => Record<string, unknown>
  holds: (body: string) => void
}

const lengths = (value: unknown): number[] =>
  typeof value === 'string'
    ? [value.length]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(lengths)
      : []

const ways: Record<string, Way> = {
  "Slack, the table's": {
    channel: slack,
    answer: slackAnswer,
    settings: (url) => ({ ...slack.fromTeam('x')[0], api_url: url }),
    holds(body) {
      const [attachment] = JSON.parse(body).attachments
      expect(attachment.title.length).toBeLessThanOrEqual(1024)
      expect(attachment.text.length).toBeLessThanOrEqual(4000)
      expect(lengths(JSON.parse(body)).reduce((sum, length) => sum + length, 0)).toBeLessThan(40_000)
      expect(attachment.title_link).toMatch(/^http/)
    },
  },
  "Slack, Alertmanager's": {
    channel: slack,
    answer: slackAnswer,
    settings: (url) => ({ api_url: url }),
    holds: (body) => expect(body.length).toBeLessThan(40_000),
  },
  PagerDuty: {
    channel: pagerduty,
    answer: pagerdutyAnswer,
    settings: (url) => ({ ...pagerduty.fromTeam('R0UT1NG')[0], url: `${url}/v2/enqueue` }),
    holds(body) {
      expect(Buffer.byteLength(body)).toBeLessThan(512 * 1024)
      const { payload, links, dedup_key } = JSON.parse(body)
      expect(payload.summary.length).toBeLessThanOrEqual(1024)
      expect(dedup_key.length).toBeLessThanOrEqual(255)
      expect(payload.custom_details.num_firing + payload.custom_details.num_resolved).toBeGreaterThan(0)
      expect(links[0]).toEqual({ href: runbook, text: 'Runbook' })
    },
  },
  SMS: {
    channel: sms,
    answer: twilioAnswer,
    settings: (url) => ({
      to: '+61400000000',
      from: '+15005550006',
      account_sid: 'AC1',
      auth_token: 't',
      api_url: url,
    }),
    holds(body) {
      const text = new URLSearchParams(body).get('Body') ?? ''
      expect(text.length).toBeLessThanOrEqual(480)
      expect(text).toContain(runbook)
    },
  },
  webhook: {
    channel: webhook,
    answer: () => ({ status: 200 }),
    settings: (url) => ({ url }),
    holds: (body) => expect(JSON.parse(body).truncatedAlerts).toBe(0),
  },
  'a webhook that takes no more than a megabyte': {
    channel: webhook,
    answer: ({ body }) => ({ status: body.length > 3.5 * megabyte ? 413 : 200 }),
    settings: (url) => ({ url }),
    holds: (body) => expect(body.length).toBeLessThan(3.5 * megabyte),
  },
}

test.each(
  Object.entries(ways).flatMap(([way, how]) =>
    Object.entries(groups).map(([size, alerts]) => ({ way, how, size, alerts })),
  ),
)(
  '$way: $size',
  async ({ how, alerts }) => {
    await using sink = await openHttpSink(how.answer)
    expect(await sendOver(how.channel, how.settings(sink.url), alerts())).toMatchObject({ state: 'delivered' })
    how.holds(sink.requests.at(-1)?.body ?? '')
  },
  60_000,
)

test.each(
  ["the table's", "Alertmanager's"].flatMap((whose) =>
    Object.entries(groups).map(([size, alerts]) => ({ whose, size, alerts })),
  ),
)(
  'mail, $whose: $size',
  async ({ whose, alerts }) => {
    await using sink = await openSmtpSink()
    const settings = whose === "the table's" ? email.fromTeam('a@example.com')[0] : { to: 'a@example.com' }
    const wanted = { ...settings, from: 'tocsin@example.com', smarthost: sink.smarthost, require_tls: false }
    expect(await sendOver(email, wanted, alerts())).toEqual({ state: 'delivered' })
    expect(sink.mails[0]?.raw.length).toBeLessThan(10 * megabyte)
  },
  60_000,
)
