import { Agent, fetch } from 'undici'
import { CONNECT_TIMEOUT, LONGEST_ANSWER } from './http.ts'

// Imported at the first delivery: vendors' libraries cost a command that only reads a file most of its time.

export { fetch }

/** Connections to channels, kept alive. */
export const dispatcher = new Agent({
  connect: { timeout: CONNECT_TIMEOUT },
  keepAliveTimeout: 30_000,
  maxResponseSize: LONGEST_ANSWER,
})
