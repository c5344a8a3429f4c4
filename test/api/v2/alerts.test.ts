import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toJson } from '../../../src/model/json.ts'
import { type Engine, eventually, startEngine } from '../../helpers/engine.ts'

const vectors = join(import.meta.dirname, '../../vectors')
const sample = (name: string) => readFileSync(join(vectors, name), 'utf8')

interface GettableAlert {
  fingerprint: string
  labels: Record<string, string>
  receivers: { name: string }[]
  status: { state: string; silencedBy: string[]; inhibitedBy: string[]; mutedBy: string[] }
}
interface AlertGroup {
  alerts: GettableAlert[]
  labels: Record<string, string>
  receiver: { name: string }
}

let engine: Engine
const now = Date.now()
const iso = (seconds: number) => new Date(now + seconds * 1000).toISOString()

beforeAll(async () => {
  engine = await startEngine({ config: join(vectors, 'api-config.yml') })
  const alerts: { startsAt?: string; endsAt?: string }[] = JSON.parse(sample('api-alerts-post-request.json'))
  for (const alert of alerts) {
    if (alert.startsAt) alert.startsAt = iso(-1)
    if (alert.endsAt) alert.endsAt = iso(3600)
  }
  await engine.post('/api/v2/alerts', alerts)
  const silence: object = JSON.parse(sample('api-silence-post-request.json'))
  await engine.post('/api/v2/silences', { ...silence, startsAt: iso(0), endsAt: iso(7200) })
  const groups = () => engine.get<AlertGroup[]>('/api/v2/alerts/groups')
  await eventually(groups, (all) => all.some(({ alerts: [first] }) => first?.status.mutedBy.length === 1))
})
afterAll(() => engine[Symbol.asyncDispose]())

/** A captured answer and ours differ in times and in the ids of silences, and in nothing else: not in the order of keys. */
function timeless(json: string): string {
  return json
    .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"TIME"')
    .replace(/"[0-9a-f]{8}-[0-9a-f-]{27}"/g, '"ID"')
}

test.each([
  ['/api/v2/alerts', 'api-alerts.json'],
  ['/api/v2/alerts/groups', 'api-alert-groups.json'],
  ['/api/v2/receivers', 'api-receivers.json'],
])('%s is as captured, to the letter', async (path, file) => {
  const answer = await fetch(engine.url + path)
  expect(timeless(await answer.text())).toBe(timeless(`${toJson(JSON.parse(sample(file)))}\n`))
})

describe('filters', () => {
  const fingerprints = async (query: string) =>
    (await engine.get<GettableAlert[]>(`/api/v2/alerts?${query}`)).map(({ labels }) => labels['alertname'])

  test.each([
    ['', ['Heartbeat', 'Heartbeat', 'DiskFull', 'SlowPage', 'Backup', 'DiskFull']],
    ['filter=team%3Ddb', ['DiskFull', 'Backup', 'DiskFull']],
    ['filter=team%3Ddb&filter=severity%21%3Dcritical', ['DiskFull', 'Backup']],
    ['filter=instance%3D~%22db-.*%22', ['DiskFull', 'DiskFull']],
    ['filter=job%3D%22%22', ['DiskFull', 'SlowPage', 'Backup', 'DiskFull']],
    ['active=false', ['DiskFull', 'SlowPage']],
    ['active=maybe', ['DiskFull', 'SlowPage']],
    ['active=YES', ['Heartbeat', 'Heartbeat', 'DiskFull', 'SlowPage', 'Backup', 'DiskFull']],
    ['silenced=false', ['Heartbeat', 'Heartbeat', 'DiskFull', 'Backup', 'DiskFull']],
    ['inhibited=false', ['Heartbeat', 'Heartbeat', 'SlowPage', 'Backup', 'DiskFull']],
    ['silenced=false&inhibited=false&unprocessed=false', ['Heartbeat', 'Heartbeat', 'Backup', 'DiskFull']],
    ['active=false&silenced=false&inhibited=false', []],
    ['receiver=db-pager', ['DiskFull']],
    ['receiver=db-.*', ['DiskFull', 'Backup', 'DiskFull']],
    ['receiver=db', []],
    ['receiver_matchers=owner%3Ddb', ['DiskFull']],
    ['receiver_matchers=name%3D~%22web%7Cdefault%22', ['Heartbeat', 'Heartbeat', 'SlowPage']],
  ])('/alerts?%s', async (query, names) => {
    expect(await fingerprints(query)).toEqual(names)
  })

  test.each([
    ['', ['{}', '{"team":"db"}', '{"team":"db"}', '{"alertname":"Heartbeat"}', 'all']],
    ['muted=false', ['{}', '{"team":"db"}', '{"alertname":"Heartbeat"}', 'all']],
    ['receiver=db-pager', ['all']],
    ['filter=severity%3Dwarning', ['{"team":"db"}', '{"team":"db"}']],
    ['silenced=false&inhibited=false', ['{"team":"db"}', '{"team":"db"}', '{"alertname":"Heartbeat"}', 'all']],
    ['receiver_matchers=owner%3Ddb', ['all']],
  ])('/alerts/groups?%s', async (query, labels) => {
    const groups = await engine.get<AlertGroup[]>(`/api/v2/alerts/groups?${query}`)
    expect(
      groups.map((group) => (Object.keys(group.labels).length > 2 ? 'all' : JSON.stringify(group.labels))),
    ).toEqual(labels)
  })

  test('an alert’s receivers in a group are those that are asked for', async () => {
    const [group] = await engine.get<AlertGroup[]>('/api/v2/alerts/groups?receiver=db-slack')
    expect(group?.alerts.map(({ receivers }) => receivers)).toEqual([[{ name: 'db-slack' }], [{ name: 'db-slack' }]])
  })
})

test('what was posted can be posted back as it was read', async () => {
  const before = await engine.get<GettableAlert[]>('/api/v2/alerts')
  expect((await engine.post('/api/v2/alerts', before)).status).toBe(200)
  const after = await engine.get<GettableAlert[]>('/api/v2/alerts')
  expect(after.map(({ fingerprint }) => fingerprint)).toEqual(before.map(({ fingerprint }) => fingerprint))
})

test('resolved alerts are not shown, and times keep the sender’s offset with three digits', async () => {
  const at = (text: string, name: string) => ({ labels: { alertname: name, odd: 'yes' }, startsAt: text })
  await engine.post('/api/v2/alerts', [
    { ...at('2026-01-01T00:00:00Z', 'Gone'), endsAt: '2026-01-02T00:00:00Z' },
    at('2026-01-01T12:00:00.123456789+05:30', 'Kept'),
  ])
  expect(await engine.get('/api/v2/alerts?filter=odd%3Dyes')).toMatchObject([
    { labels: { alertname: 'Kept' }, startsAt: '2026-01-01T12:00:00.123+05:30' },
  ])
})

test('a group whose route has labels shows them, rendered', async () => {
  const config = `
route:
  receiver: nobody
  group_by: [alertname]
  routes: [{ matchers: [team=db], labels: { dash: 'https://x/{{ .GroupLabels.alertname }}?n={{ len .Alerts }}', bad: '{{ .Nope }}' } }]
receivers: [{ name: nobody }]
`
  await using other = await startEngine({ config })
  await other.post('/api/v2/alerts', [
    { labels: { alertname: 'A', team: 'db', n: '1' } },
    { labels: { alertname: 'A', team: 'db', n: '2' } },
    { labels: { alertname: 'B' } },
  ])
  const text = await (await fetch(`${other.url}/api/v2/alerts/groups`)).text()
  expect(text).toContain('"receiver":{"name":"nobody"},"routeLabels":{"dash":"https://x/A?n=2"}}')
  expect(text).toMatch(/"receiver":\{"name":"nobody"\}\}\]\n$/)
})

test('status says what clients look for', async () => {
  const status = await engine.get<{
    cluster: { name: string; peers: { name: string; address: string }[]; status: string }
  }>('/api/v2/status')
  expect(status).toMatchObject({
    cluster: { status: 'ready' },
    config: { original: expect.stringContaining('routing_key: <secret>') },
    uptime: expect.stringMatching(/^\d{4}-.*Z$/),
    versionInfo: { version: '0.33.1', branch: 'tocsin', goVersion: expect.any(String), buildDate: '', buildUser: '' },
  })
  const { name, peers } = status.cluster
  expect(peers).toEqual([{ address: new URL(engine.url).host, name }])
  expect(JSON.stringify(status)).not.toMatch(/secretkey|hunter2|T0\/B0/)
})
