import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { AxiosInstance } from 'axios'
import { z } from 'zod'
import { commonLabels, toRecord } from '../model/labels.ts'
import { Secret } from '../model/secret.ts'
import { fail, httpConfig, isSet } from '../model/http-config.ts'
import { goDuration, integer, maybe, string } from '../model/settings.ts'
import { whyNoUrl } from '../model/url.ts'
import { beside, destinationOf, headersOf, link, or, secretOf, sendResolved, withBeside } from './fields.ts'
import { LONGEST_ANSWER, codeOf, failedWith, noAnswer, within } from './http.ts'
import { toJson } from '../model/json.ts'
import type { TemplateData } from '../template/data.ts'
import { syntaxError } from '../template/templates.ts'
import { type Notification, type Outcome, channel } from './notifier.ts'

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
  })
  .check((context) => {
    const { url: given, url_file } = context.value
    if (!isSet(given) && !isSet(url_file)) fail(context, 'url', 'needs url or url_file')
    if (isSet(given) && isSet(url_file)) fail(context, 'url_file', 'cannot stand beside url; keep one of them')
  })

/** Made at the first delivery, as all that imports a vendor's library. */
let client: Promise<AxiosInstance> | undefined

async function openClient(): Promise<AxiosInstance> {
  const { default: axios } = await import('axios')
  return axios.create({
    httpAgent: new HttpAgent({ keepAlive: true }),
    httpsAgent: new HttpsAgent({ keepAlive: true }),
    maxRedirects: 0,
    proxy: false,
    maxContentLength: LONGEST_ANSWER,
    responseType: 'text',
    transformRequest: (body: string) => body, // bytes as made: the signature of who checks one must fit
    validateStatus: () => true,
  })
}

/** Alertmanager's webhook, payload version 4. */
export const webhook = channel({
  name: 'webhook',
  config,
  inherits: { http_config: 'http_config' },
  ignores: [
    'oauth2',
    'tls_config',
    'proxy_url',
    'proxy_from_environment',
    'no_proxy',
    'proxy_connect_header',
    'follow_redirects',
  ].map((key) => `http_config.${key}`),
  globals: z.object({}),
  standIns: {},
  deadline: 10_000,
  budget: { burst: 1, refill: 0, inFlight: 16, digestAbove: 0 },
  onUnconfirmed: 'resend',
  fromTeam: (value) => [value].flat().map((url) => ({ url })),
  create: (settings) => ({
    compose(notification) {
      const standard = toPayload(notification, settings.max_alerts)
      const body =
        settings.payload === undefined || settings.payload === null
          ? standard
          : notification.structure(settings.payload, 'payload', cut(notification.data, settings.max_alerts))
      const sending = {
        body: toJson(body),
        url: new Secret(notification.destination(secretOf(settings.url, settings.url_file), 'url', wholeUrl)),
        headers: { 'webhook-id': notification.id, 'webhook-attempt': String(notification.attempt) },
      }
      const summary = notification.text('{{ template "__subject" . }}', 'subject')
      return {
        to: 'webhook',
        title: summary,
        text: `${standard.alerts.length} alerts, ${standard.notification_reason}`,
        payload: withBeside(isMap(body) ? body : { body }, sending),
        destination: destinationOf('webhook', sending.url.reveal()),
        cost: 1,
      }
    },
    async send({ payload }, signal) {
      const { url, headers, body } = payload[beside]
      if (!link(url.reveal())) return { state: 'failed', reason: 'configuration', detail: 'url is empty or no URL' }
      const all = { ...headersOf(settings.http_config), ...headers }
      return post(url.reveal(), body, all, within(signal, settings.timeout))
    },
  }),
})

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

async function post(url: string, body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Outcome> {
  try {
    client ??= openClient()
    const answer = await (
      await client
    ).post<string>(url, `${body}\n`, {
      signal,
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'Tocsin',
        'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
        ...headers,
      },
    })
    if (answer.status >= 200 && answer.status < 300) return { state: 'delivered' }
    const retryAfter: unknown = answer.headers['retry-after']
    return failedWith(
      answer.status,
      typeof answer.data === 'string' ? answer.data : '',
      typeof retryAfter === 'string' ? retryAfter : null,
    )
  } catch (error) {
    if (codeOf(error) === 'ERR_CANCELED') return { state: 'unknown', detail: 'no answer within the deadline' }
    return noAnswer(error)
  }
}
