import { setImmediate } from 'node:timers/promises'
import type { ErrorRequestHandler, Response } from 'express'
import { HttpError } from '../error.ts'
import { whenOver } from '../over.ts'

/** An error as Alertmanager's handlers answer it: a bare JSON text, or nothing at all. */
export class BareError extends Error {
  override readonly name = 'BareError'
  readonly status: number

  constructor(status: number, message = '') {
    super(message)
    this.status = status
  }
}

/** What the schema of a request forbids: 422, with a code of its own (go-openapi/errors). */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
  readonly code: number

  constructor(code: 601 | 602 | 612, message: string) {
    super(message)
    this.code = code
  }
}

export function sendJson(response: Response, json: string): void {
  response.setHeader('Content-Type', 'application/json') // Express would add a charset
  response.end(`${json}\n`)
}

/** How much of a list is made before others get their turn, characters. */
const TURN = 256 * 1024

/** A list, item by item: neither a long one nor a slow reader holds up others, or has all of it kept in memory. */
export async function sendList(response: Response, items: Iterable<string>): Promise<void> {
  response.setHeader('Content-Type', 'application/json')
  let text = '['
  let isFirst = true
  for (const item of items) {
    text += isFirst ? item : `,${item}`
    isFirst = false
    if (text.length < TURN) continue
    const isRead = response.write(text)
    text = ''
    if (isRead) await setImmediate()
    else await isWritable(response)
    if (response.destroyed || response.req.socket.destroyed) return
  }
  response.end(`${text}]\n`)
}

async function isWritable(response: Response): Promise<void> {
  await new Promise<void>((done) => {
    const written = () => {
      forget()
      done()
    }
    response.once('drain', written)
    const forget = whenOver(response, () => {
      response.off('drain', written)
      done()
    })
  })
}

function sendError(response: Response, status: number, code: number, message: string): void {
  response.status(status).setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ code, message }))
}

/** Answers the errors that only this API has; others go on. */
export const answerV2Error: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (error instanceof SchemaError) {
    sendError(response, 422, error.code, error.message)
  } else if (error instanceof BareError) {
    response.status(error.status)
    if (error.message === '') response.end()
    else sendJson(response, JSON.stringify(error.message))
  } else if (error instanceof HttpError && error.status < 500) {
    sendError(response, error.status, error.status, error.message)
  } else {
    next(error)
  }
}
