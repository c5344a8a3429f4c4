import type { Alert } from '../alert/alert.ts'
import type { Group } from '../store/groups.ts'
import { ruleKey } from '../store/keys.ts'
import type { Versions } from '../store/store.ts'
import { inhibitorOf, ruleOf } from '../suppress/inhibition.ts'
import { contains } from '../suppress/interval.ts'
import { type Heard, mutingOf, suppress } from '../suppress/suppress.ts'
import type { Route } from '../route/route.ts'
import type { Deps } from './deps.ts'
import { activeIds } from './silences.ts'

/** Reads what silences and inhibitions changed since this replica last looked, in one trip where nothing did. */
export async function freshen({ store, silences, inhibition, routing }: Deps): Promise<Versions> {
  const versions = await store.versions()
  await Promise.all([silences.freshen(versions), inhibition.catchUp(versions.rules, [], routing)])
  return versions
}

/** Which of a group's alerts may be told at an instant, by what `freshen` has read. */
export async function hear(group: Group, route: Route, at: number, { sourced }: Versions, deps: Deps): Promise<Heard> {
  const { routing, store, silences } = deps
  const muting = mutingOf(route, (name) => contains(routing.config.timeIntervals.get(name) ?? [], at))
  const places = new Set<string>()
  if (sourced.size > 0) {
    // most rules have no source that fires
    for (const alert of group.alerts)
      for (const place of routing.rolesOf(alert).targets.flat())
        if (sourced.has(ruleKey(ruleOf(place)))) places.add(place)
  }
  const sources = await store.inhibition.lastSources([...places])
  return suppress(
    group.alerts,
    (alert: Alert) => inhibitorOf(routing.rolesOf(alert), (place) => sources.get(place), at),
    muting,
    ({ labels }) => activeIds(silences.matching(labels), at),
  )
}
