import { readFileSync } from 'node:fs'
import {
  type Document,
  LineCounter,
  type Node,
  isAlias,
  isMap as isMapNode,
  isScalar,
  isSeq,
  parseDocument,
} from 'yaml'
import { Plain, fromPlain } from '../model/plain.ts'
import type { Problem } from './error.ts'
import { type Environment, expand, shield, unshield } from './environment.ts'

export type Path = readonly PropertyKey[]
export type Yaml = null | string | Plain | Yaml[] | { [key: string]: Yaml }

/** A YAML file as data, and where each part of it stands. */
export interface Source {
  file: string
  text: string
  value: Yaml
  problems: Problem[] // what is wrong with it
  warnings: Problem[] // what is legal, and surely not meant
  /** A problem at a path: at its key, or at its nearest parent's where it is missing. */
  problem(path: Path, message: string, at?: 'key' | 'value'): Problem
}

const LARGEST = 1024 * 1024
const DEEPEST = 100
/** What aliases may unfold to. */
const MOST_NODES = 200_000

/** Reads a file, or `standIn` as if it stood there; what is wrong with it is in `problems`, never thrown. */
export function readSource(file: string, environment: Environment, standIn?: string): Source {
  const lines = new LineCounter()
  const places = new Map<string, { key: number; value: number }>()
  const problems: Problem[] = []
  const source: Source = {
    file,
    text: '',
    value: null,
    problems,
    warnings: [],
    problem(path, message, at = 'value') {
      const place = path.length === 0 ? undefined : places.get(keyOf(path))
      if (!place && path.length > 0)
        return { ...source.problem(path.slice(0, -1), message, 'key'), path: path.join('.') }
      const { line, col } = lines.linePos(place?.[at] ?? 0)
      return { file, line: Math.max(1, line), column: Math.max(1, col), path: path.join('.'), message }
    },
  }
  const fail = (message: string, offset = 0) => {
    const { line, col } = lines.linePos(offset)
    problems.push({ file, line: Math.max(1, line), column: Math.max(1, col), path: '', message })
    return source
  }

  try {
    source.text = standIn ?? readFileSync(file, 'utf8').replace(/^\ufeff/, '')
  } catch (error) {
    return fail(whyUnreadable(error))
  }
  if (source.text.length > LARGEST) return fail(`the file is larger than ${LARGEST} bytes`)
  // the parser recurses: deep nesting would end the process, not the parse
  const tooDeep = depthExceeds(source.text, DEEPEST)
  if (tooDeep !== undefined) {
    lines.lineStarts.push(0)
    return fail(`brackets or dashes nest deeper than ${DEEPEST} levels`)
  }

  const document: Document.Parsed = parseDocument(shield(source.text), {
    lineCounter: lines,
    schema: 'failsafe',
    prettyErrors: false,
  })
  for (const error of document.errors) {
    if (error.code === 'MULTIPLE_DOCS') continue // Alertmanager reads the first and leaves the rest
    fail(unshield(error.message), error.pos[0])
  }
  if (problems.length > 0) return source

  let nodes = 0
  const unfolding = new Set<Node>()

  function toValue(node: unknown, path: Path): Yaml {
    nodes += 1
    if (nodes > MOST_NODES) throw new TooLarge()
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (!target || unfolding.has(target)) {
        problems.push(
          source.problem(path, target ? `*${node.source} holds itself` : `there is no anchor &${node.source}`),
        )
        return null
      }
      unfolding.add(target)
      const value = toValue(target, path)
      unfolding.delete(target)
      return value
    }
    if (isSeq(node)) {
      return node.items.map((item, i) => {
        note([...path, i], item, item)
        return toValue(item, [...path, i])
      })
    }
    if (isMapNode(node)) return toObject(node.items, path)
    if (!isScalar(node)) return null
    const text = scalarText(node.value)
    const isPlain = node.type === 'PLAIN' && !node.tag
    if (isPlain && fromPlain(text) === null) return null
    const expanded = expand(text, path, environment)
    for (const missing of expanded.missing) {
      problems.push(
        source.problem(
          path,
          `the environment variable ${missing} is not set; set it, or give a default: \${${missing}:-…}`,
        ),
      )
    }
    return (isPlain ? fromPlain(expanded.text) : undefined) ?? expanded.text
  }

  function toObject(items: readonly { key: unknown; value: unknown }[], path: Path): { [key: string]: Yaml } {
    const own: { [key: string]: Yaml } = Object.create(null)
    const merged: { [key: string]: Yaml } = Object.create(null)
    for (const { key, value } of items) {
      const name = isScalar(key) ? scalarText(key.value) : undefined
      if (name === undefined) {
        problems.push(source.problem(path, 'a key must be a text'))
      } else if (name === '<<') {
        const given = toValue(value, path)
        for (const one of Array.isArray(given) ? given : [given]) {
          if (isMap(one)) Object.assign(merged, { ...one, ...merged })
        }
      } else {
        note([...path, name], key, value)
        own[name] = toValue(value, [...path, name])
      }
    }
    return Object.assign(Object.create(null), merged, own)
  }

  function note(path: Path, key: unknown, value: unknown) {
    const at = (node: unknown) =>
      isScalar(node) || isMapNode(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined
    const keyAt = at(key) ?? 0
    places.set(keyOf(path), { key: keyAt, value: at(value) ?? keyAt })
  }

  try {
    source.value = toValue(document.contents, [])
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error
    fail(`the file's aliases unfold to more than ${MOST_NODES} parts`)
  }
  return source
}

class TooLarge extends Error {}

function keyOf(path: Path): string {
  return path.map(String).join('\u0000')
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'this is a directory; name the file in it'
  if (code === 'EACCES') return 'the file may not be read by this user'
  return error instanceof Error ? error.message : String(error)
}

/** The offset at which brackets, or `- - -` on one line, nest too deep; quotes and comments count too, which is harmless. */
function depthExceeds(text: string, limit: number): number | undefined {
  let depth = 0
  let dashes = 0
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '[' || character === '{') depth += 1
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1)
    else if ((character === '-' || character === '?' || character === ':') && /[\s]/.test(text[i + 1] ?? '\n'))
      dashes += 1
    else if (character === '\n') dashes = 0
    if (depth > limit || dashes > limit) return i
  }
  return undefined
}

/** With the failsafe schema every scalar is a text; a key with nothing behind it has none. */
function scalarText(value: unknown): string {
  return typeof value === 'string' ? unshield(value) : ''
}

export function isMap(value: Yaml): value is { [key: string]: Yaml } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Plain)
}

/** Whether a setting says something. */
export function present(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}
