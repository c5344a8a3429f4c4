import type { IncomingWebhookSendArguments } from '@slack/webhook'
import { z } from 'zod'
import { atMostOne, fail, hasAuthorization, httpConfig, isSet } from '../model/http-config.ts'
import { flag, goDuration, httpUrl, maybe, secret, secretUrl, string, strings } from '../model/settings.ts'
import { destinationOf, link, or, secretOf, sendResolved, template, truncate } from './fields.ts'
import { LONGEST_ANSWER, failedWith, noAnswer, within } from './http.ts'
import { type Notification, type Outcome, type Reason, channel } from './notifier.ts'

/** Alertmanager's cut of a title, in characters. */
const LONGEST_TITLE = 1024
/** Slack cuts a text off beyond 40,000 characters. */
const LONGEST_TEXT = 30_000

const CHAT = 'https://slack.com/api/chat.postMessage'

const required = string.refine((given) => given !== '', 'cannot be empty')
const field = z.strictObject({ title: required, value: required, short: maybe(flag) })
const action = z
  .strictObject({
    type: required,
    text: required,
    url: maybe(string),
    style: maybe(string),
    name: maybe(string),
    value: maybe(string),
    confirm: maybe(
      z.strictObject({ text: required, title: maybe(string), ok_text: maybe(string), dismiss_text: maybe(string) }),
    ),
  })
  .refine(({ url, name }) => url || name, 'an action needs url or name')

const config = z
  .strictObject({
    send_resolved: sendResolved(false),
    api_url: maybe(secretUrl),
    api_url_file: maybe(string),
    app_token: maybe(secret),
    app_token_file: maybe(string),
    app_url: or(httpUrl, CHAT),
    channel: or(template, ''),
    username: or(template, '{{ template "slack.default.username" . }}'),
    color: or(template, '{{ template "slack.default.color" . }}'),
    title: or(template, '{{ template "slack.default.title" . }}'),
    title_link: or(template, '{{ template "slack.default.titlelink" . }}'),
    pretext: or(template, '{{ template "slack.default.pretext" . }}'),
    text: or(template, '{{ template "slack.default.text" . }}'),
    fallback: or(template, '{{ template "slack.default.fallback" . }}'),
    callback_id: or(template, '{{ template "slack.default.callbackid" . }}'),
    footer: or(template, '{{ template "slack.default.footer" . }}'),
    icon_emoji: or(template, '{{ template "slack.default.iconemoji" . }}'),
    icon_url: or(template, '{{ template "slack.default.iconurl" . }}'),
    image_url: or(template, ''),
    thumb_url: or(template, ''),
    message_text: or(template, ''),
    fields: maybe(z.array(field)),
    short_fields: or(flag, false),
    actions: maybe(z.array(action)),
    mrkdwn_in: or(strings, ['fallback', 'pretext', 'text']),
    link_names: or(flag, false),
    update_message: or(flag, false),
    timeout: maybe(goDuration),
    http_config: maybe(httpConfig),
    /** Tocsin's own: the attachment carries the time of what it is about. */
    timestamp: or(flag, false),
  })
  .check((context) => {
    const { api_url, api_url_file, app_token, app_token_file, update_message, http_config } = context.value
    const hasUrl = isSet(api_url) || isSet(api_url_file)
    const hasToken = isSet(app_token) || isSet(app_token_file)
    atMostOne(context, 'api_url', 'api_url_file')
    atMostOne(context, 'app_token', 'app_token_file')
    if (hasUrl && hasToken) fail(context, 'app_token', 'cannot stand beside api_url; keep one of them')
    if (hasToken && hasAuthorization(http_config))
      fail(context, 'http_config', 'cannot hold authorization beside app_token; keep one of them')
    if (update_message && api_url?.reveal() !== CHAT)
      fail(context, 'update_message', `needs api_url: ${CHAT}, and the bot's token in http_config.authorization`)
    if (!hasUrl && !hasToken)
      fail(context, 'api_url', 'needs api_url: the incoming webhook to post to (or slack_api_url in global)')
  })

/** An entry has a URL or a bot's token: its own keeps out what is global, and of both in `global` one counts. */
function declines(own: Readonly<Record<string, unknown>>, whole: Readonly<Record<string, unknown>>): string[] {
  const urls = ['api_url', 'api_url_file']
  const tokens = ['app_token', 'app_token_file']
  const ways = [...urls, ...tokens]
  if (ways.some((key) => isSet(own[key]))) return ways.filter((key) => !(key in own))
  if (hasAuthorization(own['http_config'])) return tokens
  return tokens.some((key) => isSet(whole[key])) ? urls : []
}

/** Slack's incoming webhooks, one attachment a message: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export const slack = channel({
  name: 'slack',
  config,
  inherits: {
    api_url: 'slack_api_url',
    api_url_file: 'slack_api_url_file',
    app_token: 'slack_app_token',
    app_token_file: 'slack_app_token_file',
    app_url: 'slack_app_url',
    http_config: 'http_config',
  },
  declines,
  ignores: ['update_message', 'http_config'],
  unreached: ['app_token', 'app_token_file'],
  globals: z.object({}),
  standIns: { api_url: 'https://sandbox.invalid/slack' },
  deadline: 10_000,
  budget: { burst: 3, refill: 1000, inFlight: 2, digestAbove: 20 },
  onUnconfirmed: 'resend',
  fromTeam: (value) =>
    [value].flat().map((url) => ({
      api_url: url,
      username: 'Tocsin',
      color: '{{ template "tocsin.slack.color" . }}',
      title: '{{ template "tocsin.title" . }}',
      title_link: '{{ template "tocsin.link" . }}',
      text: '{{ template "tocsin.slack.text" . }}',
      fallback: '{{ template "tocsin.title" . }}',
      footer: '{{ template "tocsin.footer" . }}',
      fields: [
        { title: 'Severity', value: '{{ template "tocsin.severity" . }}', short: true },
        { title: 'Team', value: '{{ template "tocsin.team" . }}', short: true },
      ],
      timestamp: true,
    })),
  create: (settings) => ({
    compose(notification) {
      const payload = compose(settings, notification)
      const [attachment] = payload.attachments
      return {
        to: payload.channel || 'Slack',
        title: unescape(attachment.title),
        text: unescape(attachment.text || attachment.fallback),
        payload,
        destination: destinationOf(
          'slack',
          settings.api_url?.reveal() ?? settings.api_url_file ?? '',
          payload.channel ?? '',
        ),
        cost: 1,
      }
    },
    send: ({ payload }, signal) =>
      post(secretOf(settings.api_url, settings.api_url_file), payload, within(signal, settings.timeout)),
  }),
})

/** Slack's three: a label can then say neither `<!channel>` nor a link that lies. */
export function escapeSlack(text: string): string {
  return text.replace(/[&<>]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;'))
}

function unescape(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

function compose(settings: z.output<typeof config>, notification: Notification) {
  const text = (source: string, at: string) => notification.text(source, at, escapeSlack)
  const plain = (source: string, at: string) => notification.address(source, at)
  const url = (source: string, at: string) => link(plain(source, at))
  const { title_link, image_url, thumb_url, icon_url } = settings
  const repeat = notification.possibleRepeat ? '(possible repeat) ' : ''
  const attachment = {
    title: truncate(repeat + text(settings.title, 'title'), LONGEST_TITLE),
    ...some({ title_link: url(title_link, 'title_link'), pretext: text(settings.pretext, 'pretext') }),
    text: truncate(text(settings.text, 'text'), LONGEST_TEXT),
    fallback: truncate(text(settings.fallback, 'fallback'), LONGEST_TITLE),
    callback_id: plain(settings.callback_id, 'callback_id'),
    footer: text(settings.footer, 'footer'),
    ...some({
      image_url: url(image_url, 'image_url'),
      thumb_url: url(thumb_url, 'thumb_url'),
      color: plain(settings.color, 'color'),
    }),
    ...(settings.fields && {
      fields: settings.fields.map(({ title, value, short }, i) => ({
        title: text(title, `fields[${i}].title`),
        value: text(value, `fields[${i}].value`),
        short: short ?? settings.short_fields,
      })),
    }),
    ...(settings.actions && {
      actions: settings.actions.map((one, i) => toAction(one, `actions[${i}]`, text, plain)),
    }),
    mrkdwn_in: settings.mrkdwn_in,
    ...(settings.timestamp && { ts: Math.floor(momentOf(notification) / 1000) }),
  }
  return {
    ...some({
      channel: plain(settings.channel, 'channel'),
      username: plain(settings.username, 'username'),
      icon_emoji: plain(settings.icon_emoji, 'icon_emoji'),
      icon_url: url(icon_url, 'icon_url'),
      text: text(settings.message_text, 'message_text'),
    }),
    ...(settings.link_names && { link_names: true }),
    attachments: [attachment] as [typeof attachment],
  }
}

/** When it began, or, once it is over, ended. */
function momentOf({ data, at }: Notification): number {
  const firing = data.status === 'firing'
  const times = data.alerts
    .filter(({ status }) => status === data.status)
    .map(({ startsAt, endsAt }) => Date.parse(firing ? startsAt : endsAt))
    .filter((time) => time > 0)
  return times.length > 0 ? Math.max(...times) : at
}

type Render = (source: string, at: string) => string

function toAction(one: z.output<typeof action>, at: string, text: Render, plain: Render) {
  const { type, url, style, name, value, confirm } = one
  const base = {
    type: plain(type, `${at}.type`) || 'button', // Slack takes no action without a type
    text: text(one.text, `${at}.text`),
    ...some({ style: plain(style ?? '', `${at}.style`) }),
  }
  if (url) return { ...base, url: link(plain(url, `${at}.url`)) }
  return {
    ...base,
    ...some({ name: plain(name ?? '', `${at}.name`), value: plain(value ?? '', `${at}.value`) }),
    ...(confirm && {
      confirm: {
        text: text(confirm.text, `${at}.confirm.text`),
        ...some({
          title: text(confirm.title ?? '', `${at}.confirm.title`),
          ok_text: text(confirm.ok_text ?? '', `${at}.confirm.ok_text`),
          dismiss_text: text(confirm.dismiss_text ?? '', `${at}.confirm.dismiss_text`),
        }),
      },
    }),
  }
}

/** Only what is not empty, as Alertmanager leaves it out. */
function some<T extends Record<string, string>>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')) as Partial<T>
}

const later = new Set(['internal_error', 'service_unavailable', 'request_timeout', 'rate_limited', 'ratelimited'])
const notAllowed = new Set([
  'invalid_token',
  'invalid_auth',
  'token_revoked',
  'token_expired',
  'account_inactive',
  'missing_scope',
  'action_prohibited',
  'restricted_action',
])

async function post(url: string, message: ReturnType<typeof compose>, signal: AbortSignal): Promise<Outcome> {
  if (!link(url)) return { state: 'failed', reason: 'configuration', detail: 'api_url is empty or no URL' }
  const [{ IncomingWebhook, IncomingWebhookHTTPError }, { fetch, dispatcher }] = await Promise.all([
    import('@slack/webhook'),
    import('./connections.ts'),
  ])
  let retryAfter: string | null = null
  const webhook = new IncomingWebhook(url, {
    timeout: 0, // the signal is the deadline
    fetch: async (to, init) => {
      const answer = await fetch(to, {
        method: 'POST',
        headers: init?.headers ?? {},
        body: typeof init?.body === 'string' ? init.body : null,
        signal,
        redirect: 'error',
        dispatcher,
      })
      retryAfter = answer.headers.get('retry-after')
      return answer
    },
  })
  try {
    // Slack's types know fewer kinds of action than its API takes and Alertmanager sends
    const { text } = await webhook.send(message as unknown as IncomingWebhookSendArguments)
    const says = text.trim()
    if (says === 'ok' || /^\{.*"ok"\s*:\s*true/s.test(says)) return { state: 'delivered' }
    return failedWith(200, says, retryAfter, reasonFor(says, 'client error'))
  } catch (error) {
    if (!(error instanceof IncomingWebhookHTTPError)) return noAnswer(error)
    const says = error.body.slice(0, LONGEST_ANSWER).trim()
    // fatal_error: Slack may have posted it before it failed
    if (says === 'fatal_error') return { state: 'unknown', detail: `HTTP ${error.statusCode}: fatal_error` }
    const failure = failedWith(error.statusCode, says, retryAfter)
    return failure.state === 'failed' ? { ...failure, reason: reasonFor(says, failure.reason) } : failure
  }
}

/** Slack's own word decides where it has one. */
function reasonFor(says: string, otherwise: Reason): Reason {
  const word = /"error"\s*:\s*"(\w+)"/.exec(says)?.[1] ?? says
  if (later.has(word)) return word.startsWith('rate') ? 'rate limited' : 'server error'
  return notAllowed.has(word) ? 'unauthorised' : otherwise
}
