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

/** A config that was not taken into use. Carries every problem found, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.problems = problems
  }
}
