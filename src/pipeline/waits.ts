import type { WaitsFor } from '../store/outbox.ts'

/** So many rows are remembered; the oldest go. */
const MOST = 10_000

/** What rows waited for last, as far as this process saw it: for the delivery log, which is written when the wait is over. */
export interface Waits {
  note(row: string, what: WaitsFor): void
  of(row: string): WaitsFor | undefined
  over(row: string): void
}

export function openWaits(): Waits {
  const waiting = new Map<string, WaitsFor>()
  return {
    note(row, what) {
      waiting.set(row, what)
      if (waiting.size <= MOST) return
      const [oldest = ''] = waiting.keys()
      waiting.delete(oldest)
    },
    of: (row) => waiting.get(row),
    over: (row) => void waiting.delete(row),
  }
}
