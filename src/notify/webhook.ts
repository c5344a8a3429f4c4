import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { commonLabels, toRecord } from '../model/labels.ts'
import { Secret } from '../model/secret.ts'
import { atMostOne, fail, httpConfig, isSet } from '../model/http-config.ts'
import { goDuration, integer, maybe, secret, string } from '../model/settings.ts'
import { whyNoUrl } from '../model/url.ts'
import { type Asking, openClient } from './client.ts'
import { cut as cutText } from './cut.ts'
import { beside, destinationOf, isFixed, link, or, secretOf, sendResolved, unheeded, withBeside } from './fields.ts'
import { type Answer, NoAnswer, type Request, exchange, isCutShort, within, withoutLogin } from './http.ts'
import { toJson } from '../model/json.ts'
import type { TemplateData } from '../template/data.ts'
import { TemplateError, syntaxError } from '../template/templates.ts'
import { type Notification, type Outcome, channel } from './notifier.ts'
import { type Verdicts, failedBy } from './verdict.ts'

/** Of a title in lists, characters. */
const LONGEST_TITLE = 1024
/** Of an annotation where the whole was too large for who gets it, characters. */
const SHORT = 512

const NO_TEMPLATE = 'its template does not parse (here it knows no functions but those of the language)'
/** Alertmanager checks a template here with the functions of the language alone. */
const destination = string.transform((given, context) => {
  const isTemplate = given.includes('{{')
  const wrong = isTemplate ? syntaxError(given, 'language only') && NO_TEMPLATE : whyNoUrl(given)
  if (wrong && given !== '<secret>') context.addIssue(`is not a URL: ${wrong}; write it as https://host/path`)
  return new Secret(given)
})

const config = z
  .strictObject({
    send_resolved: sendResolved(true),
    url: maybe(destination),
    url_file: maybe(string),
    max_alerts: or(
      integer.refine((given) => given >= 0, 'cannot be negative'),
      0,
    ), // 0: all of them
    timeout: maybe(goDuration),
    payload: z.unknown().optional(),
    http_config: maybe(httpConfig),
    /** Tocsin's own: with what requests are signed, as Standard Webhooks has it. */
    signing_secret: maybe(secret),
    signing_secret_file: maybe(string),
  })
  .check((context) => {
    const { url: given, url_file } = context.value
    atMostOne(context, 'signing_secret', 'signing_secret_file')
    if (!isSet(given) && !isSet(url_file)) fail(context, 'url', 'needs url or url_file')
    if (isSet(given) && isSet(url_file)) fail(context, 'url_file', 'cannot stand beside url; keep one of them')
  })

type Settings = z.output<typeof config>

/** Alertmanager's webhook, payload version 4. */
export const webhook = channel({
  name: 'webhook',
  config,
  inherits: { http_config: 'http_config' },
  ignores: unheeded,
  globals: z.object({}),
  standIns: {},
  deadline: 10_000,
  budget: { burst: 1, refill: 0, inFlight: 16, digestAbove: 0 },
  load: () => Promise.all([import('axios'), import('./connections.ts')]),
  onUnconfirmed: 'resend',
  fromTeam: (value) => [value].flat().map((url) => ({ url })),
  create(settings, surroundings) {
    const client = openClient(settings.http_config, surroundings)
    const fixedUrl = settings.url?.reveal() ?? ''
    return {
      fixed: isFixed(fixedUrl) ? whereTo(fixedUrl, fixedUrl) : undefined,
      compose(notification) {
        const standard = toPayload(notification, settings.max_alerts)
        const body = bodyOf(settings, notification, settings.max_alerts)
        const given = secretOf(settings.url, settings.url_file)
        const url = notification.destination(given, 'url', wholeUrl)
        const isKnown = isLiteral(url, given)
        const sending = {
          body: toJson(body),
          smaller: () => smaller(settings, notification),
          url: new Secret(isKnown || !link(url) ? url : withoutLogin(url)), // whom a label names gets no login
          isLiteral: isKnown,
          headers: { 'webhook-id': notification.id, 'webhook-attempt': String(notification.attempt) },
        }
        const summary = notification.text('{{ template "__subject" . }}', 'subject')
        return {
          ...whereTo(url, given),
          title: cutText(summary, LONGEST_TITLE),
          text: `${standard.alerts.length} alerts, ${standard.notification_reason}`,
          payload: withBeside(isMap(body) ? body : { body }, sending),
          cost: 1,
        }
      },
      async send({ payload }, signal) {
        const { url: target, headers: own, body, smaller: less, isLiteral: isKnown } = payload[beside]
        const url = target.reveal()
        if (!link(url)) return { state: 'failed', reason: 'configuration', detail: 'url is empty or no URL' }
        const key = secretOf(settings.signing_secret, settings.signing_secret_file)
        const sendAll = async ({ headers, secrets, ...asking }: Asking) => {
          const send = (text: string) => {
            const line = `${text}\n`
            return post({
              url,
              body: line,
              headers: { ...headers, ...own, ...stamp(key, own['webhook-id'], line) },
              secrets: [...secrets, key],
              ...asking,
            })
          }
          const answer = await send(body)
          const second = answer.status === 413 ? less() : undefined
          return outcomeOf(second === undefined ? answer : await send(second))
        }
        return client.attempt(within(signal, settings.timeout), sendAll, isKnown)
      },
      close: () => client.close(),
    }
  },
})

function whereTo(url: string, given: string) {
  return { to: 'webhook', destination: destinationOf('webhook', originOf(url), given) }
}

/** Scheme, host and port of a URL; '' where it is none. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : ''
}

/** Whether scheme, host and port of a URL stand as such in the file: what comes out of labels may be anybody's. */
export function isLiteral(url: string, template: string): boolean {
  if (!template.includes('{{')) return true
  const written = template.match(/https?:\/\/[^\s/?#{}"'`\\|]+/gi) ?? []
  return written.some((one) => originOf(one) !== '' && originOf(one) === originOf(url))
}

function bodyOf(settings: Settings, notification: Notification, maxAlerts: number): unknown {
  if (settings.payload === undefined || settings.payload === null) return toPayload(notification, maxAlerts)
  return notification.structure(settings.payload, 'payload', cut(notification.data, maxAlerts))
}

/** Half of the alerts, or of a single one shorter annotations; undefined where a template of the file makes nothing of these. */
function smaller(settings: Settings, notification: Notification): string | undefined {
  const { max_alerts } = settings
  const { data } = notification
  const count = max_alerts === 0 ? data.alerts.length : Math.min(max_alerts, data.alerts.length)
  const alerts = data.alerts.map((alert) => ({ ...alert, annotations: shorter(alert.annotations) }))
  const brief = { ...data, alerts, commonAnnotations: shorter(data.commonAnnotations) }
  try {
    if (count > 1) return toJson(bodyOf(settings, notification, Math.floor(count / 2)))
    return toJson(bodyOf(settings, { ...notification, data: brief }, max_alerts))
  } catch (error) {
    if (error instanceof TemplateError) return undefined
    throw error
  }
}

function shorter(texts: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...texts].map(([name, text]) => [name, cutText(text, SHORT)]))
}

/** A URL that a template's failing has not cut short. */
function wholeUrl(literal: string): string {
  return literal.includes('\uFFFD') ? '' : link(literal.trim())
}

/** The body in Alertmanager's order of keys; status and what is common are those of the alerts that are kept. */
export function toPayload({ data: whole, groupKey }: Notification, maxAlerts: number) {
  const data = cut(whole, maxAlerts)
  return {
    receiver: data.receiver,
    status: data.status,
    alerts: data.alerts.map(({ labels, annotations, ...rest }) => ({
      status: rest.status,
      labels: toRecord(labels),
      annotations: toRecord(annotations),
      startsAt: rest.startsAt,
      endsAt: rest.endsAt,
      generatorURL: rest.generatorURL,
      fingerprint: rest.fingerprint,
    })),
    notification_reason: data.notificationReason,
    groupLabels: toRecord(data.groupLabels),
    commonLabels: toRecord(data.commonLabels),
    commonAnnotations: toRecord(data.commonAnnotations),
    ...(data.routeLabels.size > 0 && { routeLabels: toRecord(data.routeLabels) }),
    externalURL: data.externalURL,
    version: '4',
    groupKey,
    truncatedAlerts: whole.alerts.length - data.alerts.length,
  }
}

/** What a template sees where `max_alerts` cuts: as if there were no others. */
function cut(data: TemplateData, maxAlerts: number): TemplateData {
  if (maxAlerts === 0 || data.alerts.length <= maxAlerts) return data
  const alerts = data.alerts.slice(0, maxAlerts)
  return {
    ...data,
    alerts,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    commonLabels: commonLabels(alerts.map(({ labels }) => labels)),
    commonAnnotations: commonLabels(alerts.map(({ annotations }) => annotations)),
  }
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** When a request was made, and its signature: https://www.standardwebhooks.com */
function stamp(key: string, id: string, body: string): Record<string, string> {
  const at = String(Math.floor(Date.now() / 1000))
  if (key === '') return { 'webhook-timestamp': at }
  const bytes = key.startsWith('whsec_') ? Buffer.from(key.slice('whsec_'.length), 'base64') : Buffer.from(key)
  const signature = createHmac('sha256', bytes).update(`${id}.${at}.${body}`).digest('base64')
  return { 'webhook-timestamp': at, 'webhook-signature': `v1,${signature}` }
}

/** Statuses that mean something of their own here; others are judged as everywhere. */
export const webhookStatuses: Verdicts = {
  402: { means: 'client error' },
  404: { means: 'client error' },
  410: { means: 'rejected' }, // gone for good
  413: { means: 'client error' },
}

function outcomeOf(answer: Answer): Outcome {
  const { status } = answer
  if (status >= 200 && status < 300 && !isCutShort(answer)) return { state: 'delivered' }
  return failedBy(answer, answer.body, webhookStatuses[status])
}

/** By axios, which makes the request; what goes over the wire and comes back is `exchange`'s. */
async function post({ url, body = '', headers, ...asking }: Omit<Request, 'method'>): Promise<Answer> {
  const { default: axios } = await import('axios')
  let answer: Answer | undefined
  await axios.post(url, body, {
    headers: { 'Content-Type': 'application/json', 'User-Agent': 'Tocsin', ...headers },
    transformRequest: (given: string) => given, // bytes as made: the signature of who checks one must fit
    validateStatus: () => true,
    async adapter(wanted) {
      const sent = Object.fromEntries(Object.entries(wanted.headers).map(([name, value]) => [name, String(value)]))
      answer = await exchange({ method: 'POST', url, body, headers: sent, ...asking })
      return { data: answer.body, status: answer.status, statusText: '', headers: {}, config: wanted }
    },
  })
  if (!answer) throw new NoAnswer(undefined, false)
  return answer
}
