import { setTimeout as sleep } from 'node:timers/promises'
import { fingerprint } from '../model/fingerprint.ts'
import { commonLabels, toRecord } from '../model/labels.ts'
import { zeroTime } from '../model/instant.ts'
import { type EngineAddress, engineAt, whyNoAnswer, whyRefused } from './engine.ts'

export interface DemoOptions {
  url: string // where the engine is
  pace: number // 1: two minutes
  stdout: NodeJS.WritableStream
}

/** An alert of Qlib Pro's nine rules, with what Prometheus would have filled in. */
interface Scene {
  alertname: string
  severity: string
  team: string
  labels?: Record<string, string>
  summary: string
  description: string
}

const alerts = {
  errors: {
    alertname: 'HighErrorRate',
    severity: 'critical',
    team: 'platform',
    labels: { service: 'api' },
    summary: 'High error rate detected',
    description: 'Error rate is 7.3% for the last 5 minutes',
  },
  database: {
    alertname: 'DatabaseConnectionExhaustion',
    severity: 'critical',
    team: 'database',
    labels: { database: 'trades' },
    summary: 'Database connection pool nearly exhausted',
    description: 'Database trades is using 94% of available connections',
  },
  latency: {
    alertname: 'HighAPILatency',
    severity: 'warning',
    team: 'backend',
    labels: { service: 'api' },
    summary: 'High API response times',
    description: '95th percentile latency is 1.8s',
  },
  accuracy: {
    alertname: 'TradingSignalAccuracyDrop',
    severity: 'warning',
    team: 'quant',
    labels: { model: 'lightgbm' },
    summary: 'Trading signal accuracy below threshold',
    description: 'Model lightgbm accuracy dropped to 57%',
  },
  collapse: {
    alertname: 'TradingSignalAccuracyDrop',
    severity: 'critical',
    team: 'quant',
    labels: { model: 'lightgbm' },
    summary: 'Trading signals are no better than chance',
    description: 'Model lightgbm accuracy dropped to 41%',
  },
  staleBhp: {
    alertname: 'MarketDataStale',
    severity: 'critical',
    team: 'data',
    labels: { symbol: 'BHP.AX' },
    summary: 'Market data feed stale',
    description: 'No market data updates for BHP.AX in over 5 minutes',
  },
  staleCba: {
    alertname: 'MarketDataStale',
    severity: 'critical',
    team: 'data',
    labels: { symbol: 'CBA.AX' },
    summary: 'Market data feed stale',
    description: 'No market data updates for CBA.AX in over 5 minutes',
  },
  users: {
    alertname: 'UnusualUserActivity',
    severity: 'info',
    team: 'security',
    summary: 'Unusual spike in user activity',
    description: 'User login rate is 3x higher than normal',
  },
  cpu: {
    alertname: 'HighCPUUsage',
    severity: 'warning',
    team: 'infrastructure',
    labels: { instance: 'web-1:9100' },
    summary: 'High CPU usage',
    description: 'CPU usage is 91%',
  },
  memory: {
    alertname: 'HighMemoryUsage',
    severity: 'warning',
    team: 'infrastructure',
    labels: { instance: 'web-1:9100' },
    summary: 'High memory usage',
    description: 'Memory usage is 7.6GB',
  },
  disk: {
    alertname: 'DiskSpaceLow',
    severity: 'warning',
    team: 'infrastructure',
    labels: { instance: 'web-1:9100', mount_point: '/var/lib' },
    summary: 'Low disk space',
    description: 'Disk usage is 88% on /var/lib',
  },
} satisfies Record<string, Scene>
type Name = keyof typeof alerts

interface Step {
  at: number // s
  status: 'firing' | 'resolved'
  names: Name[]
  says: string
}

const story: Step[] = [
  {
    at: 0,
    status: 'firing',
    names: ['cpu', 'memory', 'disk'],
    says: 'three warnings of infrastructure: Slack and mail within 5 s',
  },
  {
    at: 8,
    status: 'firing',
    names: ['errors'],
    says: 'a critical alert of platform: a page, a Slack message, an incident',
  },
  {
    at: 16,
    status: 'firing',
    names: ['errors'],
    says: 'the same again, as Alertmanager repeats itself: nothing more comes of it',
  },
  { at: 24, status: 'firing', names: ['accuracy'], says: 'a warning of quant: their own Slack, and mail' },
  {
    at: 34,
    status: 'firing',
    names: ['collapse'],
    says: 'it gets worse, a critical alert of quant: a page, Slack, and a text to a phone',
  },
  {
    at: 44,
    status: 'firing',
    names: ['database', 'latency'],
    says: 'the database follows: a page for database, Slack and mail for backend',
  },
  { at: 56, status: 'firing', names: ['staleBhp'], says: 'market data goes stale: a page and a Slack message of data' },
  {
    at: 62,
    status: 'firing',
    names: ['staleBhp', 'staleCba'],
    says: 'a second symbol joins the same group: told after 10 s, still one incident',
  },
  { at: 72, status: 'firing', names: ['users'], says: 'something to know, an info of security: mail only' },
  {
    at: 84,
    status: 'resolved',
    names: ['errors', 'database'],
    says: 'errors and database recover: resolves where they were announced',
  },
  {
    at: 94,
    status: 'resolved',
    names: ['collapse', 'accuracy', 'staleBhp', 'staleCba'],
    says: 'models and market data recover',
  },
  {
    at: 104,
    status: 'resolved',
    names: ['cpu', 'memory', 'disk', 'latency', 'users'],
    says: 'all is well; warnings and infos close at their next tick',
  },
]

const POST_TIMEOUT = 10_000 // ms

/** Plays two minutes of the seed's nine alerts to an engine, as an Alertmanager would. Resolves to the exit code. */
export async function demo({ url, pace, stdout }: DemoOptions): Promise<number> {
  const engine = engineAt(url)
  const began = Date.now()
  const startedAt = new Map<Name, string>()
  const firing = new Set<Name>()
  for (const { at, status, names, says } of story) {
    await sleep(Math.max(0, began + at * 1000 * pace - Date.now()))
    for (const name of names) {
      if (!startedAt.has(name)) startedAt.set(name, new Date().toISOString())
      if (status === 'firing') firing.add(name)
      else firing.delete(name)
    }
    // one notification a group, as Alertmanager sends them
    for (const name of new Set(names.map((one) => alerts[one].alertname))) {
      const group = [...startedAt.keys()].filter(
        (one) => alerts[one].alertname === name && (names.includes(one) || firing.has(one)),
      )
      const problem = await post(engine, payloadOf(group, firing, startedAt))
      if (problem) {
        stdout.write(`${problem}\n`)
        return 1
      }
    }
    stdout.write(
      `${clock(at)}  ${status === 'firing' ? '▲' : '▼'} ${names.map((name) => alerts[name].alertname).join(', ')}\n       ${says}\n`,
    )
  }
  stdout.write(`\nThat was it. See what became of it at ${engine.url}/inbox\n`)
  return 0
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** Alertmanager's webhook, payload version 4. */
function payloadOf(names: readonly Name[], firing: ReadonlySet<Name>, startedAt: ReadonlyMap<Name, string>) {
  const told = names.map((name) => {
    const { alertname, severity, team, summary, description, ...rest }: Scene = alerts[name]
    const labels = new Map(Object.entries({ alertname, severity, team, ...rest.labels, job: 'qlib-pro' }))
    return {
      status: firing.has(name) ? 'firing' : 'resolved',
      labels: toRecord(labels),
      annotations: { summary, description },
      startsAt: startedAt.get(name) ?? zeroTime,
      endsAt: firing.has(name) ? zeroTime : new Date().toISOString(),
      generatorURL: `http://prometheus.example.com/graph?g0.expr=${encodeURIComponent(alertname)}&g0.tab=1`,
      fingerprint: fingerprint(labels),
    }
  })
  const groupLabels = { alertname: told[0]?.labels['alertname'] ?? '' }
  return {
    receiver: 'tocsin',
    status: names.some((name) => firing.has(name)) ? 'firing' : 'resolved',
    alerts: told,
    groupLabels,
    commonLabels: toRecord(commonLabels(told.map(({ labels }) => new Map(Object.entries(labels))))),
    commonAnnotations: toRecord(commonLabels(told.map(({ annotations }) => new Map(Object.entries(annotations))))),
    externalURL: 'http://alertmanager.example.com:9093',
    version: '4',
    groupKey: `{}:{alertname="${groupLabels.alertname}"}`,
    truncatedAlerts: 0,
  }
}

/** What went wrong, in a sentence; undefined where it was taken. */
async function post(engine: EngineAddress, payload: object): Promise<string | undefined> {
  try {
    const answer = await fetch(`${engine.url}/webhook`, {
      method: 'POST',
      headers: { ...engine.headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(payload),
      signal: AbortSignal.timeout(POST_TIMEOUT),
    })
    return answer.ok ? undefined : whyRefused(answer.status, (await answer.text()).slice(0, 300), engine)
  } catch (error) {
    return whyNoAnswer(error, engine)
  }
}
