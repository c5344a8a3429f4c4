import { once } from 'node:events'
import { type IncomingMessage, type RequestListener, type ServerResponse, createServer } from 'node:http'
import { type ServerOptions, createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'

export interface Received {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
  at: number
  port: number // of the sender: the same for requests over one connection
  isAuthorized?: boolean // by a certificate that the server trusts
}

/** How a sink answers: an HTTP answer, or what goes wrong instead. */
export interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: string
  fault?: 'hang' | 'reset' // after it has read the request
}

export interface HttpSink extends AsyncDisposable {
  url: string
  port: number
  requests: Received[]
  /** How many connections stand. */
  connections(): Promise<number>
  /** Resolves once there are so many requests. */
  receives(count: number): Promise<Received[]>
  answer: (request: Received, nth: number) => Answer
}

/** A real HTTP server that keeps what it gets and answers as told. */
export async function openHttpSink(
  answer: Answer | ((request: Received, nth: number) => Answer) = { status: 200, body: 'ok' },
  tls?: ServerOptions,
): Promise<HttpSink> {
  const requests: Received[] = []
  const waiting: { count: number; done: (all: Received[]) => void }[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const { method = '', url: path = '', headers } = request
    const received = {
      method,
      path,
      headers,
      body: Buffer.concat(chunks).toString(),
      at: Date.now(),
      port: request.socket.remotePort ?? 0,
      isAuthorized: request.socket instanceof TLSSocket && request.socket.authorized,
    }
    requests.push(received)
    const { status = 200, headers: given = {}, body = '', fault } = sink.answer(received, requests.length)
    for (const { count, done } of waiting) if (requests.length >= count) done(requests)
    if (fault === 'hang') return
    if (fault === 'reset') return request.socket.resetAndDestroy()
    response.writeHead(status, given)
    response.end(body)
  }
  const listener: RequestListener = (request, response) => void handle(request, response)
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sink: HttpSink = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => promisify(server.getConnections.bind(server))(),
    answer: typeof answer === 'function' ? answer : () => answer,
    receives(count) {
      if (requests.length >= count) return Promise.resolve(requests)
      return new Promise((done) => waiting.push({ count, done }))
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return sink
}

/** Slack's incoming webhook: `ok`, or 400 for what has no text and no attachment. */
export function slackAnswer({ body, headers }: Received): Answer {
  if (!headers['content-type']?.startsWith('application/json')) return { status: 400, body: 'invalid_payload' }
  const message: { attachments?: unknown[]; text?: string } = JSON.parse(body)
  return message.attachments?.length || message.text ? { status: 200, body: 'ok' } : { status: 400, body: 'no_text' }
}

/** PagerDuty's Events API v2 at /v2/enqueue: 202, or 400 with what is wrong. */
export function pagerdutyAnswer({ body, path }: Received): Answer {
  if (path !== '/v2/enqueue') return { status: 404, body: 'not found' }
  const event: {
    routing_key?: string
    event_action?: string
    dedup_key?: string
    payload?: { summary?: string; source?: string; severity?: string }
  } = JSON.parse(body)
  const errors = [
    ...(event.routing_key ? [] : ["'routing_key' is missing or blank"]),
    ...(['trigger', 'acknowledge', 'resolve'].includes(event.event_action ?? '') ? [] : ["'event_action' is invalid"]),
    ...(event.payload?.summary && event.payload.source
      ? []
      : ["'payload.summary' or 'payload.source' is missing or blank"]),
    ...(['critical', 'error', 'warning', 'info'].includes(event.payload?.severity ?? '')
      ? []
      : ["'payload.severity' is invalid"]),
  ]
  const headers = { 'Content-Type': 'application/json' }
  if (errors.length > 0)
    return {
      status: 400,
      headers,
      body: JSON.stringify({ status: 'invalid event', message: 'Event object is invalid', errors }),
    }
  return {
    status: 202,
    headers,
    body: JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: event.dedup_key }),
  }
}

/** Twilio's message resource: 201 with a sid, 401 without the account's credentials, 400 with Twilio's codes. */
export function twilioAnswer({ body, headers, path }: Received): Answer {
  const json = { 'Content-Type': 'application/json' }
  const error = (status: number, code: number, message: string) => ({
    status,
    headers: json,
    body: JSON.stringify({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }),
  })
  const account = /^\/2010-04-01\/Accounts\/(AC\w+)\/Messages\.json$/.exec(path)?.[1]
  const [user, password] = Buffer.from(headers.authorization?.replace('Basic ', '') ?? '', 'base64')
    .toString()
    .split(':')
  if (!account || user !== account || !password) return error(401, 20003, 'Authenticate')
  const form = new URLSearchParams(body)
  if (!form.get('Body')) return error(400, 21602, 'Message body is required.')
  if (!form.get('To')?.startsWith('+')) return error(400, 21211, "Invalid 'To' Phone Number")
  return {
    status: 201,
    headers: json,
    body: JSON.stringify({
      sid: 'SM00000000000000000000000000000001',
      status: 'queued',
      to: form.get('To'),
      body: form.get('Body'),
    }),
  }
}
