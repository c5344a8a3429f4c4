import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { misbehaviours } from '../../examples/qlib-pro/misbehaviours.ts'
import { openMetrics } from '../../src/record/metrics.ts'

const monitoring = join(import.meta.dirname, '../../monitoring')
const promtool = (...args: string[]) => execFileSync('promtool', args, { cwd: monitoring, encoding: 'utf8' })

const duration = z.string().regex(/^\d+[smh]$/)
const rule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: duration.optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']), team: z.string() }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook: z.url().optional() }),
})
const rulesOf = (name: string) =>
  z
    .strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule) })) })
    .parse(parse(readFileSync(join(monitoring, name), 'utf8')))
    .groups.flatMap(({ rules }) => rules)

test.each([
  ['alert-rules.yml', 9],
  ['tocsin-rules.yml', 23],
])('promtool takes %s', (name, count) => {
  expect(promtool('check', 'rules', name)).toContain(`SUCCESS: ${count} rules found`)
})

test.each(['alert-rules.test.yml', 'tocsin-rules.test.yml'])('each rule fires and does not fire: %s', (name) => {
  expect(promtool('test', 'rules', name)).toContain('SUCCESS')
})

const tests = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()).default([]) })),
    }),
  ),
})

test.each([
  ['alert-rules.yml', 'alert-rules.test.yml'],
  ['tocsin-rules.yml', 'tocsin-rules.test.yml'],
])('no rule of %s is without a case in which it fires and one in which it does not', (name, testName) => {
  const cases = tests
    .parse(parse(readFileSync(join(monitoring, testName), 'utf8')))
    .tests.flatMap((each) => each.alert_rule_test)
  for (const { alert } of rulesOf(name)) {
    const own = cases.filter(({ alertname }) => alertname === alert)
    expect(new Set(own.map(({ exp_alerts }) => exp_alerts.length > 0)), alert).toEqual(new Set([true, false]))
  }
})

test('promtool takes prometheus.yml and the rules that it names', () => {
  const said = promtool('check', 'config', 'prometheus.yml')
  expect(said).toContain('SUCCESS: 2 rule files found')
})

test('amtool takes alertmanager.yml', () => {
  const said = execFileSync('amtool', ['check-config', join(monitoring, 'alertmanager.yml')], { encoding: 'utf8' })
  expect(said).toMatch(/SUCCESS[\s\S]*1 receivers/)
})

// as in the framework that Tocsin was asked to implement
test('the nine rules have their names, durations, severities and teams', () => {
  expect(
    rulesOf('alert-rules.yml').map(({ alert, for: held, labels }) => [alert, held, labels.severity, labels.team]),
  ).toEqual([
    ['HighErrorRate', '2m', 'critical', 'platform'],
    ['DatabaseConnectionExhaustion', '1m', 'critical', 'database'],
    ['HighAPILatency', '3m', 'warning', 'backend'],
    ['TradingSignalAccuracyDrop', '10m', 'warning', 'quant'],
    ['MarketDataStale', '1m', 'critical', 'data'],
    ['UnusualUserActivity', '5m', 'info', 'security'],
    ['HighCPUUsage', '5m', 'warning', 'infrastructure'],
    ['HighMemoryUsage', '5m', 'warning', 'infrastructure'],
    ['DiskSpaceLow', '2m', 'warning', 'infrastructure'],
  ])
})

test('each of the nine has its misbehaviour', () => {
  expect(Object.values(misbehaviours).map((each) => each.rule)).toEqual(
    rulesOf('alert-rules.yml').map(({ alert }) => alert),
  )
})

test("Tocsin's own rules read metrics that Tocsin has", () => {
  const { registry } = openMetrics('0.0.0', '0.0.0')
  const known = new Set(registry.getMetricsAsArray().map(({ name }) => name))
  const read = rulesOf('tocsin-rules.yml').flatMap(({ expr }) => expr.match(/\b(?:tocsin|alertmanager)_\w+/g) ?? [])
  expect(read.length).toBeGreaterThan(10)
  expect(read.filter((name) => !known.has(name.replace(/_bucket$/, '')))).toEqual([])
})
