import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Arrivals, alert, openArrivals, quantile } from './load.ts'
import { type Side, openSides } from './sides.ts'
import type { Row } from './table.ts'
import { postOf, sendAll } from './wire.ts'

const BATCH = 64
const GROUP_WAIT = 5000 // ms

const configOf = (url: string, groupWait: number) => `
route: { receiver: sink, group_by: [alertname, round], group_wait: ${groupWait}ms, group_interval: 5m }
receivers: [{ name: sink, webhook_configs: [{ url: '${url}' }] }]
`

export async function untilAll({ arrived }: Arrivals, count: number): Promise<void> {
  const end = performance.now() + 120_000
  while (arrived.size < count) {
    if (performance.now() > end) throw new Error(`only ${arrived.size} of ${count} alerts came`)
    await sleep(5)
  }
}

/** What goes out: rows of the table. */
export function wayOutRows({ rounds, storm, singles }: { rounds: number; storm: number; singles: number }): Row[] {
  const groups = storm / 10
  return [
    {
      name: `storm: ${storm} alerts in ${groups} groups, to the sink`,
      async run(figures) {
        for (let round = 0; round < rounds; round++) {
          using sink = await openArrivals('instance')
          await using sides = await openSides(configOf(sink.url, GROUP_WAIT), 'everysec')
          const run = async (side: Side): Promise<{ ms: number; processor: number }> => {
            sink.arrived.clear()
            // they begin now: a group of what is older than its wait is told of at once, with what has come by then
            const startsAt = new Date().toISOString()
            const requests = Array.from({ length: Math.ceil(storm / BATCH) }, (_none, batch) => {
              const alerts = Array.from({ length: Math.min(BATCH, storm - batch * BATCH) }, (_none_, i) => ({
                ...alert(batch * BATCH + i, round, groups),
                startsAt,
              }))
              return postOf('/api/v2/alerts', JSON.stringify(alerts))
            })
            const before = side.processor()
            const started = performance.now()
            await sendAll(side.url, requests, 8)
            await untilAll(sink, storm)
            const ms = Math.max(...sink.arrived.values()) - started - GROUP_WAIT
            return { ms, processor: side.processor() - before }
          }
          const ours = await run(sides.tocsin)
          const theirs = await run(sides.alertmanager)
          figures.add('time less group_wait, ms', ours.ms, theirs.ms)
          figures.add('processor, s', ours.processor, theirs.processor)
        }
      },
    },
    {
      name: `one alert end to end at group_wait 0, ${singles} at 200/s`,
      async run(figures) {
        using sink = await openArrivals('instance')
        await using sides = await openSides(configOf(sink.url, 0), 'everysec')
        const run = async (side: Side, round: number) => {
          sink.arrived.clear()
          const before = side.processor()
          const sent = new Map<string, number>()
          const sending: Promise<void>[] = []
          for (let n = 0; n < singles; n++) {
            const one = { ...alert(n, round, singles), startsAt: new Date().toISOString() }
            const request = postOf('/api/v2/alerts', JSON.stringify([one]))
            sent.set(one.labels.instance, performance.now())
            sending.push(sendAll(side.url, [request], 1))
            await sleep(5)
          }
          await Promise.all(sending)
          await untilAll(sink, singles)
          const times = [...sent].map(([name, at]) => (sink.arrived.get(name) ?? 0) - at).sort((a, b) => a - b)
          return { times, processor: side.processor() - before }
        }
        for (let round = 0; round < rounds; round++) {
          const ours = await run(sides.tocsin, round)
          const theirs = await run(sides.alertmanager, round)
          figures.add('p50, ms', quantile(ours.times, 0.5), quantile(theirs.times, 0.5))
          figures.add('p99, ms', quantile(ours.times, 0.99), quantile(theirs.times, 0.99))
          figures.add('processor, s', ours.processor, theirs.processor)
        }
      },
    },
  ]
}
