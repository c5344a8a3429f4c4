import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openArena } from '../arena.ts'
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

export function senderFaults(): void {
  longRow({
    name: 'a flood of far more than it can take: 503 or accepted, memory bounded, what was accepted is told',
    promises: 'P1–P5, P9',
    rounds: 1,
    ms: 400_000,
    async run(seed, findings) {
      await using arena = await openArena({ seed })
      const engine = await arena.start()
      const senders = await Promise.all(
        Array.from({ length: 4 }, () => arena.openSender({ perSecond: 1000, criticalShare: 0.01, resolveShare: 0 })),
      )
      const sizes: number[] = []
      for (let second = 0; second < 60; second++) {
        await sleep(1000)
        sizes.push(residentMiB(engine.process.pid ?? 0))
      }
      await Promise.all(senders.map((sender) => sender.stop()))
      const largest = (list: readonly number[]) => Math.max(...list)
      // a plateau: the last third is not much larger than the one before
      findings.holds(
        'P9',
        largest(sizes.slice(40)) < 1.5 * largest(sizes.slice(20, 40)),
        () => `memory grew from ${largest(sizes.slice(20, 40))} to ${largest(sizes.slice(40))} MiB`,
      )
      // who is so slow to send (408) is a sender of ours that has no processor: four of them have one core
      for (const { result, status, at, doneAt } of arena.sent()) {
        const isSlow = status === 408 && doneAt - at > 9000
        findings.holds(
          'P9',
          result !== 'refused' || status === 503 || isSlow,
          () => `a request of the flood got ${status} after ${doneAt - at} ms`,
        )
      }
      findings.notes.push(`largest ${largest(sizes)} MiB`)
      await arena.settle(findings, { repeats: 100, grace: 240_000, patience: 240_000 })
    },
  })
}
