import { builtinTemplates } from '../config/builtin.ts'
import { ConfigError, formatProblem } from '../config/error.ts'
import { type LoadOptions, loadConfig } from '../config/load.ts'
import type { Notifier } from '../notify/notifier.ts'
import { rehearse } from '../pipeline/rehearse.ts'
import { TemplateError, parseTemplates } from '../template/templates.ts'

export interface CheckConfigOptions extends Omit<LoadOptions<Notifier>, 'lastGood' | 'starting'> {
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
  at: number // now, epoch ms
}

/**
 * Checks routing files with their templates, as `amtool check-config` does, and warns of what is legal and
 * surely not meant. Returns the exit code: 1 where a file is bad.
 */
export function checkConfig(files: readonly string[], { stdout, stderr, at, ...options }: CheckConfigOptions): number {
  let bad = 0
  for (const file of files) {
    stdout.write(`Checking '${file}'`)
    const mistakes = check(file)
    if (mistakes.length > 0) {
      bad += 1
      stdout.write('  FAILED\n')
      for (const mistake of mistakes) stderr.write(`${mistake}\n`)
    }
    stdout.write('\n')
  }
  if (bad > 0) stderr.write(`tocsin: error: failed to validate ${bad} file(s)\n`)
  return bad > 0 ? 1 : 0

  /** Says what is in a file; returns what is wrong with it. */
  function check(file: string): string[] {
    try {
      const config = loadConfig(file, options)
      const templates = parseTemplates([...builtinTemplates(), ...config.templates])
      const found = [
        `${config.routes.size} routes`,
        `${config.receivers.size} receivers`,
        `${config.integrations.size} integrations`,
        `${config.templates.length} templates`,
        ...(config.included.size > 0 ? [`${config.included.size} included files`] : []),
      ]
      stdout.write(`  SUCCESS\nFound:\n${found.map((line) => ` - ${line}\n`).join('')}`)
      for (const line of [...config.warnings.map(formatProblem), ...rehearse(config, templates, at)])
        stdout.write(` warning: ${line}\n`)
      return []
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.map(formatProblem)
      if (error instanceof TemplateError) return [error.message]
      throw error
    }
  }
}
