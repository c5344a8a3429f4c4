import type { RouteSpec } from '../route/tree.ts'
import { suggest } from './nearest.ts'
import { type RouteSettings, type Top, route as routeSchema, timersOf } from './schema.ts'
import type { Path, Source } from './source.ts'
import type { Table } from './table.ts'

/** The file's own tree with the table's routes behind it; undefined where there is none, which is a problem. */
export function rootOf(
  settings: Top,
  table: Table | undefined,
  main: Source,
  broken: boolean,
): (RouteSpec & { receiver: string }) | undefined {
  const given = settings.route
  const own = given ? toSpec(given) : undefined
  if (table) {
    const base = own ?? { ...toSpec(emptyRoute), groupBy: ['alertname', 'team', 'severity'] }
    return { ...base, receiver: table.rootReceiver, routes: [...base.routes, ...table.routes] }
  }
  if (!own) {
    // a table with mistakes has said so already
    if (!broken)
      main.problems.push(main.problem([], 'no route: the file needs route: with a receiver, or severities: and teams:'))
    return undefined
  }
  if (own.receiver === undefined || own.receiver === '') {
    main.problems.push(main.problem(['route', 'receiver'], 'the root route needs a receiver'))
    return undefined
  }
  return { ...own, receiver: own.receiver }
}

const emptyRoute: RouteSettings = routeSchema.parse({})

function toSpec(given: RouteSettings): RouteSpec {
  return {
    matchers: [...(given.matchers ?? []).flat(), ...(given.match ?? []), ...(given.match_re ?? [])],
    continue: given.continue ?? false,
    muteTimeIntervals: given.mute_time_intervals ?? [],
    activeTimeIntervals: given.active_time_intervals ?? [],
    routes: (given.routes ?? []).map(toSpec),
    ...(given.receiver !== undefined && given.receiver !== '' && { receiver: given.receiver }),
    ...timersOf(given),
  }
}

/** Names of time intervals are one space over both lists. */
export function checkNames(settings: Top, main: Source): void {
  const seen = new Set<string>()
  for (const key of ['time_intervals', 'mute_time_intervals'] as const) {
    for (const [i, { name }] of (settings[key] ?? []).entries()) {
      if (seen.has(name))
        main.problems.push(main.problem([key, i, 'name'], `there is a time interval "${name}" already`))
      seen.add(name)
    }
  }
}

/** The rules of the root, and that what routes name is there. */
export function checkRoutes(
  given: RouteSettings | undefined,
  root: RouteSpec,
  receivers: readonly string[],
  settings: Top,
  main: Source,
): void {
  const fail = (path: Path, message: string) => main.problems.push(main.problem(path, message))
  if (root.matchers.length > 0) fail(['route'], 'the root route must take every alert: it cannot have matchers')
  if (root.continue) fail(['route', 'continue'], 'the root route cannot continue: it has no siblings')
  if (root.muteTimeIntervals.length > 0) fail(['route', 'mute_time_intervals'], 'the root route cannot be muted')
  if (root.activeTimeIntervals.length > 0) fail(['route', 'active_time_intervals'], 'the root route cannot be muted')
  const intervals = [...(settings.time_intervals ?? []), ...(settings.mute_time_intervals ?? [])].map(
    ({ name }) => name,
  )

  const walk = (one: RouteSettings, path: Path) => {
    if (one.receiver && !receivers.includes(one.receiver)) {
      fail([...path, 'receiver'], `there is no receiver "${one.receiver}"${suggest(one.receiver, receivers)}`)
    }
    for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
      for (const [i, name] of (one[key] ?? []).entries()) {
        if (!intervals.includes(name))
          fail([...path, key, i], `there is no time interval "${name}"${suggest(name, intervals)}`)
      }
    }
    for (const [i, child] of (one.routes ?? []).entries()) walk(child, [...path, 'routes', i])
  }
  if (given) walk(given, ['route'])
}
