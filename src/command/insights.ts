import type { Writable } from 'node:stream'
import { z } from 'zod'
import { ask } from './engine.ts'

export interface InsightOptions {
  url: string // of the engine; user and password may stand in it
  window: string // a duration
  stdout: Writable
}

const shares = z.array(z.object({ name: z.string(), count: z.number() }))
const pattern = z.object({
  total: z.number(),
  types: shares,
  affectedServices: shares,
  hourlyDistribution: z.array(z.object({ hour: z.string(), count: z.number() })),
})
const patterns = z.object({
  from: z.string(),
  to: z.string(),
  alerts: pattern,
  deliveries: pattern.extend({ attempts: z.number() }),
  anomalies: z.array(z.object({ type: z.string(), timestamp: z.string(), count: z.number(), threshold: z.number() })),
})
const kpis = z.object({
  from: z.string(),
  to: z.string(),
  kpis: z.array(
    z.object({
      name: z.string(),
      unit: z.enum(['ratio', 'seconds']),
      value: z.number().nullable(),
      of: z.number(),
      target: z.number().nullable(),
      better: z.enum(['higher', 'lower']),
      met: z.boolean().nullable(),
    }),
  ),
})

/** How many names of a list are printed. */
const SHOWN = 10
const BAR = 40

/** Prints what came in and what failed. Returns the exit code. */
export async function showPatterns(options: InsightOptions): Promise<number> {
  const { from, to, alerts, deliveries, anomalies } = patterns.parse(await read('patterns', options))
  const { stdout } = options
  stdout.write(`${from} to ${to}\n`)
  print(`alerts that came in: ${alerts.total}`, alerts, stdout)
  print(`deliveries that failed: ${deliveries.total} of ${deliveries.attempts} attempts`, deliveries, stdout)
  stdout.write(`\nunusual minutes of the last hour: ${anomalies.length || 'none'}\n`)
  for (const { type, timestamp, count, threshold } of anomalies)
    stdout.write(`  ${timestamp}  ${type}: ${count}, above ${threshold}\n`)
  return 0
}

/** Prints the KPIs. Returns 1 where one misses its target. */
export async function showKpis(options: InsightOptions): Promise<number> {
  const { from, to, kpis: found } = kpis.parse(await read('kpis', options))
  options.stdout.write(`${from} to ${to}\n`)
  for (const { name, unit, value, of, target, better, met } of found) {
    const wanted = target === null ? 'no target' : `${better === 'higher' ? '≥' : '<'} ${shown(target, unit)}`
    const verdict = met === null ? '' : met ? '  met' : '  MISSED'
    options.stdout.write(`${name.padEnd(26)}${shown(value, unit).padStart(10)}  (${wanted}, of ${of})${verdict}\n`)
  }
  return found.some(({ met }) => met === false) ? 1 : 0
}

function read(what: string, options: InsightOptions): Promise<unknown> {
  return ask('GET', `${what}?window=${encodeURIComponent(options.window)}`, options)
}

function print(
  title: string,
  { types, affectedServices, hourlyDistribution }: z.infer<typeof pattern>,
  stdout: Writable,
) {
  stdout.write(`\n${title}\n`)
  for (const [what, list] of [
    ['types', types],
    ['services', affectedServices],
  ] as const) {
    const named = list.slice(0, SHOWN).map(({ name, count }) => `${name} ${count}`)
    const more = list.length > SHOWN ? [`and ${list.length - SHOWN} more`] : []
    if (named.length > 0) stdout.write(`  ${what}: ${[...named, ...more].join(', ')}\n`)
  }
  const most = Math.max(...hourlyDistribution.map(({ count }) => count))
  if (most > 0)
    for (const { hour, count } of hourlyDistribution)
      stdout.write(`  ${hour.slice(0, 16)}  ${'█'.repeat(Math.round((BAR * count) / most))} ${count}\n`)
}

function shown(value: number | null, unit: 'ratio' | 'seconds'): string {
  if (value === null) return 'none yet'
  return unit === 'ratio' ? `${(100 * value).toFixed(2)} %` : `${value < 1 ? value.toFixed(3) : value.toFixed(1)} s`
}
