import { Agent as HttpAgent } from 'node:http'
import { Socket, connect, isIP } from 'node:net'
import { type SecureContext, connect as secure } from 'node:tls'
import { Agent, type Dispatcher, type buildConnector } from 'undici'
import type { Egress } from '../model/egress.ts'
import { basic, secretsIn } from './fields.ts'
import { NotSent, loginIn, noAnswer } from './http.ts'
import { PATIENCE, type Resolve, guardedLookup, openResolver, refusalOf } from './lookup.ts'
import { type ProxyFor, hostOf, portOf } from './proxy.ts'
import type { Tls } from './tls.ts'
import { tunnelled } from './tunnel.ts'

// Imported at the first delivery: vendors' libraries cost a command that only reads a file most of its time.

/** Connections that go nowhere but where the file lets them; kept alive, and used again by who may go to the same places. */
export interface Connections {
  /** How a request to a URL goes out. Throws AddressRefused where its host may be told to no proxy. */
  wayTo(url: URL): Way
  /** A socket that is connected, for protocols of their own. Rejects in time, as the others do. */
  connect(host: string, port: number): Promise<Socket>
  /** Ends connections that nobody uses; to be called when nobody does. */
  close(): void
}

/** How a request to a URL goes out, by undici or by Node's own client. */
export interface Way {
  dispatcher: Dispatcher
  origin: string // whom undici connects to
  agent: HttpAgent
  /** What stands in front of the path on the request's first line: a proxy is given the whole URL. */
  prefix: string
  headers: Readonly<Record<string, string>>
  secrets: readonly string[] // of these headers
}

/** What connections differ by. */
export interface Setup {
  egress: Egress
  literal: boolean // whether the host stands in the file itself, or comes out of a template
  resolve?: Resolve
  patience?: number // ms for a connection, from the name to the last handshake
  tls?: { settings: Tls; context: SecureContext }
  proxyFor?: ProxyFor
  /** What proxies are sent beside who is to be connected to. */
  connectHeader?: Readonly<Record<string, readonly string[]>>
}

const known = new Map<string, Connections>()
const resolver = openResolver()

/** Those of all who ask for nothing special. */
export function connectionsFor(egress: Egress, literal: boolean): Connections {
  const key = JSON.stringify([egress.allowPrivate, literal])
  const connections = known.get(key) ?? openConnections({ egress, literal })
  known.set(key, connections)
  return connections
}

/** Where a socket ends, and whether what it carries is encrypted up to there. */
interface End {
  host: string
  port: number
  isSecure: boolean
}

export function openConnections(setup: Setup): Connections {
  const { egress, literal, resolve = resolver, patience = PATIENCE, tls, proxyFor = () => undefined } = setup

  /** A socket to an end, over a proxy where one is given. `isOfFile`: see `literal`. */
  async function dial(end: End, isOfFile: boolean, proxy?: URL): Promise<Socket> {
    let socket: Socket | undefined
    const timer = setTimeout(() => {
      socket?.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
    }, patience)
    const reach = async ({ host, port, isSecure }: End, isAllowed: boolean) => {
      const refusal = refusalOf(host, egress, isAllowed)
      if (refusal) throw refusal
      socket = connect({
        host,
        port,
        lookup: guardedLookup(resolve, egress, isAllowed),
        noDelay: true,
        keepAlive: true,
      })
      await readied(socket, 'connect')
      return isSecure ? encrypt(socket, host) : socket
    }
    const encrypt = (plain: Socket, host: string) => {
      const { serverName = '', isVerified = true } = tls?.settings ?? {}
      const name = serverName || host
      socket = secure({
        socket: plain,
        host: name, // what the certificate is held to
        ...(isIP(name) === 0 && { servername: name }), // an address is no name to ask for (RFC 6066 §3)
        ...(tls && { secureContext: tls.context }),
        rejectUnauthorized: isVerified,
        ALPNProtocols: ['http/1.1'],
      })
      return readied(socket, 'secureConnect')
    }
    try {
      if (!proxy) return await reach(end, isOfFile)
      const refusal = refusalOf(end.host, egress, isOfFile) // of a name only the proxy knows where it leads
      if (refusal) throw refusal
      const through = await orProxysFault(async () => {
        const first = await reach(endOf(proxy), true)
        return tunnelled(first, proxy, end, { ...setup.connectHeader, ...loginFor(proxy) })
      })
      return end.isSecure ? await encrypt(through, end.host) : through
    } catch (error) {
      socket?.destroy()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Connections to ends of a kind, for both clients. `dialTo` makes one. */
  function openPair(dialTo: (host: string, port: number, isSecure: boolean) => Promise<Socket>) {
    const plain = new Dialled((host, port) => dialTo(host, port, false))
    const encrypted = new Dialled((host, port) => dialTo(host, port, true))
    const dispatcher = new Agent({
      keepAliveTimeout: 30_000,
      connect({ hostname, port, protocol }: buildConnector.Options, done: buildConnector.Callback) {
        const isSecure = protocol === 'https:'
        dialTo(hostname, Number(port) || (isSecure ? 443 : 80), isSecure).then(
          (socket) => done(null, socket),
          (error: Error) => done(error, null),
        )
      },
    })
    return {
      dispatcher,
      agentFor: (isSecure: boolean) => (isSecure ? encrypted : plain),
      close() {
        plain.destroy()
        encrypted.destroy()
        void dispatcher.close()
      },
    }
  }

  const toEnds = openPair((host, port, isSecure) => {
    const at = host.includes(':') ? `[${host}]` : host
    return dial({ host, port, isSecure }, literal, proxyFor(new URL(`http${isSecure ? 's' : ''}://${at}:${port}`)))
  })
  const toProxies = openPair((host, port, isSecure) => orProxysFault(() => dial({ host, port, isSecure }, true)))

  return {
    wayTo(url) {
      const isSecure = url.protocol === 'https:'
      const proxy = isSecure ? undefined : proxyFor(url)
      if (!proxy?.protocol.startsWith('http'))
        return {
          dispatcher: toEnds.dispatcher,
          origin: url.origin,
          agent: toEnds.agentFor(isSecure),
          prefix: '',
          headers: {},
          secrets: [],
        }
      const refusal = refusalOf(hostOf(url), egress, literal)
      if (refusal) throw refusal
      const login = loginFor(proxy)
      return {
        dispatcher: toProxies.dispatcher,
        origin: proxy.origin,
        agent: toProxies.agentFor(proxy.protocol === 'https:'),
        prefix: url.origin,
        headers: { Host: url.host, ...login },
        secrets: secretsIn(login),
      }
    },
    connect: (host, port) => dial({ host, port, isSecure: false }, literal),
    close() {
      toEnds.close()
      toProxies.close()
    },
  }
}

/** Node's agent, with sockets that somebody else connects. */
class Dialled extends HttpAgent {
  readonly #dial: (host: string, port: number) => Promise<Socket>

  constructor(dial: (host: string, port: number) => Promise<Socket>) {
    super({ keepAlive: true })
    this.#dial = dial
  }

  override createConnection(...[{ host, port }, done]: Parameters<HttpAgent['createConnection']>) {
    this.#dial(host ?? '', Number(port)).then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, new Socket()), // which nobody looks at
    )
    return undefined
  }
}

function endOf(proxy: URL): End {
  return { host: hostOf(proxy), port: portOf(proxy), isSecure: proxy.protocol === 'https:' }
}

/** What a proxy is told of who asks, from its URL. */
function loginFor(proxy: URL): Record<string, string> {
  const [user, password] = loginIn(proxy)
  return user === '' && password === '' ? {} : { 'Proxy-Authorization': basic(user, password) }
}

/** What a socket comes to. An error that comes later finds somebody who listens, whoever has the socket by then. */
function readied<S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
  return new Promise((done, reject) => {
    socket.on('error', reject)
    socket.once('close', () => reject(Object.assign(new Error('the connection ended'), { code: 'ECONNRESET' })))
    socket.once(event, () => done(socket))
  })
}

/** What goes wrong between us and a proxy is told as such; nothing was sent by then. */
async function orProxysFault<T>(reach: () => Promise<T>): Promise<T> {
  try {
    return await reach()
  } catch (error) {
    if (error instanceof NotSent) throw error
    const outcome = noAnswer(error)
    const detail = outcome.detail ?? ''
    throw new NotSent(outcome.state === 'failed' ? outcome.reason : 'network', `the proxy: ${detail}`)
  }
}
