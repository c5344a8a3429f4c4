import { createHash } from 'node:crypto'
import { type Alert, isResolved } from '../alert/alert.ts'
import { gravest } from '../alert/severity.ts'
import { type Notification, type Notifier, type Outcome, SettingError, retries } from '../notify/notifier.ts'
import { escapeHtml } from '../template/escape.ts'
import { toTemplateData } from '../template/notification.ts'
import { send } from './attempt.ts'
import { decide } from './decide.ts'
import type { Deps } from './deps.ts'
import { notNow } from './ending.ts'
import { toNotification } from './notification.ts'
import { inPlainWords } from './plain-words.ts'
import { observe, settle, standingOf } from './settle.ts'
import { type Telling, notificationOf } from './telling.ts'

/** Read and written down at a time. */
const LANES = 16
/** Of the alerts of a digest: so many are named to templates that say where it goes. */
const NAMED = 100
/** So many values of a label are listed. */
const TOP = 5

/**
 * More wait for a destination than it takes in a while: tells them in one message with `leading`, each as if told by itself.
 * `along` are the rows that were claimed for it; after `until`, epoch ms, others may have them.
 */
export async function tellAlong(
  leading: Telling,
  along: readonly { id: string; turn: number }[],
  notifier: Notifier,
  { destination, until }: { destination: string; until: number },
  deps: Deps,
): Promise<void> {
  const { store, metrics, clock, log } = deps
  const turns = new Map(along.map(({ id, turn }) => [id, turn]))
  const rows = (await store.outbox.rows([...turns.keys()])).filter(({ id, turn }) => turns.get(id) === turn)
  // one that cannot be read now is told when its lease ends; the leading one is read anew, since the others took their time
  const decided = await inLanes([leading.row, ...rows], (row) => decide(row, deps), log)
  const isPage = ({ row }: Telling) => row.rank === 0
  const tellings = decided.filter((telling) => !isPage(telling))
  const [first] = tellings
  const isNone = tellings.length < 2 || clock.now() > until
  const alone = isNone ? decided : decided.filter(isPage)
  await inLanes(alone, ({ row }) => notNow(row, deps, { alone: true }), log)
  if (isNone || !first) return

  const notification = digestOf(tellings, deps)
  const message = composeOrNot(notifier, notification)
  const { row, integration, at } = first
  const outcome = message ? await send(notifier, message, integration, deps) : noAddress
  observe(row, outcome, clock.now() - at, deps)
  const sent = { integration, notification, message, outcome, failures: [], along: tellings.length }
  const standing = standingOf(outcome, destination, clock.now())
  if (outcome.state === 'failed' && !retries[outcome.reason]) {
    // it is the digest that was refused: each by itself may not be
    log.error(
      { integration: integration.id, digestOf: tellings.length, outcome },
      'a digest was refused; each is told by itself',
    )
    const how = (telling: Telling) => ({ alone: true, ...(telling === first && standing && { standing }) })
    await inLanes(tellings, (telling) => notNow(telling.row, deps, how(telling)), log)
    return
  }
  if (outcome.state === 'delivered') metrics.digests.inc({ channel: row.channel }, tellings.length)
  const of = ({ group, reason }: Telling) => ({ ...sent, group, notification: withReason(notification, reason) })
  await settle(first, { ...of(first), standing }, deps)
  await inLanes(tellings.slice(1), (telling) => settle(telling, of(telling), deps), log)
}

/** For the records of each: why it spoke. */
function withReason(notification: Notification, notificationReason: Telling['reason']): Notification {
  return { ...notification, data: { ...notification.data, notificationReason } }
}

const noAddress: Outcome = { state: 'failed', reason: 'client error', detail: 'a digest has no address' }

function composeOrNot(notifier: Notifier, notification: Notification) {
  try {
    return notifier.compose(notification)
  } catch (error) {
    if (error instanceof SettingError) return undefined
    throw error
  }
}

/** What a digest says: counts and top labels, in the place of every text of the settings. */
function digestOf(tellings: readonly Telling[], deps: Deps): Notification {
  const [first] = tellings
  if (!first) throw new Error('a digest of nothing')
  const { routing, externalURL } = deps
  const { integration, at, row } = first
  const alerts = tellings.flatMap((telling) => telling.alerts)
  const firing = alerts.filter((alert) => !isResolved(alert, at))
  const data = toTemplateData(
    {
      receiver: integration.receiver,
      reason: 'new alerts added',
      groupLabels: new Map(),
      externalURL,
      alerts: [...firing, ...alerts.filter((alert) => isResolved(alert, at))].slice(0, NAMED),
    },
    at,
  )
  const title = `[${firing.length > 0 ? 'FIRING' : 'RESOLVED'}] ${countOf(alerts.length, 'alert')} in ${countOf(tellings.length, 'group')}: ${firing.length} firing, ${alerts.length - firing.length} resolved`
  const body = [
    'So many at once are told in one message.',
    ...['severity', 'alertname', 'team', 'service', 'instance'].flatMap((label) => topOf(label, alerts)),
    externalURL,
  ].join('\n')
  const whole = row.channel === 'sms' ? `${title}\n${body}` : body
  const sayIn = (field: string) =>
    /^(?:text|message_text|html)$/.test(field)
      ? whole
      : /^(?:title|fallback|headers\.Subject)$/.test(field)
        ? title
        : ''
  const whose = notificationOf(first, deps) // where it goes is where its first would
  const inCommon = inPlainWords(toNotification({ ...whose, data }, routing.templates), routing.templates).plain
  const content = tellings.map((one) => one.row.notification).join(' ')
  return {
    ...whose,
    id: `${row.notification}.${createHash('sha256').update(content).digest('hex').slice(0, 8)}`,
    groupKey: `digest ${integration.id}`,
    possibleRepeat: tellings.some((one) => one.row.unconfirmed),
    severity: gravest(firing.length > 0 ? firing : alerts, routing.config),
    team: data.commonLabels.get('team') ?? '',
    data,
    text: (template, field, escape = (said) => said) => {
      if (template === '') return ''
      // short ones beside the text, such as the team: what all of the alerts have in common
      return field.startsWith('fields[') ? inCommon.text(template, field, escape) : escape(sayIn(field))
    },
    html: () => escapeHtml(`${title}\n${body}`).replaceAll('\n', '<br>\n'),
    address: (template, field) => (field === 'title_link' ? externalURL : whose.address(template, field)),
    structure: () => title,
  }
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** `alertname: DiskFull 300, HighLatency 12, 7 more`; nothing where no alert has the label. */
function topOf(label: string, alerts: readonly Alert[]): string[] {
  const counts = new Map<string, number>()
  for (const { labels } of alerts) {
    const value = labels.get(label)
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  if (counts.size === 0) return []
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const listed = sorted.slice(0, TOP).map(([value, count]) => `${value.slice(0, 60)} ${count}`)
  if (sorted.length > TOP) listed.push(`${sorted.length - TOP} more`)
  return [`${label}: ${listed.join(', ')}`]
}

/** Some at a time: each in Redis' queue costs the others. What fails is logged; the results are those of the others. */
async function inLanes<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R | undefined>,
  log: Deps['log'],
): Promise<R[]> {
  const waiting = [...items]
  const results: R[] = []
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      const result = await run(item).catch((err: unknown) => {
        log.error({ err }, 'a part of a digest failed; it is told by itself')
        return undefined
      })
      if (result !== undefined) results.push(result)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return results
}
