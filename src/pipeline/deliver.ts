import type { Outcome } from '../notify/notifier.ts'
import type { Budget } from '../model/delivery.ts'
import type { Waking } from '../store/outbox.ts'
import { faultOf } from '../store/fault.ts'
import { compose, reconcile, send } from './attempt.ts'
import { boundFor } from './bound.ts'
import { decide } from './decide.ts'
import type { Deps } from './deps.ts'
import { tellAlong } from './digest.ts'
import { end, fallBackEarly, notNow, passOn } from './ending.ts'
import { minimal } from './plain-words.ts'
import { giveUpAt, retryDelay } from './retry.ts'
import { forgo, lost, observe, settle, standingOf, waiting } from './settle.ts'
import { awaitArrival } from './texts.ts'
import { type Telling, contentOf, notificationOf } from './telling.ts'

/** Beyond an attempt's deadline: time to read the group and to write down how it ended, ms. */
const LEASE_MARGIN = 2000
/** Beyond that: time to read the groups that a digest tells of, ms. */
const DIGEST_MARGIN = 10_000
/** Turns that ended with the engine: so many, and the message goes out in the plainest words. */
const POISON = 3
/** So many, and those kill it too. */
const DEADLY = 5
/** How long a suspect waits for another to end, ms. */
const SUSPECT_WAITS = 1000

/**
 * A delivery is due: reads the group as it is now, decides again, renders, asks whether the destination takes it, sends once
 * and writes down how it ended. Runs at least once for each owed row; one that is not owed, or that another is at, is left
 * alone. `deadline` is the channel's for one attempt, ms; `integration` is whose row it is.
 */
export async function deliver(rowId: string, deadline: number, integration: string, deps: Deps): Promise<void> {
  const { store, queue, clock, excused } = deps
  try {
    const claim = await store.outbox.claim(rowId, clock.now(), deadline + LEASE_MARGIN, {
      excused: excused.delete(rowId),
      bound: boundFor(integration, deps),
    })
    if (!claim) return
    if ('standing' in claim) {
      deps.metrics.waits.inc({ channel: claim.standing.channel, reason: 'flight' })
      return claim.isWoken ? undefined : await wakeAt(claim.standing, claim.until, deps)
    }
    if ('busy' in claim) {
      const { id, ...waking } = claim.busy
      return await queue.wake([{ ...waking, row: id, delay: SUSPECT_WAITS }])
    }
    const telling = await decide(claim.row, deps, claim)
    if (telling) await tell(telling, 'not asked', deps)
  } catch (error) {
    if (faultOf(error).reason !== 'store') excused.add(rowId) // it is Redis that fails, and not this notification
    throw error
  }
}

/** `asked`: what the channel said of an attempt before that may have arrived. */
async function tell(telling: Telling, asked: 'not asked' | 'resend', deps: Deps): Promise<void> {
  const { row, group, integration, present, at } = telling
  const { routing, store, metrics, clock, log } = deps
  const notifier = routing.notifier(integration.id)
  if (!notifier) throw new Error(`integration ${integration.id} has no adapter`)
  const composing = notificationOf(telling, deps)
  const isPoison = row.starts > POISON
  const notification = isPoison ? minimal(composing) : composing
  if (row.starts > DEADLY) {
    const sent = { group, integration, notification, message: undefined, failures: [] }
    return forgo(telling, sent, 'quarantined', `the engine ended ${row.starts - 1} times while it was at this`, deps)
  }
  if (isPoison) {
    metrics.quarantined.inc({ channel: row.channel })
    log.error(
      { row: row.id, integration: integration.id, starts: row.starts - 1 },
      'the engine ended again and again while it was at this notification; it goes out in the plainest words',
    )
  }
  const { message, failures, ...composed } = compose(notifier, notification, integration, deps)
  const sent = { group, integration, notification, message, failures }
  if (!message) {
    if (row.attempt === 0) metrics.notified.inc({ integration: row.channel })
    const outcome = 'outcome' in composed ? composed.outcome : lost
    return settle({ ...telling, row: { ...row, attempt: row.attempt + 1 } }, { ...sent, outcome }, deps)
  }

  const expires = giveUpAt(row.newsAt, notification, deps)
  const content = contentOf(present)
  const isSame = row.content === content
  const policy = integration.onUnconfirmed
  if (row.unconfirmed && isSame && policy === 'skip') return settle(telling, { ...sent, outcome: lost }, deps)
  if (row.unconfirmed && asked === 'not asked' && policy === 'reconcile' && notifier.reconcile) {
    const arrived = await reconcile(notifier.reconcile, message, integration, deps)
    if (isSame && arrived === 'arrived') {
      const outcome: Outcome = { state: 'delivered', detail: 'it had arrived' }
      return settle(telling, { ...sent, outcome }, deps)
    }
    const again = clock.now() + retryDelay(row.turn % 10, lost, deps.random())
    if (arrived === 'cannot tell' && row.rank > 0) {
      if (again >= expires) return settle(telling, { ...sent, outcome: lost }, deps)
      await end(
        row,
        { how: 'retry', retryAt: again, unconfirmed: true, content: row.content, said: row.said },
        undefined,
        deps,
      )
      return
    }
    const later = await decide(row, deps) // asking took its time
    return later && tell(later, 'resend', deps)
  }

  const { destination, cost, to } = message
  const budget = budgetOf(telling, destination, deps)
  const beganAt = clock.now()
  const lease = integration.deadline + LEASE_MARGIN
  const asking = {
    destination,
    cost,
    audience: to,
    budget,
    lease,
    digestMargin: DIGEST_MARGIN,
    until: expires,
    content,
  }
  const begun = await store.outbox.begin(row, asking, beganAt)
  if (begun.state === 'lost') {
    const fields = { row: row.id, attempt: row.attempt }
    log.warn(fields, 'a delivery was late; another has taken over, and nothing was sent')
    return
  }
  if (begun.state === 'wait') {
    metrics.waits.inc({ channel: row.channel, reason: begun.waitsFor })
    await passOn(begun.woken, beganAt, deps)
    if (begun.waitsFor === 'breaker') await fallBackEarly(row, group, deps)
    return begun.isWoken ? undefined : wakeAt(row, begun.until, deps)
  }
  if (begun.state === 'late') {
    const last = row.said && `; the last attempt: ${row.said}`
    return forgo(telling, sent, 'deadline', `it could not be sent in time: ${waiting[begun.waitsFor]}${last}`, deps)
  }

  if (begun.attempt === 1) {
    metrics.notified.inc({ integration: row.channel })
    metrics.startDelay.observe({ integration: row.channel }, Math.max(0, beganAt - row.owedAt) / 1000)
  }
  const trying = { ...telling, row: { ...row, attempt: begun.attempt } }
  if (begun.along.length > 0)
    return tellAlong(trying, begun.along, notifier, { destination, until: beganAt + DIGEST_MARGIN }, deps)
  if (message.reference !== undefined) await store.sms.remember(to, message.reference, group.incident)
  if (clock.now() > beganAt + LEASE_MARGIN) return notNow(trying.row, deps) // frozen meanwhile: another may have sent it
  const outcome = await send(notifier, message, integration, deps)
  if (outcome.state === 'delivered' && outcome.id !== undefined && row.channel === 'sms')
    await awaitArrival(outcome.id, row, deps)
  observe(trying.row, outcome, clock.now() - at, deps)
  await settle(trying, { ...sent, outcome, standing: standingOf(outcome, destination, clock.now()) }, deps)
}

/** What its destination takes; undefined for one that takes everything, as all do in Alertmanager. */
function budgetOf({ row, integration }: Telling, destination: string, deps: Deps): Budget | undefined {
  if (destination === '' || deps.exact) return undefined
  const budget = deps.routing.config.budgets.get(row.channel)
  if (!budget) throw new Error(`channel ${row.channel} has no budget`)
  // what may not be sent twice has to be known by itself
  const isAlone = row.alone || row.rank === 0 || integration.onUnconfirmed === 'skip'
  return isAlone ? { ...budget, digestAbove: 0 } : budget
}

async function wakeAt(waking: Waking, at: number, { queue, clock }: Deps): Promise<void> {
  const { id, channel, integration, rank, notification, turn } = waking
  const delay = Math.max(0, at - clock.now())
  await queue.wake([{ row: id, channel, integration, rank, notification, turn, delay }])
}
