import { createHash } from 'node:crypto'
import { z } from 'zod'
import { atMostOne, fail, httpConfig, isSet } from '../model/http-config.ts'
import { toRecord } from '../model/labels.ts'
import { record } from '../model/record.ts'
import { goDuration, httpUrl, maybe, secret, string } from '../model/settings.ts'
import { cut } from './cut.ts'
import { link, or, sendResolved, template } from './fields.ts'
import type { Notification } from './notifier.ts'
import { prefaceOf } from './preface.ts'

/** By what PagerDuty knows a group: short, whatever its labels are. */
export function dedupKey(groupKey: string): string {
  return createHash('sha256').update(groupKey).digest('hex')
}

/** What PagerDuty takes, in characters, and of the whole event in bytes. */
export const longest = { summary: 1024, text: 1024, url: 2048, event: 512_000 } as const

const linkSetting = z.strictObject({ href: or(template, ''), text: maybe(template) })
const imageSetting = z.strictObject({ src: or(template, ''), href: maybe(template), alt: maybe(template) })

export const config = z
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
type Settings = z.output<typeof config>

type Severity = 'critical' | 'error' | 'warning' | 'info'

/** What goes to PagerDuty, but for the routing key, which is added at the last moment. */
export interface PagerDutyEvent {
  event_action: 'trigger' | 'resolve'
  dedup_key: string
  payload: {
    summary: string
    source: string
    severity: Severity
    class?: string
    component?: string
    group?: string
    custom_details: Readonly<Record<string, unknown>>
  }
  client?: string
  client_url?: string
  images?: { src: string; href?: string; alt?: string }[]
  links?: { href: string; text?: string }[]
}

export function toEvent(settings: Settings, notification: Notification): PagerDutyEvent {
  const { data, groupKey } = notification
  const address = (source: string, field: string) => cut(notification.address(source, field), longest.text)
  const url = (source: string, field: string) => {
    const found = link(notification.address(source, field))
    return found.length <= longest.url ? found : ''
  }
  const text = (source: string, field: string) => cut(notification.text(source, field), longest.text)
  const { details, lists } = detailsOf(settings, notification)
  const preface = prefaceOf({ ...notification, possibleRepeat: false }) // the key makes a repeat the same incident
  const made: PagerDutyEvent = {
    event_action: data.status === 'firing' ? 'trigger' : 'resolve',
    dedup_key: dedupKey(groupKey),
    payload: {
      summary: cut(preface + notification.text(settings.description, 'description'), longest.summary) || 'alert',
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
      client_url: url(settings.client_url, 'client_url'),
    }),
  }
  const links = settings.links
    .map((one, i) => ({
      href: url(one.href, `links[${i}].href`),
      ...given({ text: text(one.text ?? '', `links[${i}].text`) }),
    }))
    .filter(({ href }) => href !== '')
  const images = settings.images
    .map((one, i) => ({
      src: url(one.src, `images[${i}].src`),
      ...given({
        href: url(one.href ?? '', `images[${i}].href`),
        alt: text(one.alt ?? '', `images[${i}].alt`),
      }),
    }))
    .filter(({ src }) => src !== '')
  if (links.length > 0) made.links = links
  if (images.length > 0) made.images = images
  return fitting(made, lists, longest.event)
}

type Told = ReturnType<typeof alertsOf>

function alertsOf(data: Notification['data'], status: string) {
  return data.alerts
    .filter((alert) => alert.status === status)
    .map(({ labels, annotations, ...rest }) => ({
      annotations: toRecord(annotations),
      endsAt: rest.endsAt,
      fingerprint: rest.fingerprint,
      generatorURL: rest.generatorURL,
      labels: toRecord(labels),
      startsAt: rest.startsAt,
      status: rest.status,
    }))
}

interface Lists {
  firing: Told
  resolved: Told
}

/** The details of all alerts; `lists` where both lists of alerts are Tocsin's own. */
function detailsOf({ details: asked }: Settings, notification: Notification) {
  const { data } = notification
  const firing = alertsOf(data, 'firing')
  const resolved = alertsOf(data, 'resolved')
  const details: Record<string, unknown> = Object.assign(Object.create(null), {
    firing,
    resolved,
    num_firing: firing.length,
    num_resolved: resolved.length,
  })
  for (const [key, source] of Object.entries(asked)) details[key] = notification.structure(source, `details.${key}`)
  const isStandard = details['firing'] === firing && details['resolved'] === resolved
  return { details, lists: isStandard ? { firing, resolved } : undefined }
}

/** An event of at most so many bytes: of many alerts it holds the first ones, the first of them shortened where it must be. */
function fitting(event: PagerDutyEvent, lists: Lists | undefined, most: number): PagerDutyEvent {
  const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value))
  if (size(event) <= most) return event
  if (lists) {
    const all = [...lists.firing, ...lists.resolved]
    for (const alerts of [all, all.slice(0, 1).map(shortened)]) {
      let room = most - size(withFirst(event, lists, alerts, 0))
      const kept = alerts.findIndex((alert) => (room -= size(alert) + 1) < 0)
      if (kept !== 0) return withFirst(event, lists, alerts, kept < 0 ? alerts.length : kept)
    }
  }
  return withDetails(event, { error: `custom details have been left out: the event was larger than ${most} bytes` })
}

function withFirst(event: PagerDutyEvent, { firing, resolved }: Lists, alerts: Told, count: number) {
  const total = firing.length + resolved.length
  return withDetails(event, {
    ...event.payload.custom_details,
    firing: alerts.slice(0, Math.min(count, firing.length)),
    resolved: alerts.slice(firing.length, Math.max(count, firing.length)),
    // the number of digits is the same for every count: the room that is left is found without any
    left_out: `${String(total - count).padStart(String(total).length)} of ${total} alerts: the event was larger than ${longest.event} bytes`,
  })
}

function shortened(alert: Told[number]): Told[number] {
  const annotations = Object.entries(alert.annotations).map(([name, text]) => [name, cut(text, longest.text)])
  return { ...alert, annotations: Object.fromEntries(annotations) }
}

function withDetails(event: PagerDutyEvent, details: Record<string, unknown>): PagerDutyEvent {
  return { ...event, payload: { ...event.payload, custom_details: details } }
}

/** The same with what PagerDuty asks for and nothing else, where it was too large for it. */
export function inShort({ links: _links, images: _images, ...event }: PagerDutyEvent): PagerDutyEvent {
  const { num_firing, num_resolved } = event.payload.custom_details
  const short = { ...event, payload: { ...event.payload, summary: cut(event.payload.summary, 256) } }
  return withDetails(short, {
    num_firing,
    num_resolved,
    error: 'custom details have been left out: the event was too large',
  })
}

function severityOf(text: string): Severity {
  return text === 'critical' || text === 'warning' || text === 'info' ? text : 'error'
}

function given<T extends Record<string, string>>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')) as Partial<T>
}
