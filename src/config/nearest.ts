/** The known word that a mistyped one is likeliest meant to be; undefined where none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let longer: string | undefined // a word that was only begun
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    if (word.length > 2 && candidate.startsWith(word)) longer ??= candidate
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best ?? longer
}

/** How often a list is searched: a file that is wrong throughout is not mended word by word. */
const MOST_SEARCHES = 100
const searches = new WeakMap<readonly string[], number>()

/** `; did you mean "receiver"?`, or, where nothing is near, what there is. Of one list only the first hundred are answered. */
export function suggest(word: string, known: readonly string[]): string {
  const before = searches.get(known) ?? 0
  searches.set(known, before + 1)
  if (before >= MOST_SEARCHES) return ''
  const near = nearest(word, known)
  if (near) return `; did you mean "${near}"?`
  return known.length > 0 && known.length <= 12 ? `; known: ${known.join(', ')}` : ''
}

/** Levenshtein's, in which two letters changed about count as one; at least `enough` where it is not less. */
function editDistance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      next.push(cost)
    }
    // two rows: a swap may reach over one
    if (Math.min(...row) >= enough && Math.min(...next) >= enough) return enough
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
