import { type Alert, compareAlerts, isResolved } from '../alert/alert.ts'
import type { Route } from '../route/route.ts'
import type { Heard } from '../suppress/suppress.ts'

/** What an integration was last told about a group: an entry of the notification log. */
export interface Told {
  at: number
  firing: ReadonlySet<string> // fingerprints
  resolved: ReadonlySet<string>
  ended: ReadonlySet<string> // of `firing`: seen resolved since, when it could not be told; firing again they are news
}

/** What an integration was not told: an attempt that is not repeated for the same. */
export interface GivenUp extends Told {
  config: string // hash of the config by which it failed: under another it may go
}

/** What is true of the group now, as far as an integration may be told. Sets of fingerprints. */
export interface Present {
  firing: ReadonlySet<string>
  resolved: ReadonlySet<string>
  /** What fires too and may not be told, but was: the integration goes on believing it. */
  hidden: ReadonlySet<string>
}

/** Why to speak; Alertmanager's words, which templates and webhooks carry on. */
export type NotificationReason =
  | 'first notification'
  | 'new alerts added'
  | 'all alerts resolved'
  | 'some alerts resolved'
  | 'repeat interval elapsed'

/** Why not to. */
export type Quiet =
  | 'nothing to tell'
  | 'never announced'
  | 'others still fire'
  | 'all alerts resolved already'
  | 'no news'

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
  { firing, resolved, hidden }: Present,
  { sendResolved, repeatInterval }: DedupRules,
  at: number,
): NotificationReason | undefined {
  if (firing.size === 0 && resolved.size === 0) return undefined
  if (!last) return firing.size > 0 ? 'first notification' : undefined
  const isNews =
    !isSubset(firing, last.firing) || (last.ended.size > 0 && [...last.ended].some((one) => firing.has(one)))
  if (isNews) return last.firing.size === 0 ? 'first notification' : 'new alerts added'
  if (firing.size === 0) return last.firing.size > 0 && hidden.size === 0 ? 'all alerts resolved' : undefined
  if (sendResolved && !isSubset(resolved, last.resolved)) return 'some alerts resolved'
  if (last.at < at - repeatInterval) return 'repeat interval elapsed'
  return undefined
}

/** The alerts of a group that an integration may be told of, and what that makes true for it. */
export interface Telling {
  alerts: readonly Alert[] // in the order given
  present: Present
}

/**
 * What an integration that was last told `last` may be told. Where Alertmanager forgets what it announced once it is
 * suppressed, this does not: its resolve is told, since it closes what was opened (prometheus/alertmanager#226), and
 * while it fires, the others' resolves are not announced as the end of it all (#5247). `exact`: as Alertmanager.
 */
export function tellingOf(
  { audible, suppressed }: Pick<Heard, 'audible' | 'suppressed'>,
  last: Told | undefined,
  at: number,
  exact: boolean,
): Telling {
  const firing = new Set<string>()
  const resolved = new Set<string>()
  const hidden = new Set<string>()
  const tell = (alert: Alert) => (isResolved(alert, at) ? resolved : firing).add(alert.fingerprint)
  audible.forEach(tell)
  if (exact || !last || suppressed.size === 0) return { alerts: audible, present: { firing, resolved, hidden } }
  const closing = new Set<Alert>()
  for (const alert of suppressed.keys()) {
    if (!last.firing.has(alert.fingerprint)) continue
    if (!isResolved(alert, at)) hidden.add(alert.fingerprint)
    else closing.add(alert)
  }
  closing.forEach(tell)
  const alerts = closing.size === 0 ? audible : [...audible, ...closing].sort(compareAlerts)
  return { alerts, present: { firing, resolved, hidden } }
}

/** The log's entry once this has been told. */
export function toldAs({ firing, resolved, hidden }: Present, at: number): Told {
  return { at, firing: hidden.size === 0 ? firing : new Set([...firing, ...hidden]), resolved, ended: new Set() }
}

/** The entry once some of what it says to fire has resolved and cannot be told; undefined where that is no news to it. */
export function withEnded<T extends Told>(last: T, resolved: Iterable<string>): T | undefined {
  const ended = [...resolved].filter((one) => last.firing.has(one) && !last.ended.has(one))
  return ended.length === 0 ? undefined : { ...last, ended: new Set([...last.ended, ...ended]) }
}

/**
 * What an integration may believe after an attempt of which the answer was lost: that all of these fire. Those that it was not
 * told of for certain are news all the same while they fire.
 */
export function mayBelieve(last: Told | undefined, fingerprints: readonly string[], at: number): Told {
  const doubtful = fingerprints.filter((one) => !last?.firing.has(one))
  return {
    at: last?.at ?? at,
    firing: new Set([...(last?.firing ?? []), ...doubtful]),
    resolved: last?.resolved ?? new Set(),
    ended: new Set([...(last?.ended ?? []), ...doubtful]),
  }
}

/** The entry without what has resolved and is not told any more; undefined where that is nothing to it. */
export function withoutResolved<T extends Told>(last: T, resolved: ReadonlySet<string>): T | undefined {
  const firing = new Set([...last.firing].filter((one) => !resolved.has(one)))
  if (firing.size === last.firing.size) return undefined
  return { ...last, firing, resolved: new Set([...last.resolved, ...resolved]), ended: new Set() }
}

/** How long the log is kept at the most unless `--data.retention` says otherwise, ms: Alertmanager's default. */
export const RETENTION = 120 * 3_600_000

/** Alertmanager lets go of what has expired only now and then, ms: its `data.maintenance-interval`. */
const MAINTENANCE = 15 * 60_000

/**
 * How long what was told must be remembered, ms: as in Alertmanager (notify/set_notifies_stage.go), and never for less than
 * it takes to look again, or nobody would hear of the end. Times in ms.
 */
export function rememberFor(
  { repeatInterval, groupInterval }: Pick<Route, 'repeatInterval' | 'groupInterval'>,
  retention: number,
): number {
  return Math.min(retention, 2 * Math.max(repeatInterval, groupInterval)) + MAINTENANCE
}

/** The reason for silence, where `whyNotify` has none to speak. */
export function whyQuiet(last: Told | undefined, { firing, resolved, hidden }: Present): Quiet {
  if (firing.size === 0 && resolved.size === 0) return 'nothing to tell'
  if (!last) return 'never announced'
  if (firing.size > 0) return 'no news'
  return hidden.size > 0 ? 'others still fire' : 'all alerts resolved already'
}

function isSubset(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  for (const one of some) if (!all.has(one)) return false
  return true
}
