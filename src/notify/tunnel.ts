import { request } from 'node:http'
import { type Socket, isIP } from 'node:net'
import { toBytes } from '../model/egress.ts'
import { NotSent, loginIn } from './http.ts'

/** Whom a tunnel leads to. */
interface Target {
  host: string
  port: number
}

/**
 * A connection to a proxy, which leads on to a target: by CONNECT (RFC 9110 §9.3.6) or SOCKS 5. Throws NotSent where the
 * proxy would not. A socket that is destroyed ends the wait.
 */
export function tunnelled(
  socket: Socket,
  proxy: URL,
  target: Target,
  headers: Readonly<Record<string, string | readonly string[]>>,
): Promise<Socket> {
  return proxy.protocol.startsWith('socks') ? bySocks(socket, proxy, target) : byConnect(socket, target, headers)
}

function byConnect(
  socket: Socket,
  { host, port }: Target,
  headers: Readonly<Record<string, string | readonly string[]>>,
): Promise<Socket> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new Promise((done, reject) => {
    const asked = request({
      method: 'CONNECT',
      path: authority,
      headers: { ...copied(headers), Host: authority },
      createConnection: () => socket,
    })
    asked.removeHeader('Connection') // Node's would be `close`
    asked.once('error', reject)
    asked.once('connect', ({ statusCode = 0 }, _socket, head) => {
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head)
        return done(socket)
      }
      const reason = statusCode < 500 ? 'configuration' : 'network'
      reject(new NotSent(reason, `the proxy makes no connection there: HTTP ${statusCode}`))
    })
    asked.end()
  })
}

function copied(headers: Readonly<Record<string, string | readonly string[]>>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
}

const VERSION = 5
const NO_LOGIN = 0
const BY_PASSWORD = 2
const CONNECT = 1
const addresses = { four: 1, name: 3, six: 4 } as const
/** RFC 1928 §6, of those that say why. */
const refusals: Readonly<Record<number, string>> = {
  2: 'its rules do not allow it',
  3: 'the network is unreachable',
  4: 'the host is unreachable',
  5: 'the connection was refused',
}

/** RFC 1928, with a login by RFC 1929. The proxy looks the name up. */
async function bySocks(socket: Socket, proxy: URL, { host, port }: Target): Promise<Socket> {
  const [user, password] = loginIn(proxy)
  const methods = user === '' ? [NO_LOGIN] : [NO_LOGIN, BY_PASSWORD]
  socket.write(Buffer.from([VERSION, methods.length, ...methods]))
  const [version, method] = await take(socket, 2)
  if (version !== VERSION) throw new NotSent('configuration', 'the proxy does not speak SOCKS 5')
  if (method === BY_PASSWORD) {
    socket.write(Buffer.concat([Buffer.from([1]), counted(user), counted(password)]))
    const [, status] = await take(socket, 2)
    if (status !== 0) throw new NotSent('configuration', 'the proxy refuses the login')
  } else if (method !== NO_LOGIN) throw new NotSent('configuration', 'the proxy wants another login')
  const ending = Buffer.from([port >> 8, port & 0xff])
  socket.write(Buffer.concat([Buffer.from([VERSION, CONNECT, 0]), addressOf(host), ending]))
  const [, reply = 1, , kind] = await take(socket, 4)
  if (reply !== 0) {
    const why = refusals[reply] ?? `SOCKS ${reply}`
    throw new NotSent(reply === 2 ? 'configuration' : 'network', `the proxy makes no connection there: ${why}`)
  }
  const [length = 0] = kind === addresses.name ? await take(socket, 1) : [kind === addresses.six ? 16 : 4]
  await take(socket, length + ending.length)
  return socket
}

function addressOf(host: string): Buffer {
  const bytes = toBytes(host)
  if (bytes) return Buffer.from(isIP(host) === 4 ? [addresses.four, ...bytes.slice(-4)] : [addresses.six, ...bytes])
  return Buffer.concat([Buffer.from([addresses.name]), counted(host)])
}

/** A text with its length in front, of at most 255 bytes. */
function counted(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length > 255) throw new NotSent('configuration', 'a name or a password is too long for SOCKS')
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

/** So many bytes of what a socket brings. */
function take(socket: Socket, count: number): Promise<Buffer> {
  return new Promise((done, reject) => {
    const look = () => {
      const bytes: unknown = socket.read(count)
      if (!Buffer.isBuffer(bytes) || bytes.length < count) return
      leave()
      done(bytes)
    }
    const ended = () => {
      leave()
      reject(Object.assign(new Error('the connection ended'), { code: 'ECONNRESET' }))
    }
    const leave = () => {
      socket.off('readable', look).off('close', ended).off('error', reject)
    }
    socket.on('readable', look).on('close', ended).on('error', reject)
    look()
  })
}
