import { MatcherError, parseMatchers } from '../match/parse.ts'
import type { MatcherMode } from '../match/mode.ts'
import { RegexError } from '../match/regex.ts'
import { batch } from './batch.ts'

export interface MatchersParseOptions {
  texts: readonly string[] // without any, JSON texts are read from `stdin`, one a line
  mode: MatcherMode
  stdin: NodeJS.ReadableStream
  stdout: NodeJS.WritableStream
}

/**
 * Reads matchers and prints, a line each, `{"ok":true,"matchers":[…]}` (with `warning` where there is one) or
 * `{"ok":false,"error"}`. Resolves to the exit code: 1 where a text of the command line is none.
 */
export async function matchersParse({ texts, mode, stdin, stdout }: MatchersParseOptions): Promise<number> {
  if (texts.length === 0) {
    await batch(stdin, stdout, (value) =>
      JSON.stringify(typeof value === 'string' ? read(value, mode) : { ok: false, error: 'the line is no JSON text' }),
    )
    return 0
  }
  const answers = texts.map((text) => read(text, mode))
  for (const answer of answers) stdout.write(`${JSON.stringify(answer)}\n`)
  return answers.every(({ ok }) => ok) ? 0 : 1
}

function read(text: string, mode: MatcherMode) {
  try {
    const { matchers, warning } = parseMatchers(text, mode)
    const shown = matchers.map(({ name, value, isRegex, isEqual }) => ({ name, value, isRegex, isEqual }))
    return { ok: true, matchers: shown, ...(warning !== undefined && { warning }) }
  } catch (error) {
    if (error instanceof MatcherError || error instanceof RegexError) return { ok: false, error: error.message }
    throw error
  }
}
