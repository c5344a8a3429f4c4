import { type Anomaly, anomalyOf, floors } from '../insight/patterns.ts'
import { spikeOf } from '../insight/spikes.ts'
import { startOf } from '../insight/window.ts'
import type { Deps } from './deps.ts'
import { type OwnAlert, raise } from './own-alert.ts'

/** How often it is looked for them, by one replica at a time, ms. */
export const LOOK = 5000
const MINUTE = 60_000
/** What minutes are compared with, in minutes. */
const COMPARED = 60
/** An anomaly that is over is so after this, ms: nobody resolves it. */
const STANDS = 5 * MINUTE

/**
 * Looks whether this minute, or the one before, has far more alerts or failed deliveries than those of the last hour, and says so
 * by an alert. What Tocsin says of itself is not counted, so it never speaks of its own alerts.
 */
export async function watchAnomalies(deps: Deps): Promise<void> {
  const { store, clock } = deps
  const now = clock.now()
  if (!(await store.heartbeats.claimTurn('anomalies', now, LOOK))) return
  const since = await store.tallies.since()
  if (since === undefined) return
  const current = startOf(now, 'minute')
  const first = Math.max(startOf(since, 'minute'), current - (COMPARED + 1) * MINUTE)
  const starts = Array.from({ length: (current - first) / MINUTE + 1 }, (_none, i) => first + i * MINUTE)
  const counted = await store.tallies.counters(starts, ['alerts', 'errors'])
  for (const [counter, say] of [
    ['alerts', alertStorm],
    ['errors', deliveryErrorSpike],
  ] as const) {
    const counts = counted.map((bucket) => bucket.get(counter) ?? 0)
    const spike = [counts.length - 1, counts.length - 2]
      .map((i) => {
        const before = counts.slice(Math.max(0, i - COMPARED), Math.max(0, i))
        return spikeOf(before, { at: starts[i] ?? now, count: counts[i] ?? 0 }, floors[counter])
      })
      .find((found) => found !== undefined)
    if (spike) await raise(say(anomalyOf(counter === 'alerts' ? 'alert_storm' : 'error_spike', spike)), deps)
  }
}

function alertStorm({ count, threshold, timestamp }: Anomaly): OwnAlert {
  return {
    alertname: 'AlertStorm',
    summary: `${count} new alerts within a minute; more than ${threshold} are unusual`,
    description:
      `In the minute from ${timestamp} ${count} alerts came in, above the threshold of ${threshold} (mean + 2 σ of the last ` +
      'hour). Look for one cause: `tocsin patterns --window=1h` says which alerts of which services they are.',
    annotations: { count: String(count), threshold: String(threshold), type: 'alert_storm' },
    severity: 'warning',
    stands: STANDS,
  }
}

function deliveryErrorSpike({ count, threshold, timestamp }: Anomaly): OwnAlert {
  return {
    alertname: 'DeliveryErrorSpike',
    summary: `${count} deliveries failed within a minute; more than ${threshold} are unusual`,
    description:
      `In the minute from ${timestamp} ${count} attempts to deliver failed, above the threshold of ${threshold} (mean + 2 σ of ` +
      'the last hour). They are tried again; `tocsin patterns --window=1h` says why they fail, `tocsin deadletter list` what was given up.',
    annotations: { count: String(count), threshold: String(threshold), type: 'error_spike' },
    severity: 'critical',
    stands: STANDS,
  }
}
