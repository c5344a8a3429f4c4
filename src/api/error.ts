import type { ErrorRequestHandler, RequestHandler } from 'express'
import type { Deps } from '../pipeline/deps.ts'
import { faultOf } from '../store/fault.ts'

/** A request that is answered with an error. The message goes to whoever asked. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly retryAfter: number | undefined // s

  constructor(status: number, message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.status = status
    this.retryAfter = options.retryAfter
  }
}

/** What Redis would not take: the sender is to come again. Never 429, which Alertmanager takes as final. */
export function cannotStore(cause: unknown): never {
  const why = `the store does not take alerts now: ${faultOf(cause).message}; send them again`
  throw new HttpError(503, why, { retryAfter: 5, cause })
}

/** Redis does not answer a question. */
export function cannotRead(cause: unknown): never {
  throw new HttpError(503, 'the store does not answer now; ask again', { retryAfter: 5, cause })
}

/** Turns what was thrown into an answer. Express's body parser throws errors with a `status` of their own. */
export function answerError({ log, metrics }: Pick<Deps, 'log' | 'metrics'>): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error)
    const { status, message, retryAfter } = explain(error)
    // a refusal without a cause has told of itself, and under a flood there are many
    if (status >= 500 && !(error instanceof HttpError && error.cause === undefined)) {
      const cause: unknown = error instanceof Error ? (error.cause ?? error) : error
      log.error({ err: cause, method: request.method, path: request.path, status }, 'a request failed')
    }
    if (retryAfter !== undefined) response.set('Retry-After', String(retryAfter))
    // what is left of an over-long body is not read
    if (status === 413) {
      response.set('Connection', 'close')
      metrics.refused.inc({ reason: 'body_bytes' })
    }
    response.status(status).json({ code: status, message })
  }
}

function explain(error: unknown): { status: number; message: string; retryAfter?: number | undefined } {
  if (error instanceof HttpError) return error
  const type = typeof error === 'object' && error !== null && 'type' in error ? String(error.type) : ''
  if (type === 'entity.too.large') return { status: 413, message: 'the body is larger than 10 MiB' }
  if (type === 'encoding.unsupported')
    return { status: 415, message: 'the content encoding must be gzip, deflate, br or none' }
  if (type === 'request.aborted' || type === 'request.size.invalid') {
    return { status: 400, message: 'the body ended before its announced length' }
  }
  if (error instanceof URIError) return { status: 400, message: 'the path is not valid' }
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500
  if (status >= 400 && status < 500) return { status, message: 'the body cannot be read' }
  return { status: 500, message: 'something in Tocsin went wrong; its log says what' }
}

export const notFound: RequestHandler = (_request, response) => {
  response.status(404).set('X-Content-Type-Options', 'nosniff').type('text').send('404 page not found\n')
}
