import { type Notification, type Outcome, retries } from '../notify/notifier.ts'
import type { Deps } from './deps.ts'

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

/** Until when a notification is tried, by its severity's deadline from when it became so grave: epoch ms. */
export function giveUpAt(
  newsAt: number,
  { severity, team }: Pick<Notification, 'severity' | 'team'>,
  { routing: { config } }: Deps,
): number {
  return newsAt + config.policy(severity, team).deadline
}

/** When to try again, before `giveUp`; undefined where it is to be given up. Epoch ms. */
export function retryAt(failed: Failed, giveUp: number): number | undefined {
  const { outcome, attempt, now, random } = failed
  if (outcome.state === 'failed' && !retries[outcome.reason]) return undefined
  const at = now + retryDelay(attempt, outcome, random)
  return at < giveUp ? at : undefined
}

/** Exponential from 1 s to 5 min with full jitter, never earlier than the channel asked for. In ms. */
export function retryDelay(attempts: number, outcome: Outcome, random: number): number {
  const longest = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** Math.max(0, attempts - 1))
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
