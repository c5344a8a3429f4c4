import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { underLoad } from '../load.ts'
import { figure, row } from '../tier.ts'

// Fault matrix E as far as it is about the whole program; what is wrong with each bad file, and that it is said where:
// test/config/errors.test.ts. A broken file of one team: test/e2e/teams.test.ts.

/** Ways to spoil a routing file. */
const spoilt: ((config: string) => string)[] = [
  (config) => config.replace('group_wait', 'group_wiat'),
  (config) => config.slice(0, config.length / 2), // half written
  () => '',
  (config) => `${config}\n  - { name: nobody }`,
  (config) => config.replace('receiver: nobody', 'receiver: who'),
  (config) => `a: &a [x]\nb: [${'*a,'.repeat(1000)}]\n${config}`,
]

export function reloads(): void {
  row({
    name: 'a reload each 200 ms under load, every second one of a broken file',
    promises: 'P1–P5, P10',
    rounds: 1,
    ms: figure(120_000, 600_000), // a good file puts every alert that is kept into its groups again: the fewer, the more reloads
    run: (seed, findings) =>
      underLoad(seed, findings, { plan: { perSecond: figure(20, 5) } }, async (arena) => {
        const [engine] = arena.engines
        if (!engine) throw new Error('there is no engine')
        const took: number[] = []
        for (let n = 0; n < figure(50, 500); n++) {
          const isBad = n % 2 === 1
          const spoil = spoilt[Math.floor(arena.random() * spoilt.length)]
          // another group interval, so that good ones are news too
          const good = arena.config.replace('repeat_interval: 4h', `repeat_interval: ${4 + (n % 3)}h`)
          writeFileSync(arena.configFile, isBad && spoil ? spoil(good) : good)
          const askedAt = Date.now()
          const answer = await fetch(`${engine.url}/-/reload`, { method: 'POST' })
          if (!isBad) took.push(Date.now() - askedAt)
          findings.holds(
            'P10',
            answer.status === (isBad ? 500 : 200),
            () => `a ${isBad ? 'bad' : 'good'} file got ${answer.status}`,
          )
          await sleep(100)
        }
        writeFileSync(arena.configFile, arena.config)
        const mean = (some: readonly number[]) => Math.round(some.reduce((sum, ms) => sum + ms, 0) / some.length)
        const tenth = Math.ceil(took.length / 10)
        findings.notes.push(
          `a good file is taken in ${mean(took.slice(0, tenth))} ms at first, ${mean(took.slice(-tenth))} at last`,
        )
        return { repeats: 0 }
      }),
  })
}
