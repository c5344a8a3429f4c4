import { afterAll, beforeAll, expect, test } from 'vitest'
import { as, webFile } from '../helpers/access.ts'
import { type Engine, eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { type HttpSink, openHttpSink } from '../helpers/http-sink.ts'
import { tocsin } from '../helpers/tocsin.ts'

const dir = tempDir()
let engine: Engine
let good: HttpSink
let bad: HttpSink

beforeAll(async () => {
  good = await openHttpSink()
  bad = await openHttpSink({ status: 404, body: 'gone' })
  engine = await startEngine({
    config: `
route:
  receiver: good
  group_by: [alertname]
  group_wait: 0s
  routes: [{ receiver: bad, matchers: ['service="quant"'] }]
receivers:
  - { name: good, webhook_configs: [{ url: '${good.url}' }] }
  - { name: bad, webhook_configs: [{ url: '${bad.url}' }] }
`,
    args: [`--web.config.file=${webFile(dir.path, ['view', 'view quant', 'admin', 'ingest'])}`],
  })
  const post = (body: string) =>
    fetch(`${engine.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { ...as('admin'), 'Content-Type': 'application/json' },
      body,
    })
  const alert = (alertname: string, service: string) => ({ labels: { alertname, service } })
  const alerts = JSON.stringify([alert('A', 'api'), alert('B', 'api'), alert('C', 'quant')])
  for (let i = 0; i < 3; i++) expect((await post(alerts)).status).toBe(200)
  expect((await post('{')).status).toBe(400) // the sender's fault, and none of Tocsin's
  await Promise.all([good.receives(2), bad.receives(1)])
}, 60_000)
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  await Promise.all([good, bad].map((sink) => sink[Symbol.asyncDispose]()))
  dir[Symbol.dispose]()
})

const ask = (path: string, name: string) => fetch(`${engine.url}/api/tocsin/v1/${path}`, { headers: as(name) })
const patterns = async () =>
  (await (await ask('patterns', 'view')).json()) as {
    alerts: { total: number }
    deliveries: { total: number; attempts: number }
  }

test('what came in and what failed, of whatever window', async () => {
  const found = await eventually(patterns, ({ deliveries }) => deliveries.attempts === 3)
  expect(found).toMatchObject({
    alerts: {
      total: 3,
      types: ['A', 'B', 'C'].map((name) => ({ name, count: 1 })),
      affectedServices: [
        { name: 'api', count: 2 },
        { name: 'quant', count: 1 },
      ],
    },
    deliveries: {
      total: 1,
      types: [{ name: 'client error', count: 1 }],
      affectedServices: [{ name: 'quant', count: 1 }],
    },
    anomalies: [],
  })
  const { hourlyDistribution: hours } = (found as { alerts: { hourlyDistribution?: { count: number }[] } }).alerts
  expect(hours?.reduce((sum, { count }) => sum + count, 0)).toBe(3)
  expect(hours?.length).toBeGreaterThanOrEqual(25)
})

test('KPIs, in numbers and as metrics', async () => {
  await eventually(patterns, ({ deliveries }) => deliveries.attempts === 3)
  const { kpis } = (await (await ask('kpis?window=1h', 'view')).json()) as {
    kpis: { name: string; value: number | null; of: number; met: boolean | null }[]
  }
  const by = new Map(kpis.map((kpi) => [kpi.name, kpi]))
  expect(by.get('accept_availability')).toMatchObject({ value: 1, of: 4, met: true })
  expect(by.get('delivery_availability')).toMatchObject({ value: 2 / 3, of: 3, met: false })
  expect(by.get('coverage')).toMatchObject({ value: 0.5, of: 2, met: false })
  expect(by.get('mttr')).toMatchObject({ value: null, of: 0, met: null })
  expect(by.get('notification_latency_p99')?.value).toBeGreaterThan(0)
  const metrics = () => fetch(`${engine.url}/metrics`, { headers: as('view') }).then((answer) => answer.text())
  await eventually(metrics, (said) => /^tocsin_kpi\{kpi="coverage"\} 0\.5$/m.test(said), 20_000)
  expect(await metrics()).toMatch(/^tocsin_kpi_met\{kpi="delivery_availability"\} 0$/m)
  expect(await metrics()).toMatch(/^tocsin_mttr_seconds nan$/im)
}, 30_000)

test.each([
  ['patterns?window=7d', 'view', 200],
  ['patterns?window=90m', 'view', 200],
  ['patterns?window=8d', 'view', 400],
  ['patterns?window=59s', 'view', 400],
  ['kpis?window=soon', 'view', 400],
  ['kpis?window=1h&window=2h', 'view', 400],
  ['patterns', 'view quant', 403],
  ['kpis', 'view quant', 403],
  ['kpis', 'ingest', 403],
])('GET %s as %s: %i', async (path, name, status) => {
  const answer = await ask(path, name)
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(/^\{/)])
})

test('the same on the command line', async () => {
  await using open = await startEngine({
    config: `
route: { receiver: good, group_by: [alertname], group_wait: 0s }
receivers: [{ name: good, webhook_configs: [{ url: '${good.url}' }] }]
`,
  })
  await open.post('/api/v2/alerts', [{ labels: { alertname: 'DiskFull', service: 'db' } }])
  const run = (...args: string[]) => tocsin(...args, `--url=${open.url}`)
  const found = await eventually(
    () => run('patterns', '--window=1h'),
    ({ out }) => out.includes('of 1 attempts'),
  )
  expect(found.code).toBe(0)
  expect(found.out).toContain('alerts that came in: 1\n  types: DiskFull 1\n  services: db 1\n')
  expect(found.out).toContain('deliveries that failed: 0 of 1 attempts')
  expect(found.out).toContain('unusual minutes of the last hour: none')
  const kpis = await run('kpis')
  expect(kpis.code).toBe(1) // nothing but the default route
  expect(kpis.out).toMatch(/^delivery_availability +100\.00 % {2}\(≥ 99\.90 %, of 1\) {2}met$/m)
  expect(kpis.out).toMatch(/^coverage +0\.00 % {2}\(≥ 100\.00 %, of 1\) {2}MISSED$/m)
  expect(kpis.out).toMatch(/^mtta +none yet/m)
  expect(await run('kpis', '--window=1y')).toMatchObject({ code: 1, err: expect.stringContaining('window') })
})
