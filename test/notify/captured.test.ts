import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { webhookAlerts } from '../helpers/webhook-alerts.ts'
import { pagerduty } from '../../src/notify/pagerduty.ts'
import { slack } from '../../src/notify/slack.ts'
import { toNotification } from '../../src/pipeline/notification.ts'
import { toTemplateData } from '../../src/template/notification.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { notificationOf, templates } from '../helpers/notification.ts'
import { open } from './contract.ts'

interface Captured<Body> {
  step: string
  body: Body
}
interface WebhookBody {
  alerts: unknown[]
  groupLabels: Record<string, string>
  externalURL: string
  groupKey: string
  notification_reason: string
}

const read = <Body>(name: string): Captured<Body>[] =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))

const steps = new Map(read<WebhookBody>('webhook').map(({ step, body }) => [step, body]))
const settings = {
  slack: (url: string) => ({ api_url: url, channel: '#ops' }),
  pagerduty: (url: string) => ({ routing_key: 'R0UT1NGKEY0000000000000000000000', url: `${url}/v2/enqueue` }),
}

// The same groups that Alertmanager told its webhook of, told over the other channels.
test.each(
  [slack, pagerduty].flatMap((channel) =>
    read<object>(`${channel.name}-default`).map(({ step, body }) => ({ channel, name: channel.name, step, body })),
  ),
)("$name says what Alertmanager's says: $step", async ({ channel, step, body }) => {
  const told = steps.get(step)
  if (!told) throw new Error(`the webhook has no step ${step}`)
  const now = Date.UTC(2027, 0, 1)
  const { alerts } = webhookAlerts({ version: '4', alerts: told.alerts }, now)
  const data = toTemplateData(
    {
      receiver: 'team-db.all+1', // the payload has it quoted
      reason: told.notification_reason,
      groupLabels: new Map(Object.entries(told.groupLabels)),
      externalURL: told.externalURL,
      alerts,
    },
    now,
  )
  await using sink = await openHttpSink({
    status: channel === slack ? 200 : 202,
    body: channel === slack ? 'ok' : '{}',
  })
  const notifier = open(channel, channel === slack ? settings.slack(sink.url) : settings.pagerduty(sink.url))
  const message = notifier.compose(
    toNotification({ ...notificationOf(alerts), data, groupKey: told.groupKey }, templates),
  )
  expect(await notifier.send(message, AbortSignal.timeout(10_000))).toMatchObject({ state: 'delivered' })
  expect(JSON.parse(sink.requests[0]?.body ?? '')).toEqual(body)
})
