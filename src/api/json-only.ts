import type { RequestHandler } from 'express'
import { HttpError } from './error.ts'

/** Changes are asked for in JSON, which a form of another page cannot send without asking first. No body at all will do. */
export const jsonOnly: RequestHandler = (request, _response, next) => {
  if (request.is('application/json') === false)
    throw new HttpError(415, 'the body must be JSON, with Content-Type: application/json')
  next()
}
