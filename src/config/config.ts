import type { MatcherMode } from '../match/mode.ts'
import type { Budget, UnconfirmedPolicy } from '../model/delivery.ts'
import type { Limits } from '../model/limits.ts'
import type { Route } from '../route/route.ts'
import type { InhibitRule } from '../suppress/inhibition.ts'
import type { Interval } from '../suppress/interval.ts'
import type { Callbacks } from './callbacks.ts'
import type { Problem } from './error.ts'
import type { Heartbeat, HeartbeatOut } from './heartbeats.ts'
import type { Printable } from './show/print.ts'

/** One entry of a receiver's `*_configs`. N is what the channel's adapter is. */
export interface Integration<N> {
  id: string // 'quant/critical/slack/0': receiver, channel, position among its kind
  receiver: string
  channel: string
  index: number
  sendResolved: boolean
  deadline: number // ms for one attempt
  onUnconfirmed: UnconfirmedPolicy
  open(): N
}

export interface Receiver<N> {
  name: string
  labels: ReadonlyMap<string, string> // its own, and its name as `name`
  fallback: string // the receiver that is told what this one could not be; '' for none
  integrations: readonly Integration<N>[]
}

/** A template as it stands in a receiver's settings. */
export interface TemplateField {
  integration: string // its id; kinds that are not delivered yet have one too
  receiver: string
  text: string
  isHtml: boolean
  problem(message: string): Problem // at its place
}

/** The labels that a route of the file's own tree has, inherited ones too; those that do not parse are told already. */
export interface RouteLabels {
  labels: ReadonlyMap<string, string> // name → template
  /** At a label's place. */
  problem(name: string, message: string): Problem
}

/** What a severity means beyond where its alerts go. */
export interface SeverityPolicy {
  incident: boolean
  deadline: number // how long a notification is tried, ms
  priority: string // 'high' for the gravest severity that opens incidents unless the file says otherwise
}

/** A routing file that was read, checked and compiled; whatever can fail has been done. */
export interface Config<N> {
  file: string
  hash: string // hex digest of all that was read
  resolveTimeout: number // ms
  matcherMode: MatcherMode // how matchers are read, and which label names there are
  incidentReopenWithin: number // ms
  limits: Limits // of what comes in
  callbacks: Callbacks
  route: Route // the root
  routes: ReadonlyMap<string, Route> // by id
  receivers: ReadonlyMap<string, Receiver<N>>
  integrations: ReadonlyMap<string, Integration<N>> // by id
  severities: readonly string[] // gravest first; [] where the file has no table
  defaultSeverity: string // '' without a table
  defaultTeam: string
  /** What holds for this severity in this team, unknown or empty ones taken as the defaults. */
  policy(severity: string, team: string): SeverityPolicy
  shortestDeadline: number // of all policies, ms
  budgets: ReadonlyMap<string, Budget> // of each channel's destinations
  heartbeats: readonly Heartbeat[]
  heartbeat: HeartbeatOut | undefined
  inhibitRules: readonly InhibitRule[] // in the order of the file
  timeIntervals: ReadonlyMap<string, readonly Interval[]> // by name
  templates: readonly { name: string; text: string }[] // the files of `templates:`, in their order
  fields: readonly TemplateField[]
  routeLabels: readonly RouteLabels[] // of routes with labels of their own
  printable: Printable // for showing it
  warnings: readonly Problem[]
  /** What is wrong with included files that are not in force as they are. */
  faults: readonly Problem[]
  heldBack: ReadonlyMap<string, 'as it was before' | 'left out'> // each of these files → what became of it
  included: ReadonlyMap<string, string> // path from the file's folder → the text of it that is in force
}
