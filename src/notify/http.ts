import { Readable } from 'node:stream'
import type { Connections } from './connections.ts'
import { boundary } from './cut.ts'
import { basic, secretsIn } from './fields.ts'
import { AddressRefused } from './lookup.ts'
import type { Outcome, Reason } from './notifier.ts'

/** What a channel answers is short; more of it is not read. Bytes. */
export const LONGEST_ANSWER = 64 * 1024
const LONGEST_WAIT = 15 * 60_000
/** What is told of an answer, characters. */
const LONGEST_WORD = 200

/** An attempt's signal, cut short by a `timeout` of the file; 0 and undefined are none. ms */
export function within(signal: AbortSignal, timeout: number | undefined): AbortSignal {
  if (!timeout || signal.aborted) return signal
  // by hand: of AbortSignal.any and AbortSignal.timeout nobody keeps hold, and what is collected ends nothing
  const either = new AbortController()
  const abort = () => either.abort()
  signal.addEventListener('abort', abort, { once: true })
  setTimeout(abort, timeout).unref()
  return either.signal
}

export interface Request {
  method: 'GET' | 'POST'
  url: string
  headers: Readonly<Record<string, string>>
  body?: string
  /** What must not stand in what is told of the answer, beside the URL: an answer may repeat what it was sent. */
  secrets: readonly string[]
  connections: Connections
  /** How much of the answer is read, bytes; LONGEST_ANSWER where it is not said. */
  longest?: number
  signal: AbortSignal // the deadline over all of it: name, connection, TLS, request and answer
}

/** What came back. */
export interface Answer {
  status: number
  retryAfter: string | undefined
  body: string // at most its beginning
  whole: boolean // false where it broke off, or the time was over
  /** What must not stand in what is told of it. */
  secrets: readonly string[]
}

/** There was no answer. The code is that of what went wrong; messages hold addresses. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly code: string
  readonly sent: boolean // whether the other end may have seen any of the request

  constructor(cause: unknown, sent: boolean) {
    super('no answer', { cause })
    this.code = codeOf(cause)
    this.sent = sent
  }
}

/** Nothing was sent, for what a request needs on its way could not be had. The message holds no secret. */
export class NotSent extends Error {
  override readonly name = 'NotSent'
  readonly reason: Reason

  constructor(reason: Reason, message: string) {
    super(message)
    this.reason = reason
  }
}

/**
 * One request and its answer, whatever library made the request: no redirect is followed, no proxy used but one that the
 * file names, and an answer that is too long is cut off with its connection. Throws NoAnswer.
 */
export async function exchange(given: Request): Promise<Answer> {
  const { method, body, signal, connections, secrets, longest = LONGEST_ANSWER } = given
  let sent = body === undefined // of a request without a body nobody knows
  let answer: Answer | undefined
  try {
    const { url, headers, secrets: login } = withoutCredentials(given)
    const to = new URL(url)
    const way = connections.wayTo(to)
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const asked = way.dispatcher.request({
      origin: way.origin,
      path: way.prefix + to.pathname + to.search,
      method,
      signal,
      headers: { ...headers, ...way.headers, ...(bytes && { 'content-length': String(bytes.length) }) },
      body: bytes
        ? new Readable({
            read() {
              sent = true // it is asked for once there is a connection
              this.push(bytes)
              this.push(null)
            },
          })
        : null,
    })
    const { statusCode, headers: head, body: stream } = await orAborted(asked, signal)
    const retryAfter = head['retry-after']
    const hidden = [given.url, ...login, ...way.secrets, ...secrets]
    answer = { status: statusCode, retryAfter: [retryAfter].flat()[0], body: '', whole: false, secrets: hidden }
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of stream) {
      const piece = Buffer.from(chunk)
      chunks.push(piece)
      length += piece.length
      if (length >= longest) break // which destroys what is left of it
    }
    answer.whole = true
    answer.body = Buffer.concat(chunks).subarray(0, longest).toString()
    return answer
  } catch (error) {
    if (answer) return answer
    throw new NoAnswer(error, sent)
  }
}

/** What is promised, but no later than the signal: undici heeds none while it connects. Rejects with an AbortError. */
export async function orAborted<T>(promised: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => {}
  const aborted = new Promise<never>((_done, reject) => {
    abort = () => reject(new DOMException('the time is over', 'AbortError'))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([promised, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
    promised.catch(() => {}) // what it comes to later is of no use
  }
}

/** For `catch`: errors of a kind are undefined, others are thrown on. */
export function noneOf(kind: new (...given: never[]) => Error): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof kind)) throw error
    return undefined
  }
}

/** A URL without its user and password, which go into a header where there is no other, as Go's client has it. */
function withoutCredentials({ url: given, headers }: Request): Pick<Request, 'url' | 'headers' | 'secrets'> {
  const [user, password] = loginIn(new URL(given))
  if (user === '' && password === '') return { url: given, headers, secrets: [] }
  const own = { Authorization: basic(user, password) }
  return { url: withoutLogin(given), headers: { ...own, ...headers }, secrets: secretsIn(own) }
}

/** A URL without its user and password. */
export function withoutLogin(given: string): string {
  const url = new URL(given)
  url.username = ''
  url.password = ''
  return url.href
}

/** The user and password of a URL. */
export function loginIn({ username, password }: URL): [string, string] {
  return [decoded(username), decoded(password)]
}

/** The same, escaped as they are in it. */
function loginOf(given: string): string[] {
  const { username, password } = new URL(given)
  return [username, password]
}

/** Without its escapes; a text that is not escaped as it should be is taken as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return text
  }
}

/** A text to tell, without secrets and without what stands before and behind the host of a URL among them. */
export function hide(text: string, secrets: readonly string[]): string {
  return secrets
    .flatMap((one) => {
      if (!URL.canParse(one)) return [one]
      const { pathname, search, searchParams } = new URL(one)
      const login = loginOf(one)
      const behind = [pathname + search, ...pathname.split('/'), ...searchParams.values()]
      return [one, withoutLogin(one), ...login, ...login.map(decoded), ...behind]
    })
    .filter(({ length }) => length > 5)
    .toSorted((a, b) => b.length - a.length) // what holds another goes whole
    .reduce((shown, one) => shown.replaceAll(one, '<secret>'), text)
}

/** Whether a channel that answered with a 2xx did so to the end: what breaks off before leaves open what became of it. */
export function isCutShort({ status, whole }: Answer): boolean {
  return status >= 200 && status < 300 && !whole
}

/** What an HTTP status means where the channel has no rule of its own. */
export function reasonOf(status: number): Reason {
  if (status === 429) return 'rate limited'
  if (status === 408 || status === 425) return 'timeout'
  if (status === 401 || status === 403) return 'unauthorised'
  if (status === 407) return 'configuration' // by a proxy, before anybody else saw the request
  return status >= 500 ? 'server error' : 'client error'
}

/** A failure by its status; `says` is a word of the answer, never more than fits in a line. */
export function failedWith(
  status: number,
  says: string,
  retryAfter: string | null | undefined,
  reason = reasonOf(status),
): Outcome {
  const wait = retryAfterMs(retryAfter)
  // oxlint-disable-next-line no-control-regex
  const word = says.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
  return {
    state: 'failed',
    reason,
    detail: `HTTP ${status}${word && `: ${word.slice(0, boundary(word, LONGEST_WORD))}`}`,
    ...(wait !== undefined && { retryAfter: wait }),
  }
}

/** Retry-After in ms: seconds or a date (RFC 9110 §10.2.3), at most 15 min; undefined where there is none. */
export function retryAfterMs(header: string | null | undefined, now = Date.now()): number | undefined {
  if (!header) return undefined
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_WAIT, Math.max(0, ms))
}

const notSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ETIMEOUT', // of a name server
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])
const untrusted =
  /^(?:CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH)/
/** The request could not be written as it is: a header or a URL that holds what none may. */
const unwritable = new Set(['UND_ERR_INVALID_ARG', 'ERR_INVALID_CHAR', 'ERR_INVALID_URL', 'ERR_UNESCAPED_CHARACTERS'])

/**
 * What it means that there was no answer: `network` where nothing was sent, else that its fate is unknown.
 * Only the error's code is told; messages hold addresses.
 */
export function noAnswer(error: unknown): Outcome {
  const causes = [...causesOf(error)]
  const refusal = causes.find((one) => one instanceof AddressRefused)
  if (refusal) return { state: 'failed', reason: 'configuration', detail: `nothing was sent: ${refusal.message}` }
  const early = causes.find((one) => one instanceof NotSent)
  if (early) return { state: 'failed', reason: early.reason, detail: early.message }
  const code = codeOf(error)
  if (unwritable.has(code))
    return { state: 'failed', reason: 'configuration', detail: `a header or the URL holds what it may not: ${code}` }
  if (untrusted.test(code))
    return { state: 'failed', reason: 'configuration', detail: `the connection is not trusted: ${code}` }
  if (notSent.has(code)) return { state: 'failed', reason: 'network', detail: code }
  const isUnsent = causes.some((one) => one instanceof NoAnswer && !one.sent)
  if (isUnsent) return { state: 'failed', reason: 'network', detail: `no connection: ${code || 'it ended'}` }
  const isLate = code === 'AbortError' || code === 'TimeoutError'
  return { state: 'unknown', detail: isLate ? 'no answer in time' : `no answer: ${code || 'the connection ended'}` }
}

/** Codes of errors that stand around the one that says something. */
const wrappers = new Set(['ERR_BAD_RESPONSE', 'slack_webhook_request_error', ''])

/** The first code in an error and its causes; `TimeoutError` and `AbortError` count as such. */
export function codeOf(error: unknown): string {
  for (const cause of causesOf(error)) {
    if ('code' in cause && typeof cause.code === 'string' && !wrappers.has(cause.code)) return cause.code
    if (cause.name === 'TimeoutError' || cause.name === 'AbortError') return cause.name
  }
  return ''
}

/** An error and what stands behind it; Slack's errors have what went wrong in `original`. */
function* causesOf(error: unknown): Generator<Error> {
  for (let cause = error; cause instanceof Error; cause = 'original' in cause ? cause.original : cause.cause)
    yield cause
}
