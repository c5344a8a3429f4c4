import { canary } from '../alert/canary.ts'
import { NOISE_WITHIN } from '../insight/kpis.ts'
import { current } from '../record/context.ts'
import type { Published } from '../store/live.ts'
import type { Ending, Row } from '../store/outbox.ts'
import type { Deps } from './deps.ts'
import type { Sent } from './ending.ts'
import { isAllOwn, serviceOf } from './origins.ts'

/** Counts how a turn ended; what Tocsin says of itself is left out, so that nothing it says makes it say more. */
export function account(row: Row, ending: Ending, sent: Sent | undefined, deps: Deps): void {
  if (row.channel === canary.channel || !sent) return
  const { tally, clock, metrics, origins } = deps
  const { outcome, group } = sent
  const isDelivered = outcome.state === 'delivered'
  const reason = outcome.state === 'failed' ? outcome.reason : 'unconfirmed'
  const span = current()?.span
  span?.set({ attempt: row.attempt, alert_count: group.alerts.length, ending: ending.how, outcome: outcome.state })
  if (!isDelivered) span?.fail(reason)
  if (isDelivered && ending.how === 'told') {
    const cameInAt = origins.cameInAt(row)
    if (cameInAt !== undefined)
      metrics.endToEnd.observe({
        labels: { integration: row.channel },
        value: Math.max(0, clock.now() - cameInAt) / 1000,
        ...(span && { exemplarLabels: { trace_id: span.traceId } }),
      })
  }
  if (isAllOwn(group.alerts)) return
  tally.count('attempts')
  if (ending.how === 'dead') tally.count('dead')
  if (isDelivered) {
    tally.count('delivered')
    tally.countNamed('told', row.channel)
    tally.observe(Math.max(0, clock.now() - row.owedAt) / 1000)
    return
  }
  tally.countNamed('failed', row.channel)
  tally.count('errors')
  tally.countNamed('error type', reason)
  for (const service of new Set(group.alerts.map(({ labels }) => serviceOf(labels))))
    tally.countNamed('error service', service)
}

/** Counts how long an incident waited for somebody, or lasted. Each change is told of in the process that made it. */
export async function accountIncident(
  { kind, data }: { kind: Published; data: unknown },
  { store, tally, log }: Deps,
): Promise<void> {
  if (kind !== 'incident' || typeof data !== 'object' || data === null || !('id' in data && 'event' in data)) return
  const { id, event } = data
  if (event !== 'acknowledged' && event !== 'resolved') return
  try {
    const incident = await store.incidents.get(String(id))
    const { createdAt, acknowledgedAt, resolvedAt } = incident ?? {}
    const end = event === 'acknowledged' ? acknowledgedAt : resolvedAt
    if (createdAt === undefined || end === undefined) return
    const lasted = Math.max(0, Date.parse(end) - Date.parse(createdAt))
    tally.count(event)
    tally.count(`${event} ms`, lasted)
    if (event === 'resolved' && acknowledgedAt === undefined && lasted <= NOISE_WITHIN) tally.count('noisy')
  } catch (err) {
    log.warn({ err }, 'an incident could not be read to be counted')
  }
}
