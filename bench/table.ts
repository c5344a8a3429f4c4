import { print, spread } from './print.ts'

/** What was measured of both, by what it is. */
export interface Figures {
  add(what: string, ours: number, theirs: number): void
}

/** A line of the table: a kind of work that both do. */
export interface Row {
  name: string
  run(figures: Figures): Promise<void>
}

/** Runs a row and returns its lines as Markdown: Tocsin, Alertmanager and the ratio of each round, minimum / median / maximum. */
export async function measure(row: Row): Promise<string[]> {
  const taken = new Map<string, { ours: number[]; theirs: number[] }>()
  await row.run({
    add(what, ours, theirs) {
      const of = taken.get(what) ?? { ours: [], theirs: [] }
      of.ours.push(ours)
      of.theirs.push(theirs)
      taken.set(what, of)
    },
  })
  return [...taken].map(([what, { ours, theirs }]) => {
    const ratios = ours.map((value, i) => value / (theirs[i] ?? Number.NaN))
    const digits = Math.max(...ours, ...theirs) < 100 ? 2 : 0
    const line = `| ${row.name} | ${what} | ${spread(ours, digits)} | ${spread(theirs, digits)} | ${spread(ratios, 2)} |`
    print(line)
    return line
  })
}
