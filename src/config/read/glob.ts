import { lstatSync, readdirSync } from 'node:fs'
import { isAbsolute, join, normalize } from 'node:path'

/**
 * The files that a pattern stands for, sorted, as Go's filepath.Glob has it: within a path's parts `*`, `?`, `[…]`
 * and, before what shall mean itself, `\`. Nothing that matches is no error; `fail` is told of a folder that cannot
 * be read. Relative patterns start at `base`.
 */
export function glob(pattern: string, base: string, fail: (message: string) => void = () => {}): string[] {
  /** What there is at a path; undefined where it is not there, or cannot be looked at. */
  function look<T>(path: string, at: (path: string) => T): T | undefined {
    try {
      return at(path)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (code !== 'ENOENT' && code !== 'ENOTDIR') fail(`${path} cannot be read: ${code || String(error)}`)
      return undefined
    }
  }
  let found = [isAbsolute(pattern) ? '/' : base]
  for (const part of partsOf(pattern)) {
    const matches = isMagic(part) ? toRegex(part) : undefined
    found = found.flatMap((folder) => {
      if (!isMagic(part)) return [join(folder, part)]
      const names = look(folder, (path) => readdirSync(path)) ?? []
      return names.filter((name) => matches?.test(name)).map((name) => join(folder, name))
    })
  }
  return found.filter((path) => look(path, lstatSync) !== undefined).sort()
}

/** Whether a pattern is one, by the rules of Go's filepath.Match. */
export function isPattern(pattern: string): boolean {
  return partsOf(pattern).every((part) => toRegex(part) !== undefined)
}

function partsOf(pattern: string): string[] {
  return normalize(pattern)
    .split('/')
    .filter((part) => part !== '')
}

function isMagic(part: string): boolean {
  return /[*?[\\]/.test(part)
}

const term =
  /\*+|\?|\\(?<escaped>.)|\[(?:(?<not>\^)|(?!\^))(?<ranges>(?:(?:\\.|[^\\\]-])(?:-(?:\\.|[^\\\]-]))?)+)\]|[^*?[\\]/suy
const range = /(\\.|[^\\])(?:-(\\.|[^\\]))?/gsu

/** A name's pattern; undefined where it is none. */
function toRegex(part: string): RegExp | undefined {
  let body = ''
  for (let at = 0; at < part.length; at = term.lastIndex) {
    term.lastIndex = at
    const found = term.exec(part)
    if (!found) return undefined
    const { escaped, not, ranges } = found.groups ?? {}
    const [text] = found
    if (ranges !== undefined) body += toClass(ranges, not !== undefined)
    else if (escaped !== undefined) body += literal(escaped)
    else body += text.startsWith('*') ? '.*' : text === '?' ? '.' : literal(text)
  }
  return new RegExp(`^${body}$`, 'su')
}

/** A range that runs backwards holds nothing. */
function toClass(ranges: string, isNegated: boolean): string {
  const all = [...ranges.matchAll(range)].flatMap(([, low = '', high = low]) => {
    const [from, to] = [low, high].map((one) => one.replace(/^\\/, ''))
    return codeOf(from) > codeOf(to) ? [] : [`${literal(from)}-${literal(to)}`]
  })
  return `[${isNegated ? '^' : ''}${all.join('')}]`
}

function literal(character = ''): string {
  return `\\u{${codeOf(character).toString(16)}}`
}

function codeOf(character = ''): number {
  return character.codePointAt(0) ?? 0
}
