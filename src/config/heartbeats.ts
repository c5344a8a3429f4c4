import { type Matcher, formatMatcher } from '../match/matcher.ts'
import { type MatcherMode, isLabelName } from '../match/mode.ts'
import { formatDuration } from '../model/duration.ts'
import type { Egress } from '../model/egress.ts'
import type { Secret } from '../model/secret.ts'
import { readMatchers } from './matchers.ts'
import { suggest } from './nearest.ts'
import type { Source } from './read/source.ts'
import { type Top, egressOf } from './schema.ts'
import type { Table } from './table.ts'

/** An alert that is to come all the time, such as Prometheus' Watchdog, and what is raised when it does not. */
export interface Heartbeat {
  name: string
  matchers: readonly Matcher[]
  timeout: number // ms
  labels: ReadonlyMap<string, string> // of the alert that is raised, all of them
}

/** A service outside that is called as long as Tocsin works, and tells somebody when it is not. */
export interface HeartbeatOut {
  url: Secret | undefined
  urlFile: string | undefined
  egress: Egress
  interval: number // ms
}

const TIMEOUT = 5 * 60_000
const INTERVAL = 60_000
const SEVERITY = 'critical'
/** What the raised alert is known by. */
const ALERTNAME = 'HeartbeatMissing'

/** The heartbeats that are awaited; what is wrong with them is among the source's problems. */
export function readHeartbeats(
  settings: Top,
  table: Table | undefined,
  main: Source,
  mode: MatcherMode,
  teams: readonly string[],
): Heartbeat[] {
  const names = new Set<string>()
  return (settings.heartbeats ?? []).map((given, i) => {
    const path = ['heartbeats', i]
    const { name, timeout = TIMEOUT, team } = given
    if (names.has(name)) main.problems.push(main.problem([...path, 'name'], `there is a heartbeat "${name}" already`))
    names.add(name)
    const severity = given.severity ?? (table ? (table.severities[0] ?? SEVERITY) : SEVERITY)
    if (table && !table.severities.includes(severity))
      warn(
        'severity',
        `there is no severity "${severity}"${suggest(severity, table.severities)}; it counts as the default`,
      )
    if (table && team !== undefined && !teams.includes(team))
      warn('team', `there is no team "${team}"${suggest(team, teams)}; its page goes to the default team`)

    const labels = new Map<string, string>()
    for (const [label, value] of Object.entries(given.labels ?? {})) {
      const fail = (message: string) =>
        main.problems.push(main.problem([...path, 'labels', label], `"${label}" ${message}`, 'key'))
      if (!isLabelName(label, mode)) fail('is not a label name')
      else if (['alertname', 'heartbeat'].includes(label)) fail('is set by Tocsin: it is what the alert is known by')
      else if (['severity', 'team'].includes(label)) fail(`has a key of its own: write ${label}: beside labels:`)
      else if (value !== '') labels.set(label, value)
    }
    labels.set('alertname', ALERTNAME).set('heartbeat', name)
    if (severity !== '') labels.set('severity', severity)
    if (team) labels.set('team', team)
    return { name, matchers: readMatchers(given, '', mode, main, path), timeout, labels }

    function warn(key: string, message: string): void {
      main.warnings.push(main.problem([...path, key], message))
    }
  })
}

/** A heartbeat in the keys of the file, for showing it. */
export function toHeartbeatSettings({ name, matchers, timeout, labels }: Heartbeat): Record<string, unknown> {
  const { alertname: _alertname, heartbeat: _heartbeat, severity = '', team, ...more } = Object.fromEntries(labels)
  return {
    name,
    matchers: matchers.map(formatMatcher),
    timeout: formatDuration(timeout),
    severity,
    ...(team !== undefined && { team }),
    ...(Object.keys(more).length > 0 && { labels: more }),
  }
}

/** The service that is called; undefined where there is none. */
export function readHeartbeatOut({ heartbeat, egress }: Top): HeartbeatOut | undefined {
  const { url, url_file: urlFile, interval = INTERVAL } = heartbeat ?? {}
  return heartbeat && { url, urlFile, egress: egressOf(egress), interval }
}
