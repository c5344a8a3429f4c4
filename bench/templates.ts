// npm run bench:templates [-- --quick]: what Slack's default message costs to render. The floor is a function that builds
// the same texts by hand: what no template language gets below.
import { loadConfig } from '../src/config/load.ts'
import { channels } from '../src/notify/index.ts'
import { escapeSlack } from '../src/notify/slack-message.ts'
import type { Notification } from '../src/notify/notifier.ts'
import { alertOf } from '../test/helpers/alerts.ts'
import { at, notificationOf } from '../test/helpers/notification.ts'
import { machine, print, processorSeconds, spread } from './print.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 3 : 9
const ROUND_MS = quick ? 100 : 400

const config = loadConfig('bench.yml', {
  text: `
route: { receiver: slack }
receivers: [{ name: slack, slack_configs: [{ api_url: 'https://hooks.slack.com/services/T0/B0/x', channel: '#ops' }] }]
`,
  env: {},
  sandbox: false,
  channels,
})
const [integration] = config.integrations.values()
if (!integration) throw new Error('the receiver has no integration')
const slack = integration.open()

const alertsOf = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    alertOf(
      { alertname: 'DiskFull', instance: `db-${n}:9100`, job: 'node', severity: 'critical', team: 'database' },
      {
        startsAt: at - 60_000,
        annotations: new Map([
          ['summary', `Disk full on db-${n}`],
          ['description', 'Volume <data> is above 95% & growing'],
        ]),
        generatorURL: `http://prometheus.example.com/graph?g0.expr=disk&g0.tab=${n}`,
      },
    ),
  )

/** The payload that the default definitions give, by hand. */
function byHand({ data }: Notification) {
  const firing = data.alerts.filter(({ status }) => status === 'firing').length
  const names = [...data.groupLabels.keys()].sort()
  const grouped = names.map((name) => data.groupLabels.get(name)).join(' ')
  const others = [...data.commonLabels.keys()].filter((name) => !data.groupLabels.has(name)).sort()
  const common = others.length > 0 ? `(${others.map((name) => data.commonLabels.get(name)).join(' ')})` : ''
  const count = data.status === 'firing' ? `:${firing}` : ''
  const subject = escapeSlack(`[${data.status.toUpperCase()}${count}] ${grouped} ${common}`)
  const url = `${data.externalURL}/#/alerts?receiver=${encodeURIComponent(data.receiver)}`
  return {
    channel: '#ops',
    username: 'Alertmanager',
    attachments: [
      {
        title: subject,
        title_link: url,
        text: '',
        fallback: `${subject} | ${escapeSlack(url)}`,
        callback_id: '',
        footer: '',
        color: data.status === 'firing' ? 'danger' : 'good',
        mrkdwn_in: ['fallback', 'pretext', 'text'],
      },
    ],
  }
}

/** Calls a processor second. */
function rateOf(run: () => unknown): number {
  let calls = 0
  const end = performance.now() + ROUND_MS
  const seconds = processorSeconds(() => {
    for (; performance.now() < end; calls += 10) for (let i = 0; i < 10; i++) run()
  })
  return calls / seconds
}

print(machine())
print(`Slack's default message, ${ROUNDS} rounds of ${ROUND_MS} ms (minimum / median / maximum)`)
print(`${'alerts'.padEnd(8)}${'messages/s'.padEnd(30)}${'by hand/s'.padEnd(36)}as ratio`)
for (const count of [1, 10, 100]) {
  const notification = notificationOf(alertsOf(count))
  const ours = JSON.stringify(slack.compose(notification).payload)
  const floor = JSON.stringify(byHand(notification))
  if (ours !== floor) throw new Error(`the messages differ:\n${ours}\n${floor}`)
  const [rates, floors, ratios]: number[][] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    const rate = rateOf(() => slack.compose(notification))
    const hand = rateOf(() => byHand(notification))
    rates?.push(rate)
    floors?.push(hand)
    ratios?.push(rate / hand)
  }
  print(
    `${String(count).padEnd(8)}${spread(rates ?? []).padEnd(30)}${spread(floors ?? []).padEnd(36)}${spread(ratios ?? [], 4)}`,
  )
}
