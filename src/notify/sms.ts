import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Surroundings } from '../model/egress.ts'
import { fail } from '../model/http-config.ts'
import { httpUrl, integer, maybe, secret, string } from '../model/settings.ts'
import { beside, destinationOf, link, or, sendResolved, template, withBeside, withoutContent } from './fields.ts'
import { fit, plainText, sizeOf } from './gsm.ts'
import { noAnswer } from './http.ts'
import { type Notification, channel } from './notifier.ts'
import { prefaceOf } from './preface.ts'
import { createMessage, findMessage, twilioOutcome, loadTwilio } from './twilio.ts'

/** A link longer than this leaves too little of the text. */
const LONGEST_LINK = 100
/** Of what a template makes so much is looked at: ten segments take less. Characters. */
const LONGEST_TEXT = 4000
/** How long Twilio tries, s: as long as a page is worth something, and at most as long as it can. */
const VALIDITY = { page: 3600, other: 36_000 }
/** Where a text with a link is thrown away: https://www.twilio.com/en-us/guidelines/cn/sms */
const withoutLinks = /^\+86/
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

type Settings = z.output<typeof config>

interface Text {
  to: string
  from?: string
  messagingServiceSid?: string
  body: string
  segments: number
  encoding: string
  validityPeriod: number
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
  load: () => Promise.all([loadTwilio(), import('./connections.ts')]),
  onUnconfirmed: 'reconcile',
  fromTeam: (value) => [value].flat().map((to) => ({ to })),
  create: (settings, surroundings) => ({
    fixed: whereTo(settings),
    compose(notification) {
      const { id, severity, at, attempt } = notification
      const reference = referenceOf(id)
      const body = textOf(notification, reference, settings)
      const size = sizeOf(body)
      const payload: Text = {
        to: settings.to,
        ...(settings.messaging_service_sid
          ? { messagingServiceSid: settings.messaging_service_sid }
          : { from: settings.from ?? '' }),
        body,
        ...size,
        validityPeriod: severity === 'critical' ? VALIDITY.page : VALIDITY.other,
      }
      return {
        ...whereTo(settings),
        title: body.split('\n')[0] ?? '',
        text: body,
        payload: withBeside(payload, { reference, at, attempt }),
        cost: size.segments,
        reference,
      }
    },
    async send({ payload }, signal) {
      const { segments: _segments, encoding: _encoding, ...wanted } = payload
      const { statusCallback } = surroundings
      const account = await accountOf(settings, surroundings, signal)
      const create = (body: string) =>
        createMessage(account, { ...wanted, body, ...(statusCallback && { statusCallback }) })
      try {
        const answer = await create(payload.body)
        const isTooLarge = answer.status === 413 && payload.segments > 1
        return twilioOutcome(isTooLarge ? await create(fit(payload.body, '', 1)) : answer, payload[beside].attempt)
      } catch (error) {
        return noAnswer(error)
      }
    },
    async reconcile({ payload }, signal) {
      const { reference, at } = payload[beside]
      return findMessage(await accountOf(settings, surroundings, signal), payload.to, mark(reference), at)
    },
  }),
})

function whereTo({ to, account_sid, messaging_service_sid, from }: Settings) {
  return { to, destination: destinationOf('sms', account_sid, messaging_service_sid ?? from ?? '') }
}

async function accountOf(
  { account_sid, auth_token, api_url }: Settings,
  { egress }: Surroundings,
  signal: AbortSignal,
) {
  const { connectionsFor } = await import('./connections.ts')
  return {
    sid: account_sid,
    token: auth_token.reveal(),
    origin: api_url.replace(/\/$/, ''),
    connections: connectionsFor(egress, true),
    signal,
  }
}

const letters = 'BCDFGHJKLMNPQRSTVWXZ' // no vowels: it spells no words

/** Four letters by which a text is found again and answered, the same on each attempt. */
export function referenceOf(notification: string): string {
  const digest = createHash('sha256').update(withoutContent(notification)).digest()
  return [0, 2, 4, 6].map((at) => letters[digest.readUInt16BE(at) % letters.length]).join('')
}

/** How the reference stands in the text. */
function mark(reference: string): string {
  return `#${reference}`
}

function textOf(notification: Notification, reference: string, { text, to, max_segments }: Settings): string {
  const { data } = notification
  const [first] = data.alerts
  const links = [data.commonAnnotations.get('runbook_url'), first?.generatorURL, data.externalURL]
    .map((one) => link(one ?? ''))
    .filter((one) => one !== '' && !withoutLinks.test(to))
  const said = plainText(notification.text(text, 'text', (part) => onlyKnownLinks(part, links)).slice(0, LONGEST_TEXT))
    .replace(/[ \t]*\n\s*/g, '\n')
    .trim()
  // plain, as the text: a link with a character beyond GSM-7 would halve what fits
  const tail = links.find((one) => one.length <= LONGEST_LINK && sizeOf(one).encoding === 'GSM-7')
  const ending = [tail, mark(reference)].filter(Boolean).join(' ')
  return fit(prefaceOf(notification) + said, ending, max_segments)
}

/** What a label says without links of its own: who gets a text must not be led anywhere but to what the alert is about. */
function onlyKnownLinks(text: string, known: readonly string[]): string {
  return text.replace(/\b(?:https?:\/\/|www\.)\S+/gi, (found) =>
    known.some((one) => found.startsWith(one)) ? found : '',
  )
}
