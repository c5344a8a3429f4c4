// npm run bench [-- --quick]: what the way in and the way through cost. Prints minimum, median and maximum of the rounds.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, type IncomingMessage, type ServerResponse, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startEngine, tempDir } from '../test/helpers/engine.ts'
import { startAlertmanager } from '../test/helpers/prometheus.ts'
import { machine, print, spread } from './print.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 2 : 5
const ALERTS = quick ? 6400 : 32_000
const BATCH = 64
const IN_FLIGHT = 8
const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT })

/** About 1.1 kB, as Prometheus sends them. */
function alert(n: number, round: number) {
  return {
    labels: {
      alertname: `Bench${n % 500}`,
      instance: `host-${n}:9100`,
      job: 'node',
      severity: 'info',
      team: 'platform',
      cluster: 'eu-1',
      round: String(round),
    },
    annotations: {
      summary: `Alert ${n} of the benchmark`,
      description: 'x'.repeat(600),
      runbook_url: `https://runbooks.example.com/${n}`,
    },
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 240_000).toISOString(),
    generatorURL: 'http://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
  }
}

function post(url: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/api/v2/alerts`,
      { method: 'POST', agent, headers: { 'Content-Type': 'application/json' } },
      (answer) => {
        answer.resume()
        answer.on('end', () =>
          answer.statusCode === 200 ? resolve() : reject(new Error(`answered ${answer.statusCode}`)),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Processor seconds of a process so far, user and system. */
function processor(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const ingestConfig = `
route: { receiver: nobody, group_by: [alertname], group_wait: 10m }
receivers: [{ name: nobody }]
`

async function measureIngest(): Promise<void> {
  using dir = tempDir()
  await using engine = await startEngine({ config: ingestConfig })
  await using peer = await startAlertmanager(dir.path, 'http://127.0.0.1:1/') // its receiver plays no part before group_wait
  const redis = Number(execFileSync('pgrep', ['-n', 'redis-server']).toString())
  const kinds = ['new', 'repeated'] as const
  const results = new Map<string, Record<'rate' | 'ratio' | 'engine' | 'redis', number[]>>(
    kinds.map((kind) => [kind, { rate: [], ratio: [], engine: [], redis: [] }]),
  )

  async function rateOf(url: string, bodies: readonly string[]): Promise<number> {
    const started = performance.now()
    const queue = [...bodies]
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        for (let body = queue.pop(); body !== undefined; body = queue.pop()) await post(url, body)
      }),
    )
    return (ALERTS / (performance.now() - started)) * 1000
  }

  for (let round = 0; round < ROUNDS; round++) {
    const bodies: string[] = []
    for (let n = 0; n < ALERTS; n += BATCH)
      bodies.push(JSON.stringify(Array.from({ length: BATCH }, (_, i) => alert(n + i, round))))
    for (const kind of kinds) {
      const before = { engine: processor(engine.process.pid), redis: processor(redis) }
      const rate = await rateOf(engine.url, bodies)
      const result = results.get(kind)
      result?.rate.push(rate)
      result?.engine.push(((processor(engine.process.pid) - before.engine) / ALERTS) * 100_000)
      result?.redis.push(((processor(redis) - before.redis) / ALERTS) * 100_000)
      result?.ratio.push(rate / (await rateOf(peer.url, bodies)))
    }
  }
  for (const [kind, { rate, ratio, engine: ours, redis: theirs }] of results) {
    print(`${kind.padEnd(9)} alerts/s ${spread(rate).padEnd(24)} as ratio to Alertmanager ${spread(ratio, 2)}`)
    print(`${' '.repeat(9)} processor s per 100,000: engine ${spread(ours, 2)}, Redis ${spread(theirs, 2)}`)
  }
}

async function measureLatency(): Promise<void> {
  const arrived = new Map<string, number>()
  const sink = createServer((incoming, response) => void take(incoming, response)).listen(0, '127.0.0.1')
  async function take(incoming: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
    const { alerts }: { alerts: { labels: { alertname: string } }[] } = JSON.parse(Buffer.concat(chunks).toString())
    for (const { labels } of alerts)
      if (!arrived.has(labels.alertname)) arrived.set(labels.alertname, performance.now())
    response.end()
  }
  await once(sink, 'listening')
  const { port } = sink.address() as AddressInfo
  await using engine = await startEngine({
    config: `
route: { receiver: sink, group_by: [alertname], group_wait: 0s }
receivers: [{ name: sink, webhook_configs: [{ url: 'http://127.0.0.1:${port}' }] }]
`,
  })
  const count = quick ? 100 : 500
  const sent = new Map<string, number>()
  for (let n = 0; n < count; n++) {
    sent.set(`L${n}`, performance.now())
    await post(engine.url, JSON.stringify([{ labels: { alertname: `L${n}` }, startsAt: new Date().toISOString() }]))
    await new Promise((pause) => setTimeout(pause, 10))
  }
  while (arrived.size < count) await new Promise((pause) => setTimeout(pause, 20))
  const times = [...sent].map(([name, at]) => (arrived.get(name) ?? 0) - at).sort((a, b) => a - b)
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(1)
  print(
    `post to local sink at group_wait 0s, ${count} alerts, one each 10 ms: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`,
  )
  sink.closeAllConnections()
  sink.close()
}

print(`${machine()}, ${execFileSync('redis-server', ['--version']).toString().split(' sha')[0]}, appendfsync always`)
print(
  `POST /api/v2/alerts, ${ALERTS} alerts of about 1.1 kB in batches of ${BATCH}, ${IN_FLIGHT} in flight, ${ROUNDS} rounds (minimum / median / maximum)`,
)
await measureIngest()
await measureLatency()
agent.destroy()
