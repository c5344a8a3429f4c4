import { createHmac } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { SecureContext } from 'node:tls'
import type { SMTPPoolOptions, SMTPPoolSentMessageInfo, SendMailOptions, Transporter } from 'nodemailer'
import type { Egress } from '../model/egress.ts'
import { noAnswer } from './http.ts'
import { AddressRefused } from './lookup.ts'
import type { Outcome } from './notifier.ts'
import type { Verdict, Verdicts } from './verdict.ts'

export interface Mail {
  from: string
  to: string[]
  subject: string
  text: string
  html: string
  headers: Record<string, string>
}

/** A server, and how it is to be spoken to. */
export interface Server {
  host: string
  port: number
  hello: string
  login: Login | undefined
  secure: boolean // TLS from the first byte
  requireTls: boolean
  ignoreTls: boolean
  tls: { servername?: string; secureContext?: SecureContext; rejectUnauthorized?: boolean }
}

/** Who logs in, and by what; '' for what there is none of. */
interface Login {
  user: string
  password: string
  signing: string // the secret of CRAM-MD5
  identity: string // for whom PLAIN logs in
}

type Pool = Transporter<SMTPPoolSentMessageInfo, SMTPPoolOptions>

export interface Smtp {
  send(mail: Mail, signal: AbortSignal): Promise<Outcome>
  close(): void
}

/** Amazon's words for too much at once and in a day, which are gone some minutes later. */
export const smtpWords: Verdicts = {
  'Maximum sending rate exceeded': { means: 'rate limited', wait: 60_000 },
  'Daily message quota exceeded': { means: 'rate limited', wait: 10 * 60_000 },
  'Throttling failure': { means: 'rate limited', wait: 5 * 60_000 },
}

/** Replies that mean something of their own; of others the first digit decides (RFC 5321 §4.2.1). */
export const smtpReplies: Verdicts = {
  421: { means: 'server error' },
  450: { means: 'server error' },
  451: { means: 'server error' },
  452: { means: 'server error' },
  454: { means: 'server error' },
  530: { means: 'unauthorised' },
  534: { means: 'unauthorised' },
  535: { means: 'unauthorised' },
  538: { means: 'unauthorised' },
  550: { means: 'rejected' },
  551: { means: 'rejected' },
  552: { means: 'rejected' },
  553: { means: 'rejected' },
  554: { means: 'rejected' },
}

/** What a connection is made with. */
export function loadSmtp() {
  return Promise.all([import('nodemailer'), import('./connections.ts')])
}

/** A few connections to one server, by nodemailer; an address is checked when it is connected to. */
async function openPool(server: Server, egress: Egress): Promise<Smtp> {
  const [{ createTransport }, { connectionsFor }] = await loadSmtp()
  const { host, port, hello, login, secure, requireTls, ignoreTls, tls } = server
  const connections = connectionsFor(egress, true)
  const options: SMTPPoolOptions & { pool: true } = {
    host,
    port,
    name: hello,
    secure,
    requireTLS: requireTls,
    ignoreTLS: ignoreTls,
    ...(login && authOf(login)),
    tls,
    pool: true,
    maxConnections: 3,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    idleTimeout: 60_000,
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket(_options, done) {
      connections.connect(host, port).then(
        (connection) => done(null, { connection }),
        (error: unknown) => done(error instanceof Error ? error : new Error('no connection'), false),
      )
    },
  }
  const transport = createTransport(options)
  const contents = watchContents(transport)
  return {
    send: (mail, signal) => send(transport, mail, contents, signal),
    close: () => transport.close(),
  }
}

/** A password goes by what the server offers of PLAIN, LOGIN and CRAM-MD5, in this order; a secret by CRAM-MD5 alone. */
function authOf({ user, password, signing, identity }: Login): Pick<SMTPPoolOptions, 'auth' | 'customAuth'> {
  return {
    auth: { user, pass: password || signing, ...(password === '' && signing && { method: 'CRAM-MD5' }) },
    customAuth: {
      // nodemailer's logs in for nobody but who logs in
      ...(identity && {
        async PLAIN({ sendCommand }) {
          const { status } = await sendCommand(`AUTH PLAIN ${toBase64([identity, user, password].join('\0'))}`)
          if (status !== 235) throw new Error('refused')
        },
      }),
      // nodemailer's signs with the password
      ...(signing && {
        async 'CRAM-MD5'({ sendCommand }) {
          const { status: begun, text } = await sendCommand('AUTH CRAM-MD5')
          if (begun !== 334) throw new Error('refused')
          const digest = createHmac('md5', signing).update(Buffer.from(text, 'base64')).digest('hex')
          const { status } = await sendCommand(toBase64(`${user} ${digest}`))
          if (status !== 235) throw new Error('refused')
        },
      }),
    },
  }
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** The same at once; closed only when the mails that it was given are done. After `close` it is to be given none. */
export function openSmtp(server: Server, egress: Egress): Smtp {
  const opening = openPool(server, egress)
  let isClosing = false
  let count = 0
  const endIfDone = () => {
    if (isClosing && count === 0) void opening.then(({ close }) => close()).catch(() => {}) // of no use by then
  }
  return {
    async send(mail, signal) {
      count += 1
      try {
        return await (await opening).send(mail, signal)
      } finally {
        count -= 1
        endIfDone()
      }
    },
    close() {
      isClosing = true
      endIfDone()
    },
  }
}

/**
 * The content of each mail that is on its way, by its Message-ID. While nobody has read of it the server has none of the
 * mail; nodemailer's errors say nothing of it.
 */
function watchContents(transport: Pool): Map<string, Readable> {
  const contents = new Map<string, Readable>()
  transport.use('stream', ({ message, data }, done) => {
    const { createReadStream } = message
    message.createReadStream = (...options) => {
      const content = createReadStream.apply(message, options)
      contents.set(String(data.messageId), content)
      return content
    }
    done()
  })
  return contents
}

async function send(
  transport: Pool,
  mail: Mail,
  contents: Map<string, Readable>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { 'Message-ID': messageId = '', References: references, 'In-Reply-To': inReplyTo, ...headers } = mail.headers
  const wanted: SendMailOptions = {
    from: mail.from,
    to: mail.to,
    subject: mail.subject,
    text: mail.text || undefined,
    html: mail.html || undefined,
    envelope: { from: bare(mail.from), to: mail.to.map(bare) },
    messageId,
    references,
    inReplyTo,
    headers,
    signal,
  }
  try {
    const { rejected, rejectedErrors } = await transport.sendMail(wanted)
    if (rejected.length === 0) return { state: 'delivered' }
    const codes = [...new Set(rejectedErrors?.map(({ responseCode }) => responseCode))].join(', ')
    const detail = `${rejected.length} of ${mail.to.length} recipients were refused${codes && `: SMTP ${codes}`}`
    return { state: 'delivered', detail }
  } catch (error) {
    const isBegun = contents.get(messageId)?.readableDidRead ?? false
    return whyNot(error, isBegun)
  } finally {
    contents.delete(messageId)
  }
}

function bare(address: string): string {
  return /<([^>]+)>$/.exec(address)?.[1] ?? address
}

/** By SMTP's answer; where there is none, by whether any of the mail was on its way. */
function whyNot(error: unknown, isBegun: boolean): Outcome {
  if (!(error instanceof Error)) return noAnswer(error)
  if (error instanceof AddressRefused) return noAnswer(error)
  const text = (key: string) => (key in error ? String(new Map(Object.entries(error)).get(key) ?? '') : '')
  const code = text('code')
  const reply = replyOf(error)
  const verdict = reply && verdictOf(reply)
  if (code === 'ETLS' || (!reply && untrusted.test(`${text('originalCode')} ${error.message}`)))
    return { state: 'failed', reason: 'configuration', detail: 'the connection could not be secured by TLS' }
  // a login may be refused for now only
  if (code === 'EAUTH' && verdict?.means !== 'server error' && verdict?.means !== 'rate limited')
    return { state: 'failed', reason: 'unauthorised', detail: `SMTP ${reply?.code ?? 0}: the server refused the login` }
  if (verdict && verdict.means !== 'unknown') {
    const { means, wait } = verdict
    return {
      state: 'failed',
      reason: means,
      detail: `SMTP ${reply.code}`,
      ...(wait !== undefined && { retryAfter: wait }),
    }
  }
  if (isBegun) return { state: 'unknown', detail: 'the connection ended before the server confirmed' }
  if (code === 'EABORT') return { state: 'failed', reason: 'timeout', detail: 'the server was not ready in time' }
  return { state: 'failed', reason: 'network', detail: text('originalCode') || code || 'no connection' }
}

const untrusted = /self-signed|certificate|CERT_|ERR_TLS|ERR_SSL|altnames/i

interface Reply {
  code: number
  says: string
}

/** What the server said; of several recipients who were all refused, what may change where anything may. */
function replyOf(error: Error): Reply | undefined {
  const rejections: unknown = 'rejectedErrors' in error ? error.rejectedErrors : undefined
  const all = [...(Array.isArray(rejections) ? rejections : []), error].flatMap((one: unknown): Reply[] =>
    one instanceof Error && 'responseCode' in one && typeof one.responseCode === 'number'
      ? [{ code: one.responseCode, says: 'response' in one ? String(one.response) : '' }]
      : [],
  )
  return all.find(({ code }) => code >= 400 && code < 500) ?? all[0]
}

function verdictOf({ code, says }: Reply): Verdict {
  const word = Object.keys(smtpWords).find((one) => says.includes(one))
  const known = (word === undefined ? undefined : smtpWords[word]) ?? smtpReplies[code]
  if (known) return known
  return { means: code >= 400 && code < 500 ? 'server error' : 'rejected' }
}
