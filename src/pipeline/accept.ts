import { resolve } from 'node:path'
import { isResolved } from '../alert/alert.ts'
import type { Ingested } from '../ingest/reject.ts'
import type { Accepted } from '../store/alerts.ts'
import type { Deps } from './deps.ts'

/**
 * Alerts came in: routes them and puts them into their groups in one trip to Redis. Once this
 * resolves they survive any crash; where it rejects, the sender has to send them again, which is safe.
 */
export async function accept(
  { alerts, rejects, truncated }: Ingested,
  source: 'v2' | 'webhook',
  { routing, store, metrics, clock, log }: Deps,
): Promise<Accepted> {
  const at = clock.now()
  metrics.invalid.inc({ version: source }, rejects.length)
  metrics.truncated.inc(truncated)
  const accepted = await store.alerts.accept(
    alerts.map((alert) => ({ alert, groups: routing.groupsOf(alert) })),
    at,
  )
  const resolved = alerts.filter((alert) => isResolved(alert, at)).length
  metrics.received.inc({ status: 'firing', version: source }, alerts.length - resolved)
  metrics.received.inc({ status: 'resolved', version: source }, resolved)
  metrics.late.inc(accepted.late)
  if (accepted.late > 0)
    log.info({ source, late: accepted.late }, 'late copies of what was resolved within the last minute were dropped')
  metrics.grouped.inc(accepted.joined)
  metrics.groups.inc(accepted.groups)
  return accepted
}

/**
 * A new routing is in force: gives every alert that is kept its groups under it, and lets go of groups
 * whose route is gone. Groups whose route stayed keep their times.
 */
export async function regroup({ routing, store, clock, log }: Deps): Promise<void> {
  for await (const alerts of store.alerts.scan()) {
    const firing = alerts.filter((alert) => !isResolved(alert, clock.now()))
    await store.alerts.accept(
      firing.map((alert) => ({ alert, groups: routing.groupsOf(alert) })),
      clock.now(),
    )
  }
  for (const id of await store.groups.ids()) {
    const group = await store.groups.load(id)
    if (!group || routing.config.routes.has(group.routeId)) continue
    await store.groups.drop(id, clock.now())
    log.info({ groupKey: group.key }, 'let go of a group whose route is gone; its alerts have others')
  }
  const { hash, file, included } = routing.config
  await store.setConfig(hash, resolve(file), included)
}
