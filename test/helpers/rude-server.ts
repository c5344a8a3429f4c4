import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type Server, type Socket, connect, createServer } from 'node:net'

/** What a server does with a connection instead of answering it well. */
export type Rudeness =
  | 'silence' // reads, says nothing
  | 'drip' // a byte of the answer at a time, without end
  | 'drip head'
  | 'reset' // once the request has been read
  | 'cut' // a good head, half a body, and the end
  | 'flood' // 200 MB of body

export interface RudeServer extends AsyncDisposable {
  port: number
  /** Connections that brought a request. */
  requests: number
  /** Resolves once it has begun to be rude to a request. */
  begun: Promise<void>
  /** Bytes of the flood that went out. */
  flooded: number
}

const MEGABYTE = Buffer.alloc(1024 * 1024, 'x')

/** A server on a socket, which does to whoever asks it what HTTP servers do at their worst. `status`: of the head it begins with. */
export async function openRudeServer(how: Rudeness, status = 200): Promise<RudeServer> {
  const sockets = new Set<Socket>()
  let begin = () => {}
  const rude: RudeServer = {
    begun: new Promise((done) => (begin = done)),
    port: 0,
    requests: 0,
    flooded: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let read = ''
    socket.on('data', (chunk) => {
      const isNew = read === ''
      read += chunk.toString('latin1')
      if (isNew) rude.requests += 1
      const length = Number(/content-length: (\d+)/i.exec(read)?.[1] ?? 0)
      const isWhole = read.includes('\r\n\r\n') && read.length >= read.indexOf('\r\n\r\n') + 4 + length
      if (isWhole) void answer(socket)
    })
  })
  async function answer(socket: Socket): Promise<void> {
    const head = (length: number) =>
      `HTTP/1.1 ${status} X\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n\r\n`
    if (how === 'silence') begin()
    if (how === 'reset') return void socket.resetAndDestroy()
    if (how === 'cut') return void socket.end(`${head(1000)}{"ok":tr`)
    if (how === 'drip' || how === 'drip head') {
      socket.write(how === 'drip' ? head(1_000_000) : 'HTTP/1.1 200 OK\r\nX-Drip: ')
      let drops = 0
      const timer = setInterval(() => {
        socket.write('x')
        if (++drops === 5) begin()
      }, 20)
      socket.once('close', () => clearInterval(timer))
    }
    if (how !== 'flood') return
    socket.write(head(200 * MEGABYTE.length))
    for (let i = 0; i < 200 && !socket.destroyed; i++) {
      const isTaken = socket.write(MEGABYTE)
      rude.flooded += MEGABYTE.length
      if (!isTaken) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {})
    }
  }
  rude.port = await listening(server)
  return rude
}

/** A port that takes no connection and refuses none: its process stands still, and its queue is full. */
export async function openBlackhole(): Promise<{ port: number } & AsyncDisposable> {
  const program = `const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const port = Number(String(line))
  child.kill('SIGSTOP')
  const queue = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await Promise.all(queue.slice(0, 2).map((socket) => once(socket, 'connect')))
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of queue) socket.destroy()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** Certificates for 127.0.0.1 by an authority of these tests, with what may be wrong with them. */
export function certificate(kind: 'good' | 'expired' | 'wrong-host' | 'self-signed') {
  const pem = readFileSync(new URL(`certificates/${kind}.pem`, import.meta.url), 'utf8')
  const ca = new URL('certificates/ca.pem', import.meta.url).pathname
  return { key: pem, cert: pem, ca }
}

/** A server that takes the connection and never shakes hands. */
export async function openMuteTls(): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  const port = await listening(server)
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('it listens on no port')
  return address.port
}
