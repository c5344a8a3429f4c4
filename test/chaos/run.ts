/**
 * `npm run chaos`: every row with its long figure, then one table of what was looked at. `--out <file>` writes it as Markdown,
 * `--seed <number>` repeats the faults of that seed, `--rounds <number>` cuts each row short; what else is given goes to vitest, such as `-t "at random"`.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Result } from './tier.ts'

const { values, positionals } = parseArgs({
  options: {
    out: { type: 'string' },
    seed: { type: 'string' },
    rounds: { type: 'string' },
    testNamePattern: { type: 'string', short: 't' },
  },
  allowPositionals: true,
})
const dir = mkdtempSync(join(tmpdir(), 'tocsin-chaos-'))
const report = join(dir, 'report.jsonl')
writeFileSync(report, '')

const { status } = spawnSync(
  'npx',
  [
    '--no-install',
    'vitest',
    'run',
    'test/chaos',
    // rows of the same table, of which each needs nothing of an arena
    'test/pipeline/histories.test.ts',
    'test/pipeline/leaks.test.ts',
    'test/e2e/heartbeat.test.ts',
    '--no-file-parallelism',
    ...(values.testNamePattern === undefined ? [] : ['-t', values.testNamePattern]),
    ...positionals,
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      CHAOS: 'long',
      CHAOS_REPORT: report,
      ...(values.rounds !== undefined && { CHAOS_ROUNDS: values.rounds }),
      ...(values.seed !== undefined && { CHAOS_SEED: values.seed }),
    },
  },
)

const results = readFileSync(report, 'utf8')
  .split('\n')
  .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Result]))
rmSync(dir, { recursive: true })
const table = markdownOf(results)
process.stdout.write(`\n${table}`)
if (values.out !== undefined) writeFileSync(values.out, table)
process.exitCode = status ?? 1

function markdownOf(all: readonly Result[]): string {
  const cell = (text: string | number) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ')
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(cell).join(' | ')} |\n`
  const sum = (of: (result: Result) => number) => all.reduce((total, one) => total + of(one), 0)
  return [
    line(['Promise', 'Fault', 'Rounds', 'Facts', 'Failures', 'Seed', 'Took', 'Seen']),
    line(['---', '---', '---:', '---:', '---:', '---:', '---:', '---']),
    ...all.map(({ promises, name, rounds, facts, failures, seed, took, notes }) =>
      line([
        promises,
        name,
        rounds,
        facts,
        failures,
        seed,
        `${Math.round(took / 1000)} s`,
        notes.slice(0, 3).join('; '),
      ]),
    ),
    line([
      '',
      'in all',
      sum(({ rounds }) => rounds),
      sum(({ facts }) => facts),
      sum(({ failures }) => failures),
      '',
      `${Math.round(sum(({ took }) => took) / 1000)} s`,
      '',
    ]),
  ].join('')
}
