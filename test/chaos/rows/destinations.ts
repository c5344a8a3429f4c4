import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEngine, tempDir } from '../../helpers/engine.ts'
import { type Behave, type FakeChannel, openChannel } from '../channels.ts'
import type { Request } from '../ledger.ts'
import { figure, row } from '../tier.ts'

/** Nine ways for a destination to be of no use; the port of a fake channel that behaves so, or none. */
const dead: Record<string, { behave: Behave } | { url: string }> = {
  hangs: { behave: () => ({ does: 'hang' }) },
  drips: { behave: () => ({ does: 'drip' }) },
  resets: { behave: () => ({ does: 'reset' }) },
  limits: { behave: () => ({ does: 'refuse', status: 429, headers: { 'Retry-After': '60' } }) },
  fails: { behave: () => ({ does: 'refuse', status: 503 }) },
  refuses: { behave: () => ({ does: 'refuse', status: 403 }) },
  closed: { url: 'http://127.0.0.1:9/' },
  'bad-tls': { url: 'https://127.0.0.1:PLAIN/' },
  'no-dns': { url: 'http://no-such-host.invalid/' },
}

export function deadDestinations(): void {
  row({
    name: 'nine of ten destinations are dead: the tenth is told as soon as ever',
    promises: 'P6',
    rounds: figure(1, 3),
    ms: 180_000,
    alone: true,
    async run(_seed, findings) {
      using dir = tempDir()
      const names = Object.keys(dead)
      await using healthy = await openChannel('webhook', dir.path)
      const others: FakeChannel[] = []
      const urls = new Map([['healthy', `http://127.0.0.1:${healthy.port}/healthy`]])
      for (const [name, what] of Object.entries(dead)) {
        if ('url' in what) {
          urls.set(name, what.url.replace('PLAIN', String(healthy.port)))
          continue
        }
        const folder = join(dir.path, name)
        mkdirSync(folder)
        const other = await openChannel('webhook', folder, what.behave)
        others.push(other)
        urls.set(name, `http://127.0.0.1:${other.port}/${name}`)
      }
      const all = [...urls.keys()]
      await using engine = await startEngine({
        dir: dir.path,
        config: `
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes: [${all.map((name) => `{ receiver: ${name}, matchers: [to="${name}"] }`).join(', ')}]
receivers:
  - { name: nobody }
${all.map((name) => `  - { name: ${name}, webhook_configs: [{ url: '${urls.get(name)}' }] }`).join('\n')}
`,
      })
      const told = () => healthy.read().filter((line): line is Request => 'to' in line && line.to === '/healthy')
      /** How long it took from posting each of so many alerts to the healthy destination until it was read there, ms. */
      const latencies = async (what: string, count: number): Promise<number[]> => {
        const postedAt = new Map<string, number>()
        for (let n = 0; n < count; n++) {
          postedAt.set(`${what}${n}`, Date.now())
          await engine.post('/api/v2/alerts', [{ labels: { alertname: `${what}${n}`, to: 'healthy' } }])
          await sleep(20)
        }
        const end = Date.now() + 60_000
        const found = () =>
          told().flatMap(({ at, body }) => {
            const { groupLabels } = JSON.parse(body) as { groupLabels: { alertname: string } }
            const posted = postedAt.get(groupLabels.alertname)
            return posted === undefined ? [] : [at - posted]
          })
        while (found().length < count && Date.now() < end) await sleep(100)
        return found().sort((a, b) => a - b)
      }
      const COUNT = figure(60, 300)
      const p99 = (sorted: readonly number[]) =>
        sorted[Math.floor(0.99 * (sorted.length - 1))] ?? Number.POSITIVE_INFINITY
      const before = await latencies('Before', COUNT)
      for (const name of names)
        await engine.post(
          '/api/v2/alerts',
          Array.from({ length: 100 }, (_, n) => ({ labels: { alertname: `Dead${n}`, to: name } })),
        )
      await sleep(2000) // every one of them has something in the air
      const after = await latencies('After', COUNT)
      findings.holds('P6', after.length === COUNT, () => `only ${after.length} of ${COUNT} were told`)
      // what waits for a dead one waits for 10 s; the short tier shares its machine
      findings.holds(
        'P6',
        p99(after) <= p99(before) + figure(4000, 1000),
        () => `p99 was ${p99(before)} ms and is ${p99(after)} ms`,
      )
      for (const other of others) await other[Symbol.asyncDispose]()
      findings.notes.push(`p99 ${p99(before)} ms before, ${p99(after)} ms with nine dead`)
    },
  })
}
