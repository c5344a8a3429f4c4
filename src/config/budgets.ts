import { z } from 'zod'
import type { Budget } from '../model/delivery.ts'
import { record } from '../model/record.ts'
import { integer, maybe, string } from '../model/settings.ts'
import { suggest } from './nearest.ts'
import type { Source } from './read/source.ts'

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

/** `1/s`, `120/m`, `1000/h`, or `unlimited`: as ms a token, 0 for any rate. */
const rate = string.transform((given, context): number => {
  if (given === 'unlimited') return 0
  const [, count = '', unit = ''] = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(given) ?? []
  const ms = (units[unit] ?? 0) / Number(count)
  if (ms > 0 && Number.isFinite(ms)) return ms
  context.addIssue(`"${given}" is not a rate; write it as 1/s, 120/m, 1000/h or unlimited`)
  return z.NEVER
})
const atLeast = (least: number) => integer.refine((given) => given >= least, `must be at least ${least}`)

/** What a destination of a channel takes, by channel: `slack: { rate: 1/s, burst: 3, in_flight: 2, digest_above: 20 }`. */
export const budgets = record(
  z.strictObject({
    rate: maybe(rate),
    burst: maybe(atLeast(1)),
    in_flight: maybe(atLeast(1)),
    digest_above: maybe(atLeast(0)),
  }),
)

/** The channels' budgets, with what the file sets instead; a channel that there is not is a problem of the source. */
export function budgetsOf(
  given: z.output<typeof budgets> | undefined,
  channels: readonly { name: string; budget: Budget }[],
  source: Source,
): ReadonlyMap<string, Budget> {
  const names = channels.map(({ name }) => name)
  for (const name of Object.keys(given ?? {})) {
    if (!names.includes(name))
      source.problems.push(
        source.problem(['budgets', name], `there is no channel "${name}"${suggest(name, names)}`, 'key'),
      )
  }
  for (const { name, budget } of channels) {
    if (budget.digestAbove === 0 && (given?.[name]?.digest_above ?? 0) > 0)
      source.problems.push(
        source.problem(
          ['budgets', name, 'digest_above'],
          `${name} is read by machines, which take no digest; leave it out`,
        ),
      )
  }
  return new Map(
    channels.map(({ name, budget }) => {
      const set = given?.[name]
      return [
        name,
        {
          burst: set?.burst ?? budget.burst,
          refill: set?.rate ?? budget.refill,
          inFlight: set?.in_flight ?? budget.inFlight,
          digestAbove: set?.digest_above ?? budget.digestAbove,
        },
      ]
    }),
  )
}
