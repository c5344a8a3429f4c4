import { once } from 'node:events'
import { type IncomingMessage, createServer, request as ask } from 'node:http'
import { type ServerOptions, createServer as createTlsServer } from 'node:https'
import { type AddressInfo, type Socket, connect } from 'node:net'
import { pipeline } from 'node:stream'

/** What a proxy was asked for: `POST http://a.example/x`, or `CONNECT a.example:443`. */
export interface Asked {
  method: string
  target: string
  headers: IncomingMessage['headers']
}

export interface HttpProxy extends AsyncDisposable {
  url: string
  port: number
  asked: Asked[]
  /** Resolves once somebody asked. */
  begun: Promise<void>
}

interface Manners {
  login?: string // `user:password`, without which it says 407
  refuses?: number // with what status it does, whatever it is asked
  hangs?: boolean
  tls?: ServerOptions
  /** Where it takes names to: all to this host of ours. */
  to?: string
}

/** A real proxy: it passes on what it is given as a whole URL, and makes connections for CONNECT. */
export async function openHttpProxy({ login, refuses, hangs, tls, to }: Manners = {}): Promise<HttpProxy> {
  const sockets = new Set<Socket>()
  const asked: Asked[] = []
  let begin = () => {}
  const begun = new Promise<void>((done) => (begin = done))

  /** What it says no with; 0 where it does not. */
  function hear({ method = '', url = '', headers }: IncomingMessage): number {
    asked.push({ method, target: url, headers })
    begin()
    const wanted = login && `Basic ${Buffer.from(login).toString('base64')}`
    return wanted && headers['proxy-authorization'] !== wanted ? 407 : (refuses ?? 0)
  }
  const server = tls ? createTlsServer(tls) : createServer()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.on('request', (request, response) => {
    const status = hear(request)
    if (hangs) return
    if (status) return response.writeHead(status).end(`no: ${JSON.stringify(request.headers)}`)
    const { hostname, port, pathname, search } = new URL(request.url ?? '')
    const { 'proxy-authorization': _login, ...headers } = request.headers
    const onward = ask({ host: to ?? hostname, port, path: pathname + search, method: request.method, headers })
    onward.on('error', () => response.writeHead(502).end())
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers)
      pipeline(answer, response, () => {})
    })
    pipeline(request, onward, () => {})
  })
  server.on('connect', (request, socket: Socket) => {
    const status = hear(request)
    socket.on('error', () => {})
    if (hangs) return
    if (status) return socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
    const { hostname, port } = new URL(`http://${request.url}`)
    const onward = connect(Number(port) || 80, to ?? hostname.replace(/^\[|\]$/g, ''))
    sockets.add(onward)
    onward.once('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    onward.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      pipeline(socket, onward, () => {})
      pipeline(onward, socket, () => {})
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http${tls ? 's' : ''}://127.0.0.1:${port}`,
    port,
    asked,
    begun,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
