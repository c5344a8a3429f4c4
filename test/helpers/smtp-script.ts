import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import { type SecureContextOptions, TLSSocket, createSecureContext } from 'node:tls'

/** What a server says to the commands of a mail, by their first word; the rest is said well. */
export interface Script {
  greeting?: string
  EHLO?: string
  AUTH?: string
  MAIL?: string
  RCPT?: (address: string) => string
  DATA?: string
  /** To the mail itself. */
  content?: string
}

/** Instead of an answer: the connection ends, or nothing comes any more. */
export const DROP = 'drop'
export const SILENCE = 'silence'

export interface ScriptedSmtp extends AsyncDisposable {
  smarthost: string
  /** Resolves once it says nothing where it is told not to. */
  silent: Promise<void>
  /** The commands that came, in order. */
  commands: string[]
  /** The same as they were. */
  lines: string[]
}

/** An SMTP server that says what it is told to, also what no library would let it. */
export async function openScriptedSmtp(
  script: Script = {},
  tls?: SecureContextOptions & { requestCert?: boolean; rejectUnauthorized?: boolean },
  isImplicit = false, // TLS from the first byte
): Promise<ScriptedSmtp> {
  const sockets = new Set<Socket>()
  const commands: string[] = []
  const lines: string[] = []
  let beSilent = () => {}
  const silent = new Promise<void>((done) => (beSilent = done))

  function serve(raw: Socket): void {
    let inData = false
    let rest = ''
    let socket = raw
    const say = (line: string): void => {
      if (line === SILENCE) return beSilent()
      if (line === DROP) socket.destroy()
      else socket.write(`${line}\r\n`)
    }
    const read = (chunk: Buffer): void => {
      rest += chunk.toString()
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 2)
        if (inData) {
          if (line !== '.') continue
          inData = false
          commands.push('(content)')
          say(script.content ?? '250 taken')
        } else hear(line)
      }
    }
    const hear = (line: string): void => {
      const [word = ''] = line.toUpperCase().split(' ')
      commands.push(word)
      lines.push(line)
      if (word === 'EHLO')
        say(
          script.EHLO ??
            (tls && !isImplicit && socket === raw
              ? '250-x\r\n250 STARTTLS'
              : '250-x\r\n250-8BITMIME\r\n250 AUTH PLAIN'),
        )
      else if (word === 'STARTTLS') {
        say(tls ? '220 go on' : '502 not here')
        if (!tls) return
        socket.off('data', read)
        socket = new TLSSocket(socket, { ...tls, isServer: true, secureContext: createSecureContext(tls) })
        socket.on('error', () => {})
        socket.on('data', read)
      } else if (word === 'AUTH') say(script.AUTH ?? '235 welcome')
      else if (word === 'MAIL') say(script.MAIL ?? '250 ok')
      else if (word === 'RCPT') say(script.RCPT?.(/<(.*?)>/.exec(line)?.[1] ?? '') ?? '250 ok')
      else if (word === 'DATA') {
        inData = script.DATA === undefined || script.DATA.startsWith('354')
        say(script.DATA ?? '354 go on')
      } else say('250 ok')
    }
    socket.on('data', read)
    say(script.greeting ?? '220 x')
  }

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    if (!tls || !isImplicit) return serve(socket)
    const secure = new TLSSocket(socket, { ...tls, isServer: true, secureContext: createSecureContext(tls) })
    secure.on('error', () => {})
    serve(secure)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    smarthost: `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    commands,
    lines,
    silent,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
