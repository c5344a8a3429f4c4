import {
  type CST,
  Composer,
  type Document,
  LineCounter,
  type Node,
  Parser,
  type Scalar,
  type YAMLError,
  isAlias,
  isMap as isMapNode,
  isScalar,
  isSeq,
} from 'yaml'
import { Plain, fromPlain, fromTagged } from '../../model/plain.ts'
import { decodeFile } from './encoding.ts'
import { type Problem, Problems } from '../error.ts'
import { opensTooMany } from './brackets.ts'
import { readStart } from './bytes.ts'
import { type Environment, expand, shield, unshield, withoutValues } from './environment.ts'
import { indentContinued } from './indent.ts'
import { combine, dropsTypedKeys, isFreeMap } from './merge.ts'
import {
  describe,
  findFlowFaults,
  findUnclosed,
  isTouchingComment,
  nestsTooDeep,
  shieldColons,
  unshieldColons,
} from './syntax.ts'

export type Path = readonly PropertyKey[]
export type Yaml = null | string | Plain | Yaml[] | { [key: string]: Yaml }

/** A YAML file as data, and where each part of it stands. */
export interface Source {
  file: string
  text: string
  value: Yaml
  problems: Problems // what is wrong with it
  warnings: Problem[] // what is legal, and surely not meant
  taken: Map<string, string> // values of variables in it → their names
  /** A problem at a path: at its key, or at its nearest parent's where it is missing. */
  problem(path: Path, message: string, at?: 'key' | 'value'): Problem
  /** The keys of the map at a path in the file's order; an object's own puts those that are whole numbers first. */
  keys(path: Path): string[]
}

/** What a file may have, bytes. */
export const LARGEST = 4 * 1024 * 1024
/** What aliases may unfold to. */
const MOST_NODES = 200_000
const DEEPEST = 100
const TOO_DEEP = `this nests deeper than ${DEEPEST} levels`
/** The name is not quoted: it may be a password that begins with a `*`. */
const NO_ANCHOR = 'there is no anchor of this name before; put a text that begins with * in quotes'
/** Between the parts of a path: no YAML file holds it as it is. */
const SEPARATOR = '\u0000'
/** The first few say what is wrong; what follows them are consequences. */
const MOST_SYNTAX_ERRORS = 3

/** Reads a file, or `standIn` as if it stood there; what is wrong with it is in `problems`, never thrown. */
export function readSource(file: string, environment: Environment, standIn?: string): Source {
  let lines = new LineCounter()
  let moved: ReadonlySet<number> = new Set()
  let movedBy = 0
  const places = new Map<string, { key: number; value: number }>()
  const problems = new Problems()
  const taken = new Map<string, string>() // values of variables → their names
  const source: Source = {
    file,
    text: '',
    value: null,
    problems,
    warnings: [],
    taken,
    problem(path, message, at = 'value') {
      const place = path.length === 0 ? undefined : places.get(keyOf(path))
      if (!place && path.length > 0)
        return { ...source.problem(path.slice(0, -1), message, 'key'), path: path.join('.') }
      return { ...position(place?.[at] ?? 0), path: path.join('.'), message: withoutValues(message, taken) }
    },
    keys(path) {
      const prefix = keyOf([...path, ''])
      const inside = [...places.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
      return inside.filter((key) => !key.includes(SEPARATOR))
    },
  }
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(1, line), column: Math.max(1, col - (moved.has(line) ? movedBy : 0)) }
  }
  const fail = (message: string, offset = 0) => {
    problems.push({ ...position(offset), path: '', message })
    return source
  }

  let bytes: Uint8Array
  try {
    bytes = standIn === undefined ? readStart(file, LARGEST + 1) : Buffer.from(standIn)
  } catch (error) {
    return fail(whyUnreadable(error))
  }
  if (bytes.length > LARGEST) return fail(`the file is larger than ${LARGEST / 1024 / 1024} MiB`)
  const { text, wrong } = decodeFile(bytes)
  source.text = text
  lines = linesOf(text)
  if (wrong) return fail(wrong.message, wrong.offset)
  const tooDeep = opensTooMany(text, DEEPEST)
  if (tooDeep !== undefined) return fail(TOO_DEEP, tooDeep)

  let parsed = parse(shieldColons(shield(text)))
  if (parsed.errors.length > 0) {
    const indented = indentContinued(text)
    const again = indented.moved.size > 0 ? parse(shieldColons(shield(indented.text))) : parsed
    if (again.errors.length === 0) {
      parsed = again
      lines = linesOf(indented.text)
      moved = indented.moved
      movedBy = indented.by
    }
  }
  const { tokens, document, errors } = parsed
  if (!document) return fail(TOO_DEEP, parsed.tooDeep)
  for (const { code, message, pos } of errors.slice(0, MOST_SYNTAX_ERRORS)) {
    const isQuote = code === 'MISSING_CHAR' && message.includes('quote')
    fail(describe(code, message), (isQuote ? findUnclosed(tokens) : undefined) ?? pos[0])
    if (isQuote) break // all that follows is taken for text
  }
  for (const { message, offset } of findFlowFaults(tokens, parsed.text)) fail(message, offset)
  const { explicit, version } = document.directives?.yaml ?? {}
  if (explicit && version !== '1.1') fail(`the file says that it is YAML ${version}; Alertmanager's language is 1.1`)
  if (problems.length > 0) return source

  const anchors = new Map<string, Node>()
  const targets = new Map<Node, Node | undefined>()
  /** An alias means the last anchor of its name before it. */
  function bind(node: unknown): void {
    if (isAlias(node)) targets.set(node, anchors.get(node.source))
    else if (isScalar(node) || isMapNode(node) || isSeq(node)) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node)
      if (isSeq(node)) for (const item of node.items) bind(item)
      if (isMapNode(node)) {
        for (const { key, value } of node.items) {
          bind(key)
          bind(value)
        }
      }
    }
  }

  let unfolded = 0
  const unfolding = new Set<Node>()

  function toValue(node: unknown, path: Path): Yaml {
    if (unfolding.size > 0) unfolded += 1
    if (unfolded > MOST_NODES) throw new Bomb(`the file's aliases unfold to more than ${MOST_NODES} parts`)
    if (path.length > DEEPEST) throw new Bomb(`the file's aliases nest deeper than ${DEEPEST} levels`)
    if (isAlias(node)) {
      const target = targets.get(node)
      if (!target || unfolding.has(target)) {
        problems.push(source.problem(path, target ? 'this alias stands in what it means' : NO_ANCHOR))
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
    const given = scalarText(node)
    const isPlain = node.type === 'PLAIN' && !node.tag
    if (isPlain && fromPlain(given) === null) return null
    const expanded = expand(given, path, environment)
    for (const [secret, name] of expanded.taken) taken.set(secret, name)
    for (const missing of new Set(expanded.missing)) {
      problems.push(
        source.problem(
          path,
          `the environment variable ${missing} is not set; set it, or give a default: \${${missing}:-…}`,
        ),
      )
    }
    if (isPlain) return fromPlain(expanded.text) ?? expanded.text
    const typed = fromTagged(expanded.text, node.tag)
    // a tag with nothing behind it reaches over a bracket or a comma
    if (node.tag && given === '' && /^\S[,[\]{}]/.test(parsed.text.slice((node.range?.[0] ?? 1) - 1)))
      problems.push(source.problem(path, 'there is nothing behind this tag; put a space and a value there'))
    if (typed !== undefined) return typed
    problems.push(source.problem(path, `this is not what its tag says, !!${node.tag?.split(':').at(-1)}`))
    return null
  }

  function clash(path: Path, key: string): void {
    problems.push(source.problem([...path, key], `key "${key}" is both written and merged`, 'key'))
  }

  function toObject(items: readonly { key: unknown; value: unknown }[], path: Path): { [key: string]: Yaml } {
    const whole: { [key: string]: Yaml } = Object.create(null)
    const own = new Set<string>()
    for (const { key, value } of items) {
      const scalar = isAlias(key) ? targets.get(key) : key
      const name = isScalar(scalar) ? keyText(scalar) : undefined
      if (name === undefined) {
        problems.push(source.problem(path, 'a key must be a text'))
      } else if (name === '<<' && isScalar(scalar) && (scalar.type === 'PLAIN' || scalar.tag?.endsWith(':merge'))) {
        for (const one of merged(value, path)) {
          for (const [inner, part] of Object.entries(one)) {
            if (inner in whole && isFreeMap(path))
              fail(`key "${inner}" stands here, and in what is merged`, startOf(key))
            whole[inner] = combine(whole[inner], part, [...path, inner], clash)
          }
        }
      } else {
        const keyPath = [...path, name]
        if (own.has(name)) {
          const { line } = source.problem(keyPath, '', 'key')
          note(keyPath, key, value)
          problems.push(source.problem(keyPath, `key "${name}" stands in line ${line} already`, 'key'))
        } else if (name in whole && isFreeMap(path)) {
          clash(path, name)
        }
        own.add(name)
        note(keyPath, key, value)
        const part = toValue(value, keyPath)
        if (isTyped(scalar) && dropsTypedKeys(path)) continue
        whole[name] = name in whole ? combine(whole[name], part, keyPath, clash) : part
      }
    }
    return whole
  }

  /** What stands behind `<<`, in the order in which it overrides what came before. */
  function merged(node: unknown, path: Path): { [key: string]: Yaml }[] {
    const parts = isSeq(node) ? node.items.toReversed() : [node]
    return parts.flatMap((part) => {
      const target = isAlias(part) ? targets.get(part) : part
      const value = isMapNode(target) || (isAlias(part) && !target) ? toValue(part, path) : null
      if (isMap(value)) return [value]
      if (!isAlias(part) || target) fail('<< takes a map, an alias of one, or a list of these', startOf(node))
      return []
    })
  }

  function note(path: Path, key: unknown, value: unknown) {
    const keyAt = startOf(key) ?? 0
    places.set(keyOf(path), { key: keyAt, value: startOf(value) ?? keyAt })
  }

  try {
    bind(document.contents)
    source.value = toValue(document.contents, [])
  } catch (error) {
    if (!(error instanceof Bomb)) throw error
    fail(error.message)
  }
  return source
}

/** Aliases that would fill the memory. */
class Bomb extends Error {}

/** Where a node begins. */
function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMapNode(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined
}

/** Only the first document of a file counts; what is behind it is not looked at. */
function firstDocument(text: string): CST.Token[] {
  const tokens: CST.Token[] = []
  let isOver = false
  for (const token of new Parser().parse(text)) {
    if (isOver && ['document', 'doc-end', 'directive'].includes(token.type)) break
    tokens.push(token) // what is behind the document without a mark, `]` say, is an error of it
    isOver ||= token.type === 'document'
  }
  return tokens
}

interface Parsed {
  text: string
  tokens: readonly CST.Token[]
  document?: Document.Parsed
  errors: readonly YAMLError[]
  tooDeep?: number // where
}

function parse(text: string): Parsed {
  const tokens = firstDocument(text)
  // what composes them recurses: deep nesting would end the process
  const tooDeep = nestsTooDeep(tokens, DEEPEST)
  if (tooDeep !== undefined) return { text, tokens, errors: [], tooDeep }
  // repeated keys are found here, where merged ones are known; so are tags
  const options = { schema: 'failsafe', prettyErrors: false, uniqueKeys: false, resolveKnownTags: false } as const
  const [document] = new Composer(options).compose(tokens, true)
  if (!document) throw new Error('the composer made no document')
  const directives = document.warnings.filter(({ code }) => code === 'BAD_DIRECTIVE')
  const errors = document.errors.filter(({ message, pos }) => !isTouchingComment(message, text, pos[0]))
  return { text, tokens, document, errors: [...errors, ...directives] }
}

function linesOf(text: string): LineCounter {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1)
  return lines
}

function keyOf(path: Path): string {
  return path.map(String).join(SEPARATOR)
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'this is a directory; name the file in it'
  if (code === 'EACCES') return 'the file may not be read by this user'
  return error instanceof Error ? error.message : String(error)
}

/** With the failsafe schema every scalar is a text; a key with nothing behind it has none. */
function scalarText({ value, source }: { value: unknown; source?: string | undefined }): string {
  return unshield(unshieldColons(typeof value === 'string' ? value : (source ?? '')))
}

/** A key that says null is no text to Go, and becomes an empty one. */
function keyText(key: Scalar): string {
  const text = scalarText(key)
  return key.type === 'PLAIN' && !key.tag && fromPlain(text) === null ? '' : text
}

/** Whether an unquoted scalar is a number or a boolean. */
function isTyped(node: unknown): boolean {
  return isScalar(node) && node.type === 'PLAIN' && !node.tag && fromPlain(scalarText(node)) instanceof Plain
}

export function isMap(value: Yaml): value is { [key: string]: Yaml } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Plain)
}

/** Whether a setting says something. */
export function present(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}
