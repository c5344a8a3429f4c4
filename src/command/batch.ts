import { createInterface } from 'node:readline'

/**
 * Answers a stream of JSON values, one a line, with a line each; blank lines are passed over. `answer` gets
 * undefined for a line that is no JSON.
 */
export async function batch(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  answer: (value: unknown, line: number) => string,
): Promise<void> {
  let line = 0
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    line += 1
    if (text.trim() === '') continue
    if (!output.write(`${answer(parse(text), line)}\n`)) await new Promise((drained) => output.once('drain', drained))
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
