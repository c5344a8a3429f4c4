import { createHash } from 'node:crypto'
import { type Alert, isResolved } from '../alert/alert.ts'
import { gravest } from '../alert/severity.ts'
import {
  type NotificationReason,
  type Present,
  type Quiet,
  type Told,
  mayBelieve,
  rememberFor,
  tellingOf,
  toldAs,
  whyNotify,
  whyQuiet,
  withoutResolved,
} from '../dedup/dedup.ts'
import type { TimelineEntry } from '../incident/incident.ts'
import { commonLabels } from '../model/labels.ts'
import { type Message, type Notification, type Notifier, type Outcome, SettingError } from '../notify/notifier.ts'
import type { Group } from '../store/groups.ts'
import type { Ending, Row } from '../store/outbox.ts'
import { toTemplateData } from '../template/notification.ts'
import type { Route } from '../route/route.ts'
import { TemplateError } from '../template/templates.ts'
import type { Integration } from '../config/config.ts'
import type { Deps } from './deps.ts'
import { freshen, hear } from './hear.ts'
import { toNotification } from './notification.ts'
import { type TemplateFailure, inPlainWords } from './plain-words.ts'
import { retryAt, retryAtExactly } from './retry.ts'

/** Beyond an attempt's deadline: time to read the group and to write down how it ended, ms. */
const LEASE_MARGIN = 2000

/**
 * A delivery is due: reads the group as it is now, decides again, renders, sends once and writes down
 * how it ended. Runs at least once for each owed row; one that is not owed, or that another is sending,
 * is left alone.
 */
export async function deliver(rowId: string, deadline: number, deps: Deps): Promise<void> {
  const { routing, store, metrics, clock } = deps
  const row = await store.outbox.claim(rowId, clock.now(), deadline + LEASE_MARGIN)
  if (!row) return
  const integration = routing.config.integrations.get(row.integration)
  const notifier = routing.notifier(row.integration)
  const [group, versions] = await Promise.all([store.groups.load(row.group), freshen(deps)])
  const route = group && routing.config.routes.get(group.routeId)
  if (!group) return drop(row, 'nothing left to tell', deps)
  if (!integration || !notifier || !route) {
    if ((await store.configHash()) !== routing.config.hash) return giveBack(row, deps)
    if (integration && notifier) return drop(row, 'nothing left to tell', deps)
    return giveUp(row, group, 'receiver removed', 'the routing file has it no more', deps)
  }

  const at = clock.now()
  const heard = await hear(group, route, at, versions, deps)
  const last = group.told.get(integration.id)
  const members = group.alerts.map(({ fingerprint }) => fingerprint)
  const believed = row.unconfirmed ? mayBelieve(last, members, at) : last
  const { alerts, present } = tellingOf(heard, believed, at, deps.exact)
  const rules = { sendResolved: integration.sendResolved, repeatInterval: route.repeatInterval }
  const reasonAfter = (before: Told | undefined) => (heard.muting ? undefined : whyNotify(before, present, rules, at))
  const reason = reasonAfter(last) ?? (row.unconfirmed ? reasonAfter(believed) : undefined)
  const nflogTtl = rememberFor(route, deps.retention)
  if (!reason) {
    const why = heard.muting ? 'muted' : whyQuiet(last, present)
    // what may have been heard is still to be closed
    if (believed && believed.ended.size > (last?.ended.size ?? 0)) return note(row, why, believed, nflogTtl, deps)
    return drop(row, why, deps)
  }
  if (reason === 'all alerts resolved' && !integration.sendResolved) {
    metrics.suppressed.inc({ reason: 'resolves not wanted' })
    return end(row, { how: 'told', told: toldAs(present, at), nflogTtl }, undefined, deps)
  }

  if (row.attempt === 1) metrics.notified.inc({ integration: row.channel })
  const telling = { group, route, integration, alerts, present, reason, at }
  const notification = toNotification(factsOf(row, telling, deps), routing.templates)
  const { message, outcome, failures } = await attempt(notifier, notification, integration, deps)
  observe(row, outcome, clock.now() - at, deps)
  const sent = { group, integration, notification, message, outcome, failures }
  const now = clock.now()
  const told = toldAs(present, now)
  if (outcome.state === 'delivered') return end(row, { how: 'told', told, nflogTtl }, sent, deps)

  const { attempt: nth, owedAt } = row
  const failed = { outcome, attempt: nth, owedAt, now, random: deps.random() }
  const again = deps.exact
    ? retryAtExactly(failed, row.channel, route.groupInterval)
    : retryAt(failed, notification.severity)
  if (again !== undefined) {
    const unconfirmed = row.unconfirmed || outcome.state === 'unknown'
    return end(row, { how: 'retry', retryAt: again, unconfirmed }, sent, deps)
  }
  const why = outcome.state === 'unknown' ? 'unconfirmed' : outcome.reason
  metrics.failed.inc({ integration: row.channel, reason: why })
  const letter = {
    id: row.id,
    notification: row.notification,
    at: now,
    groupKey: group.key,
    integration: integration.id,
    channel: integration.channel,
    receiver: integration.receiver,
    reason: why,
    detail: outcome.detail,
    attempts: row.attempt,
    title: message?.title ?? '',
  }
  if (deps.exact) return end(row, { how: 'dead', givenUp: undefined, told: undefined, nflogTtl, letter }, sent, deps)
  // an end that is not told any more leaves what fires next a first notification; what may have been heard is to be closed
  const isDoubtful = row.unconfirmed || outcome.state === 'unknown'
  const left = isDoubtful ? mayBelieve(last, members, at) : last && withoutResolved(last, present.resolved)
  return end(
    row,
    { how: 'dead', givenUp: { ...told, config: routing.config.hash }, told: left, nflogTtl, letter },
    sent,
    deps,
  )
}

/** What receivers tell repeats by: the same for each attempt that tells the same, another once there is other news. */
function messageId(notification: string, { firing, resolved }: Present): string {
  const content = JSON.stringify([[...firing].sort(), [...resolved].sort()])
  return `${notification}.${createHash('sha256').update(content).digest('hex').slice(0, 8)}`
}

/** What an attempt was about, for the records. */
interface Sent {
  group: Group
  integration: Integration<Notifier>
  notification: Notification
  message: Message | undefined
  outcome: Outcome
  failures: readonly TemplateFailure[] // of its templates
}

/** What one integration is to be told. */
interface Telling {
  group: Group
  route: Route
  integration: Integration<Notifier>
  alerts: readonly Alert[] // those that it may hear of
  present: Present
  reason: NotificationReason
  at: number
}

function factsOf(
  row: Row,
  { group, route, integration, alerts: known, present, reason, at }: Telling,
  { routing: { config, templates }, externalURL, log }: Deps,
): Parameters<typeof toNotification>[0] {
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
  if (failed.length > 0 && row.attempt === 1)
    log.error({ integration: id, route: route.id, failed }, 'templates of route labels failed; they are left out')
  const data = { ...bare, routeLabels }
  return {
    id: messageId(row.notification, present),
    groupKey: group.key,
    integration: id,
    receiver,
    attempt: row.attempt,
    possibleRepeat: row.unconfirmed,
    at,
    severity: gravest(firing.length > 0 ? firing : known, config),
    team: commonLabels(alerts.map((alert) => alert.labels)).get('team') ?? '',
    data,
  }
}

async function attempt(
  notifier: Notifier,
  notification: Notification,
  integration: Integration<Notifier>,
  deps: Deps,
): Promise<Pick<Sent, 'message' | 'outcome' | 'failures'>> {
  const composed = compose(notifier, notification, integration, deps)
  const { message, failures } = composed
  if (!message) return { message, failures, outcome: composed.outcome }
  const { stopping } = deps
  // by hand: a signal made of `stopping` by AbortSignal.any would be kept for as long as that
  const deadline = new AbortController()
  const abort = () => deadline.abort()
  const timer = setTimeout(abort, integration.deadline)
  stopping.addEventListener('abort', abort)
  try {
    return { message, failures, outcome: await notifier.send(message, deadline.signal) }
  } catch (error) {
    if (error instanceof SettingError) return { message, failures, outcome: misconfigured(error) }
    throw error
  } finally {
    clearTimeout(timer)
    stopping.removeEventListener('abort', abort)
  }
}

type Composed =
  | { message: Message; failures: readonly TemplateFailure[] }
  | { message: undefined; failures: readonly TemplateFailure[]; outcome: Outcome }

/** The message, in plain words where a template fails; how the attempt ends where it can go nowhere. */
function compose(
  notifier: Notifier,
  notification: Notification,
  { id, channel }: Integration<Notifier>,
  { routing, metrics, log }: Deps,
): Composed {
  try {
    return { message: notifier.compose(notification), failures: [] }
  } catch (error) {
    if (error instanceof SettingError) return { message: undefined, failures: [], outcome: misconfigured(error) }
    if (!(error instanceof TemplateError)) throw error
  }
  const { plain, failures } = inPlainWords(notification, routing.templates)
  const tell = (message: string) => {
    if (notification.attempt > 1) return // told once a notification
    metrics.templateErrors.inc({ integration: channel })
    log.error({ integration: id, failures }, message)
  }
  try {
    const message = notifier.compose(plain)
    tell('a template failed; the notification goes out in plain words')
    return { message, failures }
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    tell('a template failed, and without it there is no address; the notification is tried again')
    return { message: undefined, failures, outcome: misconfigured(error) }
  }
}

/** Somebody may mend it while we go on trying. */
function misconfigured({ message }: SettingError): Outcome {
  return { state: 'failed', reason: 'configuration', detail: message }
}

function observe({ channel, owedAt, unconfirmed }: Row, outcome: Outcome, took: number, deps: Deps): void {
  const { metrics, clock } = deps
  const integration = channel
  metrics.requests.inc({ integration })
  metrics.latency.observe({ integration }, took / 1000)
  if (unconfirmed) metrics.repeats.inc({ integration })
  if (outcome.state === 'delivered') metrics.delivery.observe({ integration }, (clock.now() - owedAt) / 1000)
  else metrics.requestsFailed.inc({ integration })
}

async function drop(row: Row, reason: Quiet | 'muted' | 'nothing left to tell', deps: Deps): Promise<void> {
  deps.metrics.suppressed.inc({ reason })
  // what could not be told now is still to be told: its group keeps it
  const keepsResolved = reason === 'muted' || reason === 'others still fire'
  await end(row, { how: 'dropped', keepsResolved }, undefined, deps)
}

/** Tells nobody, and writes down what the integration may believe. */
async function note(row: Row, reason: Quiet | 'muted', told: Told, nflogTtl: number, deps: Deps): Promise<void> {
  deps.metrics.suppressed.inc({ reason })
  await end(row, { how: 'told', told, nflogTtl }, undefined, deps)
}

/**
 * The groups are sorted by another config than this replica's, which has been reloaded before or will be soon: leaves the row to
 * one that knows what it is about. The sweep wakes it.
 */
async function giveBack(row: Row, { store, clock, newId }: Deps): Promise<void> {
  await store.outbox.record(row, { how: 'back' }, { log: '', timeline: '', nextNotification: newId() }, clock.now())
}

async function giveUp(row: Row, group: Group, reason: string, detail: string, deps: Deps): Promise<void> {
  const at = deps.clock.now()
  deps.metrics.failed.inc({ integration: row.channel, reason })
  const letter = {
    id: row.id,
    notification: row.notification,
    at,
    groupKey: group.key,
    integration: row.integration,
    channel: row.channel,
    receiver: group.receiver,
    reason,
    detail,
    attempts: row.attempt,
    title: '',
  }
  const none = new Set<string>()
  const givenUp = { at, firing: none, resolved: none, ended: none, config: deps.routing.config.hash }
  await end(row, { how: 'dead', givenUp, told: undefined, nflogTtl: deps.retention, letter }, undefined, deps)
}

/** Writes the attempt's end and wakes what is owed next. */
async function end(row: Row, ending: Ending, sent: Sent | undefined, deps: Deps): Promise<void> {
  const { store, queue, clock, log, newId } = deps
  const at = clock.now()
  const nextNotification = newId()
  const records = { log: deliveryLog(row, ending, sent, at), timeline: timelineEntry(sent, at), nextNotification }
  const { newest, owedAgain } = await store.outbox.record(row, ending, records, at)
  if (sent) logAttempt(row, ending, sent, log)
  if (!newest) {
    log.warn({ row: row.id, attempt: row.attempt }, 'an attempt outlived its lease; another has taken over')
    return
  }
  if (!owedAgain) return
  const { id, channel, rank } = row
  const again = ending.how === 'retry' ? row : { notification: nextNotification, attempt: 0 }
  const delay = ending.how === 'retry' ? Math.max(0, ending.retryAt - at) : 0
  await queue.wake([{ row: id, channel, rank, notification: again.notification, attempt: again.attempt, delay }])
}

function deliveryLog(row: Row, ending: Ending, sent: Sent | undefined, at: number): string {
  const { id, notification, integration, channel, attempt: number, unconfirmed } = row
  return JSON.stringify({
    at: new Date(at).toISOString(),
    row: id,
    notification,
    integration,
    channel,
    attempt: number,
    possibleRepeat: unconfirmed,
    how: ending.how,
    ...(sent && {
      groupKey: sent.group.key,
      reason: sent.notification.data.notificationReason,
      status: sent.notification.data.status,
      outcome: sent.outcome,
      ...(sent.failures.length > 0 && { templateFailures: sent.failures }),
      alerts: sent.notification.data.alerts.map((alert) => alert.fingerprint),
    }),
  })
}

function timelineEntry(sent: Sent | undefined, at: number): string {
  if (sent?.outcome.state !== 'delivered') return ''
  return JSON.stringify({
    at: new Date(at).toISOString(),
    event: 'notified',
    by: 'tocsin',
    channel: sent.integration.channel,
    receiver: sent.integration.receiver,
    to: sent.message?.to ?? '',
    detail: sent.notification.data.notificationReason,
  } satisfies TimelineEntry)
}

function logAttempt(
  row: Row,
  ending: Ending,
  { group, integration, outcome, notification, failures }: Sent,
  log: Deps['log'],
): void {
  const fields = {
    notification: row.notification,
    groupKey: group.key,
    integration: integration.id,
    attempt: row.attempt,
    reason: notification.data.notificationReason,
    ...(row.unconfirmed && { possibleRepeat: true }),
    ...(outcome.state !== 'delivered' && { outcome }),
    ...(failures.length > 0 && { templateFailures: failures }),
    ...(ending.how === 'retry' && { retryAt: new Date(ending.retryAt).toISOString() }),
  }
  if (ending.how === 'told') log.info(fields, 'notification delivered')
  else if (ending.how === 'retry') log.warn(fields, 'notification failed; it is tried again')
  else log.error(fields, 'notification given up; it is in the dead letter')
}
