import { openRecent } from '../model/recent.ts'
import type { WaitsFor } from '../store/outbox.ts'

/** So many rows are remembered; the older ones go. */
const MOST = 10_000

/** What rows waited for last, as far as this process saw it: for the delivery log, which is written when the wait is over. */
export interface Waits {
  note(row: string, what: WaitsFor): void
  of(row: string): WaitsFor | undefined
  over(row: string): void
}

export function openWaits(): Waits {
  const waiting = openRecent<string, WaitsFor>(MOST)
  return { note: waiting.set, of: waiting.get, over: waiting.delete }
}
