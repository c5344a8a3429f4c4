import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { type Misbehaviour, isMisbehaviour, misbehaviours } from '../../examples/qlib-pro/misbehaviours.ts'
import { openPlatform } from '../../examples/qlib-pro/platform.ts'
import { panelQueries } from '../helpers/dashboards.ts'
import { eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { startPrometheusWith } from '../helpers/prometheus.ts'
import { type World, openWorld } from '../helpers/world.ts'

const root = join(import.meta.dirname, '../..')
const PATIENCE = 60_000

/** Where each rule is to be heard of, by routing/: its severity's channels, its team's destinations. */
const heardAt: Readonly<Record<Misbehaviour, { summary: string; at: string[] }>> = {
  'high-error-rate': { summary: 'High error rate detected', at: ['pagerduty', 'slack platform'] },
  'database-connection-exhaustion': {
    summary: 'Database connection pool nearly exhausted',
    at: ['pagerduty', 'slack platform'],
  },
  'high-api-latency': { summary: 'High API response times', at: ['mail backend@example.com', 'slack platform'] },
  'trading-signal-accuracy-drop': {
    summary: 'Trading signal accuracy below threshold',
    at: ['mail quant@example.com', 'slack quant'],
  },
  'market-data-stale': { summary: 'Market data feed stale', at: ['pagerduty', 'slack data'] },
  'high-cpu-usage': { summary: 'High CPU usage', at: ['mail infrastructure@example.com', 'slack platform'] },
  'high-memory-usage': { summary: 'High memory usage', at: ['mail infrastructure@example.com', 'slack platform'] },
  'disk-space-low': { summary: 'Low disk space', at: ['mail infrastructure@example.com', 'slack platform'] },
  // the last: it compares with a while before, that of the other eight
  'unusual-user-activity': { summary: 'Unusual spike in user activity', at: ['mail security@example.com'] },
}
const names = Object.keys(heardAt).filter(isMisbehaviour)

/** The shipped rules with seconds for minutes, and what stood in for what: nothing else differs. */
function quickRules(): string {
  const quick: readonly (readonly [slow: RegExp, quick: string])[] = [
    [/for: \d+m/g, 'for: 0s'],
    [/\[(?:5m|1h)\]/g, '[10s]'],
    [/\[24h\]/g, '[1m]'],
    [/offset 24h/g, 'offset 25s'],
  ]
  return quick.reduce(
    (text, [slow, instead]) => text.replace(slow, instead),
    readFileSync(join(root, 'monitoring/alert-rules.yml'), 'utf8'),
  )
}

/** The shipped routing with a second for each wait of a group; its addresses come from the environment. */
function quickRouting(dir: string): string {
  cpSync(join(root, 'routing'), join(dir, 'routing'), { recursive: true })
  const file = join(dir, 'routing/tocsin.yml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/group_(wait|interval): \d+[sm]/g, 'group_$1: 1s'))
  return file
}

/** Who was told of an alert with this summary, and whether that it fires or that it is over. */
function told({ slack, pagerduty, twilio, smtp }: World, summary: string) {
  const all = [
    ...slack.requests.map(({ path, body }) => ({
      where: `slack ${path.split('/').at(-1)}`,
      text: body,
      isEnd: body.includes('Resolved: '),
    })),
    ...pagerduty.requests.map(({ body }) => ({
      where: 'pagerduty',
      text: body,
      isEnd: body.includes('"event_action":"resolve"'),
    })),
    ...twilio.requests.map(({ body }) => ({
      where: 'sms',
      text: body.replaceAll('+', ' '),
      isEnd: body.includes('RESOLVED'),
    })),
    ...smtp.mails.map(({ to, mail }) => ({
      where: `mail ${to.join(',')}`,
      text: mail.subject ?? '',
      isEnd: mail.subject?.startsWith('[RESOLVED]') ?? false,
    })),
  ].filter(({ text }) => text.includes(summary))
  const places = (isEnd: boolean) =>
    [...new Set(all.filter((each) => each.isEnd === isEnd).map(({ where }) => where))].sort()
  return { firing: places(false), over: places(true) }
}

const ownRules = z
  .object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })) })
  .parse(parse(readFileSync(join(root, 'monitoring/tocsin-rules.yml'), 'utf8')))
  .groups.flatMap(({ rules }) => rules)
/** What has no series until there is something to say. */
const nothingYet = new Set(['tocsin_refused_total', 'tocsin_heartbeat_missing'])
/** By the machine's speed, or by what the test has told. */
const hangsOnTheDay = new Set(['TocsinRedisSlow', 'TocsinFlushesLate', 'TocsinTargetMissed'])

const alerts = z.object({
  data: z.object({ alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })) }),
})
const queried = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
})

test('each misbehaviour of the platform fires its rule, is heard of where it should be, and is over with it; every panel has data', async () => {
  await using world = await openWorld()
  using dir = tempDir()
  await using platform = await openPlatform(0, '127.0.0.1')
  await using engine = await startEngine({ config: quickRouting(dir.path), dir: dir.path, env: world.env })
  const rules = join(dir.path, 'rules.yml')
  writeFileSync(rules, quickRules())
  await using prometheus = await startPrometheusWith(
    `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${rules}']
alerting: { alertmanagers: [{ static_configs: [{ targets: ['${new URL(engine.url).host}'] }] }] }
scrape_configs:
  - { job_name: tocsin, static_configs: [{ targets: ['${new URL(engine.url).host}'] }] }
  - { job_name: qlib-pro, static_configs: [{ targets: ['${new URL(platform.url).host}'] }] }
`,
    dir.path,
  )
  const firing = async () => {
    const answer = alerts.parse(await (await fetch(`${prometheus.url}/api/v1/alerts`)).json())
    return [...new Set(answer.data.alerts.map(({ labels }) => labels['alertname'] ?? ''))].sort()
  }
  const values = async (expr: string) => {
    const answer = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(expr)}`)
    if (!answer.ok) throw new Error(`${expr}: ${await answer.text()}`)
    return queried.parse(await answer.json()).data.result.map(({ value: [, value] }) => Number(value))
  }

  await eventually(
    () => values('rate(http_requests_total{job="qlib-pro"}[10s])'),
    (found) => found.length > 0,
    PATIENCE,
  )
  expect(await firing()).toEqual([])

  const misbehaving: string[] = []
  for (const name of names) {
    if (name === 'unusual-user-activity')
      await eventually(
        () => values('user_sessions_total offset 25s'),
        (found) => found.length > 0,
        PATIENCE,
      )
    await fetch(`${platform.url}/misbehave/${name}`, { method: 'POST' })
    misbehaving.push(misbehaviours[name].rule)
    const expected = JSON.stringify(misbehaving.toSorted())
    await eventually(firing, (found) => JSON.stringify(found) === expected, PATIENCE) // its rule, and no other
  }
  for (const name of names) {
    const { summary, at } = heardAt[name]
    await eventually(
      async () => told(world, summary),
      (found) => found.firing.length >= at.length,
      PATIENCE,
    )
  }

  const [incident] = await engine.get<{ id: string }[]>('/api/tocsin/v1/incidents')
  expect((await engine.post(`/api/tocsin/v1/incidents/${incident?.id}/ack`, { by: 'vera' })).status).toBe(200)
  await fetch(`${platform.url}/recover`, { method: 'POST' })
  await eventually(firing, (found) => found.length === 0, PATIENCE)
  for (const name of names) {
    const { summary, at } = heardAt[name]
    await eventually(
      async () => told(world, summary),
      (found) => found.over.length >= at.length,
      PATIENCE,
    )
    expect(told(world, summary), name).toEqual({ firing: at, over: at }) // there, and nowhere else
  }

  for (const { panel, expr } of panelQueries()) {
    await eventually(
      async () => ({ panel, values: await values(expr) }),
      (found) => found.values.some(Number.isFinite),
      PATIENCE,
    )
  }

  // Tocsin has what its own rules read, and none of them would fire
  for (const { alert, expr } of ownRules) {
    for (const [name] of expr.matchAll(/\b(?:tocsin|alertmanager)_\w+/g))
      if (!nothingYet.has(name)) expect(await values(name), name).not.toEqual([])
    if (!hangsOnTheDay.has(alert)) expect(await values(expr), alert).toEqual([])
  }
}, 240_000)
