import { appendFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Findings, openFindings } from './findings.ts'

/** `npm run chaos`; else the short tier, a part of `npm test`. */
export const isLong = process.env['CHAOS'] === 'long'
/** The same seed, the same faults: `CHAOS_SEED=… npm run chaos`. */
export const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000_000)

/** For who has no time for all of them: `npm run chaos -- --rounds 1`. */
const MOST_ROUNDS = Number(process.env['CHAOS_ROUNDS'] ?? Number.POSITIVE_INFINITY)

export const figure = <T>(short: T, long: T): T => (isLong ? long : short)

/** How many drawn cases or repetitions: `--rounds` cuts these short, too. */
export const repeats = (short: number, long: number): number =>
  Number.isFinite(MOST_ROUNDS) ? short : figure(short, long)

export interface Row {
  name: string
  promises: string // 'P1–P3'
  rounds: number
  ms: number // what a round may take
  alone?: boolean // it measures time: nothing else runs then
  run(seed: number, findings: Findings): Promise<void>
}

/** What a row came to: a line of the table of `npm run chaos`. */
export interface Result {
  name: string
  promises: string
  rounds: number
  facts: number
  failures: number
  seed: number
  took: number // ms
  notes: string[]
}

/** A row of the fault matrix as a test: each round has a seed of its own, and all that it finds is told at the end. */
export function row({ name, promises, rounds: wanted, ms, alone = false, run }: Row): void {
  const rounds = Math.min(wanted, MOST_ROUNDS)
  // the short tier waits for several at a time; the long one has the machine to itself
  const declare = isLong || alone ? test : test.concurrent
  declare(`${name} (${promises}, seed ${seed})`, { timeout: rounds * ms + 60_000 }, async () => {
    const startedAt = Date.now()
    const all = openFindings()
    let done = 0
    const broken: string[] = []
    try {
      for (; done < rounds && broken.length === 0; done++) {
        const findings = openFindings()
        await run(seed + done, findings).catch((error: unknown) => {
          const said = error instanceof Error ? (error.stack ?? error.message) : String(error)
          broken.push(`round ${done + 1}, CHAOS_SEED=${seed + done}: ${said}`)
        })
        for (const { promise, what } of findings.violations)
          broken.push(`${promise}: ${what} (round ${done + 1}, CHAOS_SEED=${seed + done})`)
        all.add(findings)
      }
    } finally {
      write({
        name,
        promises,
        rounds: done,
        facts: all.facts,
        failures: broken.length,
        seed,
        took: Date.now() - startedAt,
        notes: all.notes,
      })
      for (const what of broken.slice(0, 3)) process.stdout.write(`chaos:   ${what}\n`)
    }
    expect(broken.slice(0, 20)).toEqual([])
    expect(all.facts).toBeGreaterThan(0) // a row that looks at nothing shows nothing
  })
}

/** A row of which the short tier has no time. */
export function longRow(row_: Row): void {
  if (isLong) row(row_)
  else test.concurrent.skip(`${row_.name} (${row_.promises}): npm run chaos`, () => {})
}

/** Tells a result now, and keeps it for the table. */
export function write(result: Result): void {
  const file = process.env['CHAOS_REPORT']
  if (file) appendFileSync(file, `${JSON.stringify(result)}\n`)
  const { name, rounds, facts, failures, took, notes } = result
  process.stdout.write(
    `chaos: ${name}: seed ${seed}, ${rounds} rounds, ${facts} facts, ${failures} failures, ${(took / 1000).toFixed(1)} s` +
      `${notes.map((note) => `; ${note}`).join('')}\n`,
  )
}
