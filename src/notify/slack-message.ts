import type { z } from 'zod'
import { boundary } from './cut.ts'
import { link } from './fields.ts'
import type { Notification } from './notifier.ts'
import { prefaceOf } from './preface.ts'
import { type Settings, action } from './slack-settings.ts'

/** What Slack takes or shows of each part, in characters; texts beyond are cut. */
export const longest = {
  title: 1024,
  text: 4000,
  pretext: 4000,
  fallback: 1024,
  footer: 300,
  field: 2000,
  button: 75,
  value: 2000,
  url: 3000,
  id: 255,
  name: 80,
  attachment: 30_000, // all its texts together
  actions: 5, // how many Slack shows of an attachment's
} as const

export type SlackMessage = ReturnType<typeof toMessage>

/** Slack's three: a label can then say neither `<!channel>` nor a link that lies. */
export function escapeSlack(text: string): string {
  return text.replace(/[&<>]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;'))
}

export function unescapeSlack(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

/** A text of Slack's markup cut between graphemes, and neither in a link nor in an escape; then the tail. */
export function cutMarkup(text: string, most: number, tail = ''): string {
  if (text.length <= most) return text
  const kept = text.slice(0, boundary(text, most - tail.length - 1))
  return `${kept.replace(/<[^<>]*$/, '').replace(/&[a-z]{0,4}$/, '')}…${tail}`
}

/** A message as Alertmanager makes it: one attachment. */
export function toMessage(settings: Settings, notification: Notification) {
  const text = (source: string, at: string) => notification.text(source, at, escapeSlack)
  const plain = (source: string, at: string) => notification.address(source, at)
  const url = (source: string, at: string) => linkWithin(plain(source, at))
  const { title_link, image_url, thumb_url, icon_url } = settings
  const heading = text(settings.title, 'title')
  const given = plain(title_link, 'title_link')
  // a link that is too long for Slack is replaced by one to ourselves
  const titleLink = given.length <= longest.url ? link(given) : linkWithin(notification.data.externalURL)
  const more = moreAt(titleLink || linkWithin(notification.data.externalURL))
  const preface = escapeSlack(prefaceOf(notification))
  const marked = markFirst(preface, {
    pretext: text(settings.pretext, 'pretext'),
    title: heading,
    body: text(settings.text, 'text'),
  })
  const attachment = {
    title: cutMarkup(marked.title, longest.title),
    ...some({ title_link: titleLink, pretext: cutMarkup(marked.pretext, longest.pretext, more) }),
    text: cutMarkup(marked.body, longest.text, more),
    fallback: cutMarkup(preface + text(settings.fallback, 'fallback'), longest.fallback),
    callback_id: cutMarkup(plain(settings.callback_id, 'callback_id'), longest.id),
    footer: cutMarkup(text(settings.footer, 'footer'), longest.footer),
    ...some({
      image_url: url(image_url, 'image_url'),
      thumb_url: url(thumb_url, 'thumb_url'),
      color: plain(settings.color, 'color'),
    }),
    ...(settings.fields && {
      fields: fitting(
        settings.fields.map(({ title, value, short }, i) => ({
          title: cutMarkup(text(title, `fields[${i}].title`), longest.field),
          value: cutMarkup(text(value, `fields[${i}].value`), longest.field),
          short: short ?? settings.short_fields,
        })),
      ),
    }),
    ...(settings.actions && {
      actions: settings.actions.map((one, i) => toAction(one, `actions[${i}]`, text, plain)).slice(0, longest.actions),
    }),
    mrkdwn_in: settings.mrkdwn_in,
    ...(settings.timestamp && { ts: Math.floor(momentOf(notification) / 1000) }),
  }
  return {
    ...some({
      channel: plain(settings.channel, 'channel'),
      username: cutMarkup(plain(settings.username, 'username'), longest.name),
      icon_emoji: plain(settings.icon_emoji, 'icon_emoji'),
      icon_url: url(icon_url, 'icon_url'),
      text: cutMarkup(text(settings.message_text, 'message_text'), longest.text, more),
    }),
    ...(settings.link_names && { link_names: true }),
    attachments: [attachment] as [typeof attachment],
  }
}

/** The same in words alone, for a Slack that does not take its form or its size. */
export function inPlainText(message: SlackMessage) {
  const { attachments, text = '', ...rest } = message
  const [{ title, title_link = '', pretext = '', text: body, fallback }] = attachments
  const said = [text, pretext, title, body].filter(Boolean).join('\n') || fallback
  const more = moreAt(title_link)
  return { ...rest, text: `${cutMarkup(said, longest.text - more.length)}${more}` }
}

function linkWithin(text: string): string {
  return text.length <= longest.url ? link(text) : ''
}

function moreAt(url: string): string {
  return url && `\n<${escapeSlack(url).replaceAll('|', '%7C')}|more>`
}

/** The first of the texts that says something begins with the preface. */
function markFirst<T extends Record<string, string>>(preface: string, texts: T): T {
  const first = Object.keys(texts).find((key) => texts[key] !== '')
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, key === first ? preface + text : text]),
  ) as T
}

/** The fields that fit beside the other texts; the file's first ones stay. */
function fitting<Field extends { title: string; value: string }>(fields: readonly Field[]): Field[] {
  let room = longest.attachment - longest.title - longest.text - longest.pretext - longest.fallback - longest.footer
  return fields.filter(({ title, value }) => (room -= title.length + value.length) >= 0)
}

/** When it began, or, once it is over, ended. */
function momentOf({ data, at }: Notification): number {
  const firing = data.status === 'firing'
  const times = data.alerts
    .filter(({ status }) => status === data.status)
    .map(({ startsAt, endsAt }) => Date.parse(firing ? startsAt : endsAt))
    .filter((time) => time > 0)
  return times.reduce((latest, time) => Math.max(latest, time), 0) || at
}

type Render = (source: string, at: string) => string

function toAction(one: z.output<typeof action>, at: string, text: Render, plain: Render) {
  const { type, url, style, name, value, confirm } = one
  const button = (source: string, key: string) => cutMarkup(text(source, `${at}.${key}`), longest.button)
  const base = {
    type: plain(type, `${at}.type`) || 'button', // Slack takes no action without a type
    text: button(one.text, 'text'),
    ...some({ style: plain(style ?? '', `${at}.style`) }),
  }
  if (url) return { ...base, url: linkWithin(plain(url, `${at}.url`)) }
  return {
    ...base,
    ...some({
      name: cutMarkup(plain(name ?? '', `${at}.name`), longest.id),
      value: cutMarkup(plain(value ?? '', `${at}.value`), longest.value),
    }),
    ...(confirm && {
      confirm: {
        text: cutMarkup(text(confirm.text, `${at}.confirm.text`), longest.fallback),
        ...some({
          title: button(confirm.title ?? '', 'confirm.title'),
          ok_text: button(confirm.ok_text ?? '', 'confirm.ok_text'),
          dismiss_text: button(confirm.dismiss_text ?? '', 'confirm.dismiss_text'),
        }),
      },
    }),
  }
}

/** Only what is not empty, as Alertmanager leaves it out. */
function some<T extends Record<string, string>>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')) as Partial<T>
}
