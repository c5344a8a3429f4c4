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

/** How long a reader may take none of an answer, ms: it keeps memory, and a place among the few that may read at once. */
const PATIENCE = 30_000

export function sendJson(response: Response, json: string, patience = PATIENCE): void {
  response.setHeader('Content-Type', 'application/json') // Express would add a charset
  end(response, `${json}\n`, patience)
}

/** How much of a list is made before others get their turn, characters. */
const TURN = 256 * 1024

/**
 * A list, item by item: neither a long one nor a slow reader holds up others, or has all of it kept in memory. Who reads
 * nothing for `patience` ms is given up.
 */
export async function sendList(response: Response, items: Iterable<string>, patience = PATIENCE): Promise<void> {
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
    else await isWritable(response, patience)
    if (response.destroyed || response.req.socket.destroyed) return
  }
  end(response, `${text}]\n`, patience)
}

async function isWritable(response: Response, patience: number): Promise<void> {
  await new Promise<void>((done) => {
    const written = () => {
      clearTimeout(timer)
      forget()
      done()
    }
    const timer = setTimeout(() => response.destroy(), patience)
    response.once('drain', written)
    const forget = whenOver(response, () => {
      clearTimeout(timer)
      response.off('drain', written)
      done()
    })
  })
}

function end(response: Response, text: string, patience: number): void {
  response.end(text)
  if (response.writableFinished) return
  const timer = setTimeout(() => response.destroy(), patience)
  whenOver(response, () => clearTimeout(timer))
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
