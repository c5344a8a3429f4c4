import type { Alert } from '../alert/alert.ts'
import type { Group } from '../store/groups.ts'
import type { Versions } from '../store/versions.ts'
import { type Source, inhibitorOf, ruleOf } from '../suppress/inhibition.ts'
import { contains } from '../suppress/interval.ts'
import { type Heard, mutingOf, suppress } from '../suppress/suppress.ts'
import type { Route } from '../route/route.ts'
import type { Deps } from './deps.ts'
import { activeIds } from './silences.ts'

/** Reads what silences and inhibitions changed since this replica last looked, by the versions that there are `now`. */
export async function freshen({ store, silences, inhibition, routing }: Deps, now?: Versions): Promise<Versions> {
  const versions = now ?? (await store.versions())
  await Promise.all([silences.freshen(versions), inhibition.catchUp(versions.rules, [], routing)])
  return versions
}

/** Which of a group's alerts may be told at an instant, by what `freshen` has read. */
export async function hear(group: Group, route: Route, at: number, { sourced }: Versions, deps: Deps): Promise<Heard> {
  const { routing, silences } = deps
  const muting = mutingOf(route, (name) => contains(routing.config.timeIntervals.get(name) ?? [], at))
  const sources = await sourcesFor(group, sourced, deps)
  return suppress(
    group.alerts,
    (alert: Alert) => inhibitorOf(routing.rolesOf(alert), (place) => sources.get(place), at),
    muting,
    ({ labels }) => activeIds(silences.matching(labels), at),
  )
}

/** The sources that may inhibit alerts of a group, by place: of each rule as few look-ups as it has sources or targets. */
async function sourcesFor(
  group: Group,
  sourced: Versions['sourced'],
  { routing, store }: Deps,
): Promise<Map<string, Source>> {
  const wanted = new Map<string, Set<string>>() // by rule; most rules have no source
  if (sourced.size > 0) {
    for (const alert of group.alerts) {
      for (const place of routing.rolesOf(alert).targets.flat()) {
        const rule = ruleOf(place)
        if (!sourced.has(rule)) continue
        const places = wanted.get(rule)
        if (places) places.add(place)
        else wanted.set(rule, new Set([place]))
      }
    }
  }
  const asked = await Promise.all(
    [...wanted].map(async ([rule, places]) => {
      if ((sourced.get(rule) ?? 0) >= places.size) return [...places]
      return (await store.inhibition.occupied(rule)).filter((place) => places.has(place))
    }),
  )
  return store.inhibition.lastSources(asked.flat())
}
