import { matcher } from '../match/matcher.ts'
import { type RouteSpec, plainRoute } from '../route/tree.ts'
import type { SeverityPolicy } from './config.ts'
import { suggest } from './nearest.ts'
import { type SeverityOverride, type SeveritySettings, timersOf } from './schema.ts'
import type { Path, Source } from './read/source.ts'

/** A team's row, and where it stands. */
export interface Team {
  name: string
  isDefault: boolean
  fallback: string // the team that is told what this one could not be; '' for none
  destinations: ReadonlyMap<string, string | readonly string[]> // by channel
  overrides: ReadonlyMap<string, SeverityOverride> // by severity
  source: Source
  path: Path
}

export interface Severity {
  name: string
  settings: SeveritySettings
  path: Path
}

/** What the severity × team table comes to. */
export interface Table {
  severities: readonly string[] // gravest first
  defaultSeverity: string
  defaultTeam: string
  routes: RouteSpec[] // children of the root
  rootReceiver: string
  receivers: {
    name: string
    /** `of`: the team that the destination was written for. */
    entries: { channel: string; value: string | readonly string[]; of: Pick<Team, 'source' | 'path'> }[]
    fallback: string // receiver, or ''
    source: Source
    path: Path
  }[]
  policies: ReadonlyMap<string, SeverityPolicy> // by 'team/severity'
}

/**
 * Compiles the table into routes and receivers; undefined where something is wrong, which is then among
 * the sources' problems. Each team has a route for its name with a child for each severity; the default
 * team's severities stand at the end, for every alert that no team took. `isWhole`: no file of teams is left out.
 */
export function compileTable(
  severities: readonly Severity[],
  teams: readonly Team[],
  channels: readonly string[],
  source: Source,
  isWhole: boolean,
): Table | undefined {
  const before = problemCount(source, teams)
  const [first] = severities
  const marked = severities.filter(({ settings }) => settings.default)
  const defaultSeverity = marked[0] ?? severities.at(-1)
  if (!first || !defaultSeverity) {
    source.problems.push(
      source.problem(['severities'], 'at least one severity is needed: critical: { notify: [slack] }'),
    )
    return undefined
  }
  for (const { path } of marked.slice(1)) {
    source.problems.push(source.problem([...path, 'default'], `"${marked[0]?.name}" is the default already`, 'key'))
  }
  const defaultTeam = findDefault(teams, source, isWhole)
  if (!defaultTeam) return undefined

  for (const { settings, path } of severities) checkChannels(settings.notify, channels, source, path)
  const names = severities.map(({ name }) => name)
  for (const team of teams) {
    for (const [name, override] of team.overrides) {
      const path = [...team.path, 'severities', name]
      if (!names.includes(name)) {
        team.source.problems.push(
          team.source.problem(path, `there is no severity "${name}"${suggest(name, names)}`, 'key'),
        )
      }
      checkChannels(override.notify ?? [], channels, team.source, path)
    }
  }
  const teamNames = teams.map(({ name }) => name)
  for (const team of teams) {
    if (team.fallback === '' || (teamNames.includes(team.fallback) && team.fallback !== team.name)) continue
    const why =
      team.fallback === team.name
        ? 'a team cannot be its own fallback'
        : `there is no team "${team.fallback}"${suggest(team.fallback, teamNames)}`
    if (isWhole || team.fallback === team.name)
      team.source.problems.push(team.source.problem([...team.path, 'fallback'], why))
  }
  if (problemCount(source, teams) > before) return undefined

  const receivers: Table['receivers'] = []
  const policies = new Map<string, SeverityPolicy>()
  for (const team of teams) {
    for (const severity of severities) {
      const settings = settingsOf(severity, team)
      const name = receiverName(team.name, severity.name)
      const entries = settings.notify.flatMap((channel) => {
        const of = team.destinations.has(channel) ? team : defaultTeam
        const value = of.destinations.get(channel)
        if (value !== undefined) return [{ channel, value, of }]
        team.source.problems.push(
          team.source.problem(
            team.path,
            `severity "${severity.name}" notifies ${channel}, but neither team "${team.name}" nor the default team ` +
              `"${defaultTeam.name}" has a ${channel} destination; add ${channel}: … to one of them`,
            'key',
          ),
        )
        return []
      })
      const fallback = teamNames.includes(team.fallback) ? receiverName(team.fallback, severity.name) : ''
      receivers.push({ name, entries, fallback, source: team.source, path: team.path })
      policies.set(name, {
        incident: settings.incident ?? false,
        priority: settings.priority ?? (severity === first ? 'high' : 'normal'),
        deadline: settings.deadline ?? deadlineOf(settings.incident ? 'critical' : severity.name),
      })
    }
  }
  if (problemCount(source, teams) > before) return undefined

  const routesOf = (team: Team): RouteSpec[] => [
    ...severities.map((severity) => ({
      ...node(receiverName(team.name, severity.name), settingsOf(severity, team)),
      matchers: [matcher('severity', severity.name, { isRegex: false, isEqual: true })],
    })),
    // whatever has no severity that is known
    node(receiverName(team.name, defaultSeverity.name), settingsOf(defaultSeverity, team)),
  ]
  const rootReceiver = receiverName(defaultTeam.name, defaultSeverity.name)
  return {
    severities: names,
    defaultSeverity: defaultSeverity.name,
    defaultTeam: defaultTeam.name,
    routes: [
      ...teams
        .filter((team) => team !== defaultTeam)
        .map((team) => ({
          ...node(receiverName(team.name, defaultSeverity.name), {}),
          matchers: [matcher('team', team.name, { isRegex: false, isEqual: true })],
          routes: routesOf(team),
        })),
      ...routesOf(defaultTeam),
    ],
    rootReceiver,
    receivers,
    policies,
  }
}

/** How long a notification is tried where the file does not say, ms: a page is worth an hour, anything else a day. */
export function deadlineOf(severity: string): number {
  return severity === 'critical' ? 3_600_000 : 24 * 3_600_000
}

export function receiverName(team: string, severity: string): string {
  return `${team}/${severity}`
}

/** A severity as it holds in a team. A new object each time: what one team changes, no other sees. */
function settingsOf({ name, settings }: Severity, team: Team): SeveritySettings {
  const override = team.overrides.get(name)
  const given = Object.entries(override ?? {}).filter(([, value]) => value !== undefined)
  return { ...settings, ...Object.fromEntries(given) }
}

function node(receiver: string, settings: Partial<SeveritySettings>): RouteSpec {
  return { ...plainRoute, receiver, ...timersOf(settings) }
}

/** The only team is the default, unless others may stand in a file that is left out. */
function findDefault(teams: readonly Team[], source: Source, isWhole: boolean): Team | undefined {
  const marked = teams.filter((team) => team.isDefault)
  for (const { source: at, path } of marked.slice(1)) {
    at.problems.push(at.problem([...path, 'default'], `team "${marked[0]?.name}" is the default already`, 'key'))
  }
  const found = marked[0] ?? (teams.length === 1 && isWhole ? teams[0] : undefined)
  if (!found) {
    source.problems.push(
      source.problem(
        ['teams'],
        'one team must be the default, for alerts of unknown teams: platform: { default: true, … }',
        'key',
      ),
    )
  }
  return found
}

function checkChannels(given: readonly string[], channels: readonly string[], source: Source, path: Path): void {
  for (const [i, channel] of given.entries()) {
    if (channels.includes(channel)) continue
    source.problems.push(
      source.problem([...path, 'notify', i], `there is no channel "${channel}"${suggest(channel, channels)}`),
    )
  }
}

function problemCount(source: Source, teams: readonly Team[]): number {
  const sources = new Set([source, ...teams.map((team) => team.source)])
  return [...sources].reduce((sum, { problems }) => sum + problems.length, 0)
}
