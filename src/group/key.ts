import { quoteGo } from '../model/quote.ts'
import { type Labels, sortedNames } from '../model/labels.ts'
import type { Route } from '../route/route.ts'

/** The labels that a group of this route is known by. A label that the alert lacks is left out. */
export function groupLabels({ groupBy }: Pick<Route, 'groupBy'>, labels: Labels): Labels {
  if (groupBy === 'all') return labels
  const kept = new Map<string, string>()
  for (const name of groupBy) {
    const value = labels.get(name)
    if (value !== undefined) kept.set(name, value)
  }
  return kept
}

/** The group key in Alertmanager's text form: `{}/{team="db"}:{alertname="A", region="eu"}`. */
export function groupKey({ path }: Pick<Route, 'path'>, labels: Labels): string {
  const text = sortedNames(labels).map((name) => `${name}=${quoteGo(labels.get(name) ?? '')}`)
  return `${path}:{${text.join(', ')}}`
}
