/** One thing wrong with a config file. Lines and columns count from 1. */
export interface Problem {
  file: string
  line: number
  column: number
  path: string // 'route.routes.2.receiver'
  message: string // what is wrong, then how to mend it
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
