/** How far silences and inhibitions have got: what caches of them are held against. */
export interface Versions {
  epoch: string // of the data set; another after its loss
  silences: number
  rules: string // as `accept` answers
  sourced: ReadonlyMap<string, number> // id of each rule that has sources → how many
}

/** From epoch, silences and rules as Redis holds them, and rules with their counts. */
export function toVersions(
  [epoch, silences, rules]: readonly (string | null)[],
  sourced: readonly [string, string][],
): Versions {
  return {
    epoch: epoch ?? '',
    silences: Number(silences ?? 0),
    rules: `${epoch ?? ''} ${rules ?? 0}`,
    sourced: new Map(sourced.map(([rule, count]) => [rule, Number(count)])),
  }
}
