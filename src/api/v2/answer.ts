import type { ErrorRequestHandler, Response } from 'express'
import { HttpError } from '../error.ts'

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
