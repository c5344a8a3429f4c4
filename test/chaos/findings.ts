/** A promise that did not hold, and where. */
export interface Violation {
  promise: string // 'P3'
  what: string
}

/** What was looked at: how many facts, which of them did not hold, and what is to be told with them. */
export function openFindings() {
  const counts = new Map<string, number>()
  const violations: Violation[] = []
  const notes: string[] = []
  const count = (promise: string, by: number) => counts.set(promise, (counts.get(promise) ?? 0) + by)
  return {
    counts: counts as ReadonlyMap<string, number>,
    violations: violations as readonly Violation[],
    notes,
    get facts(): number {
      return [...counts.values()].reduce((sum, one) => sum + one, 0)
    },
    /** One fact was looked at; `what` says what is wrong where it does not hold. */
    holds(promise: string, is: boolean, what: () => string): void {
      count(promise, 1)
      if (!is) violations.push({ promise, what: what() })
    },
    add(other: Pick<Findings, 'counts' | 'violations' | 'notes'>): void {
      for (const [promise, by] of other.counts) count(promise, by)
      violations.push(...other.violations)
      notes.push(...other.notes)
    },
  }
}

export interface Findings {
  counts: ReadonlyMap<string, number>
  violations: readonly Violation[]
  notes: string[]
  readonly facts: number
  holds(promise: string, is: boolean, what: () => string): void
  add(other: Pick<Findings, 'counts' | 'violations' | 'notes'>): void
}
