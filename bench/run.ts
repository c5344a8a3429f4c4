// npm run bench [-- --quick]: what the way in and the way through cost. Prints minimum, median and maximum of the rounds.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { startEngine, tempDir } from '../test/helpers/engine.ts'
import { startAlertmanager } from '../test/helpers/prometheus.ts'
import { alert, latencies, openArrivals, openClient, quantile } from './load.ts'
import { machine, print, spread } from './print.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 2 : 5
const ALERTS = quick ? 6400 : 32_000
const BATCH = 64
const IN_FLIGHT = 8
const client = openClient(IN_FLIGHT)
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
        for (let body = queue.pop(); body !== undefined; body = queue.pop())
          await client.send('POST', `${url}/api/v2/alerts`, body)
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
  const arrivals = await openArrivals()
  await using engine = await startEngine({
    config: `
route: { receiver: sink, group_by: [alertname], group_wait: 0s }
receivers: [{ name: sink, webhook_configs: [{ url: '${arrivals.url}' }] }]
`,
  })
  const names = Array.from({ length: quick ? 100 : 500 }, (_, n) => `L${n}`)
  const times = await latencies(client, engine.url, arrivals, names)
  const at = (share: number) => quantile(times, share).toFixed(1)
  print(
    `post to local sink at group_wait 0s, ${names.length} alerts, one each 10 ms: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`,
  )
  arrivals.close()
}

print(`${machine()}, ${execFileSync('redis-server', ['--version']).toString().split(' sha')[0]}, appendfsync always`)
print(
  `POST /api/v2/alerts, ${ALERTS} alerts of about 1.1 kB in batches of ${BATCH}, ${IN_FLIGHT} in flight, ${ROUNDS} rounds (minimum / median / maximum)`,
)
await measureIngest()
await measureLatency()
client.close()
