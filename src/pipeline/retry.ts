import { type Outcome, retries } from '../notify/notifier.ts'

/** How long a notification is tried, ms: a page is worth an hour, anything else a day. */
const KEEP_TRYING = { page: 3_600_000, other: 24 * 3_600_000 }
const FIRST_RETRY = 1000
const LONGEST_RETRY = 5 * 60_000

/** An attempt that did not deliver. Instants in epoch ms. */
export interface Failed {
  outcome: Exclude<Outcome, { state: 'delivered' }>
  attempt: number // from 1
  owedAt: number
  now: number
  random: number // 0 ≤ x < 1
}

/** When to try again; undefined where it is to be given up. */
export function retryAt(failed: Failed, severity: string): number | undefined {
  const { outcome, attempt, owedAt, now, random } = failed
  if (outcome.state === 'failed' && !retries[outcome.reason]) return undefined
  const at = now + retryDelay(attempt, outcome, random)
  return at < owedAt + (severity === 'critical' ? KEEP_TRYING.page : KEEP_TRYING.other) ? at : undefined
}

/** Exponential from 1 s to 5 min with full jitter, never earlier than the channel asked for. In ms. */
export function retryDelay(attempts: number, outcome: Outcome, random: number): number {
  const longest = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** (attempts - 1))
  const asked = outcome.state === 'failed' ? (outcome.retryAfter ?? 0) : 0
  return asked + Math.round(longest * random)
}

/**
 * When Alertmanager would try again (notify.go, RetryStage; cenkalti/backoff): from 0.5 s half as long again each time, 60 s
 * at the most, ± 50 %, until the flush's deadline; whatever it asks, and 429 from PagerDuty only.
 */
export function retryAtExactly(failed: Failed, channel: string, groupInterval: number): number | undefined {
  const { outcome, attempt, owedAt, now, random } = failed
  if (outcome.state === 'failed') {
    const { reason } = outcome
    const isRecoverable = reason === 'network' || reason === 'server error' || channel === 'email'
    if (!isRecoverable && !(reason === 'rate limited' && channel === 'pagerduty')) return undefined
  }
  const at = now + Math.round(Math.min(60_000, 500 * 1.5 ** (attempt - 1)) * (0.5 + random))
  return at < owedAt + Math.max(groupInterval, 10_000) ? at : undefined
}
