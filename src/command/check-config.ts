import { ConfigError, formatProblem } from '../config/error.ts'
import { type LoadOptions, loadConfig } from '../config/load.ts'

export interface CheckConfigOptions<N> extends Pick<LoadOptions<N>, 'env' | 'channels'> {
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
}

/** Checks routing files, as `amtool check-config` does. Resolves to the exit code: 1 where one is bad. */
export function checkConfig<N>(
  files: readonly string[],
  { stdout, stderr, env, channels }: CheckConfigOptions<N>,
): number {
  let bad = 0
  for (const file of files) {
    try {
      const { warnings, receivers, routes, integrations } = loadConfig(file, { env, sandbox: false, channels })
      stdout.write(`${file}: good\n`)
      stdout.write(`  ${routes.size} routes, ${receivers.size} receivers, ${integrations.size} integrations\n`)
      for (const warning of warnings) stdout.write(`  warning: ${formatProblem(warning)}\n`)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      bad += 1
      for (const problem of error.problems) stderr.write(`${formatProblem(problem)}\n`)
    }
  }
  return bad > 0 ? 1 : 0
}
