import type { z } from 'zod'
import { type Path, type Source } from './source.ts'
import { suggest } from './nearest.ts'

/**
 * A part of a file by its schema; undefined where something is wrong with it, which is then among the
 * source's problems. `known` are the keys by path that a mistyped one is held against.
 */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
  source: Source,
  path: Path,
  known: (path: Path) => readonly string[],
): z.output<S> | undefined {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  report(parsed.error.issues, source, path, known)
  return undefined
}

/** Turns what a schema found into problems of the file. */
export function report(
  issues: readonly z.core.$ZodIssue[],
  source: Source,
  path: Path,
  known: (path: Path) => readonly string[],
): void {
  for (const issue of issues) {
    const at = [...path, ...issue.path]
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        source.problems.push(source.problem([...at, key], `unknown key "${key}"${suggest(key, known(at))}`, 'key'))
      }
    } else if (issue.code === 'invalid_union' && issue.errors[0]?.[0]) {
      source.problems.push(source.problem(at, issue.errors[0][0].message))
    } else {
      source.problems.push(source.problem(at, inWords(issue)))
    }
  }
}

const kinds: Record<string, string> = {
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
  string: 'a text',
}

function inWords(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message
  if (issue.input === undefined) return 'is required'
  return `must be ${kinds[issue.expected] ?? issue.expected}`
}
