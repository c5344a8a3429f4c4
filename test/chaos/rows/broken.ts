import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eventually, tempDir } from '../../helpers/engine.ts'
import { type Arena, type Settling, openArena } from '../arena.ts'
import { type Breakage, breakEngine } from '../broken.ts'
import { openFindings } from '../findings.ts'
import { killAt } from '../points.ts'
import { isLong, seed, write } from '../tier.ts'

/** What brings each fault to light, and what must be said then. */
const cases: Record<Breakage, { says: RegExp; run(arena: Arena): Promise<Partial<Settling>> }> = {
  'answers before the write': {
    says: /^P1: .* was accepted, and .* never heard of it/,
    run: (arena) => killedAt(arena, 'accept', 'before'),
  },
  'no sweep of the outbox': {
    says: /^(?:P1: .* was accepted, and .* never heard of it|P2: \d+ notifications are still owed)/,
    run: (arena) => killedAt(arena, 'settle', 'after'),
  },
  'no fencing': { says: /^P3: /, run: overtaken },
  'log before send': {
    says: /^P2: .* was written down as told .* and heard nothing/,
    run: (arena) => killedAt(arena, 'record', 'after'),
  },
}

const inShortTier = new Set(['answers before the write', 'log before send'])

export function brokenEngines(): void {
  for (const [what, { says, run }] of Object.entries(cases)) {
    const declare = isLong ? test : inShortTier.has(what) ? test.concurrent : test.concurrent.skip
    declare(`an engine with ${what} is found out, and ours is not (seed ${seed})`, { timeout: 180_000 }, async () => {
      using dir = tempDir()
      const cli = breakEngine(what as Breakage, dir.path)
      const [ours, first] = await Promise.all([violationsOf(run), violationsOf(run, cli)])
      // it is killed at an instant, and may have said nothing wrong by then
      let theirs = first
      for (let again = 0; again < 2 && !theirs.some((one) => says.test(one)); again++)
        theirs = await violationsOf(run, cli)
      write({
        name: `an engine with ${what} is found out`,
        promises: 'the harness',
        rounds: 1,
        facts: 2,
        failures: (ours.length > 0 ? 1 : 0) + (theirs.some((one) => says.test(one)) ? 0 : 1),
        seed,
        took: 0,
        notes: theirs.slice(0, 1),
      })
      expect(ours).toEqual([])
      expect(theirs).toContainEqual(expect.stringMatching(says))
    })
  }
}

async function violationsOf(run: (arena: Arena) => Promise<Partial<Settling>>, cli?: string): Promise<string[]> {
  await using arena = await openArena({ seed, ...(cli !== undefined && { cli }) })
  const findings = openFindings()
  const how = await run(arena)
  await arena.settle(findings, { ...how, patience: 25_000 })
  return findings.violations.map(({ promise, what }) => `${promise}: ${what}`)
}

/** Killed at such a moment under load, and followed by another engine. */
async function killedAt(arena: Arena, name: string, stop: 'before' | 'after'): Promise<Partial<Settling>> {
  const KILLS = stop === 'before' ? 1 : 2 // after it, chance has a say
  await arena.start()
  const sender = await arena.openSender({ perSecond: 5, resolveShare: 0 })
  for (let kill = 0; kill < KILLS; kill++) {
    if (!(await killAt({ at: 'command', name, stop }, arena, 0))) throw new Error(`no engine came to ${name}`)
    await arena.start()
  }
  await sleep(500)
  await sender.stop()
  return { kills: KILLS }
}

/**
 * An engine stands still in the middle of a send for longer than its lease. Another takes over, and is in the middle of its own
 * send when the first comes back and has something to write down.
 */
async function overtaken(arena: Arena): Promise<Partial<Settling>> {
  const webhook = arena.channels.get('webhook')
  if (!webhook) throw new Error('there is no webhook')
  const held: (() => void)[] = []
  webhook.behave = () => ({ does: 'ok', until: new Promise<void>((release) => held.push(release)) })
  const first = await arena.start()
  const sender = await arena.openSender({ perSecond: 1, criticalShare: 0, resolveShare: 0 })
  await sender.stop()
  await eventually(
    async () => held.length,
    (count) => count > 0,
  )
  first.process.kill('SIGSTOP')
  const asked = held.length
  await arena.start()
  await eventually(
    async () => held.length,
    (count) => count > asked,
    40_000,
  )
  first.process.kill('SIGCONT')
  await sleep(4000) // the first writes down what came of its attempt, or sees that it is not its own any more
  webhook.behave = () => ({ does: 'ok' })
  for (const release of held) release()
  return { repeats: 3 }
}
