import { ConfigError, type Problem } from '../config/error.ts'
import { formatMatchers } from '../match/matcher.ts'
import type { Deps } from '../pipeline/deps.ts'
import type { Route } from '../route/route.ts'
import type { AlertView } from './alerts.ts'

/** A route as it is in force, and what it catches. */
export interface ShownRoute {
  id: string
  matchers: string // '{}' for one that takes everything
  receiver: string
  continues: boolean
  groupBy: readonly string[] | 'all'
  groupWait: number // ms, as the next two
  groupInterval: number
  repeatInterval: number
  muteTimeIntervals: readonly string[]
  activeTimeIntervals: readonly string[]
  alerts: number // that fire now
  groups: number
  caught: number // alerts that came within the last 24 h
  routes: readonly ShownRoute[]
}

/** A cell of the table of severities and teams. */
export interface ShownCell {
  receiver: string
  channels: readonly string[]
  incident: boolean
}

/** Why the routing file as it stands is not in force. */
export interface ReloadFailure {
  at: string // RFC 3339, UTC
  message: string
  problems: readonly Problem[]
}

export interface ShownRouting {
  file: string
  hash: string
  route: ShownRoute
  severities: readonly string[] // gravest first
  teams: readonly { name: string; isDefault: boolean; cells: readonly (ShownCell | null)[] }[] // cells in the order of severities
  receivers: readonly { name: string; fallback: string; integrations: readonly { id: string; channel: string }[] }[]
  warnings: readonly Problem[]
  faults: readonly Problem[] // of included files that are not in force as they are
  failure: ReloadFailure | null
}

/** The routing that is in force, with what each of its routes catches. Rejects where Redis does not answer. */
export async function showRouting(
  { routing: { config }, store, clock }: Pick<Deps, 'routing' | 'store' | 'clock'>,
  view: AlertView,
  failure: ReloadFailure | undefined,
): Promise<ShownRouting> {
  const at = clock.now()
  const { groups, firing } = await view.snapshot(at)
  const alertsOf = new Map<string, number>()
  const groupsOf = new Map<string, number>()
  for (const { routeId, alerts } of groups) {
    const count = alerts.filter(firing).length
    if (count === 0) continue
    alertsOf.set(routeId, (alertsOf.get(routeId) ?? 0) + count)
    groupsOf.set(routeId, (groupsOf.get(routeId) ?? 0) + 1)
  }
  const caught = await store.catches.lately(at)
  const shown = (route: Route): ShownRoute => ({
    id: route.id,
    matchers: formatMatchers(route.matchers),
    receiver: route.receiver,
    continues: route.continue,
    groupBy: route.groupBy,
    groupWait: route.groupWait,
    groupInterval: route.groupInterval,
    repeatInterval: route.repeatInterval,
    muteTimeIntervals: route.muteTimeIntervals,
    activeTimeIntervals: route.activeTimeIntervals,
    alerts: alertsOf.get(route.id) ?? 0,
    groups: groupsOf.get(route.id) ?? 0,
    caught: caught.get(route.id) ?? 0,
    routes: route.routes.map(shown),
  })
  const receivers = [...config.receivers.values()].map(({ name, fallback, integrations }) => ({
    name,
    fallback,
    integrations: integrations.map(({ id, channel }) => ({ id, channel })),
  }))
  const { severities, defaultTeam } = config
  const teams = new Set(
    receivers.flatMap(({ name }) =>
      severities.filter((one) => name.endsWith(`/${one}`)).map((one) => name.slice(0, -one.length - 1)),
    ),
  )
  return {
    file: config.file,
    hash: config.hash,
    route: shown(config.route),
    severities,
    teams: [...teams].map((name) => ({
      name,
      isDefault: name === defaultTeam,
      cells: severities.map((severity) => {
        const receiver = config.receivers.get(`${name}/${severity}`)
        if (!receiver) return null
        const channels = [...new Set(receiver.integrations.map(({ channel }) => channel))]
        return { receiver: receiver.name, channels, incident: config.policy(severity, name).incident }
      }),
    })),
    receivers,
    warnings: config.warnings,
    faults: config.faults,
    failure: failure ?? null,
  }
}

/** What a reload came to that took nothing in, or not everything. */
export function failureOf(error: unknown, at: number): ReloadFailure {
  return {
    at: new Date(at).toISOString(),
    message: error instanceof Error ? error.message : String(error),
    problems: error instanceof ConfigError ? error.problems : [],
  }
}
