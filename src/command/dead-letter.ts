import type { Writable } from 'node:stream'
import { z } from 'zod'
import { ask } from './engine.ts'

export interface DeadLetterOptions {
  url: string // of the engine; user and password may stand in it
  stdout: Writable
  stderr: Writable
}

const letter = z.object({
  id: z.string(),
  at: z.string(),
  integration: z.string(),
  groupKey: z.string(),
  reason: z.string(),
  detail: z.string(),
  attempts: z.number(),
  title: z.string(),
  severity: z.string(),
  fallback: z.string(),
  cure: z.string(),
})

/** Lists what was given up, newest first, each with what to do. Returns the exit code. */
export async function listDeadLetters(options: DeadLetterOptions): Promise<number> {
  const letters = z.array(letter).parse(await ask('GET', 'deadletters', options))
  for (const one of letters) {
    options.stdout.write(`${one.id}  ${one.at}  ${one.integration}  ${one.reason}: ${one.detail}\n`)
    options.stdout.write(`    ${one.title || one.groupKey}\n    to do: ${one.cure}\n`)
  }
  if (letters.length === 0) options.stdout.write('there are no dead letters\n')
  return 0
}

/** Prints one as JSON, whole. */
export async function showDeadLetter(id: string, options: DeadLetterOptions): Promise<number> {
  const found = await ask('GET', `deadletters/${encodeURIComponent(id)}`, options)
  options.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`)
  return 0
}

/** Sends some again, or all. Returns 1 where one of them cannot be. */
export async function retryDeadLetters(ids: readonly string[] | 'all', options: DeadLetterOptions): Promise<number> {
  if (ids === 'all') {
    const came = z
      .object({ retried: z.number(), nothingLeftToTell: z.number() })
      .parse(await ask('POST', 'deadletters/retry', options))
    options.stdout.write(`${came.retried} are owed again, ${came.nothingLeftToTell} have nothing left to tell\n`)
    return 0
  }
  let exitCode = 0
  for (const id of ids) {
    try {
      await ask('POST', `deadletters/${encodeURIComponent(id)}/retry`, options)
      options.stdout.write(`${id} is owed again: it leaves as soon as its destination takes it\n`)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      options.stderr.write(`${id}: ${error.message}\n`)
      exitCode = 1
    }
  }
  return exitCode
}
