import type { Twilio } from 'twilio'
import { z } from 'zod'
import { fail } from '../model/http-config.ts'
import { httpUrl, integer, maybe, secret, string } from '../model/settings.ts'
import { destinationOf, link, or, sendResolved, template } from './fields.ts'
import { fit, plainText, sizeOf } from './gsm.ts'
import { failedWith, noAnswer, reasonOf } from './http.ts'
import { type Notification, type Outcome, type Reason, channel } from './notifier.ts'

/** A link longer than this leaves too little of the text. */
const LONGEST_LINK = 100
const phone = /^\+[1-9]\d{6,14}$/

const config = z
  .strictObject({
    send_resolved: sendResolved(false),
    to: string.refine((given) => phone.test(given), 'must be a phone number such as +61400000000'),
    text: or(template, '{{ template "tocsin.sms.text" . }}'),
    from: maybe(string),
    messaging_service_sid: maybe(string),
    account_sid: string,
    auth_token: secret,
    api_url: or(httpUrl, 'https://api.twilio.com'),
    max_segments: or(integer, 3),
  })
  .check((context) => {
    const { from, messaging_service_sid, max_segments, account_sid } = context.value
    if (!from && !messaging_service_sid)
      fail(context, 'from', 'needs from or messaging_service_sid (or twilio_from in global)')
    if (max_segments < 1 || max_segments > 10) fail(context, 'max_segments', 'must be 1 to 10')
    if (!/^AC|^<secret>$/.test(account_sid)) fail(context, 'account_sid', 'must begin with AC')
  })

interface Text {
  to: string
  from?: string
  messagingServiceSid?: string
  body: string
  segments: number
  encoding: string
}

/** SMS through Twilio: https://www.twilio.com/docs/messaging/api/message-resource */
export const sms = channel({
  name: 'sms',
  config,
  inherits: {
    account_sid: 'twilio_account_sid',
    auth_token: 'twilio_auth_token',
    from: 'twilio_from',
    messaging_service_sid: 'twilio_messaging_service_sid',
    api_url: 'twilio_api_url',
  },
  ignores: [],
  globals: z.object({
    twilio_account_sid: maybe(string),
    twilio_auth_token: maybe(secret),
    twilio_from: maybe(string),
    twilio_messaging_service_sid: maybe(string),
    twilio_api_url: maybe(httpUrl),
  }),
  standIns: { account_sid: `AC${'0'.repeat(32)}`, auth_token: 'sandbox', from: '+15005550006' },
  deadline: 10_000,
  budget: { burst: 3, refill: 1000, inFlight: 2, digestAbove: 10 },
  onUnconfirmed: 'reconcile',
  fromTeam: (value) => [value].flat().map((to) => ({ to })),
  create(settings) {
    let client: Promise<Client> | undefined
    return {
      compose(notification) {
        const body = textOf(notification, settings)
        const size = sizeOf(body)
        const payload: Text = {
          to: settings.to,
          ...(settings.messaging_service_sid
            ? { messagingServiceSid: settings.messaging_service_sid }
            : { from: settings.from ?? '' }),
          body,
          ...size,
        }
        return {
          to: settings.to,
          title: body.split('\n')[0] ?? '',
          text: body,
          payload,
          destination: destinationOf(
            'sms',
            settings.account_sid,
            settings.messaging_service_sid ?? settings.from ?? '',
          ),
          cost: size.segments,
        }
      },
      async send({ payload }, signal) {
        client ??= openClient(settings.account_sid, settings.auth_token.reveal(), settings.api_url)
        return send(await client, payload, signal)
      },
    }
  },
})

function textOf(notification: Notification, { text, max_segments }: z.output<typeof config>): string {
  const { data, possibleRepeat } = notification
  const said = plainText(notification.text(text, 'text'))
    .replace(/[ \t]*\n\s*/g, '\n')
    .trim()
  const [first] = data.alerts
  const links = [data.commonAnnotations.get('runbook_url'), first?.generatorURL, data.externalURL]
  // plain, as the text: a link with a character beyond GSM-7 would halve what fits
  const tail = links
    .map((one) => link(one ?? ''))
    .find((one) => one !== '' && one.length <= LONGEST_LINK && sizeOf(one).encoding === 'GSM-7')
  return fit((possibleRepeat ? '(possible repeat) ' : '') + said, tail ?? '', max_segments)
}

interface Client {
  twilio: Twilio
  /** Retry-After of the answer before, which Twilio's errors do not carry. */
  retryAfter(): string | null
}

/** Twilio's own client, its requests sent to another origin where one is set. Imported late: it takes half a second. */
async function openClient(account: string, token: string, origin: string): Promise<Client> {
  const { default: twilio } = await import('twilio')
  type Send<T> = typeof twilio.RequestClient.prototype.request<T>
  class Rebased extends twilio.RequestClient {
    override request<T>(options: Parameters<Send<T>>[0]): ReturnType<Send<T>> {
      const { pathname, search } = new URL(options.uri)
      return super.request({ ...options, uri: origin.replace(/\/$/, '') + pathname + search })
    }
  }
  const httpClient = new Rebased({ timeout: 9000 })
  return {
    twilio: twilio(account, token, { httpClient }),
    retryAfter() {
      const headers: unknown = httpClient.lastResponse?.headers
      return typeof headers === 'object' && headers !== null && 'retry-after' in headers
        ? String(headers['retry-after'])
        : null
    },
  }
}

const rejected = new Set([21211, 21610, 21612, 21614, 21635, 30005, 30006, 30007])
const slowDown = new Set([20429, 30001, 30022, 63017])
const refused = new Set([20003, 21606, 21608])

async function send(
  { twilio, retryAfter }: Client,
  { to, from, messagingServiceSid, body }: Text,
  signal: AbortSignal,
): Promise<Outcome> {
  const late = new Promise<Outcome>((resolve) => {
    signal.addEventListener('abort', () => resolve({ state: 'unknown', detail: 'no answer within the deadline' }), {
      once: true,
    })
  })
  const sent = twilio.messages
    .create({ to, body, ...(messagingServiceSid ? { messagingServiceSid } : { from: from ?? '' }) })
    .then(({ sid }): Outcome => ({ state: 'delivered', id: sid }))
    .catch((error: unknown) => whyNot(error, retryAfter()))
  return Promise.race([sent, late])
}

/** Twilio's errors carry credentials: only status, code and message are told on. */
function whyNot(error: unknown, retryAfter: string | null): Outcome {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 0
  if (!(error instanceof Error) || !status) return noAnswer(error)
  const code = 'code' in error ? Number(error.code) : 0
  // a 429 is never processed; what became of a message after a 5xx is not known
  if (status >= 500) return { state: 'unknown', detail: `HTTP ${status}` }
  const says = `${code || ''} ${error.message}`.trim()
  return failedWith(status, says, retryAfter, reasonFor(code, status))
}

function reasonFor(code: number, status: number): Reason {
  if (slowDown.has(code)) return 'rate limited'
  if (rejected.has(code)) return 'rejected'
  if (refused.has(code)) return 'unauthorised'
  return reasonOf(status)
}
