import type { z } from 'zod'
import type { Integration, Receiver, TemplateField } from './config.ts'
import { isSet } from '../model/http-config.ts'
import { Plain } from '../model/plain.ts'
import { string, stringMap } from '../model/settings.ts'
import { check, report } from './check.ts'
import { suggest } from './nearest.ts'
import { undelivered } from './undelivered.ts'
import { syntaxError } from '../template/templates.ts'
import { type Path, type Source, type Yaml, isMap, present } from './source.ts'

/** What config needs to know of a channel; notify's channels are such. */
export interface ChannelReader<N> {
  readonly name: string
  readonly inherits: Readonly<Record<string, string>>
  readonly alternatives: readonly string[]
  readonly ignores: readonly string[]
  readonly globals: z.ZodObject
  readonly standIns: Readonly<Record<string, string>>
  readonly deadline: number
  fromTeam(value: string | readonly string[]): Record<string, unknown>[]
  keysAt(within: Path): readonly string[]
  read(
    entry: unknown,
  ): { ok: true; sendResolved: boolean; open(): N } | { ok: false; issues: readonly z.core.$ZodIssue[] }
}

/** Reads receivers one by one; what is wrong with them is among their source's problems. */
export function receiverReader<N>(
  channels: readonly ChannelReader<N>[],
  global: Readonly<Record<string, unknown>>,
  sandbox: boolean,
) {
  const byName = new Map(channels.map((channel) => [channel.name, channel]))
  const fields: TemplateField[] = []
  const kinds = [...channels.map(({ name }) => `${name}_configs`), ...Object.keys(undelivered)]

  function integration(
    receiver: string,
    name: string,
    entry: Yaml | Record<string, unknown>,
    index: number,
    source: Source,
    path: Path,
  ) {
    const channel = byName.get(name)
    const standIns = sandbox ? channel?.standIns : {}
    const reading = channel?.read(inherit(entry, channel, standIns))
    if (!channel || !reading) return undefined
    if (!reading.ok) {
      const issues = reading.issues.map((issue) => whereElse(issue, channel.inherits))
      report(issues, source, path, (within) => channel.keysAt(within))
      return undefined
    }
    const id = `${receiver}/${name}/${index}`
    readTemplates({ integration: id, receiver }, entry, source, path)
    for (const key of channel.ignores) {
      const keys = key.split('.')
      if (isSet(at(entry, keys)))
        source.warnings.push(source.problem([...path, ...keys], 'is read and checked, but not obeyed yet', 'key'))
    }
    const { sendResolved, open } = reading
    const made: Integration<N> = {
      id,
      receiver,
      channel: name,
      index,
      sendResolved,
      deadline: channel.deadline,
      open,
    }
    return made
  }

  /** Labels of the receiver itself; its name is one of them. */
  function checkLabels(name: string, labels: Yaml, source: Source, path: Path): void {
    const given = check(stringMap, labels ?? {}, source, [...path, 'labels'])
    if (given?.['name'] !== undefined && given['name'] !== name) {
      const message = `must be the receiver's own name, "${name}"; leave it out`
      source.problems.push(source.problem([...path, 'labels', 'name'], message))
    }
  }

  /** Notes every template of an entry; one that does not parse Alertmanager finds out about when it delivers. */
  function readTemplates(
    of: { integration: string; receiver: string },
    value: unknown,
    source: Source,
    path: Path,
  ): void {
    if (typeof value === 'string' && value.includes('{{')) {
      const fails = syntaxError(value)
      if (fails) source.warnings.push(source.problem(path, `the template does not parse: ${fails}`))
      else
        fields.push({
          ...of,
          text: value,
          isHtml: path.at(-1) === 'html',
          problem: (message) => source.problem(path, message),
        })
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, part] of Object.entries(value))
        readTemplates(of, part, source, [...path, Array.isArray(value) ? Number(key) : key])
    }
  }

  /** An entry with what it lacks taken from `global`. */
  function inherit(
    entry: Yaml | Record<string, unknown>,
    { inherits, alternatives = [] }: Pick<ChannelReader<N>, 'inherits'> & Partial<ChannelReader<N>>,
    standIns: Readonly<Record<string, string>> = {},
  ): unknown {
    if (!isEntry(entry)) return entry
    const whole: Record<string, unknown> = {}
    for (const [key, from] of Object.entries(inherits)) if (present(global[from])) whole[key] = global[from]
    for (const [key, value] of Object.entries(entry)) {
      // an unknown key is one also where nothing stands behind it
      if (!present(value) && key in inherits && value !== '') continue
      whole[key] = value
      // a setting of its own, given the other way, is not joined by the global one
      const twin = key.endsWith('_file') ? key.slice(0, -'_file'.length) : `${key}_file`
      if (!(twin in entry)) delete whole[twin]
    }
    if (alternatives.some((key) => isSet(at(entry, key.split('.'))))) {
      for (const key of alternatives) if (!(key in entry)) delete whole[key]
    }
    for (const [key, value] of Object.entries(standIns)) {
      if (!present(whole[key]) && !present(whole[`${key}_file`])) whole[key] = value
    }
    return whole
  }

  return {
    fields,

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
      const integrations: Integration<N>[] = []
      for (const [key, entries] of Object.entries(value)) {
        if (key === 'name') continue
        if (key === 'labels') {
          checkLabels(name, entries, source, path)
          continue
        }
        const kind = undelivered[key]
        if (!kinds.includes(key)) {
          source.problems.push(
            source.problem([...path, key], `unknown key "${key}"${suggest(key, ['name', 'labels', ...kinds])}`, 'key'),
          )
        } else if (entries !== null && !Array.isArray(entries)) {
          source.problems.push(source.problem([...path, key], 'must be a list'))
        } else if (kind) {
          for (const [i, entry] of (entries ?? []).entries()) {
            check(kind.config, inherit(entry, kind), source, [...path, key, i])
            const id = `${name}/${key.slice(0, -'_configs'.length)}/${i}`
            readTemplates({ integration: id, receiver: name }, entry, source, [...path, key, i])
          }
          if (entries?.length)
            source.warnings.push(
              source.problem([...path, key], 'Tocsin does not deliver there yet: nothing will be sent', 'key'),
            )
        } else {
          for (const [i, entry] of (entries ?? []).entries()) {
            const made = integration(name, key.slice(0, -'_configs'.length), entry, i, source, [...path, key, i])
            if (made) integrations.push(made)
          }
        }
      }
      return { name, integrations }
    },

    /** A receiver of the table. */
    fromTable(
      name: string,
      given: readonly { channel: string; value: string | readonly string[] }[],
      source: Source,
      path: Path,
    ): Receiver<N> {
      const integrations = given.flatMap(({ channel, value }) =>
        (byName.get(channel)?.fromTeam(value) ?? []).map((entry, i) =>
          integration(name, channel, { send_resolved: true, ...entry }, i, source, [...path, channel]),
        ),
      )
      return { name, integrations: integrations.filter((made) => made !== undefined) }
    },
  }
}

function isEntry(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Plain)
}

function at(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((part, key) => (isEntry(part) ? part[key] : undefined), value)
}

/** A missing setting that `global` could have given: says so. */
function whereElse(issue: z.core.$ZodIssue, inherits: Readonly<Record<string, string>>): z.core.$ZodIssue {
  const [key] = issue.path
  const global = typeof key === 'string' ? inherits[key] : undefined
  if (issue.code !== 'invalid_type' || issue.path.length !== 1 || !global) return issue
  return {
    code: 'custom',
    path: issue.path,
    input: undefined,
    message: `is required; set it here, or ${global} in global`,
  }
}
