import { type Counts, countOf, namesOf } from './counts.ts'
import { quantile } from './latency.ts'

/** Pages that resolve so soon without anybody having taken them were noise, ms. */
export const NOISE_WITHIN = 5 * 60_000

/** The seed's targets: shares of 1, times in s. */
const targets = {
  availability: 0.999,
  response: 0.2,
  acknowledge: 2 * 3600, // its "incident response"
  resolve: 30 * 60,
  noise: 0.05,
  coverage: 1,
} as const

export const kpiNames = [
  'accept_availability',
  'delivery_availability',
  'notification_latency_p50',
  'notification_latency_p95',
  'notification_latency_p99',
  'mtta',
  'mttr',
  'noise_ratio',
  'repeats_suppressed_ratio',
  'coverage',
] as const
export type KpiName = (typeof kpiNames)[number]

export interface Kpi {
  name: KpiName
  unit: 'ratio' | 'seconds'
  value: number | null // null: nothing has happened that would say
  of: number // how many it is worked out from
  target: number | null // null: the seed sets none
  better: 'higher' | 'lower'
  met: boolean | null
}

/** How Tocsin does, by what was counted in a window. */
export function kpisOf(counts: Counts): Kpi[] {
  const n = (counter: Parameters<typeof countOf>[1]) => countOf(counts, counter)
  const deliveries = counts.latencies.reduce((sum, count) => sum + count, 0)
  const latency = (name: KpiName, part: number) =>
    lower(name, 'seconds', quantile(counts.latencies, part) ?? null, deliveries, targets.response)
  const routed = namesOf(counts, 'routed service')
  const services = new Set([...routed.keys(), ...namesOf(counts, 'default service').keys()])
  const requests = n('requests taken') + n('requests refused')
  const ended = n('delivered') + n('dead')
  return [
    higher('accept_availability', share(n('requests taken'), requests), requests, targets.availability),
    higher('delivery_availability', share(n('delivered'), ended), ended, targets.availability),
    latency('notification_latency_p50', 0.5),
    latency('notification_latency_p95', 0.95),
    latency('notification_latency_p99', 0.99),
    lower(
      'mtta',
      'seconds',
      share(n('acknowledged ms') / 1000, n('acknowledged')),
      n('acknowledged'),
      targets.acknowledge,
    ),
    lower('mttr', 'seconds', share(n('resolved ms') / 1000, n('resolved')), n('resolved'), targets.resolve),
    lower('noise_ratio', 'ratio', share(n('noisy'), n('resolved')), n('resolved'), targets.noise),
    higher('repeats_suppressed_ratio', share(n('repeats suppressed'), n('considered')), n('considered'), null),
    higher('coverage', share(routed.size, services.size), services.size, targets.coverage),
  ]
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

function higher(name: KpiName, value: number | null, of: number, target: number | null): Kpi {
  const met = value === null || target === null ? null : value >= target
  return { name, unit: 'ratio', value, of, target, better: 'higher', met }
}

function lower(name: KpiName, unit: Kpi['unit'], value: number | null, of: number, target: number): Kpi {
  return { name, unit, value, of, target, better: 'lower', met: value === null ? null : value < target }
}
