import { MatcherError, parseMatchers } from '../match/parse.ts'
import type { MatcherMode } from '../match/mode.ts'
import { RegexError } from '../match/regex.ts'
import { batch } from './batch.ts'

export interface MatchersParseOptions {
  texts: readonly string[] // without any, JSON texts are read from `stdin`, one a line
  mode: MatcherMode
  stdin: NodeJS.ReadableStream
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
}

/**
 * Reads matchers and prints, a line each, `{"ok":true,"matchers":[…]}` or `{"ok":false,"error"}`; what they
 * warn of goes to `stderr`. Resolves to the exit code: 1 where a text of the command line is none.
 */
export async function matchersParse({ texts, mode, stdin, stdout, stderr }: MatchersParseOptions): Promise<number> {
  const answer = (value: unknown) =>
    typeof value === 'string' ? read(value, mode, stderr) : { ok: false, error: 'the line is no JSON text' }
  if (texts.length === 0) {
    await batch(stdin, stdout, (value) => JSON.stringify(answer(value)))
    return 0
  }
  const answers = texts.map(answer)
  for (const one of answers) stdout.write(`${JSON.stringify(one)}\n`)
  return answers.every(({ ok }) => ok) ? 0 : 1
}

function read(text: string, mode: MatcherMode, stderr: NodeJS.WritableStream) {
  try {
    const { matchers, warning } = parseMatchers(text, mode)
    if (warning !== undefined) stderr.write(`tocsin: warning: ${warning}\n`)
    return {
      ok: true,
      matchers: matchers.map(({ name, value, isRegex, isEqual }) => ({ name, value, isRegex, isEqual })),
    }
  } catch (error) {
    if (error instanceof MatcherError || error instanceof RegexError) return { ok: false, error: error.message }
    throw error
  }
}
