import { setTimeout as sleep } from 'node:timers/promises'
import { openArena } from '../arena.ts'
import { figure, row } from '../tier.ts'

export function crashes(): void {
  row({
    name: 'the engine is killed at random under load',
    promises: 'P1–P5, P17',
    rounds: figure(1, 10),
    ms: 120_000,
    async run(seed, findings) {
      const KILLS = figure(3, 10)
      await using arena = await openArena({ seed })
      for (const channel of arena.channels.values())
        channel.behave = () => ({ does: 'ok', after: 10 + arena.random() * 90 })
      await arena.start()
      const sender = await arena.openSender({ perSecond: 80 })
      for (let kill = 0; kill < KILLS; kill++) {
        await sleep(50 + arena.random() * figure(1000, 1950))
        const [engine] = arena.engines
        if (engine) await arena.kill(engine)
        await arena.start()
      }
      await sender.stop()
      await arena.settle(findings, { kills: KILLS })
      findings.notes.push(
        `${KILLS} kills, ${arena.sent().filter(({ result }) => result === 'acked').length} requests accepted`,
      )
    },
  })
}
