import { performance } from 'node:perf_hooks'
import { alert, silenceOf } from './load.ts'
import { type Side, type Sides, openSides, openTocsin } from './sides.ts'
import { postOf, sendAll } from './wire.ts'
import type { Figures, Row } from './table.ts'

const BATCH = 64
export const IN_FLIGHT = 8
const GROUPS = 500

export interface Plan {
  rounds: number
  alerts: number // new ones of a round
  active: number // those that are sent again
  repeats: number // how often in a round
}

export const quiet = `
route: { receiver: nobody, group_by: [alertname], group_wait: 10m }
receivers: [{ name: nobody }]
`

/** 1,000 routes beside each other, of which none fits. */
const tree = `
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 10m
  routes:
${Array.from(
  { length: 1000 },
  (_, n) => `    - { matchers: ['team="team-${n}"', 'cluster=~"eu-.*"'], receiver: nobody }`,
).join('\n')}
receivers: [{ name: nobody }]
`

const inhibiting = `${quiet}
inhibit_rules:
${Array.from(
  { length: 100 },
  (_, n) => `  - { source_matchers: [source="${n}"], target_matchers: [severity="warning"], equal: [cluster] }`,
).join('\n')}
`

export const requests = (from: number, count: number, round: number): Buffer[] =>
  Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) =>
    postOf(
      '/api/v2/alerts',
      JSON.stringify(
        Array.from({ length: Math.min(BATCH, count - batch * BATCH) }, (__, i) =>
          alert(from + batch * BATCH + i, round, GROUPS),
        ),
      ),
    ),
  )

export async function cost(
  side: Side,
  all: readonly Buffer[],
  alerts: number,
): Promise<{ rate: number; processor: number }> {
  const before = side.processor()
  const started = performance.now()
  await sendAll(side.url, all, IN_FLIGHT)
  const rate = (alerts / (performance.now() - started)) * 1000
  return { rate, processor: side.processor() - before }
}

/** Two that are sent the same. */
type Pair = Pick<Sides, 'tocsin' | 'alertmanager'>

/** Sends the same to both, one after the other. */
async function both({ tocsin, alertmanager }: Pair, all: readonly Buffer[], alerts: number, figures: Figures) {
  const ours = await cost(tocsin, all, alerts)
  const theirs = await cost(alertmanager, all, alerts)
  figures.add('alerts/s', ours.rate, theirs.rate)
  figures.add('processor, s', ours.processor, theirs.processor)
}

async function fresh(sides: Sides, { rounds, alerts }: Plan, figures: Figures): Promise<void> {
  for (let round = 0; round < rounds; round++) await both(sides, requests(0, alerts, round), alerts, figures)
  figures.add('memory, MiB', sides.tocsin.memory(), sides.alertmanager.memory())
}

/** As they stand for hours: each has come before, and again. */
async function repeated(sides: Pair, { rounds, active, repeats }: Plan, figures: Figures): Promise<void> {
  for (const side of [sides.tocsin, sides.alertmanager])
    for (let time = 0; time < 2; time++) await sendAll(side.url, requests(0, active, 0), IN_FLIGHT)
  for (let round = 0; round < rounds; round++) {
    const all = Array.from({ length: repeats }, () => requests(0, active, 0)).flat()
    await both(sides, all, active * repeats, figures)
  }
}

async function silence({ url }: Side): Promise<void> {
  const all = Array.from({ length: 2000 }, (_, n) => postOf('/api/v2/silences', JSON.stringify(silenceOf(n))))
  await sendAll(url, all, 4)
}

/** What comes in: rows of the table. */
export const ingestRows = (plan: Plan, appendfsync: 'everysec' | 'always'): Row[] => {
  const row = (
    name: string,
    config: string,
    run: (sides: Sides, plan: Plan, figures: Figures) => Promise<void>,
  ): Row => ({
    name: `${name}, ${appendfsync}`,
    async run(figures) {
      await using sides = await openSides(config, appendfsync)
      await run(sides, plan, figures)
    },
  })
  return [
    row(`new alerts: ${plan.alerts} in ${GROUPS} groups`, quiet, fresh),
    row(`repeats: ${plan.active} active, sent again ${plan.repeats} times`, quiet, repeated),
    row('repeats, with a tree of 1,000 routes', tree, repeated),
    row('repeats, with 2,000 silences and 100 inhibit rules', inhibiting, async (sides, given, figures) => {
      for (const side of [sides.tocsin, sides.alertmanager]) await silence(side)
      await repeated(sides, given, figures)
    }),
  ]
}

/** What two processes take beside one: on two cores, which Redis and the sender need, too. */
export const workersRows = ({ rounds, alerts, active, repeats }: Plan): Row[] => [
  {
    name: '--workers=2 beside 1: new alerts',
    async run(figures) {
      await using two = await openTocsin(quiet, 'everysec', 2)
      await using one = await openTocsin(quiet, 'everysec')
      for (let round = 0; round < rounds; round++)
        await both({ tocsin: two.side, alertmanager: one.side }, requests(0, alerts, round), alerts, figures)
    },
  },
  {
    name: '--workers=2 beside 1: repeats',
    async run(figures) {
      await using two = await openTocsin(quiet, 'everysec', 2)
      await using one = await openTocsin(quiet, 'everysec')
      await repeated({ tocsin: two.side, alertmanager: one.side }, { rounds, alerts, active, repeats }, figures)
    },
  },
]
