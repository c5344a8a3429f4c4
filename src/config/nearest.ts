/** The known word that a mistyped one is likeliest meant to be; undefined where none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let longer: string | undefined // a word that was only begun
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    if (word.length > 2 && candidate.startsWith(word)) longer ??= candidate
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best ?? longer
}

/** `; did you mean "receiver"?`, or, where nothing is near, what there is. */
export function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  if (near) return `; did you mean "${near}"?`
  return known.length > 0 && known.length <= 12 ? `; known: ${known.join(', ')}` : ''
}

/** Levenshtein's, in which two letters changed about count as one. */
function editDistance(a: string, b: string): number {
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
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
