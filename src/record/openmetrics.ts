import type { Registry } from 'prom-client'

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
export async function toOpenMetrics(registry: Registry): Promise<string> {
  const lines: string[] = []
  for (const { name, help, type, values } of await registry.getMetricsAsJSON()) {
    const kind = String(type)
    const family = kind === 'counter' ? name.replace(/_total$/, '') : name
    lines.push(`# HELP ${family} ${escaped(help)}`, `# TYPE ${family} ${kind}`)
    for (const sample of values) {
      const sampled = 'metricName' in sample && typeof sample.metricName === 'string' ? sample.metricName : name
      const suffix = kind === 'counter' && !sampled.endsWith('_total') ? '_total' : ''
      const exemplar = 'exemplar' in sample && isExemplar(sample.exemplar) ? sample.exemplar : undefined
      const behind = exemplar ? ` # ${labels(exemplar.labelSet)} ${exemplar.value} ${exemplar.timestamp}` : ''
      const named = Object.keys(sample.labels).length > 0 ? labels(sample.labels) : ''
      lines.push(`${sampled}${suffix}${named} ${number(sample.value)}${behind}`)
    }
  }
  return `${lines.join('\n')}\n# EOF\n`
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
