import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { startEngine, tempDir } from '../helpers/engine.ts'
import { type Child, startAlertmanagerWith } from '../helpers/prometheus.ts'

// Karma and Grafana ask as they do of an Alertmanager; a real one beside shows that they are played right.
// Karma: internal/mapper/v017 and internal/verprobe of prymitive/karma. Grafana: its Alertmanager data source,
// implementation "Prometheus", in public/app/features/alerting/unified/api of grafana/grafana.

const config = `
route:
  receiver: default
  group_by: [alertname]
  group_wait: 1h
  routes:
    - { receiver: team, matchers: [team=~".+"], group_by: [team], continue: true }
    - { receiver: audit, matchers: [severity="critical"], group_by: ['...'] }
inhibit_rules:
  - { source_matchers: [severity="critical"], target_matchers: [severity="info"], equal: [team] }
receivers: [{ name: default }, { name: team }, { name: audit }]
`
const alerts = [
  { labels: { alertname: 'Full', team: 'db', severity: 'critical' }, annotations: { summary: 'Full & hot' } },
  {
    labels: { alertname: 'Filling', team: 'db', severity: 'info' },
    generatorURL: 'http://prometheus.example.com/graph',
  },
  { labels: { alertname: 'Slow', job: 'web' } },
].map((alert) => ({ ...alert, startsAt: '2026-01-02T03:04:05.678Z', endsAt: '2096-01-02T03:04:05.678Z' }))

/** What Go's time.Time reads. */
const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)
const texts = z.record(z.string(), z.string())
const alert = z.object({
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  labels: texts,
  annotations: texts,
  startsAt: instant,
  endsAt: instant,
  updatedAt: instant,
  generatorURL: z.string().optional(),
  receivers: z.array(z.object({ name: z.string() })).min(1),
  status: z.object({
    state: z.enum(['active', 'suppressed', 'unprocessed']),
    inhibitedBy: z.array(z.string()), // never null
    silencedBy: z.array(z.string()),
  }),
})
const groups = z.array(z.object({ receiver: z.object({ name: z.string() }), labels: texts, alerts: z.array(alert) }))
const silence = z.object({
  id: z.uuid(),
  status: z.object({ state: z.enum(['active', 'pending', 'expired']) }),
  matchers: z.array(
    z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().optional() }),
  ),
  createdBy: z.string(),
  comment: z.string(),
  startsAt: instant,
  endsAt: instant,
  updatedAt: instant,
})
const status = z.object({
  cluster: z.object({
    name: z.string().optional(), // missing outside of a cluster
    peers: z.array(z.object({ name: z.string(), address: z.string() })),
    status: z.enum(['ready', 'settling', 'disabled']),
  }),
  config: z.object({ original: z.string() }),
  uptime: instant,
  versionInfo: z.object({
    branch: z.string(),
    buildDate: z.string(),
    buildUser: z.string(),
    goVersion: z.string(),
    revision: z.string(),
    version: z.string(),
  }),
})

describe.each([
  ['Tocsin', () => startEngine({ config })],
  ['Alertmanager', (dir: string) => startAlertmanagerWith(config, dir)],
])('%s', (_name, start: (dir: string) => Promise<Child>) => {
  const dir = tempDir()
  let server: Child | undefined
  let url = ''
  beforeAll(async () => {
    server = await start(dir.path)
    url = server.url
    await send('POST', '/api/v2/alerts', alerts)
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    dir[Symbol.dispose]()
  })

  /** A JSON answer, which a generated client reads by its content type. */
  async function ask<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    const answer = await fetch(url + path, { headers: { Accept: 'application/json' } })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
    return shape.parse(await answer.json())
  }

  async function send(method: string, path: string, body?: unknown): Promise<string> {
    const headers = { Accept: 'application/json', ...(body !== undefined && { 'Content-Type': 'application/json' }) }
    const answer = await fetch(url + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    expect([method, path, answer.status, text]).toEqual([method, path, 200, text])
    return text
  }

  async function silenced(body: object): Promise<string> {
    return z.object({ silenceID: z.uuid() }).parse(JSON.parse(await send('POST', '/api/v2/silences', body))).silenceID
  }

  const silencing = (alertname: string, comment: string, isRegex = false) => ({
    matchers: [{ name: 'alertname', value: alertname, isRegex, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    createdBy: 'me@example.com',
    comment,
  })

  describe('Karma', () => {
    /** One pull of it, whole. */
    async function pull() {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      const [, version = ''] = /^alertmanager_build_info\{(?:.*,)?version="([^"]*)".*\} 1$/m.exec(metrics) ?? []
      return {
        metrics,
        version,
        status: await ask('/api/v2/status', status),
        silences: await ask('/api/v2/silences', z.array(silence)),
        groups: await ask('/api/v2/alerts/groups', groups),
      }
    }
    const stateOf = ({ groups: pulled }: Awaited<ReturnType<typeof pull>>, alertname: string) =>
      pulled.flatMap((group) => group.alerts).find(({ labels }) => labels['alertname'] === alertname)?.status

    test('finds a version that it works with, in metrics that it can read', async () => {
      const { metrics, version } = await pull()
      const [, major, minor] = /^(\d+)\.(\d+)\.\d+(?:[-+].*)?$/.exec(version)?.map(Number) ?? []
      expect(major).toBe(0)
      expect(minor).toBeGreaterThanOrEqual(22)
      const { status: code, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: metrics, encoding: 'utf8' })
      expect(code === 0 || code === 3, stderr).toBe(true) // 3: read, and a name not to its taste
    })

    test('finds each group with its receiver, and each alert of it', async () => {
      const pulled = await pull()
      expect(
        pulled.groups.map(({ receiver, labels, alerts: found }) => [
          receiver.name,
          labels,
          found.map((one) => one.labels['alertname']),
        ]),
      ).toEqual([
        ['team', { team: 'db' }, ['Filling', 'Full']],
        ['default', { alertname: 'Slow' }, ['Slow']],
        ['audit', { alertname: 'Full', team: 'db', severity: 'critical' }, ['Full']],
      ])
      const [filling, full] = pulled.groups[0]?.alerts ?? []
      expect(full).toMatchObject({
        labels: alerts[0]?.labels,
        annotations: { summary: 'Full & hot' },
        startsAt: alerts[0]?.startsAt,
        endsAt: alerts[0]?.endsAt,
        receivers: [{ name: 'audit' }, { name: 'team' }],
        status: { state: 'active', inhibitedBy: [], silencedBy: [] },
      })
      expect(filling).toMatchObject({
        annotations: {},
        generatorURL: 'http://prometheus.example.com/graph',
        status: { state: 'suppressed', inhibitedBy: [full?.fingerprint], silencedBy: [] },
      })
    })

    test('silences from its page, changes the silence and ends it', async () => {
      const preflight = await fetch(`${url}/api/v2/silences`, {
        method: 'OPTIONS',
        headers: {
          Origin: 'http://karma.example.com',
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'content-type',
        },
      })
      expect(preflight.ok).toBe(true)
      expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
      expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
      expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('content-type')

      const id = await silenced({ id: null, ...silencing('Slow', 'from Karma') })
      const during = await pull()
      expect(during.silences.find((one) => one.id === id)).toMatchObject({
        status: { state: 'active' },
        matchers: [{ name: 'alertname', value: 'Slow', isRegex: false, isEqual: true }],
        createdBy: 'me@example.com',
        comment: 'from Karma',
      })
      expect(stateOf(during, 'Slow')).toMatchObject({ state: 'suppressed', silencedBy: [id] })

      const [found] = during.silences
      expect(await silenced({ ...silencing('Slow', 'longer'), id, startsAt: found?.startsAt })).toBe(id)
      const other = await silenced({ ...silencing('Slow|Fast', 'wider', true), id })
      expect(other).not.toBe(id) // other matchers make another silence
      const changed = await pull()
      expect(changed.silences.map((one) => [one.id, one.status.state, one.comment])).toEqual([
        [other, 'active', 'wider'],
        [id, 'expired', 'longer'],
      ])
      expect(stateOf(changed, 'Slow')).toMatchObject({ state: 'suppressed', silencedBy: [other] })

      await send('DELETE', `/api/v2/silence/${other}`)
      const after = await pull()
      expect(after.silences.map((one) => one.status.state)).toEqual(['expired', 'expired'])
      expect(stateOf(after, 'Slow')).toMatchObject({ state: 'active', silencedBy: [] })
    })
  })

  describe('Grafana', () => {
    /** By fingerprint, as they come. */
    const listed = async (query: string) =>
      (await ask(`/api/v2/alerts?${query}`, z.array(alert))).map(({ labels }) => labels['alertname'])

    test('takes it for an Alertmanager, and for nothing else', async () => {
      for (const path of ['/alertmanager/api/v2/status', '/api/v1/status/buildinfo'])
        expect((await fetch(url + path)).status, path).toBeGreaterThanOrEqual(400)
      const { config: shown } = await ask('/api/v2/status', status)
      expect(parse(shown.original)).toMatchObject({
        route: {
          receiver: 'default',
          group_by: ['alertname'],
          routes: [{ receiver: 'team', matchers: ['team=~".+"'], continue: true }, { receiver: 'audit' }],
        },
        receivers: [{ name: 'default' }, { name: 'team' }, { name: 'audit' }],
      })
    })

    test.each([
      ['', ['Full', 'Filling', 'Slow']],
      ['silenced=true&active=true&inhibited=true', ['Full', 'Filling', 'Slow']],
      ['silenced=true&active=true&inhibited=false&unprocessed=true', ['Full', 'Slow']],
      ['active=false', ['Filling']],
      [`filter=${encodeURIComponent('team="db"')}&filter=${encodeURIComponent('severity=~"crit.*"')}`, ['Full']],
      [`filter=${encodeURIComponent('team!="db"')}`, ['Slow']],
      [`filter=${encodeURIComponent('team!~"db|web"')}&silenced=false`, ['Slow']],
    ])('lists alerts with %s', async (query, names) => {
      expect(await listed(query)).toEqual(names)
    })

    test('lists the groups', async () => {
      const found = await ask('/api/v2/alerts/groups', groups)
      expect(found.map(({ receiver }) => receiver.name)).toEqual(['team', 'default', 'audit'])
    })

    test('silences, shows the silence, changes it and ends it', async () => {
      const id = await silenced(silencing('Full', 'from Grafana'))
      const created = await ask(`/api/v2/silence/${id}`, silence)
      expect(created).toMatchObject({ id, comment: 'from Grafana', status: { state: 'active' } })
      const found = await ask('/api/v2/silences?ruleMetadata=true&accesscontrol=true', z.array(silence))
      expect(found.find((one) => one.id === id)).toEqual(created)
      expect(await listed('silenced=false')).toEqual(['Filling', 'Slow']) // and goes on inhibiting

      const { status: _state, updatedAt: _at, ...kept } = created
      expect(await silenced({ ...kept, comment: 'still' })).toBe(id)
      await send('DELETE', `/api/v2/silence/${id}`)
      expect(await ask(`/api/v2/silence/${id}`, silence)).toMatchObject({
        comment: 'still',
        status: { state: 'expired' },
      })
      expect(await listed('silenced=false')).toEqual(['Full', 'Filling', 'Slow'])
    })

    test('forwards its own alerts', async () => {
      const own = {
        labels: { __alert_rule_uid__: 'abc', alertname: 'Own', grafana_folder: 'A folder', ref_id: 'A' },
        annotations: { __dashboardUid__: 'd', __value_string__: "[ var='A' value=1 ]" },
        startsAt: '2026-01-02T14:04:05.678+11:00',
        endsAt: '2096-01-02T14:04:05.678+11:00',
        generatorURL: 'http://grafana.example.com/alerting/grafana/abc/view?orgId=1',
      }
      await send('POST', '/api/v2/alerts', [own])
      const [found] = await ask(`/api/v2/alerts?filter=${encodeURIComponent('alertname="Own"')}`, z.array(alert))
      expect(found).toMatchObject({
        labels: own.labels,
        annotations: own.annotations,
        generatorURL: own.generatorURL,
        receivers: [{ name: 'default' }],
      })
      expect(Date.parse(found?.startsAt ?? '')).toBe(Date.parse(own.startsAt))
      await send('POST', '/api/v2/alerts', [{ ...own, endsAt: new Date().toISOString() }])
      expect(await listed(`filter=${encodeURIComponent('alertname="Own"')}`)).toEqual([])
    })
  })
})
