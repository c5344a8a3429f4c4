import type { Matcher } from '../match/matcher.ts'

/** How a route wants its alerts told: what it says itself, or what it inherits. Times in ms. */
export interface RouteOptions {
  receiver: string
  groupBy: readonly string[] | 'all'
  groupWait: number
  groupInterval: number
  repeatInterval: number
  labels: ReadonlyMap<string, string> // of the route itself: name → template (Alertmanager 0.34)
}

/** A node of the routing tree, its options resolved. */
export interface Route extends RouteOptions {
  /**
   * The sorted matchers of each route from the root down, joined with `/`: the first half of a group
   * key. The root is `{}`.
   */
  path: string
  /**
   * The path, told apart from siblings with the same matchers by their count (`…#2`). Stands still when
   * routes elsewhere come or go, so that a reload repeats nothing.
   */
  id: string
  matchers: readonly Matcher[] // sorted
  continue: boolean
  muteTimeIntervals: readonly string[]
  activeTimeIntervals: readonly string[]
  routes: readonly Route[]
}
