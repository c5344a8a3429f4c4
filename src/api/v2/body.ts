import { parseJson, textOf } from '../body.ts'
import { HttpError } from '../error.ts'
import { SchemaError } from './answer.ts'

/** A body's JSON. Throws SchemaError where there is none, HttpError 400 where it is no JSON. */
export function parseBody(bytes: unknown, what: 'alerts' | 'silence'): unknown {
  return readBody(bytes, what, parseJson)
}

/** A body's text, of which nothing is parsed. Throws as `parseBody` does. */
export function textOfBody(bytes: unknown, what: 'alerts'): string {
  return readBody(bytes, what, textOf)
}

function readBody<T>(bytes: unknown, what: string, read: (bytes: Buffer) => T): T {
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) throw new SchemaError(602, `${what} in body is required`)
  try {
    return read(bytes)
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    const why = isCut(bytes, error.message) ? 'unexpected EOF' : error.message
    throw new HttpError(400, `parsing ${what} body from "" failed, because ${why}`)
  }
}

/** Whether the text ends too early, by what V8 says. */
function isCut(bytes: Buffer, message: string): boolean {
  const at = /at position (\d+)/.exec(message)?.[1]
  return at === undefined
    ? /Unexpected end|Unterminated/.test(message)
    : Number(at) >= bytes.toString().trimEnd().length
}
