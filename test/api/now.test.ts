import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Incident } from '../../src/incident/incident.ts'
import type { Delivery } from '../../src/store/deliveries.ts'
import type { ShownAlert, ShownGroup } from '../../src/view/now.ts'
import type { ShownRouting } from '../../src/view/routing.ts'
import type { Point } from '../../src/view/series.ts'
import type { Why } from '../../src/view/why.ts'
import { type Engine, eventually, startEngine, webhookPayload } from '../helpers/engine.ts'
import { type HttpSink, openHttpSink } from '../helpers/http-sink.ts'

const ours = '/api/tocsin/v1'
let engine: Engine
let sink: HttpSink

beforeAll(async () => {
  sink = await openHttpSink(({ path }) => ({ status: path === '/refuses' ? 404 : 200 }))
  engine = await startEngine({
    config: `
severities: { critical: { notify: [webhook], incident: true, group_wait: 0s } }
teams: { platform: { default: true, webhook: '${sink.url}/takes' }, quant: { webhook: '${sink.url}/refuses' } }
route:
  group_by: [alertname]
  routes: [{ matchers: [alertname="Never"], mute_time_intervals: [always] }]
time_intervals: [{ name: always, time_intervals: [{ times: [{ start_time: '00:00', end_time: '24:00' }] }] }]
inhibit_rules: [{ source_matchers: [alertname="Source"], target_matchers: [alertname="Target"], equal: [zone] }]
`,
  })
  const startsAt = new Date().toISOString()
  const severity = 'critical'
  const sent = [
    { alertname: 'Told', severity },
    { alertname: 'Refused', severity, team: 'quant' },
    { alertname: 'Source', severity, zone: 'a' },
  ]
  await engine.post('/webhook', webhookPayload(...sent.map((labels) => ({ labels, startsAt }))))
  await eventually(deliveries, (all) => all.length >= 3)
}, 60_000)
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  await sink[Symbol.asyncDispose]()
})

async function deliveries(query: Record<string, string> = {}): Promise<(Delivery & { receiver: string })[]> {
  const asked = new URLSearchParams(query).toString()
  const answer = await engine.get<{ deliveries: (Delivery & { receiver: string })[] }>(`${ours}/deliveries?${asked}`)
  return answer.deliveries
}
const why = (labels: string) => engine.get<Why>(`${ours}/why?labels=${encodeURIComponent(labels)}`)

test('the alerts that fire come with their groups', async () => {
  const { alerts, groups, left } = await engine.get<{
    alerts: ShownAlert[]
    groups: Record<string, ShownGroup>
    left: number
  }>(`${ours}/alerts`)
  expect(alerts.map(({ labels }) => labels['alertname'] ?? '').sort()).toEqual(['Refused', 'Source', 'Told'])
  const refused = alerts.find(({ labels }) => labels['alertname'] === 'Refused')
  expect(groups[refused?.groups[0] ?? '']).toMatchObject({ receiver: 'quant/critical' })
  expect(left).toBe(0)
})

test.each<[string, Record<string, string>, number]>([
  ['a team', { team: 'quant' }, 1],
  ['a receiver', { receiver: 'platform/critical' }, 2],
  ['a channel', { channel: 'webhook' }, 3],
  ['a channel that nobody uses', { channel: 'sms' }, 0],
  ['how it ended', { state: 'dead' }, 1],
  ['what the vendor answered', { text: 'http 404' }, 1],
  ['several of them', { state: 'dead', team: 'platform' }, 0],
])('the delivery log is searched by %s', async (_by, query, found) => {
  expect(await deliveries(query)).toHaveLength(found)
})

test('the delivery log has the message and the answer, and is read on from a place', async () => {
  const [first, ...rest] = await deliveries()
  expect(rest.map(({ id }) => id)).toEqual((await deliveries({ before: first?.id ?? '' })).map(({ id }) => id))
  const [refused] = await deliveries({ state: 'dead' })
  expect(refused).toMatchObject({
    how: 'dead',
    attempt: 1,
    outcome: { state: 'failed', reason: 'client error' },
    message: { to: expect.any(String), title: expect.any(String), text: expect.any(String) },
  })
  const [fingerprint] = refused?.alerts ?? []
  expect(await deliveries({ alert: fingerprint ?? '' })).toHaveLength(1)
  expect((await fetch(`${engine.url}${ours}/deliveries?before=x`)).status).toBe(400)
  expect((await fetch(`${engine.url}${ours}/deliveries?state=lost`)).status).toBe(400)
})

test('why: an alert that was told, one that was given up, and one that nobody sent', async () => {
  const told = await why('alertname="Told",severity="critical"')
  expect(told).toMatchObject({ isFiring: true, silences: [], inhibition: null })
  expect(told.groups[0]).toMatchObject({ receiver: 'platform/critical', exists: true, alerts: 1, groupWait: 0 })
  expect(told.groups[0]?.integrations[0]).toMatchObject({
    told: { firing: true },
    outcome: expect.stringMatching(/^told at .* that it fires$/),
    attempts: [{ how: 'told' }],
  })
  const refused = await why('alertname="Refused",severity="critical",team="quant"')
  expect(refused.groups[0]?.integrations[0]?.outcome).toMatch(/^given up at /)
  const nobodys = await why('severity="critical",team="quant"')
  expect(nobodys).toMatchObject({ isFiring: false, startsAt: null })
  expect(nobodys.groups[0]).toMatchObject({ exists: false, integrations: [{ outcome: 'would be told' }] })
  const alert = await engine.get<Why>(`${ours}/why?fingerprint=${told.fingerprint}`)
  expect(alert.labels).toEqual({ alertname: 'Told', severity: 'critical' })
})

test('why: what inhibits, silences and mutes it', async () => {
  const target = await why('alertname="Target",severity="critical",zone="a"')
  expect(target.inhibition).toMatchObject({
    labels: { alertname: 'Source' },
    rule: '{alertname="Source"} inhibits {alertname="Target"}, where zone are the same',
  })
  expect(target.groups[0]?.integrations[0]?.outcome).toMatch(/^would not be told: inhibited by /)
  expect((await why('alertname="Target",severity="critical",zone="b"')).inhibition).toBe(null)
  expect((await why('alertname="Never"')).groups[0]).toMatchObject({
    muting: { by: 'mute_time_interval', intervals: ['always'] },
  })
  const silence = {
    matchers: [{ name: 'alertname', value: 'Hushed', isRegex: false, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 60_000).toISOString(),
    createdBy: 'alice',
    comment: 'planned',
  }
  expect((await engine.post('/api/v2/silences', silence)).status).toBe(200)
  expect((await why('alertname="Hushed"')).silences).toMatchObject([
    { matchers: '{alertname="Hushed"}', createdBy: 'alice', comment: 'planned' },
  ])
})

test.each(['', '?fingerprint=0000000000000000', '?labels=a%3D~%22b%22', '?labels=%7B%7B', '?labels=a%21%3D%22b%22'])(
  'why: what is no alert is refused: %s',
  async (query) => {
    const { status } = await fetch(`${engine.url}${ours}/why${query}`)
    expect(status).toBe(query.startsWith('?fingerprint') ? 404 : 400)
  },
)

test('the routing in force, with what its routes catch', async () => {
  const { route, teams, severities, failure } = await engine.get<ShownRouting>(`${ours}/routing`)
  expect(severities).toEqual(['critical'])
  expect(teams).toEqual([
    {
      name: 'platform',
      isDefault: true,
      cells: [{ receiver: 'platform/critical', channels: ['webhook'], incident: true }],
    },
    { name: 'quant', isDefault: false, cells: [{ receiver: 'quant/critical', channels: ['webhook'], incident: true }] },
  ])
  const all = (node: typeof route): (typeof route)[] => [node, ...node.routes.flatMap(all)]
  const counts = (of: typeof route) =>
    all(of).flatMap(({ receiver, alerts, caught }) =>
      alerts > 0 ? `${receiver}: ${alerts} now, ${caught} caught` : [],
    )
  const counted = await eventually(
    async () => counts((await engine.get<ShownRouting>(`${ours}/routing`)).route), // what was caught is written each second
    (said) => said.every((one) => !one.endsWith(' 0 caught')),
  )
  expect(counted.sort()).toEqual(['platform/critical: 2 now, 2 caught', 'quant/critical: 1 now, 1 caught'])
  expect(failure).toBe(null)
})

test('a note is on the timeline with who wrote it, and in the audit log', async () => {
  const [incident] = await engine.get<Incident[]>(`${ours}/incidents`)
  const path = `${ours}/incidents/${incident?.id}/notes`
  expect((await engine.post(path, { by: 'alice', text: '  looking at it ' })).status).toBe(201)
  expect((await engine.get<Incident>(`${ours}/incidents/${incident?.id}`)).timeline.at(-1)).toMatchObject({
    event: 'noted',
    by: 'alice',
    detail: 'looking at it',
  })
  for (const bad of [{}, { text: ' ' }, { text: 'x'.repeat(4001) }, { text: 'x', by: '' }])
    expect((await engine.post(path, bad)).status).toBe(400)
  expect((await engine.post(`${ours}/incidents/nope/notes`, { text: 'x' })).status).toBe(404)
  const [line, ...others] = await engine.get<Record<string, string>[]>(`${ours}/audit?limit=1`)
  expect(others).toEqual([])
  expect(line).toMatchObject({ event: 'note added', incident: incident?.id, by: 'alice' })
  for (const bad of ['0', '501', 'all', '1.5', '', '1&limit=2'])
    expect((await fetch(`${engine.url}${ours}/audit?limit=${bad}`)).status, bad).toBe(400)
})

test('an incident’s alerts come with whether they fire', async () => {
  const incidents = await engine.get<Incident[]>(`${ours}/incidents`)
  const id = incidents.find(({ groupKey }) => groupKey.includes('Told'))?.id
  expect(await engine.get(`${ours}/incidents/${id}/alerts`)).toMatchObject([
    { labels: { alertname: 'Told' }, isFiring: true },
  ])
})

test('what was counted is there as points of ten seconds, when those are over', async () => {
  const points = await eventually(
    () => engine.get<(Omit<Point, 'counts'> & { counts: Record<string, number> })[]>(`${ours}/series`),
    (all) => all.some(({ counts }) => counts['received'] !== undefined),
    30_000,
  )
  const sum = (name: string) => points.reduce((total, { counts }) => total + (counts[name] ?? 0), 0)
  expect([sum('received'), sum('told:webhook'), sum('failed:webhook')]).toEqual([3, 2, 1])
  for (const { counts, latency } of points) {
    if (counts['told:webhook'] === undefined) expect(latency).toBe(undefined)
    else expect([latency?.p50, latency?.p95]).toEqual([expect.any(Number), expect.any(Number)])
  }
  expect(points.every(({ at }) => at % 10_000 === 0)).toBe(true)
  const newest = points.at(-1)?.at ?? 0
  const fresh = await engine.get<{ at: number }[]>(`${ours}/series?after=${newest}`)
  expect(fresh.every(({ at }) => at > newest)).toBe(true)
}, 40_000)
