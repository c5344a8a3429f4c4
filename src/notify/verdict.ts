import type { Outcome, Reason } from './notifier.ts'
import { type Answer, failedWith, hide, isCutShort, reasonOf } from './http.ts'

/** What a channel's word or code means, whatever the HTTP status beside it. */
export interface Verdict {
  means: Reason | 'unknown' // unknown: it may have been taken all the same
  /** How long to wait at least where the channel does not say, ms. */
  wait?: number
}

/** Words or codes of a channel by what they mean, as a table that docs/channels.md shows. */
export type Verdicts = Readonly<Record<string, Verdict>>

/** A row for each of some words. */
export function all(words: string, verdict: Verdict): Record<string, Verdict> {
  return Object.fromEntries(words.split(' ').map((word) => [word, verdict]))
}

/** How an attempt ended that was answered, but not with success. */
export function failedBy(answer: Answer, says: string, verdict: Verdict = { means: reasonOf(answer.status) }): Outcome {
  const { status, retryAfter, secrets } = answer
  const word = hide(says, secrets)
  if (verdict.means === 'unknown') return { state: 'unknown', detail: `HTTP ${status}${word && `: ${word}`}` }
  if (isCutShort(answer)) return { state: 'unknown', detail: `HTTP ${status}, and the answer broke off` }
  const failure = failedWith(status, word, retryAfter, verdict.means)
  const wait = failure.state === 'failed' ? (failure.retryAfter ?? verdict.wait) : undefined
  return { ...failure, ...(wait !== undefined && { retryAfter: wait }) }
}
