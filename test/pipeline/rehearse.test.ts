import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { builtinTemplates } from '../../src/config/builtin.ts'
import { loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'
import type { Notifier } from '../../src/notify/notifier.ts'
import { rehearse } from '../../src/pipeline/rehearse.ts'
import { parseTemplates } from '../../src/template/templates.ts'
import { at } from '../helpers/notification.ts'

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-rehearse-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function rehearsed(receivers: string, template = '', route = 'receiver: ops'): string[] {
  const file = join(dir, 'tocsin.yml')
  writeFileSync(join(dir, 'own.tmpl'), template)
  writeFileSync(file, `templates: [own.tmpl]\nroute: { ${route} }\nreceivers:\n  - name: ops\n    ${receivers}\n`)
  const config = loadConfig<Notifier>(file, { env: {}, sandbox: false, channels })
  const templates = parseTemplates([...builtinTemplates(), ...config.templates])
  return rehearse(config, templates, at).map((line) => line.replace(`${dir}/`, ''))
}
const webhook = 'webhook_configs: [{ url: "https://hooks.example.com/ops", payload: { text: TEXT } }]'
const slack = 'slack_configs: [{ api_url: "https://slack.example.com/x", title: TEXT }]'

test.each([
  [
    'a field that is none',
    webhook.replace('TEXT', '"{{ .CommonLabel.x }}"'),
    /^tocsin\.yml:5:80: receivers\.0\.webhook_configs\.0\.payload\.text: the template fails for one alert that fires: template: :1:15: executing "" at <\.CommonLabel\.x>: can't evaluate field CommonLabel/,
  ],
  [
    'a definition that is none',
    webhook.replace('TEXT', '"{{ template \\"nope\\" . }}"'),
    /template "nope" not defined/,
  ],
  [
    'an alert that not every group has',
    webhook.replace('TEXT', '"{{ (index .Alerts.Firing 0).Labels.x }}"'),
    /fails for one alert that is resolved: .*slice index out of range/,
  ],
  [
    'a kind that is not delivered yet',
    'discord_configs: [{ webhook_url: "https://discord.example.com/x", title: "{{ .Nope }}" }]',
    /^tocsin\.yml:5:78: receivers\.0\.discord_configs\.0\.title: the template fails/,
  ],
])('%s is told with its place', (_what, receivers, wanted) => {
  expect(rehearsed(receivers)).toEqual([expect.stringMatching(wanted)])
})

test('a definition of the file’s own that stands for a default', () => {
  expect(
    rehearsed(slack.replace('TEXT', 'x'), '{{ define "slack.default.text" }}{{ index .Alerts 7 }}{{ end }}'),
  ).toEqual([
    expect.stringMatching(/^ops\/slack\/0: a default template fails for one alert that fires: template: own\.tmpl:1:/),
  ])
})

test('a group that an integration is not told about does not count', () => {
  const title = '"{{ (index .Alerts.Firing 0).Labels.alertname }}"'
  expect(rehearsed(slack.replace('TEXT', title))).toEqual([]) // Slack is not told of resolves unless it asks for them
  expect(rehearsed(slack.replace('TEXT', `${title}, send_resolved: true`))).toHaveLength(1)
})

test('a label of a route is tried, and told at its place once', () => {
  const label = '{{ (index .Alerts.Firing 0).Labels.x }}'
  const child = `{ matchers: [a=b], labels: { own: '{{ routeLabels "bad" }}', good: '{{ .Status }}' } }`
  const route = `receiver: ops, labels: { bad: "${label}" }, routes: [${child}]`
  expect(rehearsed(slack.replace('TEXT', 'x'), '', route)).toEqual([
    expect.stringMatching(
      /^tocsin\.yml:2:\d+: route\.labels\.bad: the template fails for one alert that is resolved: /,
    ),
    expect.stringMatching(/^tocsin\.yml:2:\d+: route\.routes\.0\.labels\.own: the template fails for .*out of range/),
  ])
})

/** 60 teams of five severities and five channels each, none with the same address. */
const large = (() => {
  const names = ['slack', 'pagerduty', 'email', 'sms', 'webhook']
  const severities = Object.fromEntries(
    ['page', 'critical', 'error', 'warning', 'info'].map((name) => [name, { notify: names }]),
  )
  const teams = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [
      `team${i}`,
      {
        slack: `https://hooks.slack.example/${i}`,
        pagerduty: `key${i}`,
        email: `team${i}@x.example`,
        sms: `+614${10_000_000 + i}`,
        webhook: `https://hooks.example.com/${i}`,
        ...(i === 0 && { default: true }),
      },
    ]),
  )
  return { severities, teams }
})()

function rehearseLarge(template: string) {
  const file = join(dir, 'large.yml')
  writeFileSync(join(dir, 'own.tmpl'), template)
  writeFileSync(file, JSON.stringify({ ...large, templates: ['own.tmpl'] }))
  const config = loadConfig<Notifier>(file, { env: {}, sandbox: true, channels })
  const templates = parseTemplates([...builtinTemplates(), ...config.templates])
  let rendered = 0
  const counting: typeof templates = {
    ...templates,
    text(...given) {
      rendered += 1
      return templates.text(...given)
    },
  }
  return { wrong: rehearse(config, counting, at), integrations: config.integrations.size, rendered: () => rendered }
}

test('what is alike is tried once', () => {
  const { wrong, integrations, rendered } = rehearseLarge('')
  expect(wrong).toEqual([])
  expect(integrations).toBe(1500)
  expect(rendered()).toBeLessThan(1000) // tens of thousands where each integration is tried
})

test('a default that fails for many is told once', () => {
  const { wrong } = rehearseLarge('{{ define "tocsin.sms.text" }}{{ .Nope }}{{ end }}')
  expect(wrong).toEqual([expect.stringMatching(/^team0\/page\/sms\/0 and 299 like it: a default template fails for /)])
})

test('all that comes with Tocsin passes', () => {
  const config = loadConfig<Notifier>('routing/tocsin.yml', { env: {}, sandbox: true, channels })
  expect(rehearse(config, parseTemplates(builtinTemplates()), at)).toEqual([])
})
