import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Arena, openArena } from '../arena.ts'
import type { Kind, Sent } from '../ledger.ts'
import { underLoad } from '../load.ts'
import { figure, longRow, row } from '../tier.ts'

// Fault matrix D as far as it is about the whole program; what bad input gets: test/e2e/intake.test.ts. Three senders and two
// replicas: test/e2e/replicas.test.ts. A real Prometheus that restarts: test/e2e/prometheus-restart.test.ts.

row({
  name: 'every alert goes to each replica, as from a pair of Prometheus: told exactly once',
  promises: 'P1–P5, P12',
  rounds: figure(1, 5),
  ms: 120_000,
  run: (seed, findings) =>
    underLoad(
      seed,
      findings,
      { replicas: figure(2, 3), plan: { everywhere: true, perSecond: 15 }, sendFor: [2000, figure(1000, 10_000)] },
      async () => ({ repeats: 0 }),
    ),
})

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

/** When each alert was first told there. */
function firstTold({ channels }: Arena, kind: Kind): Map<string, number> {
  const told = new Map<string, number>()
  for (const line of channels.get(kind)?.read() ?? []) {
    if ('answered' in line) continue
    for (const [id] of line.body.matchAll(/\bG\d+x[\dn]+\.\d+\b/g)) if (!told.has(id)) told.set(id, line.at)
  }
  return told
}

/** Of all of a metric's lines together. */
function sumOf(metrics: string, name: string): number {
  return [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
    (sum, [, one]) => sum + Number(one),
    0,
  )
}

/** Offered by two senders, ten times a second in each of their lanes; and what the engine is told to stop at. */
const LANES = 16
const OWED = 1000

export function senderFaults(): void {
  longRow({
    name: 'a flood of twenty times what it can tell: 503 or accepted, memory bounded, what was accepted is told, criticals first in line',
    promises: 'P1–P5, P9',
    rounds: 1,
    ms: 600_000,
    async run(seed, findings) {
      await using arena = await openArena({ seed })
      // each group of the flood is told once: looked at each second, all that was ever taken would be the flood
      const calm = arena.config
        .replace('group_interval: 1s', 'group_interval: 1h')
        .replaceAll('severity="critical"] }', 'severity="critical"], group_interval: 1s }')
      writeFileSync(arena.configFile, `${calm}limits: { owed: ${OWED}, due_groups: ${OWED} }\n`)
      const engine = await arena.start()
      const pages = await arena.openSender({ perSecond: 1, criticalShare: 1, resolveShare: 0 })
      const floods = await Promise.all([0, 1].map(() => arena.openSender({ lanes: LANES })))
      const from = Date.now()
      const sizes: number[] = []
      for (let second = 0; second < 60; second++) {
        await sleep(1000)
        sizes.push(residentMiB(engine.process.pid ?? 0))
      }
      const to = Date.now()
      const metrics = await (await fetch(`${engine.url}/metrics`)).text()
      const mean = (name: string) => (sumOf(metrics, `${name}_sum`) / sumOf(metrics, `${name}_count`)).toFixed(1)
      await Promise.all([pages, ...floods].map((sender) => sender.stop()))
      const largest = (list: readonly number[]) => Math.max(...list)
      // a plateau: the last third is not much larger than the one before
      findings.holds(
        'P9',
        largest(sizes.slice(40)) < 1.5 * largest(sizes.slice(20, 40)),
        () => `memory grew from ${largest(sizes.slice(20, 40))} to ${largest(sizes.slice(40))} MiB`,
      )
      const sent = arena.sent()
      for (const { result, status, at, doneAt } of sent)
        findings.holds(
          'P9',
          result === 'acked' || status === 503,
          () => `a request of the flood got ${status || 'no answer'} after ${doneAt - at} ms`,
        )
      const duringIt = sent.filter(({ at }) => at >= from && at < to)
      const alertsOf = (list: readonly Sent[]) => list.reduce((sum, { alerts }) => sum + alerts.length, 0)
      const taken = duringIt.filter(({ result }) => result === 'acked')
      const times = alertsOf(duringIt) / alertsOf(taken)
      findings.holds('P9', times > 5, () => `it was no flood: 1 alert in ${times.toFixed(1)} was accepted`)

      await arena.settle(findings, { repeats: 0, grace: 240_000, patience: 240_000 })
      const acked = new Map<string, number>()
      for (const { doneAt, alerts } of taken)
        for (const { id, severity } of alerts) if (severity === 'critical' && id.endsWith('.0')) acked.set(id, doneAt)
      const [bySlack, byWebhook] = [firstTold(arena, 'slack'), firstTold(arena, 'webhook')]
      const waits: number[] = []
      for (const [id, ackedAt] of acked) {
        const at = bySlack.get(id) ?? Number.POSITIVE_INFINITY
        const later = (byWebhook.get(id) ?? Number.POSITIVE_INFINITY) - at
        waits.push(at - ackedAt)
        // groups are looked at in the order in which they are due, whatever their severity
        findings.holds(
          'P9',
          at - ackedAt < 60_000,
          () => `a critical was told ${at - ackedAt} ms after it was accepted`,
        )
        // Slack has criticals only; what the webhook is owed besides waits behind them
        findings.holds('P9', later < 5000, () => `the webhook heard of a critical ${later} ms after Slack had`)
      }
      waits.sort((one, other) => one - other)
      findings.holds('P9', waits.length > 0, () => 'no critical was accepted')
      findings.notes.push(
        `${alertsOf(duringIt)} alerts offered, ${alertsOf(taken)} accepted (1 in ${times.toFixed(1)}); at most ${Math.round(largest(sizes))} MiB; ` +
          `${waits.length} criticals, told after ${waits[waits.length >> 1]} ms, ${waits.at(-1)} ms at the most; ` +
          `flushes late by ${mean('tocsin_flush_lag_seconds')} s, attempts begun after ${mean('tocsin_notification_start_delay_seconds')} s`,
      )
    },
  })
}
