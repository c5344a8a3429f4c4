import { type RequestHandler, raw } from 'express'
import { HttpError } from './error.ts'

/** After inflation, so that a small bomb does not go off. */
const LIMIT = '10mb'
const json = /^application\/json\s*(?:;|$)/i
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Takes a JSON body of at most 10 MiB and leaves its bytes for `parseJson`. 415 for anything else. */
export const jsonBody: RequestHandler[] = [
  (request, _response, next) => {
    const type = request.headers['content-type'] || 'application/octet-stream'
    if (!json.test(type)) {
      throw new HttpError(415, `unsupported media type ${JSON.stringify(type)}, only [application/json] are allowed`)
    }
    next()
  },
  raw({ type: () => true, limit: LIMIT }),
]

/** Throws HttpError 400 where the bytes are no JSON, or no UTF-8: they are never changed in silence. */
export function parseJson(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) throw new HttpError(400, 'the body is empty; it must be JSON')
  let text: string
  try {
    text = utf8.decode(body)
  } catch {
    throw new HttpError(400, 'the body is not valid UTF-8')
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new HttpError(400, `the body is not valid JSON: ${error instanceof Error ? shorten(error.message) : ''}`)
  }
}

/** V8 quotes what stands near the fault; a line of it is enough. */
function shorten(message: string): string {
  return message.length > 200 ? `${message.slice(0, 200)}…` : message
}
