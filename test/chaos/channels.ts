import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import { pagerdutyAnswer, slackAnswer, twilioAnswer } from '../helpers/http-sink.ts'
import { type Answered, type Kind, type Request, append, readLedger } from './ledger.ts'

/** What a fake channel does with what it has read. */
export type Behaviour =
  | { does: 'ok'; after?: number; until?: Promise<void>; afterwards?: () => void } // after so many ms, or when told; `afterwards`: once the answer has left
  | { does: 'refuse'; status: number; headers?: Record<string, string>; body?: string }
  | { does: 'hang' } // never answers
  | { does: 'drip' } // a byte each 200 ms, without an end
  | { does: 'reset' } // the connection, after reading
  | { does: 'cut' } // after the head of the answer
  | { does: 'run'; what: () => unknown } // such as the engine's end, before any answer; then never answers

export type Behave = (request: Request) => Behaviour

/** A fake channel: its requests are in the ledger before they are answered. */
export interface FakeChannel extends AsyncDisposable {
  kind: Kind
  port: number
  ledger: string
  behave: Behave
  read(): (Request | Answered)[]
  /** How many requests it has read. */
  count: number
  /** Lets go of its port: connections are refused. */
  close(): Promise<void>
  /** Takes the same port again. */
  reopen(): Promise<void>
}

const good: Record<
  Exclude<Kind, 'email'>,
  (request: Request) => { status?: number; headers?: Record<string, string>; body?: string }
> = {
  webhook: () => ({ status: 200, body: 'ok' }),
  slack: (request) => slackAnswer(asReceived(request)),
  pagerduty: (request) => pagerdutyAnswer(asReceived({ ...request, to: '/v2/enqueue' })),
  sms: (request) => twilioAnswer(asReceived({ ...request, to: request.headers['x-path'] ?? '' })),
}

function asReceived({ to, headers, body, at }: Request) {
  return { method: 'POST', path: to, headers, body, at, port: 0 }
}

export async function openChannel(
  kind: Kind,
  dir: string,
  behave: Behave = () => ({ does: 'ok' }),
): Promise<FakeChannel> {
  const ledger = join(dir, `${kind}.jsonl`)
  const channel = { kind, port: 0, ledger, behave, count: 0, read: () => readLedger<Request | Answered>(ledger) }
  const take = (request: Omit<Request, 'n' | 'at' | 'kind'>): Request => {
    const whole = { n: (channel.count += 1), at: Date.now(), kind, ...request }
    append(ledger, whole)
    return whole
  }
  const note = ({ n }: Request, answered: string) => append(ledger, { n, kind, answered, at: Date.now() })
  const transport = kind === 'email' ? openSmtp() : openHttp()
  await transport.listen()

  /** Twilio's list of messages, for who asks whether one has arrived. */
  function taken(): string {
    const answers = new Map<number, string>()
    const lines = channel.read()
    for (const line of lines) if ('answered' in line) answers.set(line.n, line.answered)
    const messages = lines.flatMap((line) => {
      if ('answered' in line || /^[45]/.test(answers.get(line.n) ?? '')) return []
      const body = new URLSearchParams(line.body).get('Body') ?? ''
      const sentAt = new Date(line.at).toUTCString()
      return [
        {
          sid: `SM${String(line.n).padStart(32, '0')}`,
          to: line.to,
          body,
          status: 'delivered',
          date_sent: sentAt,
          date_created: sentAt,
        },
      ]
    })
    return JSON.stringify({ messages: messages.reverse(), next_page_uri: null, page: 0, page_size: 50 })
  }

  return Object.assign(channel, {
    close: () => transport.close(),
    reopen: () => transport.listen(),
    [Symbol.asyncDispose]: () => transport.close(),
  })

  function openHttp() {
    const answer = async (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array))
      if (request.method === 'GET')
        return void response.writeHead(200, { 'Content-Type': 'application/json' }).end(taken())
      const line = take(asRequest(kind, request, Buffer.concat(chunks).toString()))
      const what = channel.behave(line)
      if (what.does === 'refuse') {
        note(line, String(what.status))
        response.writeHead(what.status, what.headers ?? {}).end(what.body ?? '')
      } else if (what.does === 'ok') {
        if (what.after) await sleep(what.after)
        await what.until
        const { status = 200, headers = {}, body = '' } = kind === 'email' ? {} : good[kind](line)
        if (response.destroyed) return
        note(line, status < 300 ? 'ok' : String(status))
        response.writeHead(status, headers).end(body, () => what.afterwards?.())
      } else if (what.does === 'reset') {
        request.socket.resetAndDestroy()
      } else if (what.does === 'cut') {
        response
          .writeHead(kind === 'pagerduty' ? 202 : 200, { 'Content-Length': '100' })
          .write('o', () => request.socket.destroy())
      } else if (what.does === 'drip') {
        response.writeHead(200, { 'Content-Type': 'text/plain' })
        while (!response.destroyed) {
          response.write('.')
          await sleep(200)
        }
      } else if (what.does === 'run') {
        what.what()
      }
    }
    let server: Server
    return {
      async listen() {
        server = createServer((request, response) => void answer(request, response).catch(() => {})) // the engine may be dead
        server.listen(channel.port, '127.0.0.1')
        await once(server, 'listening')
        channel.port = (server.address() as AddressInfo).port
      },
      async close() {
        if (!server.listening) return
        server.closeAllConnections()
        const closed = once(server, 'close')
        server.close()
        await closed
      },
    }
  }

  function openSmtp() {
    let server: SMTPServer
    return {
      async listen() {
        server = new SMTPServer({
          disabledCommands: ['STARTTLS'],
          allowInsecureAuth: true,
          authOptional: true,
          onAuth: ({ username = '', password = '' }, _session, done) => done(null, { user: `${username}:${password}` }),
          onData(stream, session, done) {
            const chunks: Buffer[] = []
            stream.on('data', (chunk: Buffer) => chunks.push(chunk))
            stream.on('end', () => {
              const line = take({
                to: session.envelope.rcptTo.map(({ address }) => address).join(','),
                credential: typeof session.user === 'string' ? session.user : '',
                headers: {},
                body: Buffer.concat(chunks).toString(),
              })
              void finish(line, done)
            })
          },
        })
        server.on('error', () => {})
        server.listen(channel.port, '127.0.0.1')
        await once(server.server, 'listening')
        channel.port = (server.server.address() as AddressInfo).port
      },
      close: () => new Promise<void>((closed) => server.close(() => closed())),
    }
    async function finish(line: Request, done: (error?: Error | null) => void) {
      const what = channel.behave(line)
      if (what.does === 'refuse') {
        note(line, String(what.status))
        return done(Object.assign(new Error('refused'), { responseCode: what.status }))
      }
      if (what.does === 'ok') {
        if (what.after) await sleep(what.after)
        note(line, 'ok')
        done(null)
        return what.afterwards?.()
      }
      if (what.does === 'run') what.what()
    }
  }
}

function asRequest(
  kind: Kind,
  { url = '', headers }: IncomingMessage,
  body: string,
): Omit<Request, 'n' | 'at' | 'kind'> {
  const kept = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
  if (kind === 'pagerduty') {
    const { routing_key = '' } = JSON.parse(body) as { routing_key?: string }
    return { to: routing_key, credential: routing_key, headers: kept, body }
  }
  if (kind === 'sms') {
    const login = Buffer.from(kept['authorization']?.replace('Basic ', '') ?? '', 'base64').toString()
    return {
      to: new URLSearchParams(body).get('To') ?? '',
      credential: login,
      headers: { ...kept, 'x-path': url },
      body,
    }
  }
  return { to: url, credential: '', headers: kept, body }
}
