import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { longest as mailLimits } from '../../src/notify/email.ts'
import { channels } from '../../src/notify/index.ts'
import { retries } from '../../src/notify/notifier.ts'
import { pagerdutyStatuses } from '../../src/notify/pagerduty.ts'
import { longest as pagerdutyLimits } from '../../src/notify/pagerduty-event.ts'
import { slackWords } from '../../src/notify/slack-answers.ts'
import { longest as slackLimits } from '../../src/notify/slack-message.ts'
import { smtpReplies, smtpWords } from '../../src/notify/smtp.ts'
import { twilioCodes } from '../../src/notify/twilio.ts'
import type { Verdict } from '../../src/notify/verdict.ts'
import { webhookStatuses } from '../../src/notify/webhook.ts'

const doc = readFileSync(new URL('../../docs/channels.md', import.meta.url), 'utf8')
const sections = new Map(doc.split(/^## /m).map((section) => [section.split('\n')[0] ?? '', section]))

/** A section's rows, cell by cell, of the table with this heading. */
function rowsOf(section: string, heading: string): string[][] {
  const [, table = ''] = (sections.get(section) ?? '').split(`| ${heading} |`)
  const lines = table.split('\n').slice(2)
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

const quoted = (cell: string | undefined) => [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

describe('docs/channels.md lists what the code has', () => {
  test.each([
    ['Slack', slackWords],
    ['PagerDuty', pagerdutyStatuses],
    ['Mail', { ...smtpReplies, ...smtpWords }],
    ['SMS', twilioCodes],
    ['Webhook', webhookStatuses],
  ])("%s' answers", (section, verdicts) => {
    const documented = rowsOf(section, 'Answer').flatMap(([codes, means, then = '']) => {
      const seconds = /at least (\d+) s/.exec(then)?.[1]
      return quoted(codes).map((code) => [code, { means, ...(seconds && { wait: Number(seconds) * 1000 }) }])
    })
    const known: [string, Verdict][] = Object.entries(verdicts)
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(known))
    expect(documented).toHaveLength(known.length)
  })

  test('the reasons, and which are tried again', () => {
    const documented = rowsOf('What holds for all of them', 'Reason').map(([reason, again]) => [
      quoted(reason)[0],
      again?.startsWith('yes'),
    ])
    expect(Object.fromEntries(documented)).toEqual(retries)
  })

  test.each(channels.map((channel) => [channel.name, channel] as const))(
    "%s' deadline, budget and policy",
    (name, channel) => {
      const row = rowsOf('What holds for all of them', 'Channel').find(([first]) => first === name)
      expect(row?.[1]).toBe(`${channel.deadline / 1000} s`)
      const { burst, refill, inFlight } = channel.budget
      const rate =
        refill === 0
          ? `any rate, ${inFlight} at a time`
          : `${burst}${name === 'sms' ? ' segments' : ''} at once, then one each ${refill} ms`
      expect(row?.[2]).toBe(rate)
      const reading = channel.read(minimal[name])
      expect(reading).toMatchObject({ ok: true, onUnconfirmed: row?.[4] })
    },
  )

  test.each([
    ['Slack', slackLimits],
    ['PagerDuty', pagerdutyLimits],
    ['Mail', mailLimits],
  ])("%s' sizes", (section, limits) => {
    const [, sizes = ''] = (sections.get(section) ?? '').split('*Sizes*')
    for (const limit of Object.values(limits)) expect(sizes).toMatch(new RegExp(`\\b${limit}\\b`))
  })
})

const minimal = {
  slack: { api_url: 'https://hooks.slack.invalid/x' },
  pagerduty: { routing_key: 'x' },
  email: { to: 'a@example.com', from: 'b@example.com', smarthost: 'x.invalid:25' },
  sms: { to: '+61400000000', from: '+15005550006', account_sid: 'AC1', auth_token: 'x' },
  webhook: { url: 'https://a.example' },
}
