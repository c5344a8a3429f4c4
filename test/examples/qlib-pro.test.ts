import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { misbehaviours } from '../../examples/qlib-pro/misbehaviours.ts'
import { type Platform, openPlatform } from '../../examples/qlib-pro/platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await openPlatform(0, '127.0.0.1')
})
afterAll(() => platform[Symbol.asyncDispose]())

const post = (path: string) => fetch(platform.url + path, { method: 'POST' })
const scrape = async () => (await fetch(`${platform.url}/metrics`)).text()

/** The samples of a family, their labels sorted out; `le` is the histogram's own. */
function samplesOf(text: string, name: string) {
  return text
    .split('\n')
    .map((line) => /^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? (\S+)$/.exec(line))
    .filter((found) => found !== null && (found[1] === name || found[0].startsWith(`${name}{`)))
    .map((found) => ({
      labels: [...(found?.[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)].filter(([, label]) => label !== 'le'),
      value: Number(found?.[3]),
    }))
}

// name, type and labels, as in the framework; market_data_last_update and subscription_revenue_aud are used and missing there
test.each([
  ['trading_signals_total', 'counter', 'symbol model signal_type'],
  ['trading_signal_accuracy', 'gauge', 'model timeframe'],
  ['portfolio_value_total_aud', 'gauge', 'user_tier portfolio_type'],
  ['daily_pnl_aud', 'histogram', 'user_id strategy'],
  ['active_users_current', 'gauge', 'user_type subscription_tier'],
  ['user_sessions_total', 'counter', 'source country device_type'],
  ['feature_usage_total', 'counter', 'feature_name user_tier'],
  ['market_data_latency_seconds', 'histogram', 'symbol source'],
  ['market_data_updates_total', 'counter', 'symbol exchange'],
  ['market_data_last_update', 'gauge', 'symbol'],
  ['subscription_revenue_aud', 'counter', 'subscription_tier'],
  ['http_requests_total', 'counter', 'method endpoint status'],
  ['http_request_duration_seconds', 'histogram', 'method endpoint'],
  ['database_connections_active', 'gauge', 'database pool'],
  ['database_query_duration_seconds', 'histogram', 'query_type table'],
  ['database_pool_size', 'gauge', 'database'],
  ['cpu_usage_percent', 'gauge', ''],
  ['memory_usage_bytes', 'gauge', ''],
  ['disk_usage_percent', 'gauge', 'mount_point'],
  ['ml_model_training_duration_seconds', 'histogram', 'model_type dataset_size'],
  ['ml_prediction_latency_seconds', 'histogram', 'model_id symbol'],
  ['websocket_connections_active', 'gauge', ''],
  ['websocket_messages_sent_total', 'counter', 'message_type'],
])('it exposes %s, a %s of "%s"', async (name, type, labels) => {
  const text = await scrape()
  expect(text).toContain(`# TYPE ${name} ${type}\n`)
  const samples = samplesOf(text, name)
  expect(samples.length).toBeGreaterThan(0)
  for (const sample of samples)
    expect(new Set(sample.labels.map(([, label]) => label))).toEqual(new Set(labels.split(' ').filter(Boolean)))
})

test('twenty users stand for all in the metric that has a series for each', async () => {
  const users = samplesOf(await scrape(), 'daily_pnl_aud').map(
    ({ labels }) => labels.find(([, label]) => label === 'user_id')?.[2],
  )
  expect(new Set(users).size).toBe(20)
})

test('a request counts under the pattern of its route', async () => {
  await post('/misbehave/high-cpu-usage')
  await post('/recover/high-cpu-usage')
  const text = await scrape()
  expect(text).toMatch(/http_requests_total\{method="POST",endpoint="\/misbehave\/:name",status="200"\} 1/)
  expect(text).not.toContain('endpoint="/misbehave/high-cpu-usage"')
})

test('what it is told to do wrong shows at once, and so does that it recovered', async () => {
  const cpu = async () => samplesOf(await scrape(), 'cpu_usage_percent')[0]?.value
  expect(await (await post('/misbehave/high-cpu-usage')).json()).toEqual({ misbehaves: ['high-cpu-usage'] })
  expect(await cpu()).toBe(93)
  await post('/misbehave/disk-space-low')
  expect(await (await post('/recover/high-cpu-usage')).json()).toEqual({ misbehaves: ['disk-space-low'] })
  expect(await cpu()).toBeLessThan(80)
  expect(await (await post('/recover')).json()).toEqual({ misbehaves: [] })
})

test.each(['/misbehave/nonsense', '/misbehave/__proto__', '/recover/nonsense'])(
  'POST %s: 404 with what there is',
  async (path) => {
    const answer = await post(path)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toEqual({
      error: `there is no misbehaviour "${path.split('/').at(-1)}"`,
      misbehaviours: Object.keys(misbehaviours),
    })
  },
)

test('its README has each misbehaviour in the words of the code', () => {
  const readme = readFileSync(new URL('../../examples/qlib-pro/README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `([\w-]+)` +\| (.*?) +\| (\w+) +\|/gm)].map(([, name, does, rule]) => [
    name,
    does,
    rule,
  ])
  expect(rows).toEqual(Object.entries(misbehaviours).map(([name, { does, rule }]) => [name, does, rule]))
})
