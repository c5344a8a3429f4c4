import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { panelQueries, readDashboards } from '../helpers/dashboards.ts'
import { tempDir } from '../helpers/engine.ts'

const monitoring = join(import.meta.dirname, '../../monitoring')

test('the three of Qlib Pro and the one of Tocsin are as Grafana has dashboards', () => {
  expect(readDashboards().map(({ file, title }) => [file, title])).toEqual([
    ['executive.json', 'Qlib Pro - Executive Overview'],
    ['technical-operations.json', 'Qlib Pro - Technical Operations'],
    ['tocsin.json', 'Tocsin'],
    ['trading-operations.json', 'Qlib Pro - Trading Operations'],
  ])
})

test.each(readDashboards())('$file: no two panels have one number or one place', ({ panels }) => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ title, gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, nth) => ({ title, cell: `${x + (nth % w)},${y + Math.floor(nth / w)}` })),
  )
  const taken = new Map<string, string>()
  for (const { title, cell } of cells) {
    expect(taken.get(cell) ?? title, cell).toBe(title)
    taken.set(cell, title)
  }
})

// that each returns data is test/e2e/platform.test.ts' to show
test('every query of a panel is PromQL', () => {
  using dir = tempDir()
  const file = join(dir.path, 'queries.yml')
  const rules = panelQueries().map(({ panel, expr }, nth) => ({ record: `query:${nth}`, expr, labels: { panel } }))
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] })) // JSON is YAML
  expect(execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })).toContain(
    `SUCCESS: ${rules.length} rules found`,
  )
})

test('Grafana is given the data source that the dashboards name, and the folder that compose puts them in', () => {
  const read = (name: string): unknown => parse(readFileSync(join(monitoring, 'grafana/provisioning', name), 'utf8'))
  expect(read('datasources/prometheus.yml')).toMatchObject({
    apiVersion: 1,
    datasources: [{ type: 'prometheus', uid: 'prometheus', url: 'http://prometheus:9090' }],
  })
  expect(read('dashboards/dashboards.yml')).toMatchObject({
    apiVersion: 1,
    providers: [{ type: 'file', options: { path: '/etc/grafana/dashboards' } }],
  })
})
