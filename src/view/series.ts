import { canary } from '../alert/canary.ts'
import type { Deps } from '../pipeline/deps.ts'

/** Counts the charts are drawn of, by name: `received`, `told:<channel>`, `failed:<channel>`, `latency:sum` in s, `latency:count`. */
export type Counts = ReadonlyMap<string, number>

/** Adds to the store's series what this process has counted since the last call. */
export function openSeries({ metrics, store, clock }: Pick<Deps, 'metrics' | 'store' | 'clock'>) {
  let before: Counts = new Map()
  return {
    async add(): Promise<void> {
      const now = await count(metrics)
      const since = new Map([...now].map(([name, value]) => [name, value - (before.get(name) ?? 0)]))
      before = now
      await store.series.add(new Map([...since].filter(([, value]) => value > 0)), clock.now())
    },
  }
}

async function count({ received, requestsFailed, delivery }: Deps['metrics']): Promise<Counts> {
  const counts = new Map<string, number>()
  const add = (name: string, value: number) => counts.set(name, (counts.get(name) ?? 0) + value)
  for (const { value } of (await received.get()).values) add('received', value)
  for (const { value, labels } of (await requestsFailed.get()).values)
    if (labels.integration !== canary.channel) add(`failed:${labels.integration}`, value)
  for (const { value, labels, metricName } of (await delivery.get()).values) {
    if (labels.integration === canary.channel) continue
    if (metricName?.endsWith('_count')) {
      add(`told:${labels.integration}`, value)
      add('latency:count', value)
    } else if (metricName?.endsWith('_sum')) add('latency:sum', value)
  }
  return counts
}
