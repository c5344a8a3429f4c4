import { isAscii } from 'node:buffer'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Request, RequestHandler, Response } from 'express'
import { nestsDeeper } from '../model/nesting.ts'
import { HttpError } from './error.ts'
import { whenOver } from './over.ts'
import type { Place, Shelf } from './shelf.ts'

const json = /^application\/json\s*(?:;|$)/i
const utf8 = new TextDecoder('utf-8', { fatal: true })
/** What recurses over a body is safe up to here; nobody means to nest deeper. */
export const DEEPEST = 100

/** Takes a JSON body of at most so many bytes and leaves its bytes for `parseJson`. 415 for anything else. */
export function jsonBodyOf(most: () => number, shelf: Shelf): RequestHandler {
  return async (request, response, next) => {
    const type = request.headers['content-type'] || 'application/octet-stream'
    if (!json.test(type)) {
      throw new HttpError(415, `unsupported media type ${JSON.stringify(type)}, only [application/json] are allowed`)
    }
    request.body = await readBody(request, most(), placeOn(shelf, response))
    next()
  }
}

/** Takes a body's bytes as they were sent: what is packed could not be held against its signature before it is unpacked. */
export function rawBodyOf(most: number, shelf: Shelf): RequestHandler {
  return async (request, response, next) => {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding.toLowerCase() !== 'identity') throw new HttpError(415, 'the body must have no content encoding')
    request.body = await readBody(request, most, placeOn(shelf, response))
    next()
  }
}

/** Makes the place where a body is kept until its request is answered. */
function placeOn(shelf: Shelf, response: Response) {
  return (giveUp: (why: Error) => void): Place => {
    const place = shelf.open(giveUp)
    whenOver(response, () => place.clear())
    return place
  }
}

/** The whole body, inflated; `open` makes the place where it is kept. */
function readBody(request: Request, most: number, open: (giveUp: (why: Error) => void) => Place): Promise<Buffer> {
  const body = inflated(request) // after inflation is counted, so that a small bomb does not go off
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const giveUp = (why: Error) => {
      body.off('data', take)
      place.clear()
      if (body !== request) {
        request.unpipe()
        body.destroy()
      }
      request.resume() // what is left of it is read and thrown away
      reject(why)
    }
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size > most) return giveUp(tooLarge(most))
      try {
        place.put(chunk.length)
        chunks.push(chunk)
      } catch (error) {
        giveUp(error instanceof Error ? error : new Error(String(error)))
      }
    }
    const place = open(giveUp)
    body.on('data', take)
    body.once('end', () => {
      place.complete()
      resolve(Buffer.concat(chunks))
    })
    body.once('error', () => giveUp(new HttpError(400, 'the body cannot be read: it is cut, or not in its encoding')))
    request.once('close', () => {
      if (!request.complete) giveUp(new HttpError(400, 'the body ended before its announced length'))
    })
    if (body === request && Number(request.headers['content-length']) > most) giveUp(tooLarge(most))
  })
}

function tooLarge(most: number): HttpError {
  const size = most % (1024 * 1024) === 0 ? `${most / 1024 / 1024} MiB` : `${most} bytes`
  return new HttpError(413, `the body is larger than ${size} (limits.body_bytes)`)
}

function inflated(request: Request): Readable {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase()
  if (encoding === 'identity') return request
  if (encoding === 'gzip') return request.pipe(createGunzip())
  if (encoding === 'deflate') return request.pipe(createInflate())
  if (encoding === 'br') return request.pipe(createBrotliDecompress())
  throw new HttpError(415, 'the content encoding must be gzip, deflate, br or none')
}

/** For Express' own parser. Throws HttpError 400. */
export function refuseDeep(_request: unknown, _response: unknown, body: Buffer): void {
  if (nestsDeeper(body.toString(), DEEPEST)) throw tooDeep()
}

function tooDeep(): HttpError {
  return new HttpError(400, `the body nests deeper than ${DEEPEST} levels`)
}

/** A body's text. Throws HttpError 400 where the bytes are no UTF-8: they are never changed in silence. */
export function textOf(body: Buffer): string {
  if (isAscii(body)) return body.toString('latin1')
  try {
    return utf8.decode(body)
  } catch {
    throw new HttpError(400, 'the body is not valid UTF-8')
  }
}

/** Throws HttpError 400 where the bytes are no JSON, nest too deep, or are no UTF-8. */
export function parseJson(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) throw new HttpError(400, 'the body is empty; it must be JSON')
  const text = textOf(body)
  if (nestsDeeper(text, DEEPEST)) throw tooDeep()
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
