import { RETENTION } from '../dedup/dedup.ts'
import { type Matcher, formatMatcher, formatMatchers, literalsOf } from '../match/matcher.ts'
import { formatDuration } from '../model/duration.ts'
import type { Route } from '../route/route.ts'
import type { Config } from './config.ts'
import type { Problem } from './error.ts'
import type { RouteSettings, Top } from './schema.ts'
import type { Path, Source } from './read/source.ts'
import type { Table } from './table.ts'

/** What is legal in a file that was taken, and surely not meant. */
export function lint<N>(
  { route, routes }: Pick<Config<N>, 'route' | 'routes'>,
  settings: Top,
  table: Table | undefined,
  main: Source,
  receivers: ReadonlyMap<string, { source: Source; path: Path }>,
): Problem[] {
  const warnings: Problem[] = []
  const warn = (path: Path, message: string) => void warnings.push(main.problem(path, message, 'key'))

  if (table && settings.route?.receiver)
    warn(['route', 'receiver'], 'is never used: what no route takes goes by the table')
  if (settings.route) lintRoutes(settings.route, route, ['route'], { warn, comparisons: 0 })

  const used = new Set([...routes.values()].map(({ receiver }) => receiver))
  for (const [name, { source, path }] of receivers) {
    // the table makes one for each team and severity, used or not
    if (path[0] === 'receivers' && !used.has(name))
      warnings.push(source.problem([...path, 'name'], `no route uses receiver "${name}"`, 'key'))
  }
  const timed = new Set([...routes.values()].flatMap((one) => [...one.muteTimeIntervals, ...one.activeTimeIntervals]))
  for (const key of ['time_intervals', 'mute_time_intervals'] as const) {
    for (const [i, { name }] of (settings[key] ?? []).entries())
      if (name !== '' && !timed.has(name)) warn([key, i, 'name'], `no route uses time interval "${name}"`)
  }
  lintInhibitRules(settings, warn)

  for (const key of ['tracing', 'event_recorder'] as const)
    if (settings[key]) warn([key], 'is read and checked, but not in force yet')
  lintSeverities(settings, warn)
  return warnings
}

type Warn = (path: Path, message: string) => void

/** After these, routes are no longer held against those before them: a second's work. */
const MOST_COMPARISONS = 500_000

interface Walk {
  warn: Warn
  comparisons: number // of two routes, so far
}

/** The routes of the file's own tree below one; those of the table stand behind them and have no place in it. */
function lintRoutes(
  given: RouteSettings,
  route: Route,
  path: Path,
  walk: Walk,
  inherited: readonly Matcher[] = [],
): void {
  const { warn } = walk
  const { groupInterval, repeatInterval } = route
  if (repeatInterval < groupInterval && (given.repeat_interval ?? given.group_interval) !== undefined) {
    const key = given.repeat_interval === undefined ? 'group_interval' : 'repeat_interval'
    warn(
      [...path, key],
      `repeats are looked at every group_interval (${formatDuration(groupInterval)}), which is longer than repeat_interval (${formatDuration(repeatInterval)})`,
    )
  }
  if (given.repeat_interval !== undefined && repeatInterval > RETENTION)
    warn(
      [...path, 'repeat_interval'],
      `what was told is remembered for ${formatDuration(RETENTION)}: repeats come that often, not every ${formatDuration(repeatInterval)}`,
    )

  const matchers = [...inherited, ...route.matchers]
  const clash = contradiction(matchers)
  if (clash) {
    warn(path, `can never be reached: no alert fits both ${clash.map(formatMatcher).join(' and ')}`)
    return
  }
  const children = (given.routes ?? []).map((child, i) => ({
    child,
    node: route.routes[i],
    path: [...path, 'routes', i],
  }))
  const earlier = new Siblings(walk)
  for (const [i, { child, node, path: at }] of children.entries()) {
    if (!node) continue
    const before = earlier.coverOf([...matchers, ...node.matchers])
    earlier.add(node, i)
    if (before === undefined) lintRoutes(child, node, at, walk, matchers)
    else
      warn(
        at,
        `can never be reached: routes.${before.index} before it takes ${takes(before.node)}, and does not continue`,
      )
  }
  const last = children.findIndex(({ node }) => node && covers(node, matchers))
  if (last !== -1 && route.routes.length > children.length)
    warn(
      children[last]?.path ?? path,
      `takes ${takes(children[last]?.node)}, and does not continue: the table behind it is never reached`,
    )
}

interface Sibling {
  node: Route
  index: number
}

/** The routes before one. Each is kept under the values that one of its matchers names, if any: only what has one can be covered. */
class Siblings {
  readonly #walk: Walk
  readonly #byValue = new Map<string, Sibling[]>()
  readonly #others: Sibling[] = []

  constructor(walk: Walk) {
    this.#walk = walk
  }

  add(node: Route, index: number): void {
    const naming = node.matchers.map(keysOf).filter((keys) => keys.length > 0)
    const sizeOf = ([key = '']: readonly string[]) => this.#byValue.get(key)?.length ?? 0
    // of several the rarest: half of a tree may want severity="critical"
    const [keys] = naming.sort((a, b) => sizeOf(a) - sizeOf(b))
    if (!keys) this.#others.push({ node, index })
    for (const key of keys ?? []) {
      const there = this.#byValue.get(key) ?? []
      there.push({ node, index })
      this.#byValue.set(key, there)
    }
  }

  /** The first that takes every alert that fits some matchers. */
  coverOf(known: readonly Matcher[]): Sibling | undefined {
    // what takes all values that one names takes the first of them
    const keys = new Set(known.flatMap((one) => keysOf(one).slice(0, 1)))
    const candidates = [this.#others, ...[...keys].map((key) => this.#byValue.get(key) ?? [])]
    const covering = candidates.flatMap((list) => list.find(({ node }) => this.#covers(node, known)) ?? [])
    return covering.sort((a, b) => a.index - b.index)[0]
  }

  #covers(node: Route, known: readonly Matcher[]): boolean {
    this.#walk.comparisons += 1
    return this.#walk.comparisons <= MOST_COMPARISONS && covers(node, known)
  }
}

function keysOf(matcher: Matcher): string[] {
  return [...new Set(literalsOf(matcher))].map((value) => `${matcher.name}\u0000${value}`)
}

function takes(route: Route | undefined): string {
  return route?.matchers.length ? `all that has ${formatMatchers(route.matchers)}` : 'every alert'
}

/** Whether a route takes every alert that fits some matchers, and lets none go on to its later siblings. */
function covers(route: Route, known: readonly Matcher[]): boolean {
  return !route.continue && route.matchers.every((wanted) => known.some((one) => implies(one, wanted)))
}

function implies(one: Matcher, wanted: Matcher): boolean {
  if (one.name !== wanted.name) return false
  if (one.isRegex === wanted.isRegex && one.isEqual === wanted.isEqual && one.value === wanted.value) return true
  return literalsOf(one)?.every(wanted.test) ?? false
}

/** Two matchers that no value fits. */
function contradiction(matchers: readonly Matcher[]): [Matcher, Matcher] | undefined {
  for (const one of matchers) {
    const values = literalsOf(one)
    const other = values && matchers.find(({ name, test }) => name === one.name && !values.some(test))
    if (other) return [one, other]
  }
  return undefined
}

const priorities = ['high', 'normal']

function lintSeverities(settings: Top, warn: Warn): void {
  for (const [name, { notify, priority }] of Object.entries(settings.severities ?? {})) {
    if (notify.length === 0) warn(['severities', name, 'notify'], 'names no channel: nobody is told')
    if (priority !== undefined && !priorities.includes(priority))
      warn(['severities', name, 'priority'], `nobody knows "${priority}"; it is ${priorities.join(' or ')}`)
  }
}

function lintInhibitRules(settings: Top, warn: Warn): void {
  for (const [i, rule] of (settings.inhibit_rules ?? []).entries()) {
    const says = (value: object | undefined) => Object.values(value ?? {}).some((text) => text !== '')
    const hasSource = [rule?.source_matchers, rule?.source_match, rule?.source_match_re].some(says)
    const hasTarget = [rule?.target_matchers, rule?.target_match, rule?.target_match_re].some(says)
    if (!hasSource && !hasTarget)
      warn(['inhibit_rules', i], 'never inhibits: every alert is both its source and its target')
  }
}
