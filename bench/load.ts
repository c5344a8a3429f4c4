import { once } from 'node:events'
import { Agent, type IncomingMessage, type ServerResponse, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

const started = new Date().toISOString()

/** About 1.1 kB, as Prometheus sends them. */
export function alert(n: number, round: number, groups = 500) {
  return {
    labels: {
      alertname: `Bench${n % groups}`,
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
    startsAt: started,
    endsAt: new Date(Date.now() + 240_000).toISOString(),
    generatorURL: 'http://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
  }
}

/** One that fits no alert. */
export function silenceOf(n: number) {
  return {
    matchers: [
      { name: 'instance', value: `gone-${n}`, isRegex: false },
      { name: 'cluster', value: 'eu-.*', isRegex: true },
    ],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    createdBy: 'bench',
    comment: 'bench',
  }
}

/** Requests one after the other or some at a time, over connections that stay. */
export function openClient(maxSockets: number) {
  const agent = new Agent({ keepAlive: true, maxSockets })

  /** The answer's body. Rejects where it is not 200. */
  function send(method: string, url: string, body?: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const sent = request(url, { method, agent, headers: { 'Content-Type': 'application/json' } }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(Buffer.concat(chunks))
          else reject(new Error(`${url} answered ${answer.statusCode}`))
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
  return { send, close: () => agent.destroy() }
}

export type Client = ReturnType<typeof openClient>

/** A receiver of webhooks that notes when each alert came first, by the value of a label. */
export async function openArrivals(by: 'alertname' | 'instance' = 'alertname') {
  const arrived = new Map<string, number>()
  const server = createServer((incoming, response) => void take(incoming, response)).listen(0, '127.0.0.1')
  async function take(incoming: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
    const { alerts }: { alerts: { labels: { alertname: string; instance: string } }[] } = JSON.parse(
      Buffer.concat(chunks).toString(),
    )
    for (const { labels } of alerts) if (!arrived.has(labels[by])) arrived.set(labels[by], performance.now())
    response.end()
  }
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    arrived,
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

export type Arrivals = Awaited<ReturnType<typeof openArrivals>>

/** From a post to its arrival, ms, ascending: so many alerts, each in a group of its own, one each 10 ms. */
export async function latencies(
  { send }: Client,
  url: string,
  { arrived }: Arrivals,
  names: readonly string[],
  labels: Record<string, string> = {},
): Promise<number[]> {
  const sent = new Map<string, number>()
  for (const alertname of names) {
    sent.set(alertname, performance.now())
    const body = [{ labels: { alertname, ...labels }, startsAt: new Date().toISOString() }]
    await send('POST', `${url}/api/v2/alerts`, JSON.stringify(body))
    await new Promise((pause) => setTimeout(pause, 10))
  }
  while (!names.every((name) => arrived.has(name))) await new Promise((pause) => setTimeout(pause, 20))
  return [...sent].map(([name, at]) => (arrived.get(name) ?? 0) - at).sort((a, b) => a - b)
}

/** The value below which such a share of sorted values lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? 0
}
