import { type CompileOptions, compile } from './compile.ts'
import type { Config } from './config.ts'
import { ConfigError, type Problem, formatProblem } from './error.ts'
import type { Source } from './read/source.ts'
import { type Included, type Sources, readSources } from './read/sources.ts'

export interface LoadOptions<N> extends CompileOptions<N> {
  text?: string // the routing file's, where it is not to be read from disk
  /**
   * Texts of included files that were in force before, by their path from the routing file's folder: with it, a
   * mistake in an included file takes nothing but that file's changes away. Without, every mistake is an error.
   */
  lastGood?: ReadonlyMap<string, string>
  /** Nothing runs yet that could go on: a broken file that nothing can stand in for is left out. */
  starting?: boolean
}

/** What is read in a file's place: a text that was good, or nothing. */
type StandIns = ReadonlyMap<string, string | undefined>

/**
 * Reads a routing file, with the files that it includes, checks all of it and compiles it. Throws ConfigError
 * with everything that is wrong, where it cannot be put down to included files whose last version can stand in.
 */
export function loadConfig<N>(file: string, options: LoadOptions<N>): Config<N> {
  const { lastGood, starting } = options
  const attempt = (standIns: StandIns) => {
    const sources = readSources(file, standIns, options)
    return { sources, standIns, compiled: compile(sources, options) }
  }
  const first = attempt(new Map())
  const { main, included } = first.sources
  const changed = lastGood ? included.filter(({ key, text }) => lastGood.get(key) !== text).map(({ key }) => key) : []

  const taken = first.compiled ? first : settle()
  if (!taken?.compiled) {
    throw new ConfigError(
      inOrder(problemsOf([main, ...included])),
      included.map((one) => one.file),
    )
  }
  const texts = taken.sources.included.map((one): [string, string] => [one.key, one.text])
  return {
    ...taken.compiled,
    file: main.file,
    ...heldBack(taken.standIns, first.sources),
    included: new Map(texts),
  }

  /** Holds back as few changes of included files as it takes; undefined where that is not enough. */
  function settle() {
    if (!lastGood) return undefined
    const before = (keys: readonly string[]): StandIns => new Map(keys.map((key) => [key, lastGood.get(key)]))
    // first the changed files that something is wrong in, then what else changed: it may be what others miss
    const held: string[] = []
    let latest = first
    for (;;) {
      const broken = brokenIn(latest.sources).filter((key) => changed.includes(key) && !held.includes(key))
      if (broken.length === 0) break
      held.push(...broken)
      latest = attempt(before(held))
      if (latest.compiled) return latest
    }
    const others = changed.filter((key) => !held.includes(key))
    for (const key of others.length <= MOST_ALONE ? others : []) {
      const alone = attempt(before([...held, key]))
      if (alone.compiled) return alone
    }
    latest = attempt(before(changed))
    if (latest.compiled || !starting) return latest
    // what stood before does not fit the routing file: better without one team than without all
    const standIns = new Map(latest.standIns)
    for (;;) {
      const broken = brokenIn(latest.sources)
      if (broken.length === 0) return undefined
      for (const key of broken) standIns.set(key, undefined)
      latest = attempt(standIns)
      if (latest.compiled) return latest
    }
  }
}

/** So many files are tried one by one for which of them is to blame. */
const MOST_ALONE = 20

function brokenIn({ included }: Sources): string[] {
  return included.filter(({ problems }) => problems.length > 0).map(({ key }) => key)
}

/** What is wrong with the files that were held back, and what became of each. */
function heldBack(standIns: StandIns, { main, included }: Sources): Pick<Config<unknown>, 'faults' | 'heldBack'> {
  const held = included.filter(({ key }) => standIns.has(key))
  const elsewhere = problemsOf([main, ...included.filter((one) => !held.includes(one))])
  const faults = held.flatMap((source) => {
    if (source.problems.length > 0) return source.problems
    const [consequence] = elsewhere
    if (!consequence) return []
    return [source.problem([], `with what is new in this file something else is wrong: ${formatProblem(consequence)}`)]
  })
  const became = ({ key }: Included) => (standIns.get(key) === undefined ? 'left out' : 'as it was before')
  return {
    faults: inOrder(faults),
    heldBack: new Map(held.map((source) => [source.file, became(source)])),
  }
}

function problemsOf(sources: readonly Source[]): Problem[] {
  return sources.flatMap(({ problems }) => problems)
}

/** By file and place, each thing once. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]))
  const files = [...new Set(problems.map(({ file }) => file))]
  return [...unique.values()].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  )
}
