import { setTimeout as sleep } from 'node:timers/promises'
import { IN_FLIGHT, cost, quiet, requests } from './ingest.ts'
import { alert, openArrivals } from './load.ts'
import { type Side, openTocsin } from './sides.ts'
import type { Row } from './table.ts'
import { untilAll } from './way-out.ts'
import { postOf, sendAll } from './wire.ts'

/** What one more costs when there is much, beside what it costs when there is little: both are Tocsin. */
export const growthRows = (rounds: number): Row[] => [
  {
    name: 'growth: an accepted alert with 50,000 active, beside 1,000',
    async run(figures) {
      await using few = await openTocsin(quiet, 'everysec')
      await using many = await openTocsin(quiet, 'everysec')
      const each = [
        { side: many.side, active: 50_000, times: 1 },
        { side: few.side, active: 1000, times: 50 },
      ]
      for (const { side, active } of each)
        for (let time = 0; time < 2; time++) await sendAll(side.url, requests(0, active, 0), IN_FLIGHT)
      for (let round = 0; round < rounds; round++) {
        const costs: number[] = []
        for (const { side, active, times } of each) {
          const all = Array.from({ length: times }, () => requests(0, active, 0)).flat()
          costs.push(((await cost(side, all, 50_000)).processor / 50_000) * 1_000_000)
        }
        const [large = 0, small = 0] = costs
        figures.add('processor, µs an alert', large, small)
      }
    },
  },
  {
    name: 'growth: a flush with 10,000 groups, beside 10',
    async run(figures) {
      await using many = await openTocsin(flushing('10s'), 'everysec')
      await using few = await openTocsin(flushing('10ms'), 'everysec') // as often as it looks for what is due
      await sleep(5000)
      const idle = [await costOf(many.side), await costOf(few.side)] as const
      await fire(many.side, 10_000)
      await fire(few.side, 10)
      await sleep(12_000) // until each has been given up
      for (let round = 0; round < rounds; round++)
        figures.add(
          'processor beyond an idle one, µs a flush',
          await costOfFlush(many.side, idle[0]),
          await costOfFlush(few.side, idle[1]),
        )
    },
  },
  {
    name: 'growth: a notification while 10,000 of another channel wait, beside none',
    async run(figures) {
      using sink = await openArrivals('instance')
      await using long = await openTocsin(queueing(sink.url), 'everysec')
      await using empty = await openTocsin(queueing(sink.url), 'everysec')
      await fire(long.side, 10_000, { team: 'slow' })
      await untilOwed(long.side, 9000)
      for (let round = -1; round < rounds; round++) {
        const costs: number[] = []
        for (const side of [long.side, empty.side]) {
          sink.arrived.clear()
          const before = side.processor()
          await fire(side, 1000, { team: 'quick', round: String(round) })
          await untilAll(sink, 1000)
          costs.push((side.processor() - before) * 1000)
        }
        const [behind = 0, alone = 0] = costs
        if (round >= 0) figures.add('processor, µs a notification', behind, alone) // the first only warms them up
      }
    },
  },
]

const flushing = (interval: string) => `
route: { receiver: nobody, group_by: [alertname], group_wait: 0s, group_interval: ${interval}, repeat_interval: 4h }
receivers: [{ name: nobody, webhook_configs: [{ url: 'http://127.0.0.1:9' }] }]
`

/** One team's destination takes one message in an hour. */
const queueing = (url: string) => `
route:
  receiver: quick
  group_by: [alertname, round]
  group_wait: 0s
  group_interval: 1h
  routes: [{ receiver: slow, matchers: ['team="slow"'] }]
receivers:
  - { name: quick, webhook_configs: [{ url: '${url}' }] }
  - { name: slow, slack_configs: [{ api_url: 'http://127.0.0.1:9/' }] }
budgets: { slack: { rate: 1/h, burst: 1, digest_above: 0 } }
`

/** So many groups of one alert each. */
async function fire({ url }: Side, groups: number, labels: Record<string, string> = {}): Promise<void> {
  const startsAt = new Date().toISOString()
  const alerts = Array.from({ length: groups }, (_none, n) => {
    const one = alert(n, 0, groups)
    return { ...one, startsAt, labels: { ...one.labels, ...labels } }
  })
  const all = Array.from({ length: Math.ceil(groups / 64) }, (_none, i) =>
    postOf('/api/v2/alerts', JSON.stringify(alerts.slice(i * 64, (i + 1) * 64))),
  )
  await sendAll(url, all, IN_FLIGHT)
}

/** Processor seconds of ten. */
async function costOf(side: Side): Promise<number> {
  const before = side.processor()
  await sleep(10_000)
  return side.processor() - before
}

async function costOfFlush(side: Side, idle: number): Promise<number> {
  const flushes = await read(side, 'tocsin_flushes_total')
  const processor = (await costOf(side)) - idle
  return (processor / ((await read(side, 'tocsin_flushes_total')) - flushes)) * 1_000_000
}

async function untilOwed(side: Side, count: number): Promise<void> {
  while ((await read(side, 'tocsin_outbox_owed')) < count) await sleep(500)
}

async function read({ url }: Side, metric: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1])
}
