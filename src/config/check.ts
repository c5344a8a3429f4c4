import type { z } from 'zod'
import { keysAt } from '../model/keys.ts'
import { Plain } from '../model/plain.ts'
import { read } from '../model/reading.ts'
import { type Path, type Source } from './read/source.ts'
import { suggest } from './nearest.ts'

/**
 * A part of a file by its schema; undefined where something is wrong with it, which is then among the
 * source's problems.
 */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
  source: Source,
  path: Path,
): z.output<S> | undefined {
  const parsed = read(schema, value)
  if (parsed.success) return parsed.data
  report(parsed.error.issues, source, path, (within) => keysAt(schema, within))
  return undefined
}

/**
 * The same, but where something is wrong, what is left without it: for looking at the rest of a file too, so
 * that all mistakes are told at once. Nothing that came of this may be taken into use.
 */
export function checkOn<S extends z.ZodType>(
  ...[schema, value, source, path]: Parameters<typeof check<S>>
): z.output<S> | undefined {
  let parsed = read(schema, value)
  if (parsed.success) return parsed.data
  report(parsed.error.issues, source, path, (within) => keysAt(schema, within))
  let rest = value
  for (let rounds = 0; !parsed.success && rounds < ROUNDS; rounds++) {
    for (const issue of parsed.error.issues) rest = without(rest, whereabouts(issue))
    parsed = read(schema, rest)
  }
  return parsed.data
}

/** Taking one thing out may make what is around it wrong, as far as the top. */
const ROUNDS = 10

function whereabouts(issue: z.core.$ZodIssue): Path[] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
}

/** A copy without what stands at some paths. What is taken out of a list leaves an empty map: places must not move. */
function without(value: unknown, paths: readonly Path[]): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Plain) return value
  const copy: unknown[] | Record<string, unknown> = Array.isArray(value)
    ? [...value]
    : Object.assign(Object.create(null), value)
  for (const [key, ...deeper] of paths) {
    if (key === undefined) continue
    if (Array.isArray(copy)) {
      const at = Number(key)
      const isEmptied = deeper.length === 0 && isEmptyMap(copy[at])
      const part = deeper.length > 0 ? without(copy[at], [deeper]) : {}
      if (isEmptied || part === undefined) return undefined // neither the thing nor an empty one: the list goes
      copy[at] = part
    } else {
      const name = String(key)
      if (deeper.length === 0 && !(name in copy)) return undefined // it is missing: what needs it goes
      const part = deeper.length > 0 ? without(copy[name], [deeper]) : undefined
      if (part === undefined) delete copy[name]
      else copy[name] = part
    }
  }
  return copy
}

function isEmptyMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** Turns what a schema found into problems of the file; `known` are the keys at a path within the schema. */
export function report(
  issues: readonly z.core.$ZodIssue[],
  source: Source,
  path: Path,
  known: (within: Path) => readonly string[],
): void {
  for (const issue of issues) {
    const at = [...path, ...issue.path]
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const message = `unknown key "${visible(key)}"${suggest(key, known(issue.path))}`
        source.problems.push(source.problem([...at, key], message, 'key'))
      }
    } else if (issue.code === 'invalid_union') {
      // of the forms that a setting may have, the one that was meant
      const meant = issue.errors.find((one) => !one.some(isOfOtherKind)) ?? issue.errors[0] ?? []
      report(meant, source, at, (within) => known([...issue.path, ...within]))
    } else {
      source.problems.push(source.problem(at, inWords(issue)))
    }
  }
}

/** With what cannot be seen written out, a hard space say: it is what makes the key another one. */
function visible(key: string): string {
  return key.replace(
    /[\u0080-\u00a0\u2000-\u200f\u2028-\u202f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function isOfOtherKind({ code, path }: z.core.$ZodIssue): boolean {
  return (code === 'invalid_type' || code === 'invalid_value') && path.length === 0
}

const expected: Record<string, string> = {
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
  string: 'a text',
}

function inWords(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message
  if (issue.input === undefined) return 'is required'
  return `must be ${expected[issue.expected] ?? issue.expected}${instead(issue.input)}`
}

/** What stands there, for the end of a message; never its text, which may be a secret. */
export function instead(input: unknown): string {
  const given = input instanceof Plain ? input.value : input
  if (given === null) return ', and is empty'
  if (Array.isArray(given)) return ', not a list'
  return kinds[typeof given] ?? ''
}

const kinds: Record<string, string> = {
  boolean: ', not a boolean',
  number: ', not a number',
  object: ', not a map',
  string: ', not a text',
}
