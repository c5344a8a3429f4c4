import { canary } from '../alert/canary.ts'
import { isResolved } from '../alert/alert.ts'
import { openRecent } from '../model/recent.ts'
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

/** How many groups, rows and alerts are remembered; the older ones go. */
const MOST = 100_000

export interface OriginsDeps {
  store: Store
  tally: Tally
  tracing: Tracing | undefined
  metrics: Metrics
  clock: { now(): number }
}

/**
 * Where what is told has come from: when a group's news came in and, where traces are made, of which trace it is part. What this
 * process took itself it remembers; of traces Redis has both, so that any replica goes on with them.
 */
export function openOrigins({ store, tally, tracing, metrics, clock }: OriginsDeps) {
  const groups = openRecent<string, number>(MOST) // that wait for their flush → when the first of their news came in, epoch ms
  const rows = openRecent<string, number>(MOST) // that are owed, by `owing` → the same
  const counted = openRecent<string, number>(MOST) // fingerprint → the occurrence of the alert that was counted last

  const occurrenceOf = ({ alert }: Arrival, at: number) => (isResolved(alert, at) ? -alert.startsAt : alert.startsAt)

  return {
    /** To be called before alerts go to Redis: from then on any replica may tell of them. Returns how to end it. */
    async arrive(arrivals: readonly Arrival[], at: number): Promise<Span | undefined> {
      if (!tracing || arrivals.length === 0) return undefined
      const parent = current()?.span?.traceparent
      const fresh = arrivals.filter((one) => counted.get(one.alert.fingerprint) !== occurrenceOf(one, at))
      const ids = new Set(fresh.flatMap((arrival) => arrival.groups.map(({ id }) => id)))
      const attributes = { alert_count: arrivals.length, group_count: ids.size }
      const span = tracing.start('accept alerts', {
        kind: 'internal',
        attributes,
        ...(parent && { parents: [parent] }),
      })
      await store.traces.note([...ids], `${span.traceparent} ${at}`).catch(() => {}) // a trace is worth no alert
      return span
    },

    /** Counts what was not there before; of a request that brought something new. */
    arrived(arrivals: readonly Arrival[], at: number, { config }: Deps['routing']): void {
      for (const arrival of arrivals) {
        const { fingerprint, labels } = arrival.alert
        const occurrence = occurrenceOf(arrival, at)
        if (counted.get(fingerprint) === occurrence) continue
        counted.set(fingerprint, occurrence)
        for (const { id } of arrival.groups) if (groups.get(id) === undefined) groups.set(id, at)
        if (isResolved(arrival.alert, at)) continue
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
          const held = settlements.flatMap((settlement, i) => {
            const reply = settled[i]
            return reply?.status === 'fulfilled' && reply.value.held
              ? [{ settlement, owed: [...reply.value.woken, ...reply.value.stood] }]
              : []
          })
          for (const { settlement, owed } of held) flushed(settlement, owed, at)
          if (tracing)
            await Promise.all(held.map(({ settlement }) => traceFlush(settlement, at, tracing))).catch(() => {})
          return settled
        },
      }
    },

    /** When what a row tells of came in, epoch ms; undefined where that is not known here. */
    cameInAt: ({ id, owedAt }: { id: string; owedAt: number }): number | undefined => rows.get(owing(id, owedAt)),

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
      const [parent, owedAt, cameInAt] = noted?.split(' ') ?? []
      if (cameInAt !== undefined) rows.set(owing(row, Number(owedAt)), Number(cameInAt))
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

  /** What was decided about is no news any more: what is told of it later was silenced until then, not late. */
  function flushed({ group, verdicts }: Settlement, owed: readonly string[], at: number): void {
    const cameInAt = groups.get(group)
    groups.delete(group)
    if (cameInAt !== undefined) for (const row of owed) rows.set(owing(row, at), cameInAt)
    for (const [integration, verdict] of verdicts) {
      if (integration === canary.integration) continue
      tally.count('considered')
      if (verdict === 'no news') tally.count('repeats suppressed')
    }
  }

  async function traceFlush({ group, owings, verdicts }: Settlement, at: number, on: Tracing): Promise<void> {
    if (owings.some(({ integration }) => integration === canary.integration)) return
    const noted = (await store.traces.take(group)).map((text) => text.split(' '))
    const parents = noted.map(([parent = '']) => parent)
    const cameInAt = noted[0]?.[1]
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
    await store.traces.note(rowsOwed, [span.traceparent, at, ...(cameInAt === undefined ? [] : [cameInAt])].join(' '))
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

/** A row that is owed since then: when it is told, another may get its id. */
function owing(row: string, owedAt: number): string {
  return `${row} ${owedAt}`
}
