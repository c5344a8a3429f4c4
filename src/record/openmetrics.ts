import type { Registry } from 'prom-client'

/** All that a registry has counted. */
export type Counted = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** Of a sample that may bear one; prom-client has no type for it. */
interface Exemplar {
  labelSet: Record<string, string>
  value: number
  timestamp: number // s
}

/**
 * The metrics in OpenMetrics' text, with exemplars (https://prometheus.io/docs/specs/om/open_metrics_spec/). prom-client's own
 * writer renames the counters of its registry for good, so that the other format would be wrong from then on.
 */
export function toOpenMetrics(counted: Counted): string {
  const lines: string[] = []
  for (const { name, help, type, values } of counted) {
    const kind = String(type)
    const family = kind === 'counter' ? name.replace(/_total$/, '') : name
    lines.push(`# HELP ${family} ${escaped(help)}`, `# TYPE ${family} ${kind}`)
    for (const sample of values) {
      const sampled = sampledName(sample) ?? name
      const suffix = kind === 'counter' && !sampled.endsWith('_total') ? '_total' : ''
      const exemplar = exemplarOf(sample)
      const behind = exemplar ? ` # ${labels(exemplar.labelSet)} ${exemplar.value} ${exemplar.timestamp}` : ''
      const named = Object.keys(sample.labels).length > 0 ? labels(sample.labels) : ''
      lines.push(`${sampled}${suffix}${named} ${number(sample.value)}${behind}`)
    }
  }
  return `${lines.join('\n')}\n# EOF\n`
}

/** Gives samples that were added up the newest exemplar of those that they were added up from. */
export function withExemplars(sums: Counted, parts: readonly Counted[]): Counted {
  const newest = new Map<string, Exemplar>()
  for (const { name, values } of parts.flat())
    for (const sample of values) {
      const exemplar = exemplarOf(sample)
      const key = keyOf(name, sample)
      if (exemplar && exemplar.timestamp > (newest.get(key)?.timestamp ?? 0)) newest.set(key, exemplar)
    }
  if (newest.size === 0) return sums
  return sums.map((metric) => ({
    ...metric,
    values: metric.values.map((sample) => {
      const exemplar = newest.get(keyOf(metric.name, sample))
      return exemplar ? { ...sample, exemplar } : sample
    }),
  }))
}

type Sample = Counted[number]['values'][number]

function keyOf(name: string, sample: Sample): string {
  const pairs = Object.entries(sample.labels).map((pair) => JSON.stringify(pair))
  return `${sampledName(sample) ?? name} ${pairs.toSorted().join()}`
}

/** The histogram's or the summary's own name of the sample; undefined where it is the metric's. */
function sampledName(sample: Sample): string | undefined {
  return 'metricName' in sample && typeof sample.metricName === 'string' ? sample.metricName : undefined
}

function exemplarOf(sample: Sample): Exemplar | undefined {
  return 'exemplar' in sample && isExemplar(sample.exemplar) ? sample.exemplar : undefined
}

function isExemplar(value: unknown): value is Exemplar {
  return typeof value === 'object' && value !== null && 'labelSet' in value && 'timestamp' in value
}

function labels(set: Readonly<Partial<Record<string, string | number>>>): string {
  const pairs = Object.entries(set).map(([name, value]) => `${name}="${escaped(String(value))}"`)
  return `{${pairs.join(',')}}`
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"')
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}
