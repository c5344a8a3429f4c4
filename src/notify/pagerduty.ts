import { createHash } from 'node:crypto'
import { Agent, type AgentOptions } from 'node:https'
import { type Socket, connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { z } from 'zod'
import { atMostOne, fail, httpConfig, isSet } from '../model/http-config.ts'
import { goDuration, httpUrl, maybe, secret, string } from '../model/settings.ts'
import { Secret } from '../model/secret.ts'
import { record } from '../model/record.ts'
import { toRecord } from '../model/labels.ts'
import { beside, destinationOf, link, or, secretOf, sendResolved, template, truncate, withBeside } from './fields.ts'
import { CONNECT_TIMEOUT, failedWith, noAnswer, within } from './http.ts'
import { type Notification, type Outcome, channel } from './notifier.ts'

const LONGEST_SUMMARY = 1024 // characters
const LARGEST_EVENT = 512_000 // bytes

const linkSetting = z.strictObject({ href: or(template, ''), text: maybe(template) })
const imageSetting = z.strictObject({ src: or(template, ''), href: maybe(template), alt: maybe(template) })

const config = z
  .strictObject({
    send_resolved: sendResolved(true),
    routing_key: maybe(secret),
    routing_key_file: maybe(string),
    service_key: maybe(secret),
    service_key_file: maybe(string),
    url: or(httpUrl, 'https://events.pagerduty.com/v2/enqueue'),
    client: or(template, '{{ template "pagerduty.default.client" . }}'),
    client_url: or(template, '{{ template "pagerduty.default.clientURL" . }}'),
    description: or(template, '{{ template "pagerduty.default.description" . }}'),
    source: maybe(template),
    severity: or(template, 'error'),
    class: or(template, ''),
    component: or(template, ''),
    group: or(template, ''),
    details: or(record(z.unknown()), {}),
    images: or(z.array(or(imageSetting, { src: '', href: undefined, alt: undefined })), []),
    links: or(z.array(or(linkSetting, { href: '', text: undefined })), []),
    timeout: maybe(goDuration),
    http_config: maybe(httpConfig),
  })
  .check((context) => {
    const { routing_key, routing_key_file, service_key, service_key_file } = context.value
    atMostOne(context, 'routing_key', 'routing_key_file')
    atMostOne(context, 'service_key', 'service_key_file')
    if (![routing_key, routing_key_file, service_key, service_key_file].some(isSet))
      fail(context, 'routing_key', 'needs routing_key or routing_key_file: the key of an Events API v2 integration')
  })

type Severity = 'critical' | 'error' | 'warning' | 'info'

/** What goes to PagerDuty, but for the routing key, which is added at the last moment. */
interface PagerDutyEvent {
  event_action: 'trigger' | 'resolve'
  dedup_key: string
  payload: {
    summary: string
    source: string
    severity: Severity
    class?: string
    component?: string
    group?: string
    custom_details: Record<string, unknown>
  }
  client?: string
  client_url?: string
  images?: { src: string; href?: string; alt?: string }[]
  links?: { href: string; text?: string }[]
}

/** PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview */
export const pagerduty = channel({
  name: 'pagerduty',
  config,
  inherits: { url: 'pagerduty_url', http_config: 'http_config' },
  ignores: ['http_config'],
  unreached: ['service_key', 'service_key_file'],
  globals: z.object({}),
  standIns: { routing_key: 'sandbox' },
  deadline: 10_000,
  budget: { burst: 20, refill: 600, inFlight: 2, digestAbove: 0 },
  onUnconfirmed: 'resend',
  fromTeam: (value) =>
    [value].flat().map((key) => ({
      routing_key: key,
      client: 'Tocsin',
      client_url: '{{ .ExternalURL }}',
      description: '{{ template "tocsin.title" . }}',
      source: '{{ template "tocsin.source" . }}',
      severity: '{{ template "tocsin.pagerduty.severity" . }}',
      class: '{{ .CommonLabels.alertname }}',
      component: '{{ .CommonLabels.service }}',
      group: '{{ template "tocsin.team" . }}',
      links: [
        { href: '{{ .CommonAnnotations.runbook_url }}', text: 'Runbook' },
        { href: '{{ template "tocsin.link" . }}', text: 'Source' },
        { href: '{{ .CommonAnnotations.dashboard_url }}', text: 'Dashboard' },
      ],
    })),
  create: (settings) => ({
    compose(notification) {
      const payload = compose(settings, notification)
      const { severity, summary } = payload.payload
      const key = routingKey(settings.routing_key, notification)
      return {
        to: 'PagerDuty',
        title: summary,
        text: `${payload.event_action} · ${severity} · ${payload.payload.source}`,
        payload: withBeside(payload, key),
        destination: destinationOf('pagerduty', key?.reveal() ?? settings.routing_key_file ?? ''),
        cost: 1,
      }
    },
    send({ payload }, signal) {
      const key = secretOf(payload[beside], settings.routing_key_file)
      return enqueue(settings.url, key, payload, within(signal, settings.timeout))
    },
  }),
})

/** A key may be a template, as Alertmanager has it; one that is in a file is read when it is used. */
function routingKey(key: Secret | undefined, notification: Notification): Secret | undefined {
  const whole = (literal: string) => (/^\s*\w{32}\s*$/.test(literal) ? literal.trim() : '')
  return key && new Secret(notification.destination(key.reveal(), 'routing_key', whole))
}

function compose(settings: z.output<typeof config>, notification: Notification): PagerDutyEvent {
  const { data, groupKey } = notification
  const address = (source: string, field: string) => notification.address(source, field)
  const firing = data.alerts.filter(({ status }) => status === 'firing')
  const resolved = data.alerts.filter(({ status }) => status === 'resolved')
  const alertsOf = (alerts: typeof firing) =>
    alerts.map(({ labels, annotations, startsAt, endsAt, generatorURL }) => ({
      labels: toRecord(labels),
      annotations: toRecord(annotations),
      startsAt,
      endsAt,
      generatorURL,
    }))
  const details: Record<string, unknown> = Object.assign(Object.create(null), {
    firing: alertsOf(firing),
    resolved: alertsOf(resolved),
    num_firing: firing.length,
    num_resolved: resolved.length,
  })
  for (const [key, source] of Object.entries(settings.details))
    details[key] = notification.structure(source, `details.${key}`)

  const made: PagerDutyEvent = {
    event_action: data.status === 'firing' ? 'trigger' : 'resolve',
    dedup_key: createHash('sha256').update(groupKey).digest('hex'),
    payload: {
      summary: truncate(notification.text(settings.description, 'description'), LONGEST_SUMMARY) || 'alert',
      source:
        address(settings.source ?? settings.client, settings.source === undefined ? 'client' : 'source') || 'Tocsin',
      severity: severityOf(address(settings.severity, 'severity')),
      ...given({
        class: address(settings.class, 'class'),
        component: address(settings.component, 'component'),
        group: address(settings.group, 'group'),
      }),
      custom_details: details,
    },
    ...given({
      client: address(settings.client, 'client'),
      client_url: link(address(settings.client_url, 'client_url')),
    }),
  }
  const links = settings.links
    .map((one, i) => ({
      href: link(address(one.href, `links[${i}].href`)),
      ...given({ text: notification.text(one.text ?? '', `links[${i}].text`) }),
    }))
    .filter(({ href }) => href !== '')
  const images = settings.images
    .map((one, i) => ({
      src: link(address(one.src, `images[${i}].src`)),
      ...given({
        href: link(address(one.href ?? '', `images[${i}].href`)),
        alt: notification.text(one.alt ?? '', `images[${i}].alt`),
      }),
    }))
    .filter(({ src }) => src !== '')
  if (links.length > 0) made.links = links
  if (images.length > 0) made.images = images
  if (Buffer.byteLength(JSON.stringify(made)) > LARGEST_EVENT) {
    made.payload.custom_details = {
      error: `custom details have been left out: the event was larger than ${LARGEST_EVENT} bytes`,
    }
  }
  return made
}

function severityOf(text: string): Severity {
  return text === 'critical' || text === 'warning' || text === 'info' ? text : 'error'
}

function given<T extends Record<string, string>>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')) as Partial<T>
}

async function enqueue(url: string, key: string, made: PagerDutyEvent, signal: AbortSignal): Promise<Outcome> {
  if (key === '')
    return {
      state: 'failed',
      reason: 'configuration',
      detail: 'the routing key is empty; a service_key is of no use yet',
    }
  const stop = new AbortController()
  if (signal.aborted) stop.abort()
  signal.addEventListener('abort', () => stop.abort(), { once: true })
  const agent = new OneAnswerAgent(new URL(url).protocol === 'http:', ({ status }) => {
    if (status === 429) stop.abort() // pdjs would send it three times more, at once
  })
  const { host, pathname } = new URL(url)
  const request = {
    // pdjs makes https://<server>/v2/enqueue of it: a path of another form ends before a fragment
    server: pathname.endsWith('/v2/enqueue') ? host + pathname.slice(0, -'/v2/enqueue'.length) : `${host}${pathname}#`,
    data: { routing_key: key, ...made },
    requestTimeout: 0, // it stops nothing; the signal does
    retryTimeout: 1,
    signal: stop.signal,
    agent,
  }
  try {
    const { event } = await import('@pagerduty/pdjs')
    const { status, data } = await event(request)
    if (status === 202) return { state: 'delivered', id: made.dedup_key }
    return failedWith(status, messageOf(data), agent.answer?.retryAfter)
  } catch (error) {
    // an answer that is no JSON, or a 429: the head of the answer says all that counts
    const { answer } = agent
    if (answer?.status === 202) return { state: 'delivered', id: made.dedup_key }
    return answer ? failedWith(answer.status, '', answer.retryAfter) : noAnswer(error)
  } finally {
    agent.destroy()
  }
}

function messageOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return ''
  const message = 'message' in data && typeof data.message === 'string' ? data.message : ''
  const errors = 'errors' in data && Array.isArray(data.errors) ? data.errors.join(', ') : ''
  return [message, errors].filter(Boolean).join(': ')
}

interface AnswerHead {
  status: number
  retryAfter: string | null
}

/** Connects to http as to https, and reads the head of the answer, which pdjs keeps to itself where the body is no JSON. */
class OneAnswerAgent extends Agent {
  answer: AnswerHead | undefined
  readonly #plain: boolean
  readonly #answered: (answer: AnswerHead) => void

  constructor(plain: boolean, answered: (answer: AnswerHead) => void, options?: AgentOptions) {
    super({ ...options, keepAlive: false })
    this.#plain = plain
    this.#answered = answered
  }

  override createConnection(options: { host?: string; port?: number | string; servername?: string }): Socket {
    const host = options.host ?? 'localhost'
    const port = Number(options.port)
    const socket = this.#plain
      ? connect(port, host)
      : connectTls({ host, port, servername: options.servername ?? host })
    const ready = this.#plain ? 'connect' : 'secureConnect'
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
    }, CONNECT_TIMEOUT)
    socket.once(ready, () => clearTimeout(timer))
    socket.once('close', () => clearTimeout(timer))
    let head = ''
    const read = (chunk: Buffer) => {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      socket.off('data', read) // node-fetch takes a listener that stays for an answer cut short
      const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? 0)
      const retryAfter = /^retry-after:[ \t]*(.*?)[ \t]*$/im.exec(head.slice(0, end))?.[1] ?? null
      this.answer = { status, retryAfter }
      this.#answered(this.answer)
    }
    socket.on('data', read)
    return socket
  }
}
