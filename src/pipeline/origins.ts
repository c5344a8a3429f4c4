import { canary } from '../alert/canary.ts'
import { isResolved } from '../alert/alert.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { Metrics } from '../record/metrics.ts'
import { current, within } from '../record/context.ts'
import type { Span, Tracing } from '../record/tracing.ts'
import type { Arrival } from '../store/alerts.ts'
import type { Settlement } from '../store/groups.ts'
import { rowId } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Deps } from './deps.ts'
import { isOwn } from './own-alert.ts'
import type { Tally } from './tally.ts'

/** How many groups, rows and occurrences are remembered; the oldest go. */
const MOST = 50_000

export interface OriginsDeps {
  store: Store
  tally: Tally
  tracing: Tracing | undefined
  metrics: Metrics
  clock: { now(): number }
}

/**
 * Where what is told has come from: when a group's news came in, as this process saw it, and, where traces are made, of which
 * trace it is part, as Redis has it, so that any replica goes on with it.
 */
export function openOrigins({ store, tally, tracing, metrics, clock }: OriginsDeps) {
  const groups = new Map<string, number>() // that wait for their flush → when the first of their news came in
  const rows = new Map<string, number>() // that are owed → the same
  const occurrences = new Map<string, number>() // that have been counted

  const keyOf = ({ alert }: Arrival, at: number) =>
    `${alert.fingerprint} ${alert.startsAt}${isResolved(alert, at) ? ' resolved' : ''}`

  return {
    /** To be called before alerts go to Redis: from then on any replica may tell of them. Returns how to end it. */
    async arrive(arrivals: readonly Arrival[], at: number): Promise<Span | undefined> {
      if (!tracing || arrivals.length === 0) return undefined
      const parent = current()?.span?.traceparent
      const fresh = arrivals.filter((arrival) => !occurrences.has(keyOf(arrival, at)))
      const ids = new Set(fresh.flatMap((arrival) => arrival.groups.map(({ id }) => id)))
      const attributes = { alert_count: arrivals.length, group_count: ids.size }
      const span = tracing.start('accept alerts', {
        kind: 'internal',
        attributes,
        ...(parent && { parents: [parent] }),
      })
      await store.traces.note([...ids], span.traceparent).catch(() => {}) // a trace is worth no alert
      return span
    },

    /** Counts what was not there before; of a request that brought something new. */
    arrived(arrivals: readonly Arrival[], at: number, { config }: Deps['routing']): void {
      for (const arrival of arrivals) {
        const key = keyOf(arrival, at)
        if (occurrences.has(key)) continue
        remember(occurrences, key, at)
        for (const { id } of arrival.groups) if (!groups.has(id)) remember(groups, id, at)
        if (isResolved(arrival.alert, at)) continue
        const { labels } = arrival.alert
        const service = serviceOf(labels)
        const isRouted = arrival.groups.some(({ routeId }) => routeId !== config.route.id)
        for (const { routeId } of arrival.groups) tally.caught(routeId)
        tally.count('alerts')
        tally.countNamed('alert type', labels.get('alertname') ?? 'none')
        tally.countNamed('alert service', service)
        if (service !== 'none') tally.countNamed(isRouted ? 'routed service' : 'default service', service)
      }
    },

    /** The same store, whose flushes are counted and traced. */
    watching(watched: Store['groups']): Store['groups'] {
      return {
        ...watched,
        async claimDue(...asked) {
          const done = metrics.logQueryDuration.startTimer()
          try {
            const found = await watched.claimDue(...asked)
            metrics.logQueries.inc(found.claimed.length)
            if (found.claimed.length > 0) done() // looking whether anything is due is no query
            return found
          } catch (error) {
            metrics.logQueryErrors.inc()
            throw error
          }
        },
        async settle(settlements, at) {
          const settled = await watched.settle(settlements, at)
          const held = settlements.filter((_one, i) => {
            const reply = settled[i]
            return reply?.status === 'fulfilled' && reply.value.held
          })
          for (const settlement of held) flushed(settlement)
          if (tracing) await Promise.all(held.map((one) => traceFlush(one, at, tracing))).catch(() => {})
          return settled
        },
      }
    },

    /** When what a row tells of came in, epoch ms; undefined where another process took it. */
    cameInAt: (row: string): number | undefined => rows.get(row),

    /** The same adapter, what it sends traced. */
    sending(channel: string, notifier: Notifier): Notifier {
      if (!tracing) return notifier
      return {
        ...notifier,
        async send(message, signal) {
          const parent = current()?.span?.traceparent
          const span = tracing.start(`send ${channel}`, {
            kind: 'client',
            attributes: { channel, cost: message.cost },
            ...(parent !== undefined && { parents: [parent] }),
          })
          try {
            const outcome = await notifier.send(message, signal)
            span.set({ outcome: outcome.state })
            if (outcome.state !== 'delivered') span.fail(outcome.state === 'failed' ? outcome.reason : 'unconfirmed')
            return outcome
          } catch (error) {
            span.fail(error instanceof Error ? error.name : 'error')
            throw error
          } finally {
            span.end()
          }
        },
      }
    },

    /** Runs a delivery as a part of the trace that its row belongs to. */
    async delivering(row: string, channel: string, integration: string, run: () => Promise<void>): Promise<void> {
      if (!tracing) return run()
      const noted = await store.traces.last(row).catch(() => undefined)
      const [parent, owedAt] = noted?.split(' ') ?? []
      const now = clock.now()
      const about = { channel, integration }
      const queued =
        parent === undefined
          ? undefined
          : tracing.start('queue notification', {
              kind: 'producer',
              parents: [parent],
              at: Number(owedAt),
              attributes: about,
            })
      queued?.end(now)
      const span = tracing.start('deliver notification', {
        kind: 'consumer',
        attributes: about,
        ...(queued && { parents: [queued.traceparent] }),
      })
      try {
        await within({ traceId: span.traceId, span }, run)
      } catch (error) {
        span.fail(error instanceof Error ? error.name : 'error')
        throw error
      } finally {
        span.end()
      }
    },
  }

  function flushed({ group, owings, verdicts }: Settlement): void {
    const at = groups.get(group)
    for (const { integration } of owings) {
      const row = rowId(group, integration)
      if (at !== undefined) remember(rows, row, at)
      else rows.delete(row)
    }
    if (owings.length > 0) groups.delete(group)
    for (const [integration, verdict] of verdicts) {
      if (integration === canary.integration) continue
      tally.count('considered')
      if (verdict === 'no news') tally.count('repeats suppressed')
    }
  }

  async function traceFlush({ group, owings, verdicts }: Settlement, at: number, on: Tracing): Promise<void> {
    if (owings.some(({ integration }) => integration === canary.integration)) return
    const parents = await store.traces.take(group)
    if (owings.length === 0 && parents.length === 0) return
    const attributes = {
      group,
      integration_count: verdicts.size,
      owed_count: owings.length,
      decisions: [...verdicts.values()].join(', ').slice(0, 200),
    }
    const span = on.start('flush group', { kind: 'internal', parents, at, attributes })
    span.end()
    const rowsOwed = owings.map(({ integration }) => rowId(group, integration))
    await store.traces.note(rowsOwed, `${span.traceparent} ${Math.floor(clock.now())}`)
  }
}

export type Origins = ReturnType<typeof openOrigins>

/** Which service an alert is about. */
export function serviceOf(labels: ReadonlyMap<string, string>): string {
  return labels.get('service') || labels.get('job') || 'none'
}

/** Whether all of a group's alerts are what Tocsin has to say of itself. */
export function isAllOwn(alerts: readonly { labels: ReadonlyMap<string, string> }[]): boolean {
  return alerts.length > 0 && alerts.every(({ labels }) => isOwn(labels))
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.size > MOST ? map.keys() : []
  if (oldest !== undefined) map.delete(oldest)
}
