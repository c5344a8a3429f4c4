import { type Alert, isResolved } from '../alert/alert.ts'

/** What an integration was last told about a group: an entry of the notification log. */
export interface Told {
  at: number
  firing: ReadonlySet<string> // fingerprints
  resolved: ReadonlySet<string>
}

/** What is true of the group now. */
export interface Present {
  firing: ReadonlySet<string>
  resolved: ReadonlySet<string>
}

/** Why to speak; Alertmanager's words, which templates and webhooks carry on. */
export type NotificationReason =
  | 'first notification'
  | 'new alerts added'
  | 'all alerts resolved'
  | 'some alerts resolved'
  | 'repeat interval elapsed'

/** Why not to. */
export type Quiet = 'never announced' | 'all alerts resolved already' | 'no news'

/** Times in ms. */
export interface DedupRules {
  sendResolved: boolean
  repeatInterval: number
}

/**
 * The notification log's question: is there news for this integration? Alertmanager's table
 * (notify/dedup_stage.go, needsUpdate), first row that applies. `all alerts resolved` is also the
 * answer where resolves are not sent: then the log alone is to hear of it.
 */
export function whyNotify(
  last: Told | undefined,
  { firing, resolved }: Present,
  { sendResolved, repeatInterval }: DedupRules,
  at: number,
): NotificationReason | undefined {
  if (!last) return firing.size > 0 ? 'first notification' : undefined
  if (!isSubset(firing, last.firing)) return last.firing.size === 0 ? 'first notification' : 'new alerts added'
  if (firing.size === 0) return last.firing.size > 0 ? 'all alerts resolved' : undefined
  if (sendResolved && !isSubset(resolved, last.resolved)) return 'some alerts resolved'
  if (last.at < at - repeatInterval) return 'repeat interval elapsed'
  return undefined
}

/** What is true of these alerts at an instant. */
export function presentOf(alerts: readonly Alert[], at: number): Present {
  const present = { firing: new Set<string>(), resolved: new Set<string>() }
  for (const alert of alerts) present[isResolved(alert, at) ? 'resolved' : 'firing'].add(alert.fingerprint)
  return present
}

/** How long the log is kept at the most, ms: Alertmanager's `data.retention`. */
export const RETENTION = 120 * 3_600_000

/** How long what was told must be remembered, ms: as in Alertmanager (notify/set_notifies_stage.go). */
export function rememberFor(repeatInterval: number): number {
  return Math.min(RETENTION, 2 * repeatInterval)
}

/** The reason for silence, where `whyNotify` has none to speak. */
export function whyQuiet(last: Told | undefined, { firing }: Present): Quiet {
  if (!last) return 'never announced'
  return firing.size === 0 ? 'all alerts resolved already' : 'no news'
}

function isSubset(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  for (const one of some) if (!all.has(one)) return false
  return true
}
