import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { type HttpSink, openHttpSink } from '../helpers/http-sink.ts'
import { freePort } from '../helpers/port.ts'
import { type Child, startAlertmanagerWith } from '../helpers/prometheus.ts'

// Tocsin's metrics against those of a real, clustered Alertmanager that was asked for the same.

const dir = tempDir()
const document = readFileSync(join(import.meta.dirname, '../../docs/observability.md'), 'utf8')
let sink: HttpSink
let failing: HttpSink
let engine: Engine
let alertmanager: Child

const configFor = (good: string, bad: string) => `
route:
  receiver: good
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1h # an Alertmanager tries again at each flush what Tocsin has given up
  routes: [{ matchers: ['alertname="Bad"'], receiver: bad }]
receivers:
  - { name: good, webhook_configs: [{ url: '${good}' }] }
  - { name: bad, webhook_configs: [{ url: '${bad}' }] }
inhibit_rules: [{ source_matchers: ['severity="critical"'], target_matchers: ['severity="info"'], equal: [cluster] }]
`

/** Families by name: type, names of their labels, and whether there are samples. */
type Families = Map<string, { type: string; labels: Set<string>; samples: string[] }>

function familiesOf(text: string): Families {
  const families: Families = new Map()
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    families.set(name, { type, labels: new Set(), samples: [] })
  for (const [line, name = '', labels = ''] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/gm)) {
    const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''))
    family?.samples.push(line)
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g))
      if (label !== 'le' && label !== 'quantile') family?.labels.add(label)
  }
  return families
}

const scrape = async (url: string, accept = 'text/plain') =>
  (await fetch(`${url}/metrics`, { headers: { Accept: accept } })).text()

async function load(url: string): Promise<void> {
  const post = (path: string, body: unknown) =>
    fetch(url + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  const silence = {
    matchers: [{ name: 'alertname', value: 'Quiet', isRegex: false, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    createdBy: 'test',
    comment: 'test',
  }
  expect((await post('/api/v2/silences', silence)).status).toBe(200)
  // first, and told: else an Alertmanager may tell of what it inhibits before it knows
  const source = { labels: { alertname: 'Good', severity: 'critical', cluster: 'a' } }
  const before = sink.requests.length
  expect((await post('/api/v2/alerts', [source])).status).toBe(200)
  await sink.receives(before + 1)
  const alerts = [
    source,
    { labels: { alertname: 'Inhibited', severity: 'info', cluster: 'a' } },
    { labels: { alertname: 'Quiet', severity: 'warning' } },
    { labels: { alertname: 'Bad', severity: 'warning' } },
  ]
  expect((await post('/api/v2/alerts', alerts)).status).toBe(200)
  expect((await post('/api/v2/alerts', [{ labels: {} }])).status).toBe(400)
  await fetch(`${url}/api/v2/alerts`)
}

beforeAll(async () => {
  sink = await openHttpSink()
  failing = await openHttpSink(() => ({ status: 404, body: 'no' }))
  const config = configFor(sink.url, failing.url)
  engine = await startEngine({ config })
  const gossip = [`--cluster.listen-address=127.0.0.1:${await freePort()}`, '--cluster.gossip-interval=10ms']
  alertmanager = await startAlertmanagerWith(config, dir.path, gossip)
  await load(engine.url)
  await load(alertmanager.url)
  await eventually(
    async () => [await scrape(engine.url), await scrape(alertmanager.url)],
    (both) => both.every((text) => /^alertmanager_notifications_failed_total\{.*\} [1-9]/m.test(text)),
  )
}, 60_000)
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  await alertmanager[Symbol.asyncDispose]()
  await Promise.all([sink, failing].map((one) => one[Symbol.asyncDispose]()))
  dir[Symbol.dispose]()
})

/** Rows of a table of the docs that begin with a name in backticks. */
function documented(heading: string): Map<string, string[]> {
  const from = document.indexOf(`\n## ${heading}`)
  expect(from, `no heading ${heading}`).toBeGreaterThan(-1)
  const section = document.slice(from + 1).split(/^## /m)[1] ?? ''
  const rows = [...section.matchAll(/^\| `([\w.]+)` \|(.*)\|$/gm)]
  return new Map(rows.map(([, name = '', rest = '']) => [name, rest.split('|').map((cell) => cell.trim())]))
}

test("what Alertmanager has is there, of the same type and labels, or stands in the docs with the reason why it isn't", async () => {
  const theirs = familiesOf(await scrape(alertmanager.url))
  const ours = familiesOf(await scrape(engine.url))
  const leftOut = documented('Left out')
  // of a newer one than may be installed
  const samples = ['metrics', 'metrics-clustered'].map((name): Record<string, { type: string; labels: string[] }> =>
    JSON.parse(readFileSync(join(import.meta.dirname, `../vectors/${name}.json`), 'utf8')),
  )
  const wanted = new Map(samples.flatMap((sample) => Object.entries(sample)))
  for (const [name, { type, labels }] of theirs)
    if (name.startsWith('alertmanager_') && !wanted.has(name)) wanted.set(name, { type, labels: [...labels] })
  const problems: string[] = []
  for (const [name, { type, labels }] of wanted) {
    const own = ours.get(name)
    if (leftOut.has(name)) {
      if (own) problems.push(`${name}: left out, and there`)
      continue
    }
    if (!own) problems.push(`${name}: missing`)
    else if (own.type !== type) problems.push(`${name}: ${own.type}, not ${type}`)
    else if (own.samples.length > 0 && [...own.labels].sort().join() !== labels.toSorted().join())
      problems.push(`${name}: labels ${[...own.labels].join()}, not ${labels.join()}`)
    else if (own.samples.length === 0 && theirs.get(name)?.samples.length) problems.push(`${name}: no samples`)
  }
  expect(problems).toEqual([])
  const old = ['alertmanager_marked_alerts'] // by the version of the real one
  for (const name of leftOut.keys()) expect([...wanted.keys(), ...old], 'left out, and nobody has it').toContain(name)
})

test.each([
  'alertmanager_alerts{state="active"}',
  'alertmanager_alerts{state="suppressed"}',
  'alertmanager_silences{state="active"}',
  'alertmanager_silences{state="pending"}',
  'alertmanager_silences{state="expired"}',
  'alertmanager_alerts_invalid_total{version="v2"}',
  'alertmanager_notifications_total{integration="webhook"}',
  'alertmanager_notifications_failed_total{integration="webhook"}',
  'alertmanager_notifications_failed_total{integration="webhook",reason="clientError"}',
  'alertmanager_notification_requests_total{integration="webhook"}',
  'alertmanager_notification_requests_failed_total{integration="webhook"}',
  'alertmanager_dispatcher_aggregation_groups',
  'alertmanager_receivers',
  'alertmanager_integrations',
  'alertmanager_config_last_reload_successful',
  'alertmanager_http_request_duration_seconds_count{handler="/api/v2/alerts",method="post"}',
])('%s counts the same', async (asked) => {
  const [, family = '', selector = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(asked) ?? []
  const sum = (text: string) => {
    const wanted = selector === '' ? [] : selector.split(',')
    const lines = [...text.matchAll(new RegExp(`^${family}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))]
    const fitting = lines.filter(([, labels = '']) => wanted.every((one) => `,${labels}`.includes(`,${one}`)))
    return fitting.length === 0 ? undefined : fitting.reduce((total, [, , value]) => total + Number(value), 0)
  }
  const theirs = sum(await scrape(alertmanager.url))
  if (theirs === undefined) {
    // a version that has it not yet; ours is there
    expect(sum(await scrape(engine.url))).toBeGreaterThanOrEqual(0)
    return
  }
  await eventually(
    async () => sum(await scrape(engine.url)),
    (ours) => ours === theirs,
    5000,
  )
})

test('requests by the pattern of their route, under the names of the original system', async () => {
  const counted = async () => {
    const text = await scrape(engine.url)
    return [
      'http_requests_total{method="POST",endpoint="/api/v2/alerts",status="400"} 1',
      'http_request_duration_seconds_count{method="POST",endpoint="/api/v2/alerts"} 3',
    ].filter((line) => !text.split('\n').includes(line))
  }
  await eventually(counted, (missing) => missing.length === 0, 5000)
  for (const name of ['cpu_usage_percent', 'memory_usage_bytes', 'disk_usage_percent\\{mount_point="[^"]+"\\}'])
    await eventually(
      async () => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await scrape(engine.url))?.[1]),
      (value) => value > 0,
      5000,
    )
})

test('the docs list every metric, and none that is not there', async () => {
  const names = [...familiesOf(await scrape(engine.url)).keys()].filter((name) => !/^(?:process|nodejs)_/.test(name))
  const listed = [...documented('Metrics').keys()]
  expect(listed.toSorted()).toEqual(names.toSorted())
})

test('OpenMetrics is as it should be, and leaves the other format as it was', async () => {
  const before = familiesOf(await scrape(engine.url))
  const answer = await fetch(`${engine.url}/metrics`, { headers: { Accept: 'application/openmetrics-text' } })
  const text = await answer.text()
  expect(answer.headers.get('content-type')).toContain('application/openmetrics-text')
  expect(text).toMatch(/\n# EOF\n$/)
  expect(text).toMatch(/^# TYPE alertmanager_notifications counter$/m)
  expect(text).toMatch(/^alertmanager_notifications_total\{integration="webhook"\} \d+$/m)
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(
      /^(?:# (?:HELP|TYPE|EOF)|[a-z_A-Z]\w*(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})? \S+(?: # \{.*\} \S+ \S+)?$)/,
    )
  expect([...familiesOf(await scrape(engine.url)).keys()]).toEqual([...before.keys()])
})

test('whatever is sent in, there are few series', async () => {
  const count = async () => (await scrape(engine.url)).split('\n').length
  const before = await count()
  const odd = (i: number) => `/odd${i}/${'%F0%9F%92%A5'.repeat(i % 3)}?q=${i}`
  for (let i = 0; i < 10_000; i += 200) {
    const paths = Array.from({ length: 200 }, (_none, j) => odd(i + j))
    await Promise.all(
      paths.map((path, j) =>
        fetch(engine.url + path, { method: ['GET', 'POST', 'DELETE'][j % 3] ?? 'GET' }).then((got) =>
          got.arrayBuffer(),
        ),
      ),
    )
    const alerts = Array.from({ length: 200 }, (_none, j) => ({
      labels: { alertname: `Odd${i + j}`, service: `service ${i + j}`, severity: `"}\n${j}`, [`l${i + j}`]: 'x' },
      endsAt: new Date(Date.now() + 60_000).toISOString(),
    }))
    expect((await engine.post('/api/v2/alerts', alerts)).status).toBe(200)
  }
  expect((await count()) - before).toBeLessThan(200)
  const patterns = await eventually(
    () => engine.get<{ alerts: { total: number; types: unknown[] } }>('/api/tocsin/v1/patterns?window=1h'),
    ({ alerts }) => alerts.total >= 10_000,
  )
  expect(patterns.alerts.types.length).toBeLessThanOrEqual(101)
}, 120_000)
