import type { Outcome } from '../notify/notifier.ts'
import type { Row } from '../store/outbox.ts'
import { compose, reconcile, send } from './attempt.ts'
import { decide } from './decide.ts'
import type { Deps } from './deps.ts'
import { tellAlong } from './digest.ts'
import { end, fallBackEarly } from './ending.ts'
import { minimal } from './plain-words.ts'
import { giveUpAt, retryDelay } from './retry.ts'
import { expire, lost, observe, settle, standingOf } from './settle.ts'
import { type Telling, contentOf, notificationOf } from './telling.ts'

/** Beyond an attempt's deadline: time to read the group and to write down how it ended, ms. */
const LEASE_MARGIN = 2000
/** Beyond that: time to read the groups that a digest tells of, ms. */
const DIGEST_MARGIN = 10_000
/** Turns that ended with the engine: so many, and the message goes out in the plainest words. */
const POISON = 3
/** How long a suspect waits for another to end, ms. */
const SUSPECT_WAITS = 1000

/**
 * A delivery is due: reads the group as it is now, decides again, renders, asks whether the destination takes it, sends once
 * and writes down how it ended. Runs at least once for each owed row; one that is not owed, or that another is at, is left
 * alone. `deadline` is the channel's for one attempt, ms.
 */
export async function deliver(rowId: string, deadline: number, deps: Deps): Promise<void> {
  const { store, queue, clock } = deps
  const claim = await store.outbox.claim(rowId, clock.now(), deadline + LEASE_MARGIN)
  if (!claim) return
  if ('busy' in claim) {
    const { id, ...waking } = claim.busy
    return queue.wake([{ ...waking, row: id, delay: SUSPECT_WAITS }])
  }
  const telling = await decide(claim.row, deps)
  if (telling) await tell(telling, deps)
}

async function tell(telling: Telling, deps: Deps): Promise<void> {
  const { row, group, integration, present, at } = telling
  const { routing, store, metrics, clock } = deps
  const notifier = routing.notifier(integration.id)
  if (!notifier) throw new Error(`integration ${integration.id} has no adapter`)
  const isPoison = row.starts > POISON
  if (isPoison) {
    metrics.quarantined.inc({ channel: row.channel })
    deps.log.error(
      { row: row.id, integration: integration.id, starts: row.starts - 1 },
      'the engine ended again and again while it was at this notification; it goes out in the plainest words',
    )
  }
  const composing = notificationOf(telling, deps)
  const notification = isPoison ? minimal(composing) : composing
  const { message, failures, ...composed } = compose(notifier, notification, integration, deps)
  const sent = { group, integration, notification, message, failures }
  const expires = giveUpAt(row.owedAt, notification, deps)
  if (!message) {
    if (row.attempt === 0) metrics.notified.inc({ integration: row.channel })
    const outcome = 'outcome' in composed ? composed.outcome : lost
    return settle({ ...telling, row: { ...row, attempt: row.attempt + 1 } }, { ...sent, outcome }, deps)
  }

  const content = contentOf(present)
  const isSame = row.content === content
  if (row.unconfirmed && isSame && integration.onUnconfirmed === 'skip')
    return settle(telling, { ...sent, outcome: lost }, deps)
  if (row.unconfirmed && notifier.reconcile && integration.onUnconfirmed === 'reconcile') {
    const arrived = await reconcile(notifier.reconcile, message, integration, deps)
    if (isSame && arrived === 'arrived') {
      const outcome: Outcome = { state: 'delivered', detail: 'it had arrived' }
      return settle(telling, { ...sent, outcome }, deps)
    }
    if (arrived === 'cannot tell' && row.rank > 0) {
      const again = clock.now() + retryDelay(row.turn, lost, deps.random())
      if (again < expires) {
        await end(row, { how: 'retry', retryAt: again, unconfirmed: true }, undefined, deps)
        return
      }
      return settle(telling, { ...sent, outcome: lost }, deps)
    }
  }

  const limits = routing.config.budgets.get(row.channel)
  if (!limits) throw new Error(`channel ${row.channel} has no budget`)
  const { destination, cost } = message
  const budget = deps.exact ? { ...limits, refill: 0, digestAbove: 0 } : limits
  const lease = integration.deadline + LEASE_MARGIN
  const begun = await store.outbox.begin(
    row,
    {
      destination,
      cost,
      budget: destination === '' ? undefined : budget,
      lease,
      digestMargin: DIGEST_MARGIN,
      until: expires,
      content,
    },
    clock.now(),
  )
  if (begun.state === 'lost') {
    deps.log.warn(
      { row: row.id, attempt: row.attempt },
      'a delivery was late; another has taken over, and nothing was sent',
    )
    return
  }
  if (begun.state === 'wait') {
    metrics.waits.inc({ channel: row.channel, reason: begun.waitsFor })
    if (begun.waitsFor === 'breaker') await fallBackEarly(row, group, deps)
    return wakeAt(row, begun.until, deps)
  }

  if (begun.state === 'late') return expire(telling, begun.waitsFor, sent, deps)

  if (begun.attempt === 1) metrics.notified.inc({ integration: row.channel })
  const trying = { ...telling, row: { ...row, attempt: begun.attempt } }
  if (begun.along.length > 0) return tellAlong(trying, begun.along, notifier, deps)
  const outcome = await send(notifier, message, integration, deps)
  observe(trying.row, outcome, clock.now() - at, deps)
  await settle(trying, { ...sent, outcome, standing: standingOf(outcome, destination, clock.now()) }, deps)
}

async function wakeAt(
  { id, channel, rank, notification, turn }: Row,
  at: number,
  { queue, clock }: Deps,
): Promise<void> {
  await queue.wake([{ row: id, channel, rank, notification, turn, delay: Math.max(0, at - clock.now()) }])
}
