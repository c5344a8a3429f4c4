import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { startPrometheusWith } from '../helpers/prometheus.ts'
import { openRedis } from '../helpers/redis.ts'

// What is written for Alertmanager's metrics, as the alertmanager-mixin is, goes on working on a Tocsin that a real Prometheus takes for
// one: the same families by the same labels, which can be joined in the same ways.

const PATIENCE = 60_000

/** What dashboards of Alertmanager ask. */
const queries = [
  'sum by (instance) (alertmanager_alerts)',
  'sum by (instance) (rate(alertmanager_alerts_received_total[10s]))',
  'sum by (instance) (rate(alertmanager_alerts_invalid_total[10s]))',
  'sum by (integration) (rate(alertmanager_notifications_total{integration="webhook"}[10s]))',
  'sum by (integration) (rate(alertmanager_notifications_failed_total{integration="webhook"}[10s]))',
  'histogram_quantile(0.9, sum by (le) (rate(alertmanager_notification_latency_seconds_bucket{integration="webhook"}[10s])))',
  'sum(rate(alertmanager_notification_latency_seconds_sum[10s])) / sum(rate(alertmanager_notification_latency_seconds_count[10s]))',
]

const share =
  'rate(alertmanager_notifications_failed_total[5s]) / ignoring (reason) group_left () rate(alertmanager_notifications_total[5s])'

/** What alerts about Alertmanager watch. */
const watched = {
  Reload: 'alertmanager_config_last_reload_successful == 0',
  Members: 'alertmanager_cluster_members < on (job) group_left () count by (job) (alertmanager_cluster_members)',
  Failing: `${share} > 0.01`,
  FailingEverywhere: `min by (job, integration) (${share} > 0) > 0.01`,
  Configs: 'count by (job) (count_values by (job) ("hash", alertmanager_config_hash)) > 1',
  Gone: 'avg by (job) (up{job="alertmanager"}) < 0.6',
  Peers: 'max by (job) (alertmanager_cluster_failed_peers) > 0',
  Restarts: 'changes(process_start_time_seconds{job="alertmanager"}[1m]) > 4',
}
const rules = JSON.stringify({
  groups: [{ name: 'alertmanager', rules: Object.entries(watched).map(([alert, expr]) => ({ alert, expr })) }],
})

const alerts = z.object({ data: z.object({ alerts: z.array(z.object({ labels: z.record(z.string(), z.string()) })) }) })
const queried = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
})

test('its alerts find what they read, fire when they should and not before; its dashboard has data', async () => {
  await using good = await openHttpSink()
  await using bad = await openHttpSink(() => ({ status: 404, body: 'no' }))
  await using redis = await openRedis()
  using dir = tempDir()
  const config = `
route: { receiver: good, group_by: [alertname], group_wait: 0s, routes: [{ matchers: ['alertname=~"Bad.*"'], receiver: bad }] }
receivers:
  - { name: good, webhook_configs: [{ url: '${good.url}' }] }
  - { name: bad, webhook_configs: [{ url: '${bad.url}' }] }
`
  await using one = await startEngine({ config, redis: redis.socket, dir: dir.path })
  await using other = await startEngine({ config, redis: redis.socket })
  await using stranger = await startEngine({ config: config.replace('group_wait: 0s', 'group_wait: 1s') }) // by itself
  const targets = join(dir.path, 'targets.json')
  const scraped = (...engines: { url: string }[]) =>
    writeFileSync(targets, JSON.stringify([{ targets: engines.map(({ url }) => new URL(url).host) }]))
  scraped(one, other)
  writeFileSync(join(dir.path, 'rules.yml'), rules)
  await using prometheus = await startPrometheusWith(
    `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${join(dir.path, 'rules.yml')}']
scrape_configs: [{ job_name: alertmanager, file_sd_configs: [{ files: ['${targets}'], refresh_interval: 1s }] }]
`,
    dir.path,
  )
  const values = async (query: string) => {
    const answer = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`)
    if (!answer.ok) throw new Error(`${query}: ${await answer.text()}`)
    return queried.parse(await answer.json()).data.result.map(({ value: [, value] }) => Number(value))
  }
  const firing = async () => {
    const answer = alerts.parse(await (await fetch(`${prometheus.url}/api/v1/alerts`)).json())
    return [...new Set(answer.data.alerts.map(({ labels }) => labels['alertname'] ?? ''))].sort()
  }
  const fires = (...names: string[]) =>
    eventually(firing, (found) => names.every((name) => found.includes(name)), PATIENCE)
  const post = async (engine: typeof one, alertname: string) =>
    expect((await engine.post('/api/v2/alerts', [{ labels: { alertname } }])).status).toBe(200)

  let posted = 0
  for (const query of queries)
    await eventually(
      async () => {
        await post(one, `Good${(posted += 1)}`) // by both, whoever flushes
        return { query, values: await values(query) }
      },
      (found) => found.values.some(Number.isFinite),
      PATIENCE,
    )
  for (const [name] of rules.matchAll(/\b(?:alertmanager|process)_[a-z_]+/g))
    expect(await values(name), name).not.toEqual([])
  expect(await firing()).toEqual([])

  // what is sent cannot be handed over: each does so, else the least of a cluster is nothing
  const failing = setInterval(() => {
    for (const engine of [one, other]) void post(engine, `Bad${(posted += 1)}`)
  }, 100)
  await fires('Failing', 'FailingEverywhere').finally(() => clearInterval(failing))

  // a file that is none
  writeFileSync(join(dir.path, 'tocsin.yml'), 'route: {}')
  expect((await one.post('/-/reload', '')).status).toBe(500)
  await fires('Reload')

  // one of the two is gone without a word
  await other.kill('SIGKILL')
  await fires('Gone', 'Peers')

  // two that do not know of each other, and are told different things
  scraped(one, stranger)
  await fires('Members', 'Configs')
}, 180_000)
