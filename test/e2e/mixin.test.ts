import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { startPrometheusWith } from '../helpers/prometheus.ts'
import { openRedis } from '../helpers/redis.ts'

// The alertmanager-mixin, as it is, on a Tocsin that a real Prometheus takes for an Alertmanager.

const rules = readFileSync(join(import.meta.dirname, '../vectors/alertmanager-mixin.yml'), 'utf8')
const PATIENCE = 60_000

/** The queries of its dashboard, its variables set as a viewer would. */
const queries = [
  'sum(alertmanager_alerts{job=~"$job"}) by (job,instance)',
  'sum(rate(alertmanager_alerts_received_total{job=~"$job"}[$__rate_interval])) by (job,instance)',
  'sum(rate(alertmanager_alerts_invalid_total{job=~"$job"}[$__rate_interval])) by (job,instance)',
  'sum(rate(alertmanager_notifications_total{job=~"$job", integration="$integration"}[$__rate_interval])) by (integration,job,instance)',
  'sum(rate(alertmanager_notifications_failed_total{job=~"$job", integration="$integration"}[$__rate_interval])) by (integration,job,instance)',
  'histogram_quantile(0.99, sum(rate(alertmanager_notification_latency_seconds_bucket{job=~"$job", integration="$integration"}[$__rate_interval])) by (le,job,instance))',
  'histogram_quantile(0.50, sum(rate(alertmanager_notification_latency_seconds_bucket{job=~"$job", integration="$integration"}[$__rate_interval])) by (le,job,instance))',
  'sum(rate(alertmanager_notification_latency_seconds_sum{job=~"$job", integration="$integration"}[$__rate_interval])) by (job,instance) / sum(rate(alertmanager_notification_latency_seconds_count{job=~"$job", integration="$integration"}[$__rate_interval])) by (job,instance)',
].map((query) =>
  query.replaceAll('$job', 'alertmanager').replaceAll('$integration', 'webhook').replaceAll('$__rate_interval', '10s'),
)

/** With seconds for minutes; nothing else differs. */
const quick = rules.replace(/for: \d+m/g, 'for: 0s').replace(/\[\d+m\]/g, '[5s]')

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
  writeFileSync(join(dir.path, 'rules.yml'), quick)
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
    eventually(firing, (found) => names.every((name) => found.includes(`Alertmanager${name}`)), PATIENCE)
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
  const read = [...rules.matchAll(/\b[a-z_]+(?=\{job="alertmanager")/g)].map(([name]) => name)
  expect(new Set(read).size).toBe(8)
  for (const name of read) expect(await values(`${name}{job="alertmanager"}`), name).not.toEqual([])
  expect(await firing()).toEqual([])

  // what is sent cannot be handed over: each does so, else the least of a cluster is nothing
  const failing = setInterval(() => {
    for (const engine of [one, other]) void post(engine, `Bad${(posted += 1)}`)
  }, 100)
  await fires('FailedToSendAlerts', 'ClusterFailedToSendAlerts')
  clearInterval(failing)

  // a file that is none
  writeFileSync(join(dir.path, 'tocsin.yml'), 'route: {}')
  expect((await one.post('/-/reload', '')).status).toBe(500)
  await fires('FailedReload')

  // one of the two is gone without a word
  await other.kill('SIGKILL')
  await fires('ClusterDown', 'ClusterFailedPeers')

  // two that do not know of each other, and are told different things
  scraped(one, stranger)
  await fires('MembersInconsistent', 'ConfigInconsistent')
}, 180_000)
