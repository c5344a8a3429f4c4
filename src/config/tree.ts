import { type MatcherMode, isLabelName } from '../match/mode.ts'
import type { Route } from '../route/route.ts'
import { type RouteSpec, plainRoute } from '../route/tree.ts'
import { type InhibitRule, inhibitRule } from '../suppress/inhibition.ts'
import type { Interval } from '../suppress/interval.ts'
import { syntaxError } from '../template/templates.ts'
import type { RouteLabels } from './config.ts'
import { readMatchers } from './matchers.ts'
import { suggest } from './nearest.ts'
import { type RouteSettings, type Top, timersOf } from './schema.ts'
import type { Path, Source } from './read/source.ts'
import type { Table } from './table.ts'

/** What a file's own tree is checked against. */
interface Around {
  receivers: readonly string[] | undefined // by name; undefined where not all are known
  mode: MatcherMode
  broken: boolean // something is wrong with the table: what is missing may be what it would have made
}

/** The file's own tree with the table's routes behind it; undefined where there is none, which is a problem. */
export function rootOf(
  settings: Top,
  table: Table | undefined,
  main: Source,
  around: Around,
): (RouteSpec & { receiver: string }) | undefined {
  const own = settings.route ? toSpec(settings.route, main, ['route'], around.mode) : undefined
  if (settings.route && own) checkRoot(settings.route, own, main)
  if (settings.route) checkNames(settings.route, settings, main, around)
  if (table) {
    const base = own ?? { ...plainRoute, groupBy: ['alertname', 'team', 'severity'] }
    return { ...base, receiver: table.rootReceiver, routes: [...base.routes, ...table.routes] }
  }
  if (!own) {
    if (!around.broken && main.problems.length === 0)
      main.problems.push(main.problem([], 'no route: the file needs route: with a receiver, or severities: and teams:'))
    return undefined
  }
  if (own.receiver === undefined) {
    if (!around.broken && !main.problems.some(({ path }) => path === 'route.receiver'))
      main.problems.push(main.problem(['route', 'receiver'], 'the root route needs a receiver'))
    return undefined
  }
  return { ...own, receiver: own.receiver }
}

function toSpec(given: RouteSettings, source: Source, path: Path, mode: MatcherMode): RouteSpec {
  for (const [i, name] of (Array.isArray(given.group_by) ? given.group_by : []).entries()) {
    if (!isLabelName(name, mode))
      source.problems.push(source.problem([...path, 'group_by', i], `"${name}" is not a label name`))
  }
  const labels = new Map(Object.entries(given.labels ?? {}))
  for (const [name, text] of labels) {
    if (!isLabelName(name, mode))
      source.problems.push(source.problem([...path, 'labels', name], `"${name}" is not a label name`, 'key'))
    const fails = syntaxError(text)
    if (fails) source.warnings.push(source.problem([...path, 'labels', name], `the template does not parse: ${fails}`))
  }
  return {
    matchers: readMatchers(given, '', mode, source, path),
    continue: given.continue ?? false,
    muteTimeIntervals: given.mute_time_intervals ?? [],
    activeTimeIntervals: given.active_time_intervals ?? [],
    labels,
    routes: (given.routes ?? []).map((child, i) => toSpec(child, source, [...path, 'routes', i], mode)),
    ...(given.receiver !== undefined && given.receiver !== '' && { receiver: given.receiver }),
    ...timersOf(given),
  }
}

/** The labels of each route of the file's own tree that says some itself; `route` is what `given` came to. */
export function routeLabelsOf(
  given: RouteSettings,
  route: Route,
  source: Source,
  path: Path = ['route'],
  inherited: ReadonlyMap<string, Path> = new Map(),
): RouteLabels[] {
  const names = Object.keys(given.labels ?? {})
  const places = new Map([...inherited, ...names.map((name): [string, Path] => [name, [...path, 'labels', name]])])
  const own: RouteLabels = {
    labels: new Map([...route.labels].filter(([, text]) => syntaxError(text) === undefined)),
    problem: (name, message) => source.problem(places.get(name) ?? path, message),
  }
  const below = (given.routes ?? []).flatMap((child, i) => {
    const node = route.routes[i]
    return node ? routeLabelsOf(child, node, source, [...path, 'routes', i], places) : []
  })
  return names.length > 0 ? [own, ...below] : below
}

/** The root takes every alert, at any time. */
function checkRoot(given: RouteSettings, root: RouteSpec, main: Source): void {
  const fail = (key: string, message: string) => main.problems.push(main.problem(['route', key], message))
  if (root.matchers.length > 0) {
    const key = (['matchers', 'match', 'match_re'] as const).find((one) => given[one]) ?? 'matchers'
    fail(key, 'the root route must take every alert: it cannot have matchers')
  }
  if (root.continue) fail('continue', 'the root route cannot continue: it has no siblings')
  if (root.muteTimeIntervals.length > 0) fail('mute_time_intervals', 'the root route cannot be muted')
  if (root.activeTimeIntervals.length > 0) fail('active_time_intervals', 'the root route cannot be muted')
}

/** That what routes name is there. */
function checkNames(given: RouteSettings, settings: Top, main: Source, { receivers, broken }: Around): void {
  const fail = (path: Path, message: string) => main.problems.push(main.problem(path, message))
  const intervals = [...(settings.time_intervals ?? []), ...(settings.mute_time_intervals ?? [])].map(
    ({ name }) => name,
  )
  const walk = (one: RouteSettings, path: Path) => {
    // the table's receivers are called team/severity
    const mayBeOfTable = broken && one.receiver?.includes('/')
    if (one.receiver && receivers && !mayBeOfTable && !receivers.includes(one.receiver))
      fail([...path, 'receiver'], `there is no receiver "${one.receiver}"${suggest(one.receiver, receivers)}`)
    for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
      for (const [i, name] of (one[key] ?? []).entries()) {
        if (!intervals.includes(name))
          fail([...path, key, i], `there is no time interval "${name}"${suggest(name, intervals)}`)
      }
    }
    for (const [i, child] of (one.routes ?? []).entries()) walk(child, [...path, 'routes', i])
  }
  walk(given, ['route'])
}

/** Names of time intervals are one space over both lists. */
export function checkIntervalNames(settings: Top, main: Source): void {
  const seen = new Set<string>()
  for (const key of ['time_intervals', 'mute_time_intervals'] as const) {
    for (const [i, { name }] of (settings[key] ?? []).entries()) {
      if (seen.has(name))
        main.problems.push(main.problem([key, i, 'name'], `there is a time interval "${name}" already`))
      seen.add(name)
    }
  }
}

/** The inhibitions of a file; what is wrong with them is among its problems. */
export function readInhibitRules(settings: Top, main: Source, mode: MatcherMode): InhibitRule[] {
  return (settings.inhibit_rules ?? []).map((rule, i) => {
    const path = ['inhibit_rules', i]
    const { source_matchers, source_match, source_match_re, target_matchers, target_match, target_match_re } =
      rule ?? {}
    const source = readMatchers(
      { matchers: source_matchers, match: source_match, match_re: source_match_re },
      'source_',
      mode,
      main,
      path,
    )
    const target = readMatchers(
      { matchers: target_matchers, match: target_match, match_re: target_match_re },
      'target_',
      mode,
      main,
      path,
    )
    for (const [j, name] of (rule?.equal ?? []).entries()) {
      if (!isLabelName(name, mode))
        main.problems.push(main.problem([...path, 'equal', j], `"${name}" is not a label name`))
    }
    return inhibitRule({ source, target, equal: rule?.equal ?? [] })
  })
}

/** What an empty item of a list comes to: it asks for nothing, so every instant is in it. */
const always: Interval = {
  times: undefined,
  weekdays: undefined,
  daysOfMonth: undefined,
  months: undefined,
  years: undefined,
  location: undefined,
}

/** The time intervals of a file by name, those of both lists. */
export function intervalsOf({ time_intervals = [], mute_time_intervals = [] }: Top): Map<string, Interval[]> {
  return new Map(
    [...time_intervals, ...mute_time_intervals].map(({ name, time_intervals: elements = [] }): [string, Interval[]] => [
      name,
      elements.map((element) => element ?? always),
    ]),
  )
}
