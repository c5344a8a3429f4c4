import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import { z } from 'zod'
import { Secret } from '../model/secret.ts'
import type { Connections } from './connections.ts'
import { type Asking, openClient } from './client.ts'
import { beside, destinationOf, isFixed, json, secretOf, unheeded, withBeside } from './fields.ts'
import { type Answer, LONGEST_ANSWER, NoAnswer, within } from './http.ts'
import { type Notification, type Outcome, channel } from './notifier.ts'
import { type PagerDutyEvent, config, inShort, toEvent } from './pagerduty-event.ts'
import { hostOf, portOf } from './proxy.ts'
import { type Verdicts, failedBy } from './verdict.ts'

/** PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview */
export const pagerduty = channel({
  name: 'pagerduty',
  config,
  inherits: { url: 'pagerduty_url', http_config: 'http_config' },
  ignores: unheeded,
  unreached: ['service_key', 'service_key_file'],
  globals: z.object({}),
  standIns: { routing_key: 'sandbox' },
  deadline: 10_000,
  budget: { burst: 20, refill: 600, inFlight: 2, digestAbove: 0 },
  load: () => Promise.all([import('@pagerduty/pdjs'), import('./connections.ts')]),
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
  create(settings, surroundings) {
    const client = openClient(settings.http_config, surroundings)
    const fixedKey = settings.routing_key?.reveal() ?? ''
    return {
      fixed: isFixed(fixedKey) ? whereTo(fixedKey) : undefined,
      compose(notification) {
        const payload = toEvent(settings, notification)
        const { severity, summary } = payload.payload
        const key = routingKey(settings.routing_key, notification)
        return {
          ...whereTo(key?.reveal() ?? settings.routing_key_file ?? ''),
          title: summary,
          text: `${payload.event_action} · ${severity} · ${payload.payload.source}`,
          payload: withBeside(payload, key),
          cost: 1,
        }
      },
      async send({ payload }, signal) {
        const key = secretOf(payload[beside], settings.routing_key_file)
        if (key === '')
          return {
            state: 'failed',
            reason: 'configuration',
            detail: 'the routing key is empty; a service_key is of no use yet',
          }
        return client.attempt(within(signal, settings.timeout), async (asking) => {
          const post = (event: PagerDutyEvent) => enqueue(settings.url, key, event, asking)
          const answer = await post(payload)
          return outcomeOf(answer.status === 413 ? await post(inShort(payload)) : answer, payload.dedup_key)
        })
      },
      close: () => client.close(),
    }
  },
})

function whereTo(key: string) {
  return { to: 'PagerDuty', destination: destinationOf('pagerduty', key) }
}

/** A key may be a template, as Alertmanager has it; one that is in a file is read when it is used. */
function routingKey(key: Secret | undefined, notification: Notification): Secret | undefined {
  const whole = (literal: string) => (/^\s*\w{32}\s*$/.test(literal) ? literal.trim() : '')
  return key && new Secret(notification.destination(key.reveal(), 'routing_key', whole))
}

/** Statuses that mean something of their own here; others are judged as everywhere. */
export const pagerdutyStatuses: Verdicts = {
  400: { means: 'client error' },
  413: { means: 'client error' },
  429: { means: 'rate limited', wait: 30_000 }, // "preferably a few minutes", or three times 30 s apart
}

function outcomeOf(answer: Answer, dedupKey: string): Outcome {
  const { status, body, whole } = answer
  if (status === 202 && whole) return { state: 'delivered', id: dedupKey }
  const said = json(body)
  const message = typeof said?.['message'] === 'string' ? said['message'] : ''
  const errors = Array.isArray(said?.['errors']) ? said['errors'].join(', ') : ''
  return failedBy(answer, [message, errors].filter(Boolean).join(': '), pagerdutyStatuses[status])
}

/** By PagerDuty's library, which knows no time-out, and keeps the head of an answer to itself. Throws what it throws where there is no answer. */
async function enqueue(
  url: string,
  key: string,
  made: PagerDutyEvent,
  { connections, headers, secrets: hidden, signal }: Asking,
): Promise<Answer> {
  const stop = new AbortController()
  if (signal.aborted) stop.abort()
  const abort = () => stop.abort()
  signal.addEventListener('abort', abort, { once: true })
  const watch = watching(url, connections, (answer) => {
    if (answer.statusCode === 429) abort() // the library would send it three times more
    answer.once('close', () => {
      if (!answer.complete) abort() // the library would wait for the rest of it
    })
  })
  const secrets = [key, url, ...hidden, ...watch.secrets]
  const { host, pathname } = new URL(url)
  const request = {
    // the library makes https://<server>/v2/enqueue of it: a path of another form ends before a fragment
    server: pathname.endsWith('/v2/enqueue') ? host + pathname.slice(0, -'/v2/enqueue'.length) : `${host}${pathname}#`,
    data: { routing_key: key, ...made },
    requestTimeout: 0, // it stops nothing; the signal does
    retryTimeout: 1,
    signal: stop.signal,
    agent: watch.agent,
    headers,
    redirect: 'manual' as const,
    size: LONGEST_ANSWER,
  }
  try {
    const { event } = await import('@pagerduty/pdjs')
    const { data } = await event(request)
    const { status = 0, retryAfter } = watch.head ?? {}
    return { status, retryAfter, body: JSON.stringify(data), whole: true, secrets }
  } catch (error) {
    if (!watch.head) throw new NoAnswer(watch.error ?? error, watch.sent)
    // a body that is no JSON or too long says nothing; one that broke off leaves open what became of it
    const type = error instanceof Error && 'type' in error ? error.type : ''
    const { status, retryAfter } = watch.head
    return { status, retryAfter, body: '', whole: type === 'invalid-json' || type === 'max-size', secrets }
  } finally {
    signal.removeEventListener('abort', abort)
    stop.abort() // what is left of an answer is not waited for
  }
}

interface Watch {
  head: { status: number; retryAfter: string | undefined } | undefined
  sent: boolean
  secrets: readonly string[] // of what a proxy is told
  error: Error | undefined // which the library would replace by one of its own
  /** For the library's `agent`: http as well as https, over connections that are shared. */
  agent: object
}

/** What passes over one request's connection. The library asks for https and knows one agent: this one hands on to the right one. */
function watching(url: string, connections: Connections, answered: (answer: IncomingMessage) => void): Watch {
  const to = new URL(url)
  const { agent, origin, prefix, headers, secrets } = connections.wayTo(to)
  const inner: Agent & { addRequest?(request: ClientRequest, options: object): void } = agent
  const end = new URL(origin)
  const watch: Watch = {
    head: undefined,
    sent: false,
    error: undefined,
    secrets,
    agent: {
      protocol: 'https:',
      keepAlive: true,
      options: {},
      addRequest(request: ClientRequest, options: object) {
        request.once('finish', () => (watch.sent = true))
        request.prependOnceListener('error', (error) => (watch.error = error))
        request.prependOnceListener('response', (answer: IncomingMessage) => {
          watch.head = { status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] }
          answered(answer)
        })
        request.path = prefix + request.path
        for (const [name, value] of Object.entries(headers)) request.setHeader(name, value)
        inner.addRequest?.(request, { ...options, host: hostOf(end), port: portOf(end) })
      },
    },
  }
  return watch
}
