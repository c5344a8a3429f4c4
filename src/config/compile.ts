import { createHash } from 'node:crypto'
import { basename, dirname, resolve } from 'node:path'
import { canary } from '../alert/canary.ts'
import type { MatcherMode } from '../match/mode.ts'
import { defaultLimits } from '../model/limits.ts'
import { buildTree, routesById } from '../route/tree.ts'
import { budgetsOf } from './budgets.ts'
import { check, instead } from './check.ts'
import type { Config, Integration, Receiver } from './config.ts'
import { readStart } from './read/bytes.ts'
import type { Environment } from './read/environment.ts'
import { glob } from './read/glob.ts'
import { readGlobal, resolveTimeout } from './global.ts'
import { readHeartbeatOut, readHeartbeats, toHeartbeatSettings } from './heartbeats.ts'
import { type Callbacks, callbacksOf, noCallbacks } from './callbacks.ts'
import { lint } from './lint.ts'
import { checkFallbacks } from './fallback.ts'
import { suggest } from './nearest.ts'
import { toRouteSettings } from './show/print.ts'
import { type ChannelReader, receiverReader } from './receivers.ts'
import { type Top, egressOf, teamSchema } from './schema.ts'
import { LARGEST, type Path, type Source, type Yaml, isMap, present } from './read/source.ts'
import type { Sources } from './read/sources.ts'
import { type Severity, type Table, type Team, compileTable, deadlineOf, receiverName } from './table.ts'
import { checkIntervalNames, intervalsOf, readInhibitRules, rootOf, routeLabelsOf } from './tree.ts'

const REOPEN_WITHIN = 15 * 60_000

export interface CompileOptions<N> extends Environment {
  channels: readonly ChannelReader<N>[]
  matcherMode?: MatcherMode // how matchers are read; fallback where it is not given
}

/** What of a config its files say; undefined where something is wrong, which is then among their problems. */
export function compile<N>(
  { main, settings, included, bySeniority, isWhole }: Sources,
  { channels, sandbox, env, matcherMode = 'fallback' }: CompileOptions<N>,
): Omit<Config<N>, 'file' | 'faults' | 'heldBack' | 'included'> | undefined {
  const sources = [main, ...bySeniority]
  const isBroken = () => sources.some(({ problems }) => problems.length > 0)
  for (const source of included) checkIncluded(source)

  const global = readGlobal(main, channels)
  const twilio = settings?.callbacks?.twilio?.url.replace(/\/+$/, '')
  const reader = receiverReader(channels, global, sandbox, {
    egress: egressOf(settings?.egress),
    env,
    folder: dirname(main.file),
    statusCallback: twilio && `${twilio}/callbacks/twilio/status`,
  })
  const receivers = new Map<string, Receiver<N>>()
  const places = new Map<string, { source: Source; path: Path }>()
  const add = (receiver: Receiver<N> | undefined, source: Source, path: Path) => {
    if (!receiver) return
    const { name } = receiver
    const here = { source, path }
    if (name === canary.receiver) {
      const message = `"${name}" is the name of a receiver that Tocsin watches itself by; choose another`
      source.problems.push(source.problem([...path, 'name'], message))
    }
    const twin = places.get(name)
    if (twin) {
      const newer = sources.indexOf(twin.source) > sources.indexOf(source) ? twin : here
      const message = `there is a receiver "${name}" already; names must differ`
      newer.source.problems.push(newer.source.problem([...newer.path, 'name'], message))
    }
    receivers.set(name, receiver)
    places.set(name, here)
  }
  for (const source of sources) {
    for (const [i, value] of listAt(source, 'receivers').entries()) {
      if (value === null) continue // as Alertmanager does
      add(reader.fromFile(value, source, ['receivers', i]), source, ['receivers', i])
    }
  }
  if (!settings) return undefined

  const names = channels.map(({ name }) => name)
  const table = readTable(main, [main, ...included], sources, settings, names, isWhole)
  // what it would have made is missing then, which is no mistake of the tree
  const hasTable = sources.some(({ value }) => isMap(value) && (value['teams'] ?? value['severities']) !== undefined)
  const isTableBroken = !table && isBroken() && (hasTable || !sources.every(parses))
  for (const made of table?.receivers ?? []) add(reader.fromTable(made), made.source, made.path)

  checkFallbacks(receivers, places, sources.every(parses) && !isTableBroken)
  const budgets = budgetsOf(settings.budgets, channels, main)
  checkIntervalNames(settings, main)
  const inhibitRules = readInhibitRules(settings, main, matcherMode)
  const heartbeats = readHeartbeats(settings, table, main, matcherMode, teamsOf(sources))
  const root = rootOf(settings, table, main, {
    receivers: sources.every(parses) ? [...receivers.keys()] : undefined,
    mode: matcherMode,
    broken: isTableBroken,
  })
  const templates = readTemplates(settings, main)
  const callbacks = readCallbacks(settings, global, main)
  if (!root || isBroken()) return undefined

  const tree = buildTree(root)
  const written = isMap(main.value) ? main.value : {}
  const routes = routesById(tree)
  const config = {
    hash: hashOf([
      matcherMode,
      main.text,
      ...included.flatMap(({ key, text }) => [key, text]),
      JSON.stringify([main, ...included].map(({ value }) => value)),
      ...templates.map(({ text }) => text),
    ]),
    resolveTimeout: resolveTimeout(global),
    matcherMode,
    callbacks,
    incidentReopenWithin: settings.incidents?.reopen_within ?? REOPEN_WITHIN,
    limits: settings.limits ?? defaultLimits,
    route: tree,
    routes,
    receivers,
    integrations: new Map(
      [...receivers.values()].flatMap(({ integrations }) =>
        integrations.map((one): [string, Integration<N>] => [one.id, one]),
      ),
    ),
    severities: table?.severities ?? [],
    defaultSeverity: table?.defaultSeverity ?? '',
    defaultTeam: table?.defaultTeam ?? '',
    policy(severity: string, team: string) {
      const found =
        table?.policies.get(receiverName(team, severity)) ??
        table?.policies.get(receiverName(team, table.defaultSeverity)) ??
        table?.policies.get(receiverName(table.defaultTeam, severity)) ??
        table?.policies.get(receiverName(table.defaultTeam, table.defaultSeverity))
      return found ?? { incident: false, priority: 'normal', deadline: deadlineOf(severity) }
    },
    shortestDeadline: Math.min(
      ...[...(table?.policies.values() ?? [])].map(({ deadline }) => deadline),
      deadlineOf('critical'),
    ),
    budgets,
    heartbeats,
    heartbeat: readHeartbeatOut(settings),
    inhibitRules,
    timeIntervals: intervalsOf(settings),
    templates,
    fields: reader.fields,
    routeLabels: settings.route ? routeLabelsOf(settings.route, tree, main) : [],
    printable: {
      ...written,
      global,
      // as it is written, but where the table has added to it
      route: table ? toRouteSettings(root) : written['route'],
      receivers: reader.printable,
      ...(heartbeats.length > 0 && { heartbeats: heartbeats.map(toHeartbeatSettings) }),
      matcherMode,
      taken: new Map(sources.flatMap(({ taken }) => [...taken])),
    },
  }
  return {
    ...config,
    warnings: [...sources.flatMap(({ warnings }) => warnings), ...lint(config, settings, table, main, places)],
  }
}

/** A file that does not, as a whole or in its lists, may hold anything: what is missing then is no mistake of others. */
function parses({ value, problems }: Source): boolean {
  return value !== null ? !problems.some(({ path }) => path === 'receivers' || path === 'teams') : problems.length === 0
}

function teamsOf(sources: readonly Source[]): string[] {
  return sources.flatMap(({ value }) => {
    const teams = isMap(value) ? value['teams'] : undefined
    return teams !== undefined && isMap(teams) ? Object.keys(teams) : []
  })
}

function listAt(source: Source, key: string): Yaml[] {
  if (!isMap(source.value)) return []
  const value = source.value[key]
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value
  source.problems.push(source.problem([key], `must be a list${instead(value)}`))
  return []
}

/** What a file that is included may hold. */
function checkIncluded(source: Source): void {
  if (source.problems.length > 0) return
  if (!isMap(source.value)) {
    if (source.value !== null) source.problems.push(source.problem([], 'the file must hold teams: or receivers:'))
    return
  }
  for (const key of Object.keys(source.value)) {
    if (key === 'teams' || key === 'receivers') continue
    source.problems.push(source.problem([key], `unknown key "${key}"${suggest(key, ['teams', 'receivers'])}`, 'key'))
  }
}

/** The table of all files. Of two teams of one name the mistake is the later's by `bySeniority`. */
function readTable(
  main: Source,
  inOrder: readonly Source[],
  bySeniority: readonly Source[],
  settings: Top,
  channels: readonly string[],
  isWhole: boolean,
): Table | undefined {
  const schema = teamSchema(channels)
  const teams: Team[] = []
  let broken = !inOrder.every(parses)
  for (const source of bySeniority) {
    const given = isMap(source.value) ? source.value['teams'] : undefined
    if (given === undefined || given === null) continue
    if (!isMap(given)) {
      source.problems.push(source.problem(['teams'], `must be a map of team names${instead(given)}`))
      broken = true
      continue
    }
    for (const [name, value] of Object.entries(given)) {
      const path = ['teams', name]
      const row = check(schema, value ?? {}, source, path)
      const twin = teams.find((team) => team.name === name)
      if (twin) {
        const { file, line } = twin.source.problem(twin.path, '', 'key')
        source.problems.push(source.problem(path, `team "${name}" stands in ${file}:${line} already`, 'key'))
      }
      if (!row || twin) {
        broken = true
        continue
      }
      const { default: isDefault, fallback, severities, ...rest } = row
      const destinations = Object.entries(rest).filter((entry): entry is [string, string | string[]] =>
        present(entry[1]),
      )
      teams.push({
        name,
        isDefault: isDefault ?? false,
        fallback: fallback ?? '',
        destinations: new Map(destinations),
        overrides: new Map(Object.entries(severities ?? {})),
        source,
        path,
      })
    }
  }
  if (broken) return undefined
  const severities = main.keys(['severities']).flatMap((name): Severity[] => {
    const value = settings.severities?.[name]
    return value ? [{ name, settings: value, path: ['severities', name] }] : []
  })
  if (teams.length === 0 && severities.length === 0) return undefined
  if (teams.length === 0) {
    main.problems.push(main.problem(['severities'], 'there are severities, but no teams: to notify', 'key'))
    return undefined
  }
  teams.sort((a, b) => inOrder.indexOf(a.source) - inOrder.indexOf(b.source))
  return compileTable(severities, teams, channels, main, isWhole)
}

function readCallbacks(settings: Top, global: Readonly<Record<string, unknown>>, main: Source): Callbacks {
  const callbacks = callbacksOf(settings.callbacks, global)
  if (callbacks !== 'no twilio token') return callbacks
  const message = 'needs auth_token or auth_token_file (or twilio_auth_token in global): what Twilio signs with'
  main.problems.push(main.problem(['callbacks', 'twilio', 'auth_token'], message))
  return noCallbacks
}

function readTemplates(settings: Top, main: Source): { name: string; text: string }[] {
  return (settings.templates ?? []).flatMap((pattern, i) => {
    const fail = (message: string) => void main.problems.push(main.problem(['templates', i], message))
    const files = glob(pattern, dirname(resolve(main.file)), fail)
    if (files.length === 0) main.warnings.push(main.problem(['templates', i], 'no file fits this pattern'))
    return files.flatMap((file) => {
      try {
        const bytes = readStart(file, LARGEST + 1)
        if (bytes.length <= LARGEST) return [{ name: basename(file), text: Buffer.from(bytes).toString() }]
        fail(`${file} is larger than ${LARGEST / 1024 / 1024} MiB; split it, templates may stand in several files`)
      } catch {
        fail(`${file} cannot be read`)
      }
      return []
    })
  })
}

function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(text).update('\0')
  return hash.digest('hex')
}
