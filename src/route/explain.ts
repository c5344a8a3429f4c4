import { formatMatcher } from '../match/matcher.ts'
import type { Labels } from '../model/labels.ts'
import type { Route } from './route.ts'

/** A matcher of a route, held against an alert's label. */
export interface Test {
  matcher: string // Alertmanager's text
  value: string // the label's; '' where there is none
  holds: boolean
}

/** A route that was asked whether it takes an alert, and what came of it. */
export interface Asked {
  route: Route
  tests: readonly Test[] // up to the first that does not hold
  matches: boolean
  takes: boolean // it matches, and none of its children does
  children: readonly Asked[] // those that were asked
  notAsked: number // children behind one that took the alert and does not `continue`
}

/** How an alert goes down the tree, as `matchRoutes` decides it. */
export function explainRoute(route: Route, labels: Labels): Asked {
  const tests: Test[] = []
  for (const matcher of route.matchers) {
    const value = labels.get(matcher.name) ?? ''
    tests.push({ matcher: formatMatcher(matcher), value, holds: matcher.test(value) })
    if (!tests.at(-1)?.holds) break
  }
  const matches = tests.every(({ holds }) => holds)
  if (!matches) return { route, tests, matches, takes: false, children: [], notAsked: 0 }
  const children: Asked[] = []
  for (const child of route.routes) {
    const asked = explainRoute(child, labels)
    children.push(asked)
    if (asked.matches && !child.continue) break
  }
  const takes = !children.some((child) => child.matches)
  return { route, tests, matches, takes, children, notAsked: route.routes.length - children.length }
}
