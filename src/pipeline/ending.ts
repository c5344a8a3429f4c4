import { canary } from '../alert/canary.ts'
import type { Integration } from '../config/config.ts'
import type { TimelineEntry } from '../incident/incident.ts'
import type { Message, Notification, Notifier, Outcome } from '../notify/notifier.ts'
import type { Group, Owing } from '../store/groups.ts'
import type { DeadLetter } from '../store/dead-letters.ts'
import type { Ending, Recorded, Row, Standing } from '../store/outbox.ts'
import { account } from './account.ts'
import type { Deps } from './deps.ts'
import { failureReason } from './failure-reason.ts'
import { messageId } from './kept-messages.ts'
import type { TemplateFailure } from './plain-words.ts'

/** What an attempt was about, for the records. */
export interface Sent {
  group: Group
  integration: Integration<Notifier>
  notification: Notification
  message: Message | undefined
  outcome: Outcome
  failures: readonly TemplateFailure[] // of its templates
  standing?: Standing | undefined // of its destination
  along?: number // a digest: how many groups it told of
}

/** The log keeps no more of a title or a text, characters. */
const LONGEST_SHOWN = 2000

/** Writes a turn's end and wakes what is owed next. */
export async function end(
  row: Row,
  ending: Ending,
  sent: Sent | undefined,
  deps: Deps,
  standing = sent?.standing,
): Promise<undefined> {
  const { store, queue, clock, log, metrics, newId, retention } = deps
  const at = clock.now()
  const nextNotification = newId()
  const records = {
    log: row.channel === canary.channel ? '' : deliveryLog(row, ending, sent, at),
    timeline: timelineEntry(sent, at),
    nextNotification,
    retention,
    ...(standing && { standing }),
  }
  const { newest, owedAgain, opened, woken } = await store.outbox.record(row, ending, records, at)
  if (sent) logTurn(row, ending, sent, log)
  if (sent?.message && row.channel !== canary.channel)
    deps.messages.keep(messageId(sent.notification.id, row.integration), sent.message)
  if (!newest) {
    log.warn({ row: row.id, attempt: row.attempt }, 'an attempt outlived its lease; another has taken over')
    return
  }
  account(row, ending, sent, deps)
  if (ending.how === 'dead')
    metrics.failed.inc({ integration: row.channel, reason: failureReason(ending.letter.reason) })
  if (opened > 0) {
    metrics.breakerOpened.inc({ channel: row.channel })
    const { integration, channel } = row
    log.error(
      { integration, channel, failures: opened },
      'a destination fails; what goes there waits until it takes something',
    )
  }
  await passOn(woken, at, deps)
  if (owedAgain) {
    const { id, channel, integration, rank, turn } = row
    const notification = ending.how === 'retry' || ending.how === 'back' ? row.notification : nextNotification
    const delay = ending.how === 'retry' ? Math.max(0, ending.retryAt - at) : 0
    // given back, it is another replica's, which the sweep wakes
    if (ending.how !== 'back') await queue.wake([{ row: id, channel, integration, rank, notification, turn, delay }])
  }
}

/** Rows of a line that come sooner than it was thought. */
export async function passOn(woken: Recorded['woken'], at: number, { queue }: Deps): Promise<void> {
  await queue.pass(woken.map(({ id, at: due, ...rest }) => ({ ...rest, row: id, delay: Math.max(0, due - at) })))
}

/** Nothing was sent, and it is tried again at once. `alone`: in no digest. */
export async function notNow(
  row: Row,
  deps: Deps,
  how: { alone?: boolean; standing?: Standing } = {},
): Promise<undefined> {
  const { unconfirmed, content, said } = row
  const { alone = row.alone, standing } = how
  const retryAt = deps.clock.now()
  return end(row, { how: 'retry', retryAt, unconfirmed, content, said, alone }, undefined, deps, standing)
}

/** Nothing is told now, for this reason. */
export async function drop(row: Row, reason: string, deps: Deps): Promise<undefined> {
  deps.metrics.suppressed.inc({ reason })
  return end(row, { how: 'dropped', word: `dropped: ${reason}`, keepsResolved: isUnsaid(reason) }, undefined, deps)
}

/** Whether what resolved could not be told for this reason, and is still to be: its group keeps it. */
export function isUnsaid(reason: string): boolean {
  return reason === 'muted' || reason === 'others still fire'
}

/** What goes into the dead letter, its cause apart. */
export function letterOf(
  row: Row,
  group: Pick<Group, 'id' | 'key' | 'alerts'>,
  { receiver, severity, team }: { receiver: string; severity: string; team: string },
): Omit<DeadLetter, 'at' | 'reason' | 'detail' | 'title' | 'fallback'> {
  return {
    id: row.id,
    notification: row.notification,
    group: group.id,
    groupKey: group.key,
    integration: row.integration,
    channel: row.channel,
    receiver,
    team,
    severity,
    rank: row.rank,
    attempts: row.attempt,
    alerts: group.alerts.map(({ fingerprint }) => fingerprint),
  }
}

/** Who is told what this row's integration could not be: the receiver's fallback, unless it is the fallback that failed. */
export function insteadOf(
  row: Pick<Row, 'integration' | 'rank'>,
  group: Group,
  { routing: { config }, newId }: Deps,
): { name: string; instead: Owing[] } {
  const receiver = config.integrations.get(row.integration)?.receiver
  const own = config.routes.get(group.routeId)?.receiver
  const name = receiver !== undefined && receiver === own ? (config.receivers.get(receiver)?.fallback ?? '') : ''
  const instead = (config.receivers.get(name)?.integrations ?? []).map(({ id, channel }) => ({
    integration: id,
    channel,
    reason: 'fallback',
    notification: newId(),
    rank: row.rank,
  }))
  return { name, instead }
}

/**
 * A page that cannot be delivered at present is told by the receiver's fallback, too, once; it goes on being tried. Less grave
 * things wait until they are given up.
 */
export async function fallBackEarly(row: Row, group: Group, deps: Deps): Promise<void> {
  if (row.rank === 0 && !deps.exact) await tellInstead({ row: row.id }, row, group, deps)
}

/** Has the fallback told what a page's own receiver does not get; once for the same cause. */
export async function tellInstead(
  once: { row: string } | { text: string },
  of: Pick<Row, 'integration' | 'rank'>,
  group: Group,
  deps: Deps,
): Promise<void> {
  const { store, queue, clock, log } = deps
  const { name, instead } = insteadOf(of, group, deps)
  if (instead.length === 0) return
  const now = clock.now()
  const woken = await store.outbox.fallBack(once, group.id, instead, now)
  if (woken.length === 0) return
  log.warn(
    { integration: of.integration, fallback: name, groupKey: group.key },
    'a page does not get through; its fallback is told',
  )
  await queue.wake((await store.outbox.wakings(woken)).map(({ id, ...rest }) => ({ ...rest, row: id, delay: 0 })))
}

/** Gives up what the routing file has no integration for any more; of the group there may be nothing left. */
export async function giveUpRemoved(row: Row, group: Group | undefined, deps: Deps): Promise<undefined> {
  const at = deps.clock.now()
  const reason = 'receiver removed'
  const known = { receiver: group?.receiver ?? '', severity: '', team: group?.labels.get('team') ?? '' }
  const of = letterOf(row, group ?? { id: row.group, key: '', alerts: [] }, known)
  const letter = { ...of, at, reason, detail: 'the routing file has it no more', title: '', fallback: '' }
  const none = new Set<string>()
  const givenUp = { at, firing: none, resolved: none, ended: none, config: deps.routing.config.hash }
  const nflogTtl = deps.retention
  const word = `dead: ${reason}`
  return end(row, { how: 'dead', word, givenUp, told: undefined, nflogTtl, letter, instead: [] }, undefined, deps)
}

function deliveryLog(row: Row, ending: Ending, sent: Sent | undefined, at: number) {
  const { id, notification, owedAt, integration, channel, attempt, unconfirmed } = row
  return JSON.stringify({
    at: new Date(at).toISOString(),
    row: id,
    notification,
    integration,
    channel,
    attempt,
    possibleRepeat: unconfirmed,
    owedAt: new Date(owedAt).toISOString(),
    ...(row.waitedFor && { waitedFor: row.waitedFor }),
    how: ending.how,
    ...('word' in ending && { word: ending.word }),
    ...(sent && {
      groupKey: sent.group.key,
      reason: sent.notification.data.notificationReason,
      status: sent.notification.data.status,
      ...(sent.notification.id !== notification && { toldAs: sent.notification.id }),
      outcome: sent.outcome,
      ...(sent.along !== undefined && { digestOf: sent.along }),
      ...(sent.failures.length > 0 && { templateFailures: sent.failures }),
      ...(sent.message && { message: shown(sent.message) }),
      alerts: sent.notification.data.alerts.map((alert) => alert.fingerprint),
    }),
  })
}

/** What people read of a message, for the log of deliveries. */
function shown({ to, title, text }: Message): Pick<Message, 'to' | 'title' | 'text'> {
  return { to, title: title.slice(0, LONGEST_SHOWN), text: text.slice(0, LONGEST_SHOWN) }
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

function logTurn(
  row: Row,
  ending: Ending,
  { group, integration, outcome, notification, failures, along }: Sent,
  log: Deps['log'],
): void {
  const fields = {
    notification: row.notification,
    groupKey: group.key,
    integration: integration.id,
    attempt: row.attempt,
    reason: notification.data.notificationReason,
    ...(row.unconfirmed && { possibleRepeat: true }),
    ...(along !== undefined && { digestOf: along }),
    ...(outcome.state !== 'delivered' && { outcome }),
    ...(failures.length > 0 && { templateFailures: failures }),
    ...(ending.how === 'retry' && { retryAt: new Date(ending.retryAt).toISOString() }),
  }
  if (ending.how === 'told') log.info(fields, 'notification delivered')
  else if (ending.how === 'retry') log.warn(fields, 'notification failed; it is tried again')
  else log.error(fields, 'notification given up; it is in the dead letter')
}
