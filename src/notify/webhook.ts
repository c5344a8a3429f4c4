import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import axios from 'axios'
import { z } from 'zod'
import { commonLabels, toRecord } from '../model/labels.ts'
import { Secret } from '../model/secret.ts'
import { goDuration, integer, secretUrl } from '../model/settings.ts'
import { headersOf, httpConfig, link, secretOf, sendResolved } from './fields.ts'
import { LONGEST_ANSWER, failedWith, noAnswer } from './http.ts'
import { type Notification, type Outcome, channel } from './notifier.ts'

/** What a template comes to is looked at when it is rendered. */
const templated = z
  .string()
  .includes('{{')
  .transform((text) => new Secret(text))

const config = z
  .strictObject({
    send_resolved: sendResolved(true),
    url: z.union([secretUrl, templated]).optional(),
    url_file: z.string().optional(),
    max_alerts: integer.default(0), // 0: all of them
    timeout: goDuration.optional(),
    http_config: httpConfig,
  })
  .check((context) => {
    const { url, url_file, max_alerts } = context.value
    const fail = (path: string, message: string) =>
      context.issues.push({ code: 'custom', message, input: context.value, path: [path] })
    if (!url && !url_file) fail('url', 'needs url or url_file')
    if (url && url_file) fail('url_file', 'cannot stand beside url; keep one of them')
    if (max_alerts < 0) fail('max_alerts', 'cannot be negative')
  })

const client = axios.create({
  httpAgent: new HttpAgent({ keepAlive: true }),
  httpsAgent: new HttpsAgent({ keepAlive: true }),
  maxRedirects: 0,
  proxy: false,
  maxContentLength: LONGEST_ANSWER,
  responseType: 'text',
  transformRequest: (body: string) => body, // bytes as made: the signature of who checks one must fit
  validateStatus: () => true,
})

/** Alertmanager's webhook, payload version 4. */
export const webhook = channel({
  name: 'webhook',
  config,
  inherits: { http_config: 'http_config' },
  globals: z.object({}),
  standIns: {},
  deadline: 10_000,
  fromTeam: (value) => [value].flat().map((url) => ({ url })),
  create: (settings) => ({
    compose(notification) {
      const payload = toPayload(notification, settings.max_alerts)
      const beside = {
        url: new Secret(notification.text(secretOf(settings.url, settings.url_file))),
        headers: { 'webhook-id': notification.id, 'webhook-attempt': String(notification.attempt) },
      }
      const summary = notification.text('{{ template "__subject" . }}')
      return {
        to: 'webhook',
        title: summary,
        text: `${payload.alerts.length} alerts, ${payload.notification_reason}`,
        payload: withBeside(payload, beside),
      }
    },
    async send({ payload }, signal) {
      const { url, headers } = payload[besideKey]
      if (!link(url.reveal())) return { state: 'failed', reason: 'configuration', detail: 'url is empty or no URL' }
      const own = settings.timeout ? AbortSignal.any([signal, AbortSignal.timeout(settings.timeout)]) : signal
      return post(url.reveal(), payload, { ...headersOf(settings.http_config), ...headers }, own)
    },
  }),
})

/** Where it goes and its headers stand beside the body, and do not show in it. */
const besideKey = Symbol('beside')
interface Beside {
  url: Secret
  headers: Record<string, string>
}

function withBeside<T extends object>(payload: T, beside: Beside): T & { [besideKey]: Beside } {
  return Object.defineProperty({ ...payload, [besideKey]: beside }, besideKey, { enumerable: false })
}

/** The body in Alertmanager's order of keys; status and what is common are those of the alerts that are kept. */
export function toPayload({ data, groupKey }: Notification, maxAlerts: number) {
  const alerts = maxAlerts === 0 ? data.alerts : data.alerts.slice(0, maxAlerts)
  return {
    receiver: data.receiver,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    alerts: alerts.map(({ labels, annotations, ...rest }) => ({
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
    commonLabels: toRecord(commonLabels(alerts.map(({ labels }) => labels))),
    commonAnnotations: toRecord(commonLabels(alerts.map(({ annotations }) => annotations))),
    externalURL: data.externalURL,
    version: '4',
    groupKey,
    truncatedAlerts: data.alerts.length - alerts.length,
  }
}

async function post(
  url: string,
  payload: object,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Outcome> {
  // as Go writes JSON: nothing that a page could take for markup
  const body = JSON.stringify(payload).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  try {
    const answer = await client.post<string>(url, `${body}\n`, {
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
    if (axios.isAxiosError(error) && error.code === 'ERR_CANCELED')
      return { state: 'unknown', detail: 'no answer within the deadline' }
    return noAnswer(error)
  }
}
