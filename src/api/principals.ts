import type { IncomingMessage } from 'node:http'
import type { Principal } from '../access/principal.ts'

const principals = new WeakMap<IncomingMessage, Principal>()

/** Who asks. Throws where the request did not come by way of `access`, which is a bug. */
export function principalOf(request: IncomingMessage): Principal {
  const principal = principals.get(request)
  if (!principal) throw new Error('a route was reached around the check of who may call it')
  return principal
}

export function setPrincipal(request: IncomingMessage, principal: Principal): void {
  principals.set(request, principal)
}

/** Where a request came from, as it is written down beside who made it: its address, and the user agent, cut. */
export function cameFrom(request: IncomingMessage): { from: string; client: string } {
  return { from: request.socket.remoteAddress ?? '', client: request.headers['user-agent']?.slice(0, 200) ?? '' }
}

/** What is written down as who did it: who was authenticated, else what they say of themselves. */
export function actor({ name }: Principal, said: string): string {
  return name || said
}
