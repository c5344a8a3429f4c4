import type { Alert } from '../alert/alert.ts'
import type { Group } from '../store/groups.ts'
import { inhibitorOf } from '../suppress/inhibition.ts'
import { contains } from '../suppress/interval.ts'
import { type Heard, mutingOf, suppress } from '../suppress/suppress.ts'
import type { Route } from '../route/route.ts'
import type { Deps } from './deps.ts'
import { activeIds } from './silences.ts'

/** Reads what silences and inhibitions changed since this replica last looked, in one trip. */
export async function freshen({ store, silences, inhibition, routing }: Deps): Promise<void> {
  const versions = await store.versions()
  await Promise.all([silences.freshen(versions), inhibition.catchUp(versions.rules, [], routing)])
}

/** Which of a group's alerts may be told at an instant. Silences are as `freshen` left them. */
export async function hear(group: Group, route: Route, at: number, deps: Deps): Promise<Heard> {
  const { routing, store, silences } = deps
  const muting = mutingOf(route, (name) => contains(routing.config.timeIntervals.get(name) ?? [], at))
  const places = new Set(group.alerts.flatMap((alert) => routing.rolesOf(alert).targets.flat()))
  const sources = await store.inhibition.lastSources([...places])
  return suppress(
    group.alerts,
    (alert: Alert) => inhibitorOf(routing.rolesOf(alert), (place) => sources.get(place), at),
    muting,
    ({ labels }) => activeIds(silences.matching(labels), at),
  )
}
