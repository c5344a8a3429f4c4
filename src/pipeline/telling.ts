import { createHash } from 'node:crypto'
import { type Alert, isResolved } from '../alert/alert.ts'
import { gravest } from '../alert/severity.ts'
import type { Integration } from '../config/config.ts'
import type { NotificationReason, Present } from '../dedup/dedup.ts'
import { commonLabels } from '../model/labels.ts'
import type { Notification, Notifier } from '../notify/notifier.ts'
import type { Route } from '../route/route.ts'
import type { Group } from '../store/groups.ts'
import type { Row } from '../store/outbox.ts'
import { toTemplateData } from '../template/notification.ts'
import type { Deps } from './deps.ts'
import { toNotification } from './notification.ts'

/** What one integration is to be told. */
export interface Telling {
  row: Row
  group: Group
  route: Route
  integration: Integration<Notifier>
  alerts: readonly Alert[] // those that it may hear of
  present: Present
  reason: NotificationReason
  at: number
}

/** The notification that tells it. */
export function notificationOf(telling: Telling, { routing, externalURL, log }: Deps): Notification {
  const { row, group, route, integration, alerts: known, present, reason, at } = telling
  const { config, templates } = routing
  const firing = known.filter((alert) => !isResolved(alert, at))
  // Alertmanager: resolved alerts go along only where resolves are sent
  const alerts = integration.sendResolved ? known : firing
  const { receiver, id } = integration
  const bare = toTemplateData({ receiver, reason, groupLabels: group.labels, externalURL, alerts }, at)
  const unknowing = { ...bare, notificationReason: 'unknown' } // a route's labels are the same whatever the reason
  const failed: { label: string; error: string }[] = []
  const routeLabels = templates.routeLabels(route.labels, unknowing, at, (label, { message }) =>
    failed.push({ label, error: message }),
  )
  if (failed.length > 0 && row.attempt === 0)
    log.error({ integration: id, route: route.id, failed }, 'templates of route labels failed; they are left out')
  const facts = {
    id: `${row.notification}.${contentOf(present)}`,
    groupKey: group.key,
    integration: id,
    receiver,
    attempt: row.attempt + 1,
    possibleRepeat: row.unconfirmed,
    insteadOf: route.receiver === receiver ? '' : route.receiver,
    at,
    severity: gravest(firing.length > 0 ? firing : known, config),
    team: commonLabels(alerts.map((alert) => alert.labels)).get('team') ?? '',
    data: { ...bare, routeLabels },
  }
  return toNotification(facts, templates)
}

/** What receivers tell repeats by: the same for each attempt that tells the same, another once there is other news. */
export function contentOf({ firing, resolved }: Present): string {
  const content = JSON.stringify([[...firing].sort(), [...resolved].sort()])
  return createHash('sha256').update(content).digest('hex').slice(0, 8)
}
