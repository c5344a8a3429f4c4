import { constants } from 'node:zlib'
import compression from 'compression'
import type { RequestHandler } from 'express'

/** Below that an answer fits a packet or two, and compressing it costs more than it saves, bytes. */
const LEAST = 1400

// an event is to leave when it happens, and not when a block is full
const compress = compression({
  level: constants.Z_BEST_SPEED,
  threshold: LEAST,
  filter: (request, response) =>
    !String(response.getHeader('Content-Type')).startsWith('text/event-stream') &&
    compression.filter(request, response),
})

/** Answers of what is read are compressed where the reader asks for it; what is sent to us, and how we are, has short ones. */
export const compressed: RequestHandler = (request, response, next) => {
  if (request.method === 'GET' && !request.path.startsWith('/-/')) compress(request, response, next)
  else next()
}
