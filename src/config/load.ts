import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { Route } from '../route/route.ts'
import { buildTree, routesById } from '../route/tree.ts'
import { string } from '../model/settings.ts'
import { check } from './check.ts'
import type { Config, Integration, Receiver } from './config.ts'
import type { Environment } from './environment.ts'
import { ConfigError, type Problem } from './error.ts'
import { glob } from './glob.ts'
import { readGlobal, resolveTimeout } from './global.ts'
import { suggest } from './nearest.ts'
import { checkReferences, namesIn } from './references.ts'
import { type ChannelReader, receiverReader } from './receivers.ts'
import { type Top, teamSchema, top } from './schema.ts'
import { type Path, type Source, type Yaml, isMap, present, readSource } from './source.ts'
import { type Severity, type Table, type Team, compileTable, receiverName } from './table.ts'
import { checkNames, checkRoutes, rootOf } from './tree.ts'

export interface LoadOptions<N> extends Environment {
  channels: readonly ChannelReader<N>[]
}

const REOPEN_WITHIN = 15 * 60_000

/**
 * Reads a routing file, with the files that it includes, checks all of it and compiles it. Throws
 * ConfigError with everything that is wrong.
 */
export function loadConfig<N>(file: string, { channels, ...environment }: LoadOptions<N>): Config<N> {
  const main = readSource(file, environment)
  const settings = isMap(main.value) || main.value === null ? check(top, main.value ?? {}, main, []) : undefined
  if (!isMap(main.value) && main.problems.length === 0) {
    main.problems.push(main.problem([], 'the file must hold a map of keys and values, such as route: and receivers:'))
  }
  const included = (settings?.include ?? []).flatMap((pattern, i) =>
    includes(pattern, main, ['include', i]).map((one) => readSource(one, environment)),
  )
  for (const source of included) checkIncluded(source)
  const sources = [main, ...included]
  // a file that does not parse has nothing that could be looked at further
  if (sources.some(({ value, problems }) => value === null && problems.length > 0)) throw failed(sources)

  const global = readGlobal(main, channels)
  const reader = receiverReader(channels, global, environment.sandbox)
  const receivers = new Map<string, Receiver<N>>()
  const add = (receiver: Receiver<N> | undefined, source: Source, path: Path) => {
    if (!receiver) return
    if (receivers.has(receiver.name)) {
      source.problems.push(
        source.problem([...path, 'name'], `there is a receiver "${receiver.name}" already; names must differ`),
      )
    }
    receivers.set(receiver.name, receiver)
  }
  for (const source of sources) {
    for (const [i, value] of listAt(source, 'receivers').entries()) {
      if (value === null) continue // as Alertmanager does
      add(reader.fromFile(value, source, ['receivers', i]), source, ['receivers', i])
    }
  }

  if (!settings) {
    checkReferences(
      main,
      sources.flatMap(({ value }) => (isMap(value) ? namesIn(value['receivers']) : [])),
    )
    throw failed(sources)
  }
  const table = readTable(
    sources,
    settings,
    channels.map(({ name }) => name),
  )
  for (const { name, entries, source, path } of table?.receivers ?? [])
    add(reader.fromTable(name, entries, source, path), source, path)

  checkNames(settings, main)
  const root = rootOf(
    settings,
    table,
    main,
    sources.some(({ problems }) => problems.length > 0),
  )
  if (root) checkRoutes(settings.route, root, [...receivers.keys()], settings, main)
  if (!root || sources.some(({ problems }) => problems.length > 0)) throw failed(sources)

  const templates = readTemplates(settings, main)
  if (main.problems.length > 0) throw failed(sources)
  const tree = buildTree(root)
  const routes = routesById(tree)
  return {
    file,
    hash: hashOf([
      ...sources.map(({ text }) => text),
      JSON.stringify(sources.map(({ value }) => value)),
      ...templates.map(({ text }) => text),
    ]),
    resolveTimeout: resolveTimeout(global),
    incidentReopenWithin: settings.incidents?.reopen_within ?? REOPEN_WITHIN,
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
    policy(severity, team) {
      const found =
        table?.policies.get(receiverName(team, severity)) ??
        table?.policies.get(receiverName(team, table.defaultSeverity)) ??
        table?.policies.get(receiverName(table.defaultTeam, severity)) ??
        table?.policies.get(receiverName(table.defaultTeam, table.defaultSeverity))
      return found ?? { incident: false, priority: 'normal' }
    },
    templates,
    warnings: [...reader.warnings, ...warningsOf(settings, table, receivers, routes, main)],
  }
}

function failed(sources: readonly Source[]): ConfigError {
  return new ConfigError(
    sources
      .flatMap(({ problems }) => problems)
      .sort((a, b) => (a.file === b.file ? a.line - b.line || a.column - b.column : 0)),
  )
}

function listAt(source: Source, key: string): Yaml[] {
  if (!isMap(source.value)) return []
  const value = source.value[key]
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value
  source.problems.push(source.problem([key], 'must be a list'))
  return []
}

function includes(pattern: string, main: Source, path: Path): string[] {
  const found = glob(pattern, dirname(resolve(main.file)))
  if (found.length === 0 && !/[*?[]/.test(pattern))
    main.problems.push(main.problem(path, `there is no file ${pattern}`))
  return found
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

function readTable(sources: readonly Source[], settings: Top, channels: readonly string[]): Table | undefined {
  const [main] = sources
  if (!main) return undefined
  const schema = teamSchema(channels)
  const teams: Team[] = []
  let broken = false
  for (const source of sources) {
    const given = isMap(source.value) ? source.value['teams'] : undefined
    if (given === undefined || given === null) continue
    if (!isMap(given)) {
      source.problems.push(source.problem(['teams'], 'must be a map of team names'))
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
      const { default: isDefault, severities, ...rest } = row
      const destinations = Object.entries(rest).filter((entry): entry is [string, string | string[]] =>
        present(entry[1]),
      )
      teams.push({
        name,
        isDefault: isDefault ?? false,
        destinations: new Map(destinations),
        overrides: new Map(Object.entries(severities ?? {})),
        source,
        path,
      })
    }
  }
  if (broken) return undefined
  const severities = Object.entries(settings.severities ?? {}).map(([name, value]): Severity => ({
    name,
    settings: value,
    path: ['severities', name],
  }))
  if (teams.length === 0 && severities.length === 0) return undefined
  if (teams.length === 0) {
    main.problems.push(main.problem(['severities'], 'there are severities, but no teams: to notify', 'key'))
    return undefined
  }
  return compileTable(severities, teams, channels, main)
}

function readTemplates(settings: Top, main: Source): { name: string; text: string }[] {
  return (settings.templates ?? []).flatMap((pattern, i) =>
    glob(pattern, dirname(resolve(main.file))).flatMap((file) => {
      try {
        return [{ name: basename(file), text: readFileSync(file, 'utf8') }]
      } catch {
        main.problems.push(main.problem(['templates', i], `${file} cannot be read`))
        return []
      }
    }),
  )
}

function warningsOf<N>(
  settings: Top,
  table: Table | undefined,
  receivers: ReadonlyMap<string, Receiver<N>>,
  routes: ReadonlyMap<string, Route>,
  main: Source,
): Problem[] {
  const warnings: Problem[] = []
  const warn = (path: Path, message: string) => warnings.push(main.problem(path, message, 'key'))
  if (table && settings.route?.receiver)
    warn(['route', 'receiver'], 'is never used: what no route takes goes by the table')
  const notYet = 'is read and checked, but not in force yet'
  if (settings.inhibit_rules?.length) warn(['inhibit_rules'], notYet)
  for (const route of routes.values()) {
    if (route.muteTimeIntervals.length + route.activeTimeIntervals.length > 0) {
      warn([settings.time_intervals ? 'time_intervals' : 'mute_time_intervals'], notYet)
      break
    }
  }
  const used = new Set([...routes.values()].map(({ receiver }) => receiver))
  for (const [i, value] of listAt(main, 'receivers').entries()) {
    const name = isMap(value) ? string.safeParse(value['name']).data : undefined
    if (name !== undefined && receivers.has(name) && !used.has(name))
      warn(['receivers', i, 'name'], `no route uses receiver "${name}"`)
  }
  return warnings
}

function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(text).update('\0')
  return hash.digest('hex')
}
