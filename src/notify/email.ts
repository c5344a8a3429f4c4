import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { z } from 'zod'
import { atMostOne, fail, tlsConfig } from '../model/http-config.ts'
import { flag, hostPort, maybe, secret, string, stringMap } from '../model/settings.ts'
import { cut, cutBytes } from './cut.ts'
import { destinationOf, isFixed, needed, or, secretOf, sendResolved, template } from './fields.ts'
import { type Notification, channel } from './notifier.ts'
import { prefaceOf } from './preface.ts'
import { type Mail, type Server, type Smtp, openSmtp, loadSmtp } from './smtp.ts'
import { type Tls, contextOf, readTls } from './tls.ts'

/** What a server surely takes: a header in bytes (RFC 5322 §2.1.1 has 998 in a line), each part in characters. */
export const longest = { header: 900, text: 1_000_000, html: 2_500_000 } as const

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

type Settings = z.output<typeof config>

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
  ignores: [],
  globals: z.object({}),
  standIns: { from: 'tocsin@sandbox.invalid', smarthost: 'sandbox.invalid:587' },
  deadline: 45_000,
  budget: { burst: 20, refill: 200, inFlight: 3, digestAbove: 50 },
  load: () => loadSmtp(),
  onUnconfirmed: 'resend',
  fromTeam: (value) => [
    {
      to: [value].flat().join(', '),
      headers: { Subject: '{{ template "tocsin.email.subject" . }}' },
      text: '{{ template "tocsin.email.text" . }}',
      html: '{{ template "tocsin.email.html" . }}',
    },
  ],
  create(settings, { egress }) {
    let open: { key: string; smtp: Smtp } | undefined
    /** With what files hold now: one may have another password or certificate since. */
    const smtp = () => {
      const password = secretOf(settings.auth_password, settings.auth_password_file)
      const signing = secretOf(settings.auth_secret, settings.auth_secret_file)
      const tls = settings.tls_config && readTls(settings.tls_config)
      const key = JSON.stringify([password, signing, tls])
      if (open?.key !== key) {
        const next = openSmtp(serverOf(settings, { password, signing }, tls), egress)
        open?.smtp.close()
        open = { key, smtp: next }
      }
      return open.smtp
    }
    return {
      fixed: isFixed(settings.to) ? whereTo(addressesOf(settings.to), settings) : undefined,
      compose(notification) {
        const payload = compose(settings, notification)
        return {
          ...whereTo(payload.to, settings),
          title: payload.subject,
          text: payload.text || payload.subject,
          payload,
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
        return smtp().send(payload, signal)
      },
      close: () => open?.smtp.close(),
    }
  },
})

function whereTo(to: readonly string[], { smarthost: server }: Settings) {
  return { to: to.join(', '), destination: destinationOf('email', server.host, String(server.port)) }
}

function serverOf(settings: Settings, secrets: { password: string; signing: string }, tls: Tls | undefined): Server {
  const { smarthost: server, auth_username: user, auth_identity: identity = '' } = settings
  return {
    ...server,
    hello: settings.hello,
    login: user ? { user, identity, ...secrets } : undefined,
    secure: settings.force_implicit_tls ?? server.port === 465,
    requireTls: settings.require_tls,
    ignoreTls: !settings.require_tls && !settings.force_implicit_tls,
    tls: {
      // an address is checked as such, and is no name to ask for (RFC 6066 §3)
      ...((tls?.serverName || isIP(server.host) === 0) && { servername: tls?.serverName || server.host }),
      ...(tls && { secureContext: contextOf(tls), rejectUnauthorized: tls.isVerified }),
    },
  }
}

function compose(settings: Settings, notification: Notification): Mail {
  const headers: Record<string, string> = {}
  for (const [key, source] of Object.entries(settings.headers)) {
    const name = canonical(key)
    if (name === 'Subject') headers[name] = header(notification.text(source, 'headers.Subject'))
    else headers[name] = header(notification.address(source, `headers.${key}`))
    if (headers[name] === '' && name !== 'Subject') delete headers[name]
  }
  const {
    Subject: subject = header(notification.text('{{ template "email.default.subject" . }}', 'headers.Subject')),
    To: _to,
    From: _from,
    ...rest
  } = headers
  const whole = (literal: string) => addressesOf(literal).filter(isAddress).join(', ')
  const from = oneLine(notification.destination(settings.from, 'from', whole))
  return {
    from,
    to: addressesOf(notification.destination(settings.to, 'to', whole)),
    subject: prefaceOf(notification) + subject,
    ...partsOf(settings, notification),
    headers: {
      // the same on each attempt, whichever replica makes it: a server that kept both copies shows one
      'Message-ID': `<${notification.id}@${/@([^@<>\s]+)>?$/.exec(from)?.[1] ?? 'tocsin.invalid'}>`,
      ...threadOf(settings, notification),
      'Auto-Submitted': 'auto-generated',
      ...rest,
    },
  }
}

/** A group is a thread, by a mail that nobody ever got; where the file speaks of threads, by Alertmanager's own and as it says. */
function threadOf({ threading: asked }: Settings, { groupKey, at }: Notification): Record<string, string> {
  if (asked && !asked.enabled) return {}
  const group = createHash('sha256').update(groupKey).digest('hex').slice(0, 16)
  const day = asked?.thread_by_date === 'daily' ? new Date(at).toISOString().slice(0, 10) : ''
  const root = asked ? `<alert-${group}-${day}@alertmanager>` : `<group-${group}@tocsin>`
  return { References: root, 'In-Reply-To': root }
}

/** Both parts. HTML cannot be cut: where it is too long, words take its place. */
function partsOf(settings: Settings, notification: Notification): Pick<Mail, 'text' | 'html'> {
  const html = notification.html(settings.html, 'html')
  const text = notification.text(settings.text, 'text')
  if (html.length <= longest.html) return { text: withNote(text, notification), html }
  const words = text || notification.text('{{ template "tocsin.email.text" . }}', 'text')
  return { text: withNote(`${TOO_LONG}\n\n${words}`, notification), html: '' }
}

const TOO_LONG = 'The formatted version of this mail was too long to send; this is what it says in words.'

/** A text that fits, and says where it was cut and where the whole can be seen. */
function withNote(text: string, { data }: Notification): string {
  if (text.length <= longest.text) return text
  return `${cut(text, longest.text)}\n\nThis mail was cut here: it was longer than ${longest.text} characters.\n${data.externalURL}\n`
}

function header(text: string): string {
  return cutBytes(oneLine(text), longest.header)
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
