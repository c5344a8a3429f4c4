/** What a worker seems to be at: an idle one is fine, one that takes no job although jobs wait is built anew, then given up. */
export type Verdict = 'fine' | 'rebuild' | 'hopeless'

/**
 * Tells a worker that never woke up again from one that has nothing to do. Times are of the monotonic clock, ms: neither a
 * step of the wall clock nor Redis being away is the worker's fault.
 */
export function openWatchdog(patience: number, now: number) {
  let progressAt = now
  let isRebuilt = false

  return {
    /** When the worker last took or ended a job, or had none to take. */
    get progressAt() {
      return progressAt
    },
    progressed(at: number): void {
      progressAt = at
      isRebuilt = false
    },
    /** Redis did not say whether jobs wait: nothing can be said of the worker. */
    unknown(at: number): void {
      progressAt = at
    },
    look(at: number, waiting: number): Verdict {
      if (waiting === 0) {
        progressAt = at
        isRebuilt = false
      }
      if (at - progressAt < patience) return 'fine'
      if (isRebuilt) return 'hopeless'
      isRebuilt = true
      progressAt = at
      return 'rebuild'
    },
  }
}
