import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { Transporter } from 'nodemailer'
import { z } from 'zod'
import { atMostOne, fail, tlsConfig } from '../model/http-config.ts'
import { flag, hostPort, maybe, secret, string, stringMap } from '../model/settings.ts'
import { destinationOf, needed, or, secretOf, sendResolved, template } from './fields.ts'
import { noAnswer } from './http.ts'
import { type Notification, type Outcome, channel } from './notifier.ts'

type Nodemailer = typeof import('nodemailer')

const services: Record<string, number> = { smtp: 25, smtps: 465, submission: 587 }
const smarthost = hostPort.transform(({ host, port }, context) => {
  const number = services[port] ?? Number(port)
  if (!(number > 0 && number < 65_536)) context.addIssue(`"${port}" is not a port; write it as 587`)
  return { host, port: number }
})
const threading = z
  .strictObject({ enabled: or(flag, false), thread_by_date: or(string, '') })
  .refine(({ enabled, thread_by_date }) => !enabled || /^(?:none|daily)$/.test(thread_by_date), {
    message: 'must be none or daily',
    path: ['thread_by_date'],
  })

const config = z
  .strictObject({
    send_resolved: sendResolved(false),
    to: needed(template, 'is required: the addresses to write to'),
    from: needed(template, 'is required; set it here, or smtp_from in global'),
    smarthost: needed(smarthost, 'is required; set it here, or smtp_smarthost in global'),
    hello: or(string, 'localhost'),
    auth_username: maybe(string),
    auth_password: maybe(secret),
    auth_password_file: maybe(string),
    auth_secret: maybe(secret),
    auth_secret_file: maybe(string),
    auth_identity: maybe(string),
    require_tls: or(flag, true),
    force_implicit_tls: maybe(flag),
    tls_config: maybe(tlsConfig),
    headers: or(stringMap, {}),
    html: or(template, '{{ template "email.default.html" . }}'),
    text: or(template, ''),
    threading: maybe(threading),
  })
  .check((context) => {
    const { headers, threading: threads } = context.value
    atMostOne(context, 'auth_password', 'auth_password_file')
    atMostOne(context, 'auth_secret', 'auth_secret_file')
    const seen = new Set<string>()
    for (const name of Object.keys(headers).map(canonical)) {
      if (seen.has(name)) fail(context, 'headers', `the header ${name} stands there twice`)
      if (threads?.enabled && (name === 'References' || name === 'In-Reply-To'))
        fail(context, 'headers', `the header ${name} is threading's own; leave it out`)
      seen.add(name)
    }
  })

interface Mail {
  from: string
  to: string[]
  subject: string
  text: string
  html: string
  headers: Record<string, string>
}

/** Mail by SMTP (RFC 5321). One group is one thread. */
export const email = channel({
  name: 'email',
  config,
  inherits: {
    from: 'smtp_from',
    smarthost: 'smtp_smarthost',
    hello: 'smtp_hello',
    auth_username: 'smtp_auth_username',
    auth_password: 'smtp_auth_password',
    auth_password_file: 'smtp_auth_password_file',
    auth_identity: 'smtp_auth_identity',
    require_tls: 'smtp_require_tls',
    force_implicit_tls: 'smtp_force_implicit_tls',
    auth_secret: 'smtp_auth_secret',
    auth_secret_file: 'smtp_auth_secret_file',
    tls_config: 'smtp_tls_config',
  },
  ignores: [
    'auth_secret',
    'auth_secret_file',
    'auth_identity',
    'threading',
    'tls_config.cert',
    'tls_config.cert_file',
    'tls_config.min_version',
    'tls_config.max_version',
  ],
  globals: z.object({}),
  standIns: { from: 'tocsin@sandbox.invalid', smarthost: 'sandbox.invalid:587' },
  deadline: 45_000,
  budget: { burst: 20, refill: 200, inFlight: 3, digestAbove: 50 },
  onUnconfirmed: 'resend',
  fromTeam: (value) => [
    {
      to: [value].flat().join(', '),
      headers: { Subject: '{{ template "tocsin.email.subject" . }}' },
      text: '{{ template "tocsin.email.text" . }}',
      html: '{{ template "tocsin.email.html" . }}',
    },
  ],
  create(settings) {
    let transport: Transporter | undefined
    return {
      compose(notification) {
        const payload = compose(settings, notification)
        return {
          to: payload.to.join(', '),
          title: payload.subject,
          text: payload.text || payload.subject,
          payload,
          destination: destinationOf('email', settings.smarthost.host, String(settings.smarthost.port)),
          cost: 1,
        }
      },
      async send({ payload }, signal) {
        const bad = [payload.from, ...payload.to].find((address) => !isAddress(address))
        if (bad !== undefined)
          return {
            state: 'failed',
            reason: 'rejected',
            detail: `${JSON.stringify(bad.slice(0, 100))} is not a mail address`,
          }
        if (payload.to.length === 0) return { state: 'failed', reason: 'rejected', detail: 'there is no recipient' }
        const { createTransport } = await import('nodemailer')
        transport ??= openTransport(settings, createTransport)
        return send(transport, payload, signal)
      },
      close: () => transport?.close(),
    }
  },
})

function compose(settings: z.output<typeof config>, notification: Notification): Mail {
  const headers: Record<string, string> = {}
  for (const [key, source] of Object.entries(settings.headers)) {
    const name = canonical(key)
    if (name === 'Subject') headers[name] = oneLine(notification.text(source, 'headers.Subject'))
    else headers[name] = oneLine(notification.address(source, `headers.${key}`))
    if (headers[name] === '' && name !== 'Subject') delete headers[name]
  }
  const {
    Subject: subject = oneLine(notification.text('{{ template "email.default.subject" . }}', 'headers.Subject')),
    To: _to,
    From: _from,
    ...rest
  } = headers
  const thread = `<group-${createHash('sha256').update(notification.groupKey).digest('hex').slice(0, 16)}@tocsin>`
  const whole = (literal: string) => addressesOf(literal).filter(isAddress).join(', ')
  return {
    from: oneLine(notification.destination(settings.from, 'from', whole)),
    to: addressesOf(notification.destination(settings.to, 'to', whole)),
    subject: (notification.possibleRepeat ? '(possible repeat) ' : '') + subject,
    text: notification.text(settings.text, 'text'),
    html: notification.html(settings.html, 'html'),
    headers: {
      // the same on each attempt: a server that kept both copies shows one
      'Message-ID': `<${notification.id}@${hostname()}>`,
      References: thread,
      'In-Reply-To': thread,
      'Auto-Submitted': 'auto-generated',
      ...rest,
    },
  }
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').trim()
}

function addressesOf(text: string): string[] {
  return oneLine(text)
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}

/** `reply-to` → `Reply-To`, as Go's textproto has it. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (part) => part.toUpperCase())
}

/**
 * One address and nothing else, bare or as `Name <address>`: nodemailer would take groups and lists apart
 * and write to whoever is in them.
 */
export function isAddress(text: string): boolean {
  return (
    /^(?:[^<>@,;:"\\\r\n]*<)?[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?>?$/.test(
      text,
    ) && text.includes('<') === text.endsWith('>')
  )
}

function bare(address: string): string {
  return /<([^>]+)>$/.exec(address)?.[1] ?? address
}

function openTransport(settings: z.output<typeof config>, createTransport: Nodemailer['createTransport']): Transporter {
  const { host, port } = settings.smarthost
  const password = secretOf(settings.auth_password, settings.auth_password_file)
  return createTransport({
    host,
    port,
    name: settings.hello,
    secure: settings.force_implicit_tls ?? port === 465,
    requireTLS: settings.require_tls,
    ignoreTLS: !settings.require_tls && !settings.force_implicit_tls,
    ...(settings.auth_username && { auth: { user: settings.auth_username, pass: password } }),
    tls: {
      servername: settings.tls_config?.server_name ?? host,
      ...(settings.tls_config?.ca_file && { ca: secretOf(undefined, settings.tls_config.ca_file) }),
      ...(settings.tls_config?.ca && { ca: settings.tls_config.ca }),
      ...(settings.tls_config?.insecure_skip_verify && { rejectUnauthorized: false }),
    },
    pool: true,
    maxConnections: 3,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
  })
}

async function send(transport: Transporter, mail: Mail, signal: AbortSignal): Promise<Outcome> {
  const { 'Message-ID': messageId, References: references, 'In-Reply-To': inReplyTo, ...headers } = mail.headers
  const late = new Promise<Outcome>((resolve) => {
    signal.addEventListener('abort', () => resolve({ state: 'unknown', detail: 'no answer within the deadline' }), {
      once: true,
    })
  })
  const sent = transport
    .sendMail({
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
    })
    .then(({ rejected }): Outcome => {
      const refused = rejected?.length ?? 0
      return {
        state: 'delivered',
        ...(refused > 0 && { detail: `${refused} of ${mail.to.length} recipients were refused` }),
      }
    })
    .catch(whyNot)
  return Promise.race([sent, late])
}

/** By SMTP's answer: 4yz may do better later, 5yz will not (RFC 5321 §4.2.1). */
function whyNot(error: unknown): Outcome {
  if (!(error instanceof Error)) return noAnswer(error)
  const code = 'code' in error ? String(error.code) : ''
  const status = 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : 0
  if (code === 'EAUTH')
    return { state: 'failed', reason: 'unauthorised', detail: `SMTP ${status}: the server refused the login` }
  if (code === 'ETLS' || /self-signed|certificate/.test(error.message)) {
    return { state: 'failed', reason: 'configuration', detail: 'the connection could not be secured by TLS' }
  }
  if (status >= 500) return { state: 'failed', reason: 'rejected', detail: `SMTP ${status}` }
  if (status >= 400) return { state: 'failed', reason: 'server error', detail: `SMTP ${status}` }
  const command = 'command' in error ? String(error.command) : ''
  // after DATA the server may have taken it
  if (
    command === 'DATA' ||
    (code === 'ECONNECTION' && /closed unexpectedly/.test(error.message) && command !== 'CONN')
  ) {
    return { state: 'unknown', detail: 'the connection ended before the server confirmed' }
  }
  return { state: 'failed', reason: 'network', detail: code || 'no connection' }
}
