import type { Bound } from '../store/groups.ts'
import type { Deps } from './deps.ts'

/** Until that age of its news a row may stand in line without having been read, ms: then it may be too late for it. */
const UNREAD = 600_000

/** Where an integration's messages go, if all go to the same place, which takes only so many at a time. */
export function boundFor(id: string, { routing, exact }: Pick<Deps, 'routing' | 'exact'>): Bound | undefined {
  const fixed = routing.notifier(id)?.fixed
  const channel = routing.config.integrations.get(id)?.channel
  const budget = exact || channel === undefined ? undefined : routing.config.budgets.get(channel)
  if (!fixed || !budget) return undefined
  const { destination, to: audience } = fixed
  return { destination, audience, inFlight: budget.inFlight, unread: Math.min(UNREAD, routing.config.shortestDeadline) }
}
