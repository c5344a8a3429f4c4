/** Names to values. A Map, since `__proto__` is a legal label name. */
export type Labels = ReadonlyMap<string, string>

/**
 * Orders texts by their UTF-8 bytes, as Go does. JavaScript's own order is by UTF-16 unit, which
 * puts characters above U+FFFF before U+E000..U+FFFF.
 */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Moves surrogates above the rest of the basic plane, where their code points are. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** The names in byte order, in which most senders give them. */
export function sortedNames(labels: Labels): string[] {
  const names = [...labels.keys()]
  for (let i = 1; i < names.length; i++)
    if (compareBytes(names[i - 1] ?? '', names[i] ?? '') > 0) return names.sort(compareBytes)
  return names
}

/** What all of these have in common: the same name with the same value in each, where none is an empty one. Empty for none. */
export function commonLabels(sets: readonly Labels[]): Labels {
  const [first, ...rest] = sets
  if (!first) return new Map()
  return new Map([...first].filter(([name, value]) => rest.every((other) => (other.get(name) ?? '') === value)))
}

/** A plain object for JSON, without a prototype so that every name is only a name. Names in byte order. */
export function toRecord(labels: Labels): Record<string, string> {
  const record: Record<string, string> = Object.create(null)
  for (const name of sortedNames(labels)) record[name] = labels.get(name) ?? ''
  return record
}

/**
 * Orders label sets as Alertmanager does: fewer labels first; else at the first name where they
 * differ, the set that lacks it, or the smaller value.
 */
export function compareLabels(a: Labels, b: Labels): number {
  if (a.size !== b.size) return a.size - b.size
  const names = [...new Set([...a.keys(), ...b.keys()])].sort(compareBytes)
  for (const name of names) {
    const x = a.get(name)
    const y = b.get(name)
    if (x === y) continue
    if (x === undefined) return -1
    if (y === undefined) return 1
    return compareBytes(x, y)
  }
  return 0
}
