import { type Matcher, compareMatchers, formatMatchers, matchesAll } from '../match/matcher.ts'
import type { Labels } from '../model/labels.ts'
import type { Route, RouteOptions } from './route.ts'

/** A route as a file gives it: what it does not say, it inherits. */
export interface RouteSpec extends Partial<Omit<RouteOptions, 'labels'>> {
  matchers: readonly Matcher[]
  continue: boolean
  muteTimeIntervals: readonly string[] // these two and `continue` are not inherited
  activeTimeIntervals: readonly string[]
  labels: ReadonlyMap<string, string> // over the parent's
  routes: readonly RouteSpec[]
}

/** A route that says nothing: it takes every alert, as its parent has it. */
export const plainRoute: RouteSpec = {
  matchers: [],
  continue: false,
  muteTimeIntervals: [],
  activeTimeIntervals: [],
  labels: new Map(),
  routes: [],
}

/** Alertmanager's defaults; times in ms. */
const defaultOptions: Omit<RouteOptions, 'receiver'> = {
  groupBy: [],
  groupWait: 30_000,
  groupInterval: 5 * 60_000,
  repeatInterval: 4 * 3_600_000,
  labels: new Map(),
}

/** The tree with everything inherited filled in. The root needs a receiver. */
export function buildTree(root: RouteSpec & { receiver: string }): Route {
  return build(root, { ...defaultOptions, receiver: root.receiver }, undefined, new Map())
}

function build(
  spec: RouteSpec,
  inherited: RouteOptions,
  parent: Route | undefined,
  siblings: Map<string, number>,
): Route {
  const matchers = [...spec.matchers].sort(compareMatchers)
  const own = formatMatchers(matchers)
  const count = (siblings.get(own) ?? 0) + 1
  siblings.set(own, count)
  const options: RouteOptions = {
    receiver: spec.receiver ?? inherited.receiver,
    groupBy: spec.groupBy ?? inherited.groupBy,
    groupWait: spec.groupWait ?? inherited.groupWait,
    groupInterval: spec.groupInterval ?? inherited.groupInterval,
    repeatInterval: spec.repeatInterval ?? inherited.repeatInterval,
    labels: spec.labels.size > 0 ? new Map([...inherited.labels, ...spec.labels]) : inherited.labels,
  }
  const routes: Route[] = []
  const route: Route = {
    ...options,
    path: parent ? `${parent.path}/${own}` : own,
    id: `${parent ? `${parent.id}/` : ''}${own}${count > 1 ? `#${count}` : ''}`,
    matchers,
    continue: spec.continue,
    muteTimeIntervals: spec.muteTimeIntervals,
    activeTimeIntervals: spec.activeTimeIntervals,
    routes,
  }
  const children = new Map<string, number>()
  for (const child of spec.routes) routes.push(build(child, options, route, children))
  return route
}

/**
 * The routes that take an alert, in the order of the file: depth first, children before their parent,
 * and after a child without `continue` none of its siblings. Empty only where the root does not match.
 */
export function matchRoutes(route: Route, labels: Labels): Route[] {
  if (!matchesAll(route.matchers, labels)) return []
  const found: Route[] = []
  for (const child of route.routes) {
    const matched = matchRoutes(child, labels)
    for (const one of matched) found.push(one)
    if (matched.length > 0 && !child.continue) break
  }
  return found.length > 0 ? found : [route]
}

/** Every route of the tree by its id. */
export function routesById(root: Route): Map<string, Route> {
  const byId = new Map<string, Route>()
  const add = (route: Route) => {
    byId.set(route.id, route)
    route.routes.forEach(add)
  }
  add(root)
  return byId
}
