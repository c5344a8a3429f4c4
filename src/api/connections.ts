import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Hard limit: beyond it there is nobody to send away but those that are being answered. */
const HARD = 4

/**
 * At most so many connections. For one more, the one is closed that has waited longest without asking anything, then the
 * one that has been idle longest: who only holds connections open takes none from who asks.
 */
export function limitConnections(server: Server, most: number): void {
  server.maxConnections = most * HARD
  const silent = new Map<string, Socket>() // have asked nothing yet
  const idle = new Map<string, Socket>() // were answered
  const busy = new Map<string, { socket: Socket; requests: number }>()

  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    silent.set(name, socket)
    socket.once('close', () => {
      if (silent.get(name) === socket) silent.delete(name)
      if (idle.get(name) === socket) idle.delete(name)
      if (busy.get(name)?.socket === socket) busy.delete(name)
    })
    if (silent.size + idle.size + busy.size <= most) return
    const [oldest] = silent.size > 1 ? silent : idle
    oldest?.[1].destroy()
  })

  server.on('request', (request, response) => {
    // over TLS the request's socket is another object about the same connection
    const name = nameOf(request.socket)
    const found = busy.get(name) ?? { socket: silent.get(name) ?? idle.get(name), requests: 0 }
    const { socket } = found
    if (!socket) return
    silent.delete(name)
    idle.delete(name)
    busy.set(name, { socket, requests: found.requests + 1 })
    response.once('close', () => {
      const now = busy.get(name)
      if (now?.socket !== socket) return
      if (now.requests > 1) busy.set(name, { socket, requests: now.requests - 1 })
      else {
        busy.delete(name)
        idle.set(name, socket)
      }
    })
  })
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
