import { type CompileOptions, compile } from './compile.ts'
import type { Config } from './config.ts'
import { ConfigError, type Problem, formatProblem } from './error.ts'
import type { Source } from './source.ts'
import { readSources } from './sources.ts'

export interface LoadOptions<N> extends CompileOptions<N> {
  text?: string // the routing file's, where it is not to be read from disk
  /** Texts of included files that were in force before, by file: each stands in for one that is broken now. */
  lastGood?: ReadonlyMap<string, string>
  /** Nothing runs yet that could go on: a broken file that nothing can stand in for is left out. */
  starting?: boolean
}

/**
 * Reads a routing file, with the files that it includes, checks all of it and compiles it. A mistake in an
 * included file is among the config's `faults`, and takes nothing but that file's own changes away: what it
 * last said stays in force. Throws ConfigError with everything that is wrong where the file itself is.
 */
export function loadConfig<N>(file: string, options: LoadOptions<N>): Config<N> {
  /** Included file → the text that is read in its place; undefined where it is left out. */
  const standIns = new Map<string, string | undefined>()
  const faults: Problem[] = []
  for (;;) {
    const sources = readSources(file, standIns, options)
    const compiled = compile(sources, options)
    const { main, included } = sources
    if (compiled) {
      const texts = included.map((one): [string, string] => [one.file, one.text])
      return { ...compiled, file: main.file, faults: inOrder(faults), included: new Map(texts) }
    }
    // what is wrong with a text that only stands in is not for its writer to mend
    const own = included.filter((one) => !standIns.has(one.file))
    faults.push(...[main, ...own].flatMap(({ problems }) => problems))
    const broken = included.filter(({ problems }) => problems.length > 0)
    const canGoOn = main.problems.length === 0 && broken.length > 0
    if (!canGoOn || !broken.every((source) => standFor(source, standIns, options)))
      throw new ConfigError(inOrder(faults))
  }
}

/** By file and place, each thing once. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]))
  const files = [...new Set(problems.map(({ file }) => file))]
  return [...unique.values()].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  )
}

/** Finds what is read in a broken file's place; false where there is nothing. */
function standFor<N>(
  { file, text }: Source,
  standIns: Map<string, string | undefined>,
  { lastGood, starting }: LoadOptions<N>,
): boolean {
  const before = lastGood?.get(file)
  if (!standIns.has(file) && before !== undefined && before !== text) standIns.set(file, before)
  else if (starting || before === undefined) standIns.set(file, undefined)
  else return false // it is as it was, and does not fit any more what has changed elsewhere
  return true
}
