import { dirname } from 'node:path'
import type { z } from 'zod'
import type { Integration, Receiver, TemplateField } from './config.ts'
import { isSet } from '../model/http-config.ts'
import type { Surroundings } from '../model/egress.ts'
import type { Budget, UnconfirmedPolicy } from '../model/delivery.ts'
import { Plain } from '../model/plain.ts'
import { keysAt } from '../model/keys.ts'
import { read } from '../model/reading.ts'
import { maybe, string, stringMap } from '../model/settings.ts'
import { check, report } from './check.ts'
import { globalSchema } from './global.ts'
import { suggest } from './nearest.ts'
import type { PrintableReceiver } from './show/print.ts'
import type { Table } from './table.ts'
import { undelivered } from './undelivered.ts'
import { syntaxError } from '../template/templates.ts'
import { type Path, type Source, type Yaml, isMap, present } from './read/source.ts'

/** What config needs to know of a channel; notify's channels are such. */
export interface ChannelReader<N> {
  readonly name: string
  readonly inherits: Readonly<Record<string, string>>
  readonly ignores: readonly string[]
  readonly unreached: readonly string[]
  readonly globals: z.ZodObject
  readonly standIns: Readonly<Record<string, string>>
  readonly deadline: number
  readonly budget: Budget
  fromTeam(value: string | readonly string[]): Record<string, unknown>[]
  declines(own: Readonly<Record<string, unknown>>, whole: Readonly<Record<string, unknown>>): readonly string[]
  keysAt(within: Path): readonly string[]
  read(
    entry: unknown,
  ):
    | { ok: true; sendResolved: boolean; onUnconfirmed: UnconfirmedPolicy; open(surroundings: Surroundings): N }
    | { ok: false; issues: readonly z.core.$ZodIssue[] }
}

/** Reads receivers one by one; what is wrong with them is among their source's problems. */
export function receiverReader<N>(
  channels: readonly ChannelReader<N>[],
  global: Readonly<Record<string, unknown>>,
  sandbox: boolean,
  surroundings: Surroundings,
) {
  const byName = new Map(channels.map((channel) => [channel.name, channel]))
  const kinds = [...channels.map(({ name }) => `${name}_configs`), ...Object.keys(undelivered)]
  const fields: TemplateField[] = []
  const printable: PrintableReceiver[] = []
  const toldOfGlobal = new Set<string>()
  const globalIssues = read(globalSchema(channels), global).error?.issues ?? []
  const wrongInGlobal = new Set(globalIssues.map(({ path }) => path[0]))

  /** Without what is wrong in `global`, where it stands and is told already. */
  function ownIssues(
    issues: readonly z.core.$ZodIssue[],
    entry: unknown,
    inherits: Readonly<Record<string, string>>,
  ): readonly z.core.$ZodIssue[] {
    const isInherited = (key: string) => !isEntry(entry) || !(key in entry) || isUnset(key, entry[key])
    return issues.filter(({ path: [key] }) => {
      const from = typeof key === 'string' && isInherited(key) ? inherits[key] : undefined
      return from === undefined || !wrongInGlobal.has(from)
    })
  }

  function integration(
    receiver: string,
    channel: ChannelReader<N>,
    entry: Yaml | Record<string, unknown>,
    whole: unknown,
    index: number,
    source: Source,
    path: Path,
  ) {
    const reading = channel.read(whole)
    if (!reading.ok) {
      const issues = ownIssues(reading.issues, entry, channel.inherits)
      report(
        issues.map((issue) => whereElse(issue, channel.inherits)),
        source,
        path,
        (within) => channel.keysAt(within),
      )
      return undefined
    }
    const id = `${receiver}/${channel.name}/${index}`
    readTemplates({ integration: id, receiver }, withoutPlainTexts(entry), source, path)
    for (const key of [...channel.ignores, ...channel.unreached]) {
      const keys = key.split('.')
      const [first = ''] = keys
      const notYet = channel.unreached.includes(key)
        ? 'Tocsin does not deliver by this yet: nothing will be sent'
        : 'is read and checked, but not obeyed'
      if (!asks(at(whole, keys))) continue
      if (isSet(at(entry, keys))) source.warnings.push(source.problem([...path, ...keys], notYet, 'key'))
      else tellOfGlobal(channel, [channel.inherits[first] ?? first, ...keys.slice(1)].join('.'), source, path)
    }
    const { sendResolved, onUnconfirmed, open } = reading
    const made: Integration<N> = {
      id,
      receiver,
      channel: channel.name,
      index,
      sendResolved,
      onUnconfirmed,
      deadline: channel.deadline,
      // where an http_config stands its files are
      open: () =>
        open(isSet(at(entry, ['http_config'])) ? { ...surroundings, folder: dirname(source.file) } : surroundings),
    }
    return made
  }

  /** What an entry has from `global` is told once a channel, not once an entry. */
  function tellOfGlobal({ name }: ChannelReader<N>, setting: string, source: Source, path: Path): void {
    const key = `${name} ${setting}`
    if (toldOfGlobal.has(key)) return
    toldOfGlobal.add(key)
    const message = `${setting} of global holds here; it is read and checked, but ${name} does not obey it`
    source.warnings.push(source.problem(path, message))
  }

  /** Labels of the receiver itself; its name is one of them. */
  function readLabels(name: string, labels: Yaml, source: Source, path: Path): Map<string, string> {
    const given = check(stringMap, labels ?? {}, source, [...path, 'labels'])
    if (given?.['name'] !== undefined && given['name'] !== name) {
      const message = `must be the receiver's own name, "${name}"; leave it out`
      source.problems.push(source.problem([...path, 'labels', 'name'], message))
    }
    return new Map([...Object.entries(given ?? {}), ['name', name]])
  }

  /** Notes every template of an entry; one that does not parse Alertmanager finds out about when it delivers. */
  function readTemplates(
    of: { integration: string; receiver: string },
    value: unknown,
    source: Source,
    path: Path,
  ): void {
    if (typeof value === 'string' && value.includes('{{')) {
      const isSecret = path.some((key) => typeof key === 'string' && secrets.test(key))
      // what is wrong with a template quotes it
      const problem = (message: string) =>
        source.problem(path, isSecret ? 'the template does not parse or render; it is secret, and not shown' : message)
      const fails = syntaxError(value)
      if (fails) source.warnings.push(problem(`the template does not parse: ${fails}`))
      else fields.push({ ...of, text: value, isHtml: path.at(-1) === 'html', problem })
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, part] of Object.entries(value))
        readTemplates(of, part, source, [...path, Array.isArray(value) ? Number(key) : key])
    }
  }

  /** An entry with what it lacks taken from `global`. */
  function inherit(
    entry: Yaml | Record<string, unknown>,
    { inherits }: Pick<ChannelReader<N>, 'inherits'>,
    channel: ChannelReader<N> | undefined,
  ): unknown {
    if (!isEntry(entry)) return entry
    const standIns = (sandbox && channel?.standIns) || {}
    const whole: Record<string, unknown> = Object.create(null) // `__proto__` is a key, and unknown
    for (const [key, from] of Object.entries(inherits)) if (present(global[from])) whole[key] = global[from]
    for (const [key, value] of Object.entries(entry)) {
      if (key in inherits && isUnset(key, value)) continue
      whole[key] = value
      // a setting of its own, given the other way, is not joined by the global one
      const twin = key.endsWith('_file') ? key.slice(0, -'_file'.length) : `${key}_file`
      if (!(twin in entry)) delete whole[twin]
    }
    for (const key of channel?.declines(entry, whole) ?? []) delete whole[key]
    for (const [key, value] of Object.entries(standIns)) {
      if (!present(whole[key]) && !present(whole[`${key}_file`])) whole[key] = value
    }
    return whole
  }

  return {
    fields,
    /** What was read so far, for printing. */
    printable,

    /** An item of `receivers:`. */
    fromFile(value: Yaml, source: Source, path: Path): Receiver<N> | undefined {
      if (!isMap(value)) {
        source.problems.push(source.problem(path, 'must be a map with a name'))
        return undefined
      }
      const name = string.safeParse(value['name']).data
      if (!name) {
        source.problems.push(source.problem([...path, 'name'], 'a receiver needs a name'))
        return undefined
      }
      const labels = readLabels(name, value['labels'] ?? null, source, path)
      const fallback = check(maybe(string), value['fallback'] ?? null, source, [...path, 'fallback']) ?? ''
      const integrations: Integration<N>[] = []
      const settings = new Map<string, readonly unknown[]>()
      for (const [key, entries] of Object.entries(value)) {
        if (key === 'name' || key === 'labels' || key === 'fallback') continue
        const channel = byName.get(key.replace(/_configs$/, ''))
        const kind = undelivered[key] ?? channel
        if (!kind || !kinds.includes(key)) {
          source.problems.push(
            source.problem(
              [...path, key],
              `unknown key "${key}"${suggest(key, ['name', 'labels', 'fallback', ...kinds])}`,
              'key',
            ),
          )
          continue
        }
        if (entries !== null && !Array.isArray(entries)) {
          source.problems.push(source.problem([...path, key], 'must be a list'))
          continue
        }
        const wholes = (entries ?? []).map((entry) => inherit(entry, kind, channel))
        settings.set(key, wholes.map(withOwnHttpConfig(entries ?? [])))
        for (const [i, entry] of (entries ?? []).entries()) {
          const place = [...path, key, i]
          if ('config' in kind) {
            const issues = ownIssues(read(kind.config, wholes[i]).error?.issues ?? [], entry, kind.inherits)
            report(issues, source, place, (within) => keysAt(kind.config, within))
            const id = `${name}/${key.slice(0, -'_configs'.length)}/${i}`
            readTemplates({ integration: id, receiver: name }, withoutPlainTexts(entry), source, place)
          } else {
            const made = integration(name, kind, entry, wholes[i], i, source, place)
            if (made) integrations.push(made)
          }
        }
        if ('config' in kind && entries?.length)
          source.warnings.push(
            source.problem([...path, key], 'Tocsin does not deliver there yet: nothing will be sent', 'key'),
          )
      }
      printable.push({ name, labels: value['labels'], integrations: settings })
      return { name, labels, fallback, integrations }
    },

    /** A receiver of the table. */
    fromTable({ name, entries: given, fallback }: Table['receivers'][number]): Receiver<N> {
      const settings = new Map<string, readonly unknown[]>()
      const integrations = given.flatMap(({ channel: channelName, value, of }) => {
        const channel = byName.get(channelName)
        if (!channel) return []
        const entries = channel.fromTeam(value).map((entry) => ({ send_resolved: true, ...entry }))
        const wholes = entries.map((entry) => inherit(entry, channel, channel))
        settings.set(`${channelName}_configs`, wholes.map(withOwnHttpConfig(entries)))
        return entries.map((entry, i) =>
          // a mistake stands where the destination does, in the default team's file perhaps
          integration(name, channel, entry, wholes[i], i, of.source, [...of.path, channelName]),
        )
      })
      printable.push({ name, labels: undefined, integrations: settings })
      return {
        name,
        labels: new Map([['name', name]]),
        fallback,
        integrations: integrations.filter((made) => made !== undefined),
      }
    },
  }
}

/** Settings that Alertmanager hands on as they are, whatever stands in them. */
const plainTexts = new Set(
  [
    'http_config tls_config sigv4 smarthost hello auth_username auth_password auth_secret auth_identity auth_token',
    'account_sid bot_token app_token app_url token_id webhook_url alert_source_token',
  ].flatMap((line) => line.split(' ')),
)
/** Settings that may be templates and hold secrets. */
const secrets = /^(?:(?:api|webhook)_)?url$|(?:^|_)(?:key|token|secret|password)$/

function withoutPlainTexts(entry: unknown): unknown {
  if (!isEntry(entry)) return entry
  return Object.fromEntries(Object.entries(entry).filter(([key]) => !plainTexts.has(key) && !key.endsWith('_file')))
}

function isEntry(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Plain)
}

/** For printing: an `http_config` of `global` is not the entry's own. */
function withOwnHttpConfig(entries: readonly unknown[]) {
  return (whole: unknown, i: number): unknown =>
    isEntry(whole) ? { ...whole, http_config: at(entries[i], ['http_config']) } : whole
}

/** Whether `global` may fill a setting: an empty text says nothing, unless an empty one is a mistake there. */
function isUnset(key: string, value: unknown): boolean {
  return value === undefined || value === null || (value === '' && !/url$|config$|tls/.test(key))
}

/** Whether a setting asks for something: a flag that says no does not. */
function asks(value: unknown): boolean {
  return isSet(value) && value !== false && !(value instanceof Plain && value.value === false)
}

function at(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((part, key) => (isEntry(part) ? part[key] : undefined), value)
}

/** A missing setting that `global` could have given: says so. */
function whereElse(issue: z.core.$ZodIssue, inherits: Readonly<Record<string, string>>): z.core.$ZodIssue {
  const [key] = issue.path
  const global = typeof key === 'string' ? inherits[key] : undefined
  const isMissing = issue.code === 'invalid_type' && (issue.input === undefined || issue.input === null)
  if (!isMissing || issue.path.length !== 1 || !global) return issue
  return {
    code: 'custom',
    path: issue.path,
    input: undefined,
    message: `is required; set it here, or ${global} in global`,
  }
}
