import { mayBelieve, rememberFor, toldAs, withoutResolved } from '../dedup/dedup.ts'
import type { Outcome } from '../notify/notifier.ts'
import type { Ending, Row, Standing, WaitsFor } from '../store/outbox.ts'
import type { Deps } from './deps.ts'
import { type Sent, end, fallBackEarly, insteadOf, letterOf } from './ending.ts'
import { giveUpAt, retryAt, retryAtExactly } from './retry.ts'
import { type Telling, contentOf } from './telling.ts'

/** How long a destination is left alone that says only that it was too much, ms. */
const LEAST_PAUSE = 1000

/** A page that has failed so often is told by the fallback, too. */
const PATIENCE = 3

/** What an attempt comes to that nobody will make, since the one before may have arrived. */
export const lost: Exclude<Outcome, { state: 'delivered' }> = {
  state: 'unknown',
  detail: 'an attempt before may have arrived',
}

/** Writes down how an attempt ended: it was told, it is tried again, or it is given up. */
export async function settle(telling: Telling, sent: Sent, deps: Deps): Promise<void> {
  const ending = endingOf(telling, sent, deps)
  await end(telling.row, ending, sent, deps)
  if (ending.how === 'retry' && telling.row.attempt >= PATIENCE) await fallBackEarly(telling.row, telling.group, deps)
}

function endingOf(telling: Telling, sent: Sent, deps: Deps): Ending {
  const { row, route, present, integration } = telling
  const { outcome, notification } = sent
  const now = deps.clock.now()
  if (outcome.state === 'delivered')
    return {
      how: 'told',
      word: 'delivered',
      told: toldAs(present, now),
      nflogTtl: rememberFor(route, deps.retention),
      keepsResolved: false,
    }

  const isDoubtful = row.unconfirmed || outcome.state === 'unknown'
  const failed = { outcome, attempt: row.attempt, owedAt: row.owedAt, now, random: deps.random() }
  const mayHaveArrived = outcome.state === 'unknown' || (row.unconfirmed && row.content === contentOf(present))
  const isLast = mayHaveArrived && integration.onUnconfirmed === 'skip'
  const again = isLast
    ? undefined
    : deps.exact
      ? retryAtExactly(failed, row.channel, route.groupInterval)
      : retryAt(failed, giveUpAt(row.newsAt, notification, deps))
  const content = outcome.state === 'unknown' ? contentOf(present) : row.content
  const said = outcome.detail
  if (again !== undefined) return { how: 'retry', retryAt: again, unconfirmed: isDoubtful, content, said }
  const reason = outcome.state === 'unknown' ? 'unconfirmed' : outcome.reason
  return deadEnding(telling, sent, { reason, detail: outcome.detail, isDoubtful }, deps)
}

/** What it comes to that something is given up: the dead letter, what is told instead, and what is believed from now on. */
function deadEnding(
  { row, group, route, present, integration }: Telling,
  { notification, message }: Pick<Sent, 'notification' | 'message'>,
  { reason, detail, isDoubtful }: { reason: string; detail: string; isDoubtful: boolean },
  deps: Deps,
): Ending {
  const now = deps.clock.now()
  const { name, instead } = insteadOf(row, group, deps)
  const { severity, team } = notification
  const known = { receiver: integration.receiver, severity, team }
  const letter = {
    ...letterOf(row, group, known),
    at: now,
    reason,
    detail,
    title: message?.title ?? '',
    fallback: name,
  }
  const nflogTtl = rememberFor(route, deps.retention)
  const dead = { how: 'dead' as const, word: `dead: ${reason}`, nflogTtl, letter, instead }
  if (deps.exact) return { ...dead, givenUp: undefined, told: undefined }
  // an end that is not told any more leaves what fires next a first notification; what may have been heard is to be closed
  const last = group.told.get(integration.id)
  const members = group.alerts.map(({ fingerprint }) => fingerprint)
  const left = isDoubtful ? mayBelieve(last, members, now) : last && withoutResolved(last, present.resolved)
  return { ...dead, givenUp: { ...toldAs(present, now), config: deps.routing.config.hash }, told: left }
}

/** Gives up what was not tried now, for a reason of the pipeline's own. */
export async function forgo(
  telling: Telling,
  sent: Omit<Sent, 'outcome'>,
  reason: 'deadline' | 'quarantined',
  detail: string,
  deps: Deps,
): Promise<void> {
  const outcome: Outcome = { state: 'failed', reason: 'configuration', detail: `${reason}: ${detail}` }
  const ending = deadEnding(telling, sent, { reason, detail, isDoubtful: telling.row.unconfirmed }, deps)
  await end(telling.row, ending, { ...sent, outcome }, deps)
}

/** What a notification waits for, in words. */
export const waiting: Readonly<Record<WaitsFor, string>> = {
  budget: 'the budget of its destination',
  asked: 'the destination asked to be left alone',
  breaker: 'the destination fails',
  flight: 'other messages to its destination are on their way',
}

/** What an answer says of the destination as a whole; one that refuses a message takes others. */
export function standingOf(outcome: Outcome, destination: string, now: number): Standing | undefined {
  if (destination === '') return undefined
  if (outcome.state === 'delivered') return { destination, standing: 'good', askedUntil: 0 }
  if (outcome.state === 'unknown') return { destination, standing: 'bad', askedUntil: 0 }
  const { reason, retryAfter } = outcome
  const isLimited = reason === 'rate limited'
  const askedUntil = retryAfter !== undefined || isLimited ? now + (retryAfter ?? LEAST_PAUSE) : 0
  return { destination, standing: standings[reason], askedUntil }
}

/** A setting that is wrong or an address that is none says nothing of the destination: it may never have been asked. */
const standings: Readonly<Record<Extract<Outcome, { state: 'failed' }>['reason'], Standing['standing']>> = {
  network: 'bad',
  timeout: 'bad',
  'server error': 'bad',
  'rate limited': 'answered',
  'client error': 'answered',
  unauthorised: 'answered',
  rejected: 'silent',
  configuration: 'silent',
}

export function observe({ channel, owedAt, unconfirmed }: Row, outcome: Outcome, took: number, deps: Deps): void {
  const { metrics, clock } = deps
  const integration = channel
  metrics.requests.inc({ integration })
  metrics.latency.observe({ integration }, took / 1000)
  if (unconfirmed) metrics.repeats.inc({ integration })
  if (outcome.state === 'delivered') metrics.delivery.observe({ integration }, (clock.now() - owedAt) / 1000)
  else metrics.requestsFailed.inc({ integration })
}
