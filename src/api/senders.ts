import type { IncomingMessage } from 'node:http'
import { setImmediate } from 'node:timers/promises'

/** How often it is seen that the event loop turns, ms. */
const LOOK = 250
/** Having stood still for so long, its senders may have given up, ms: nobody is that impatient with less. */
const STILL = 1000
/** So long after that there may be more of what lay there meanwhile, ms. */
const AFTER = 5000

/**
 * Tells of requests that lay unread in their sockets while this process stood still (a stopped container, a suspended
 * machine): their senders may have given up, and said something newer since.
 */
export interface Senders {
  /** Whether nobody waits for the answer any more. Of a process that did not stand still that is not looked at. */
  hasLeft(request: IncomingMessage): Promise<boolean>
}

/** Looks until `stopping`. */
export function watchSenders(stopping: AbortSignal): Senders {
  let lookedAt = Date.now() // the other clock stands still, too, while a machine is suspended
  let doubtUntil = 0
  const look = () => {
    const now = Date.now()
    if (now - lookedAt > STILL) doubtUntil = now + AFTER
    lookedAt = now
    return now < doubtUntil
  }
  const timer = setInterval(look, LOOK).unref()
  stopping.addEventListener('abort', () => clearInterval(timer), { once: true })
  return {
    async hasLeft({ socket }) {
      if (!look()) return false
      // the end of what was sent is read one turn after the rest of it
      await setImmediate()
      await setImmediate()
      return socket.destroyed || socket.readableEnded
    },
  }
}
