import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

export interface Delivered {
  from: string
  to: string[]
  mail: ParsedMail
  raw: string
  login: string // `user:password`, '' without one
}

export interface SmtpSink extends AsyncDisposable {
  smarthost: string
  mails: Delivered[]
  receives(count: number): Promise<Delivered[]>
  /** How many connections stand. */
  connections(): number
  /** What to refuse with, by command; an SMTP code. */
  refuse: { mail?: number; rcpt?: number; data?: number }
}

/**
 * A real SMTP server that keeps the mails it gets. Plain, or with a login by `mechanisms` that must be `user` and `pass`, or that
 * may be any.
 */
export async function openSmtpSink({
  login = false,
  mechanisms = ['PLAIN', 'LOGIN'],
}: { login?: boolean | 'any'; mechanisms?: string[] } = {}): Promise<SmtpSink> {
  const waiting: { count: number; done: (mails: Delivered[]) => void }[] = []
  const refusal = (code: number) => Object.assign(new Error('refused'), { responseCode: code })
  const server = new SMTPServer({
    disabledCommands: login ? ['STARTTLS'] : ['STARTTLS', 'AUTH'],
    authOptional: !login,
    allowInsecureAuth: true,
    authMethods: mechanisms,
    onAuth({ username = '', password = '', validatePassword, method }, _session, done) {
      const isRight = method === 'CRAM-MD5' ? validatePassword('pass') : password === 'pass'
      if (login === 'any' || (username === 'user' && isRight)) done(null, { user: `${username}:${password}` })
      else done(new Error('bad login'))
    },
    onMailFrom: (_address, _session, done) => done(sink.refuse.mail ? refusal(sink.refuse.mail) : null),
    onRcptTo: (_address, _session, done) => done(sink.refuse.rcpt ? refusal(sink.refuse.rcpt) : null),
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (sink.refuse.data) return done(refusal(sink.refuse.data))
        const raw = Buffer.concat(chunks).toString()
        void simpleParser(raw).then((mail) => {
          const { mailFrom, rcptTo } = session.envelope
          sink.mails.push({
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            mail,
            raw,
            login: typeof session.user === 'string' ? session.user : '',
          })
          for (const { count, done: enough } of waiting) if (sink.mails.length >= count) enough(sink.mails)
          done(null)
        })
      })
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  const sink: SmtpSink = {
    smarthost: `127.0.0.1:${port}`,
    mails: [],
    refuse: {},
    connections: () => server.connections.size,
    receives(count) {
      if (sink.mails.length >= count) return Promise.resolve(sink.mails)
      return new Promise((done) => waiting.push({ count, done }))
    },
    [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())),
  }
  return sink
}
