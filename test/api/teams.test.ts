import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { as, webFile } from '../helpers/access.ts'
import { type Engine, eventually, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'
import { type HttpSink, openHttpSink } from '../helpers/http-sink.ts'

// Grafana's CVE-2024-1313 and its like: what a list hides must not be reached by its id either.

const teams = ['quant', 'data'] as const
const who = [...teams.flatMap((team) => [`view ${team}`, `respond ${team}`, `admin ${team}`]), 'admin', 'ingest']

let engine: Engine
let sink: HttpSink
const dir = tempDir()
const of: Record<string, { silence: string; incident: string; letter: string }> = {}

const silence = (matchers: { name: string; value: string; isRegex?: boolean; isEqual?: boolean }[], id?: string) => ({
  ...(id && { id }),
  matchers: matchers.map((one) => ({ isRegex: false, isEqual: true, ...one })),
  startsAt: '2020-01-01T00:00:00Z',
  endsAt: '2099-01-01T00:00:00Z',
  createdBy: 'x',
  comment: 'x',
})
const ask = (path: string, name: string, method = 'GET', body?: unknown) =>
  fetch(engine.url + path, {
    method,
    headers: { ...as(name), ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
const status = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).status
async function list<T>(path: string, name: string): Promise<T[]> {
  const answer = await ask(path, name)
  expect(answer.status).toBe(200)
  return (await answer.json()) as T[]
}

beforeAll(async () => {
  sink = await openHttpSink({ status: 404, body: 'no_service' }) // a permanent no: the dead letter at once
  engine = await startEngine({
    config: `
severities:
  critical: { notify: [slack], incident: true, group_wait: 0s }
teams:
  quant: { default: true, slack: '${sink.url}/services/quant' }
  data: { slack: '${sink.url}/services/data' }
route: { group_by: [alertname] }
`,
    args: [`--web.config.file=${webFile(dir.path, who)}`],
  })
  // one group of both teams' alerts would be two: the table routes by team; the alert without a team is quant's
  const alerts = [{ team: 'quant', n: '1' }, { team: 'data', n: '2' }, { n: '3' }]
  const labels = alerts.map((one) => ({
    labels: { alertname: 'A', severity: 'critical', ...one } as Record<string, string>,
  }))
  expect(await status('/webhook', 'ingest', 'POST', webhookPayload(...labels))).toBe(200)
  const incidents = await eventually(
    () => list<{ id: string; team: string }>('/api/tocsin/v1/incidents', 'admin'),
    (all) => all.length === 2,
  )
  const letters = await eventually(
    () => list<{ id: string; receiver: string }>('/api/tocsin/v1/deadletters', 'admin'),
    (all) => all.length === 2,
  )
  for (const team of teams) {
    const made = await ask(
      '/api/v2/silences',
      'admin',
      'POST',
      silence([
        { name: 'team', value: team },
        { name: 'n', value: '0' },
      ]),
    )
    const { silenceID } = (await made.json()) as { silenceID: string }
    of[team] = {
      silence: silenceID,
      incident: incidents.find((one) => one.team === team)?.id ?? '',
      letter: letters.find((one) => one.receiver === `${team}/critical`)?.id ?? '',
    }
  }
}, 60_000)
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  await sink[Symbol.asyncDispose]()
  dir[Symbol.dispose]()
})

describe.each([
  ['quant', 'data'],
  ['data', 'quant'],
] as const)('who is of team %s', (mine, other) => {
  test('sees their own in every list', async () => {
    const name = `view ${mine}`
    const alerts = await list<{ labels: Record<string, string> }>('/api/v2/alerts', name)
    expect(alerts.map(({ labels }) => labels['n'] ?? '').sort()).toEqual(mine === 'quant' ? ['1', '3'] : ['2'])
    const groups = await list<{ alerts: { labels: Record<string, string> }[] }>('/api/v2/alerts/groups', name)
    expect(groups.flatMap((group) => group.alerts.map(({ labels }) => labels['n'] ?? '')).sort()).toEqual(
      mine === 'quant' ? ['1', '3'] : ['2'],
    )
    const silences = await list<{ id: string }>('/api/v2/silences', name)
    expect(silences.map(({ id }) => id)).toEqual([of[mine]?.silence])
    const incidents = await list<{ id: string }>('/api/tocsin/v1/incidents', name)
    expect(incidents.map(({ id }) => id)).toEqual([of[mine]?.incident])
    const letters = await list<{ receiver: string }>('/api/tocsin/v1/deadletters', name)
    expect(letters.map(({ receiver }) => receiver)).toEqual([`${mine}/critical`])
    const page = (await (await ask('/api/tocsin/v1/alerts', name)).json()) as {
      alerts: { labels: Record<string, string>; groups: string[] }[]
      groups: Record<string, { receiver: string }>
    }
    expect(page.alerts.map(({ labels }) => labels['n'] ?? '').sort()).toEqual(mine === 'quant' ? ['1', '3'] : ['2'])
    expect([...new Set(Object.values(page.groups).map(({ receiver }) => receiver))]).toEqual([`${mine}/critical`])
    const { deliveries } = (await (await ask('/api/tocsin/v1/deliveries', name)).json()) as {
      deliveries: { receiver: string }[]
    }
    expect([...new Set(deliveries.map(({ receiver }) => receiver))]).toEqual([`${mine}/critical`])
  })

  test('learns why only of their own', async () => {
    const why = (team: string) => `/api/tocsin/v1/why?labels=${encodeURIComponent(`alertname="A",team="${team}"`)}`
    expect(await status(why(mine), `view ${mine}`)).toBe(200)
    expect(await status(why(other), `view ${mine}`)).toBe(404)
  })

  test.each(['respond', 'admin'])('reaches by id what is theirs, and nothing else, as %s too', async (role) => {
    const name = `${role} ${mine}`
    expect(await status(`/api/v2/silence/${of[mine]?.silence}`, name)).toBe(200)
    expect(await status(`/api/v2/silence/${of[other]?.silence}`, name)).toBe(404)
    expect(await status(`/api/v2/silence/${of[other]?.silence}`, name, 'DELETE')).toBe(404)
    for (const path of ['', '/ack', '/resolve']) {
      const method = path === '' ? 'GET' : 'POST'
      const body = path === '' ? undefined : {}
      expect(await status(`/api/tocsin/v1/incidents/${of[other]?.incident}${path}`, name, method, body), path).toBe(404)
    }
    expect(await status(`/api/tocsin/v1/incidents/${of[other]?.incident}/alerts`, name)).toBe(404)
    const note = { text: 'seen' }
    expect(await status(`/api/tocsin/v1/incidents/${of[other]?.incident}/notes`, name, 'POST', note)).toBe(404)
    expect(await status(`/api/tocsin/v1/incidents/${of[mine]?.incident}/notes`, name, 'POST', note)).toBe(201)
    expect(await status(`/ack/${of[other]?.incident}`, name)).toBe(404)
    expect(await status(`/ack/${of[mine]?.incident}`, name)).toBe(200)
    expect(await status(`/api/tocsin/v1/incidents/${of[mine]?.incident}/ack`, name, 'POST', {})).toBe(200)
  })

  test.each([
    [
      'pinned to their team',
      [
        { name: 'team', value: mine },
        { name: 'n', value: '9' },
      ],
      200,
    ],
    ['pinned to another', [{ name: 'team', value: other }], 403],
    ['pinned to none', [{ name: 'alertname', value: 'A' }], 403],
    ['by a pattern that others fit', [{ name: 'team', value: `${mine}|${other}`, isRegex: true }], 403],
    ['by a pattern that only they fit', [{ name: 'team', value: mine, isRegex: true }], 403],
    ['of everyone else', [{ name: 'team', value: other, isEqual: false }], 403],
  ])('may make a silence %s: %s', async (_name, matchers, expected) => {
    const made = await ask('/api/v2/silences', `respond ${mine}`, 'POST', silence(matchers))
    expect(made.status).toBe(expected)
    if (expected === 200) {
      const { silenceID } = (await made.json()) as { silenceID: string }
      expect(await status(`/api/v2/silence/${silenceID}`, `respond ${mine}`, 'DELETE')).toBe(200)
    }
  })

  test('cannot send again what is not theirs', async () => {
    const path = '/api/tocsin/v1/deadletters'
    const name = `admin ${mine}`
    expect(await status(`${path}/${of[mine]?.letter}`, name)).toBe(200)
    expect(await status(`${path}/${of[other]?.letter}`, name)).toBe(404)
    expect(await status(`${path}/${of[other]?.letter}/retry`, name, 'POST')).toBe(404)
    const owed = await list<{ integration: string }>('/api/tocsin/v1/notifications', name)
    expect(owed.filter(({ integration }) => !integration.startsWith(`${mine}/`))).toEqual([])
  })

  test('cannot make another’s silence theirs', async () => {
    const stolen = silence([{ name: 'team', value: mine }], of[other]?.silence)
    expect(await status('/api/v2/silences', `respond ${mine}`, 'POST', stolen)).toBe(404)
    const still = (await (await ask(`/api/v2/silence/${of[other]?.silence}`, 'admin')).json()) as {
      status: { state: string }
    }
    expect(still.status.state).toBe('active')
  })
})

test('the audit log is of all teams: an admin of some may not read it', async () => {
  expect(await status('/api/tocsin/v1/audit', 'admin')).toBe(200)
  const refused = await ask('/api/tocsin/v1/audit', 'admin quant')
  expect([refused.status, await refused.json()]).toEqual([
    403,
    { code: 403, message: 'the audit log is of all teams, which only an admin without teams may read' },
  ])
})

test('whoever listens hears of their own incidents only', async () => {
  const stop = new AbortController()
  const stream = await fetch(`${engine.url}/api/tocsin/v1/events`, { headers: as('view quant'), signal: stop.signal })
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
  let heard = ''
  for (const team of ['data', 'quant'])
    expect(await status(`/api/tocsin/v1/incidents/${of[team]?.incident}/resolve`, 'admin', 'POST', {})).toBe(200)
  const about = (team: string) => `{"id":"${of[team]?.incident}","event":"resolved"}`
  while (reader && !heard.includes(about('quant'))) heard += (await reader.read()).value ?? ''
  expect(heard).not.toContain(about('data'))
  stop.abort()
})
