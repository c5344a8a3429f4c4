// npm run bench:api [-- --quick]: what questions to the API cost, and a flush with many silences and inhibitions, beside
// Alertmanager (Debian's, or the one that ALERTMANAGER_BIN names) in the same run. Minimum, median and maximum of the rounds.
import { startEngine, tempDir } from '../test/helpers/engine.ts'
import { alertmanagerBinary, startAlertmanagerWith } from '../test/helpers/prometheus.ts'
import { alert, latencies, openArrivals, openClient, quantile, silenceOf } from './load.ts'
import { machine, print, spread } from './print.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 3 : 9
const SIZES = quick ? [1000, 10_000] : [1000, 10_000, 50_000]
const BATCH = 500
const SILENCES = 2000
const RULES = 100
const client = openClient(4)
const { send } = client

/** Nobody is told: what is measured is the question. */
const config = `
route: { receiver: nobody, group_by: [alertname], group_wait: 10m }
receivers: [{ name: nobody }]
`

const bodyOf = (from: number, to: number) =>
  JSON.stringify(
    Array.from({ length: to - from }, (_, n) => ({
      ...alert(from + n, 0),
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    })),
  )

async function fill(url: string, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += BATCH) await send('POST', `${url}/api/v2/alerts`, bodyOf(n, Math.min(to, n + BATCH)))
}

async function silence(url: string): Promise<void> {
  for (let n = 0; n < SILENCES; n++) await send('POST', `${url}/api/v2/silences`, JSON.stringify(silenceOf(n)))
}

async function timed(url: string): Promise<number> {
  const started = performance.now()
  await send('GET', url)
  return performance.now() - started
}

async function measureQuestions(): Promise<void> {
  using dir = tempDir()
  await using engine = await startEngine({ config })
  await using peer = await startAlertmanagerWith(config, dir.path)
  const sides = [engine.url, peer.url]
  await Promise.all(sides.map(silence))
  print(`GET beside ${SILENCES} silences, ${ROUNDS} rounds: Tocsin ms, Alertmanager ms, ratio of each round`)
  let before = 0
  for (const size of SIZES) {
    for (const url of sides) await fill(url, before, size)
    before = size
    for (const path of ['alerts', 'alerts/groups']) {
      for (const first of [false, true]) {
        const taken = new Map(sides.map((url): [string, number[]] => [url, []]))
        for (let round = -1; round < ROUNDS; round++) {
          for (const url of sides) {
            if (first) await send('POST', `${url}/api/v2/alerts`, bodyOf(0, 64))
            const ms = await timed(`${url}/api/v2/${path}`)
            if (round >= 0) taken.get(url)?.push(ms)
          }
        }
        const [ours = [], theirs = []] = taken.values()
        const ratios = ours.map((ms, i) => ms / (theirs[i] ?? 1))
        const what = `${path}, ${size} active${first ? ', after 64 changed' : ''}`
        print(`${what.padEnd(46)} ${spread(ours, 1).padEnd(24)} ${spread(theirs, 1).padEnd(24)} ${spread(ratios, 2)}`)
      }
    }
  }
}

async function measureFlush(): Promise<void> {
  const rules = Array.from(
    { length: RULES },
    (_, n) => `  - { source_matchers: [source="${n}"], target_matchers: [severity="info"], equal: [cluster] }`,
  )
  const names = Array.from({ length: quick ? 100 : 500 }, (_, n) => `F${n}`)
  print(
    `post to sink at group_wait 0s, ${names.length} alerts, each a group and a target of ${RULES} inhibitions: p50, p99 in ms`,
  )
  for (const loaded of [false, true]) {
    const rows: string[] = []
    for (const side of ['Tocsin', 'Alertmanager']) {
      using arrivals = await openArrivals()
      const text = `
route: { receiver: sink, group_by: [alertname], group_wait: 0s }
receivers: [{ name: sink, webhook_configs: [{ url: '${arrivals.url}' }] }]
${loaded ? `inhibit_rules:\n${rules.join('\n')}` : ''}
`
      using dir = tempDir()
      await using running =
        side === 'Tocsin' ? await startEngine({ config: text }) : await startAlertmanagerWith(text, dir.path)
      if (loaded) await silence(running.url)
      const warmUp = names.slice(0, 50).map((name) => `W${name}`)
      await latencies(client, running.url, arrivals, warmUp, { severity: 'info', cluster: 'eu-1' })
      const times = await latencies(client, running.url, arrivals, names, { severity: 'info', cluster: 'eu-1' })
      rows.push(`${side} ${quantile(times, 0.5).toFixed(1)}, ${quantile(times, 0.99).toFixed(1)}`)
    }
    const what = loaded ? `with ${SILENCES} silences and ${RULES} inhibitions` : 'with none'
    print(`${what.padEnd(42)} ${rows.join('   ')}`)
  }
}

print(`${machine()}, ${alertmanagerBinary}`)
await measureQuestions()
await measureFlush()
client.close()
