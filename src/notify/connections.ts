import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type Socket, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { Agent, type Dispatcher, buildConnector } from 'undici'
import type { Egress } from '../model/egress.ts'
import { PATIENCE, type Resolve, guardedLookup, openResolver, refusalOf } from './lookup.ts'

// Imported at the first delivery: vendors' libraries cost a command that only reads a file most of its time.

/** Connections that go nowhere but where the file lets them; kept alive, and used again by who may go to the same places. */
export interface Connections {
  dispatcher: Dispatcher
  agentFor(protocol: 'http:' | 'https:'): HttpAgent
  /** A socket that is connected, for protocols of their own. Rejects in time, as the others do. */
  connect(host: string, port: number): Promise<Socket>
}

const known = new Map<string, Connections>()
const resolver = openResolver()

/** `literal`: whether the host stands in the file itself, or comes out of a template. */
export function connectionsFor(egress: Egress, literal: boolean): Connections {
  const key = JSON.stringify([egress.allowPrivate, literal])
  const connections = known.get(key) ?? openConnections(egress, literal, resolver)
  known.set(key, connections)
  return connections
}

export function openConnections(
  egress: Egress,
  literal: boolean,
  resolve: Resolve,
  patience: number = PATIENCE,
): Connections {
  const lookup = guardedLookup(resolve, egress, literal)
  const connector = buildConnector({ timeout: patience, lookup })
  const dispatcher = new Agent({
    keepAliveTimeout: 30_000,
    connect(options, done) {
      const refusal = refusalOf(options.hostname, egress, literal)
      if (refusal) done(refusal, null)
      else connector(options, done)
    },
  })
  const watched = (socket: Duplex, ready: string) => {
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
    }, patience)
    socket.once(ready, () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
    return socket
  }
  const guard = ({ host }: { host?: string | null | undefined }) => {
    const refusal = refusalOf(host ?? '', egress, literal)
    if (refusal) throw refusal
  }
  class Plain extends HttpAgent {
    override createConnection(...[options, done]: Parameters<HttpAgent['createConnection']>) {
      guard(options)
      const socket = super.createConnection(options, done)
      return socket && watched(socket, 'connect')
    }
  }
  class Secure extends HttpsAgent {
    override createConnection(...[options, done]: Parameters<HttpsAgent['createConnection']>) {
      guard(options)
      const socket = super.createConnection(options, done)
      return socket && watched(socket, 'secureConnect')
    }
  }
  const agents = {
    'http:': new Plain({ keepAlive: true, lookup }),
    'https:': new Secure({ keepAlive: true, lookup }),
  }
  return {
    dispatcher,
    agentFor: (protocol) => agents[protocol],
    connect(host, port) {
      return new Promise((done, reject) => {
        const refusal = refusalOf(host, egress, literal)
        if (refusal) return reject(refusal)
        const socket = connect({ host, port, lookup })
        watched(socket, 'connect')
        socket.once('error', reject)
        socket.once('connect', () => {
          socket.off('error', reject)
          done(socket)
        })
      })
    },
  }
}
