/** One thing wrong with a config file. Lines and columns count from 1. */
export interface Problem {
  file: string
  line: number
  column: number
  path: string // 'route.routes.2.receiver'
  message: string // what is wrong, then how to mend it
}

/** Of more the rest is only counted. */
const MOST_PROBLEMS = 100

/** What is wrong with one file: what was found first, and, behind all that, how much more there is. */
export class Problems extends Array<Problem> {
  static override readonly [Symbol.species] = Array
  #more = 0
  #last: Problem | undefined // of all by place

  override push(...problems: readonly Problem[]): number {
    for (const problem of problems) {
      if (!this.#last || isBehind(problem, this.#last)) this.#last = problem
      if (this.length < MOST_PROBLEMS) super.push(problem)
      else {
        this.#more += 1
        const message = `and ${this.#more} more that are wrong in this file`
        this[MOST_PROBLEMS] = { ...this.#last, path: '', message }
      }
    }
    return this.length
  }
}

function isBehind(one: Problem, other: Problem): boolean {
  return one.line > other.line || (one.line === other.line && one.column >= other.column)
}

export function formatProblem({ file, line, column, path, message }: Problem): string {
  return `${file}:${line}:${column}: ${path ? `${path}: ` : ''}${message}`
}

/** A config that was not, or not all of it, taken into use. Carries every problem found, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  readonly included: readonly string[] // the files that the routing file includes

  /** `introduction` says what comes of them, where that is not that nothing was taken. */
  constructor(problems: readonly Problem[], included: readonly string[], introduction?: string) {
    super([...(introduction ? [`${introduction}:`] : []), ...problems.map(formatProblem)].join('\n'))
    this.problems = problems
    this.included = included
  }
}
