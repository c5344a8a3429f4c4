// npm run bench:routing [-- --quick]: routing decisions a processor second on trees of 1,000 routes. amtool decides the same in a
// process of its own for each label set, most of which is its start; the peer is therefore the walk without a memory.
import { loadConfig } from '../src/config/load.ts'
import { groupKey, groupLabels } from '../src/group/key.ts'
import { channels } from '../src/notify/index.ts'
import { openRouting } from '../src/pipeline/routing.ts'
import { matchRoutes } from '../src/route/tree.ts'
import { groupId } from '../src/store/keys.ts'
import { alertOf } from '../test/helpers/alerts.ts'
import { machine, print, processorSeconds, spread } from './print.ts'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 3 : 9
const ALERTS = quick ? 2000 : 10_000
const TEAMS = 100

/** What one team says below its route, or among all others: equality, alternations, regexes, a negation. */
const wants = (team: number) => [
  ['severity=~"critical|page"', 'env="prod"'],
  [`service=~"api-${team}|worker-${team}|cron-${team}"`],
  [`instance=~"db-${team}-[0-9]+\\\\.eu\\\\..*"`],
  ['alertname=~"(Disk|Memory|Cpu).*(Full|High)"', 'env!="dev"'],
  ['severity="warning"', 'alertname="Latency"'],
  [`namespace=~"team-${team}-.*"`, 'severity!~"info|none"'],
  ['alertname=~"Watchdog|DeadMansSwitch"'],
  [`job="exporter-${team}"`],
  ['env=~"dev|test"'],
]

/** Each team has a route with nine below it: a decision looks at one team's. */
const byTeam = Array.from({ length: TEAMS }, (_, team) => ({
  matchers: [`team="team-${team}"`],
  receiver: `r${team}`,
  group_by: ['alertname', 'env'],
  routes: wants(team).map((matchers, i) => ({ matchers, continue: i === 0 })),
}))
/** All routes are siblings: a decision looks at each until one takes it. */
const flat = Array.from({ length: TEAMS }, (_, team) => [
  ...wants(team).map((matchers) => ({ matchers: [`team="team-${team}"`, ...matchers], receiver: `r${team}` })),
  { matchers: [`team=~"team-${team}"`], receiver: `r${team}` },
]).flat()

function open(routes: readonly unknown[]) {
  const receivers = Array.from({ length: TEAMS }, (_, team) => ({ name: `r${team}` }))
  const text = JSON.stringify({ route: { receiver: 'r0', group_by: ['alertname'], routes }, receivers })
  const config = loadConfig('bench.yml', { text, env: {}, sandbox: false, channels })
  return openRouting(config, [], (_id, notifier) => notifier)
}

const pick = <T>(values: readonly T[], n: number): T => values[n % values.length] as T
const alerts = Array.from({ length: ALERTS }, (_, n) => {
  const team = (n * 7) % TEAMS
  return alertOf({
    alertname: pick(['DiskFull', 'Latency', 'MemoryHigh', 'Watchdog', 'Errors', 'CertExpiry'], n),
    severity: pick(['critical', 'warning', 'info', 'page', 'none'], n >> 2),
    env: pick(['prod', 'prod', 'staging', 'dev', 'test'], n >> 1),
    team: `team-${team}`,
    service: pick([`api-${team}`, `web-${team}`, `cron-${team}`], n >> 3),
    instance: `${pick(['db', 'app'], n)}-${team}-${n}.eu.example.com:9100`,
    namespace: `team-${team}-${pick(['blue', 'green'], n)}`,
    job: pick(['node', `exporter-${team}`], n >> 4),
  })
})

type Routing = ReturnType<typeof open>

/** What groupsOf does for an alert that it has not seen. */
function walk({ config }: Routing): number {
  let groups = 0
  for (const { labels } of alerts) {
    for (const route of matchRoutes(config.route, labels)) {
      const grouped = groupLabels(route, labels)
      groups += groupId(route.id, groupKey(route, grouped)).length > 0 ? 1 : 0
      JSON.stringify([...grouped])
    }
  }
  return groups
}

function decide(routing: Routing): number {
  let groups = 0
  for (const alert of alerts) groups += routing.groupsOf(alert).length
  return groups
}

function rateOf(run: () => number): { rate: number; groups: number } {
  let groups = 0
  const seconds = processorSeconds(() => (groups = run()))
  return { rate: ALERTS / seconds, groups }
}

function measure(name: string, routes: readonly unknown[]): void {
  const kinds = ['walk, no memory', 'cold, a new config', 'memoised'] as const
  const results = kinds.map((kind) => ({ kind, rates: [] as number[], ratios: [] as number[] }))
  for (let round = 0; round < ROUNDS; round++) {
    const routing = open(routes) // with the one before goes all that its regexes remembered
    const cold = rateOf(() => decide(routing))
    const memoised = rateOf(() => decide(routing))
    const plain = rateOf(() => walk(routing))
    if (cold.groups !== plain.groups || memoised.groups !== plain.groups) throw new Error('the decisions differ')
    for (const { kind, rates, ratios } of results) {
      const { rate } = { 'walk, no memory': plain, 'cold, a new config': cold, memoised }[kind]
      rates.push(rate)
      ratios.push(rate / plain.rate)
    }
  }
  print(`\n${name}`)
  print(`${''.padEnd(20)}${'decisions/s'.padEnd(38)}as ratio to the walk`)
  for (const { kind, rates, ratios } of results)
    print(`${kind.padEnd(20)}${spread(rates).padEnd(38)}${spread(ratios, 2)}`)
}

print(machine())
print(`${ALERTS} label sets of 8 labels, ${ROUNDS} rounds (minimum / median / maximum)`)
measure('1,000 routes: 100 teams with nine routes each', byTeam)
measure('1,000 routes: all siblings', flat)
