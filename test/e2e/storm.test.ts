import { expect, test } from 'vitest'
import { eventually, startEngine } from '../helpers/engine.ts'
import { openHttpSink, slackAnswer } from '../helpers/http-sink.ts'

const GROUPS = 1000
const ALERTS_PER_GROUP = 5
const CRITICALS = 5

test('5,000 alerts in 1,000 groups at once: each critical by itself and soon, all else in a digest, nothing forgotten', async () => {
  await using sink = await openHttpSink(slackAnswer)
  const config = `
severities:
  critical: { notify: [slack], group_wait: 0s, group_interval: 5m }
  warning: { notify: [slack], default: true, group_wait: 0s, group_interval: 5m }
teams: { platform: { default: true, slack: '${sink.url}/services/platform' } }
route: { group_by: [alertname, severity] }
`
  await using engine = await startEngine({ config })
  const startsAt = new Date().toISOString()
  const alert = (alertname: string, severity: string, instance: number) => ({
    labels: { alertname, severity, instance: `host-${instance}` },
    annotations: { summary: `${alertname} burns` },
    startsAt,
  })
  const storm = Array.from({ length: GROUPS }, (_none, group) =>
    Array.from({ length: ALERTS_PER_GROUP }, (_no, i) => alert(`Storm${group}`, 'warning', i)),
  ).flat()
  for (let from = 0; from < storm.length; from += 500)
    expect((await engine.post('/api/v2/alerts', storm.slice(from, from + 500))).status).toBe(200)
  const pages = Array.from({ length: CRITICALS }, (_none, i) => alert(`Page${i}`, 'critical', 0))
  expect((await engine.post('/api/v2/alerts', pages)).status).toBe(200)

  const ledger = () =>
    engine.get<{ open: number; ended: Record<string, number>; balanced: boolean }>('/api/tocsin/v1/ledger')
  const ended = await eventually(
    ledger,
    ({ ended: so, open }) => open === 0 && (so['delivered'] ?? 0) >= GROUPS + CRITICALS,
    90_000,
  )
  expect(ended).toMatchObject({ ended: { delivered: GROUPS + CRITICALS }, balanced: true })

  const messages = sink.requests.map(({ body }) => JSON.parse(body).attachments[0] as { title: string; text: string })
  for (const { labels } of pages) {
    const single = messages.filter(({ title }) => title.includes(`${labels.alertname} burns`))
    expect(single).toHaveLength(1)
  }
  // a few before the line was long, the criticals, and some digests
  expect(messages.length).toBeLessThan(30)
  const digested = messages.flatMap(({ title }) => /^\[FIRING\] \d+ alerts in (\d+) groups/.exec(title)?.[1] ?? [])
  expect(digested.length).toBeGreaterThan(0)
  const alone = messages.length - digested.length
  expect(digested.reduce((sum, count) => sum + Number(count), 0) + alone).toBe(GROUPS + CRITICALS)
}, 180_000)
