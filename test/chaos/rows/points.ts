import { openArena } from '../arena.ts'
import { killAt, nameOf, pointsOf } from '../points.ts'
import { figure, row } from '../tier.ts'

export function exactPoints(): void {
  row({
    name: 'the engine is killed at each exact point of its work',
    promises: 'P1–P5, P17',
    rounds: figure(1, 5),
    ms: 240_000,
    async run(seed, findings) {
      await using arena = await openArena({ seed })
      await arena.start()
      const sender = await arena.openSender({ perSecond: 30, criticalShare: 0.3 })
      const every = await pointsOf(arena, 2500)
      const some = every.map((point) => ({ point, at: arena.random() })).sort((a, b) => a.at - b.at)
      const points = some.slice(0, figure(4, every.length)).map(({ point }) => point)
      let kills = 0
      for (const point of points) {
        const struck = await killAt(point, arena, Math.floor(arena.random() * 3))
        findings.holds('harness', struck, () => `no engine came to the point ${nameOf(point)}`)
        if (!struck) continue
        kills += 1
        await arena.start()
      }
      await sender.stop()
      await arena.settle(findings, { kills })
      findings.notes.push(`${kills} of ${every.length} points`)
    },
  })
}
