import { z } from 'zod'
import { atMostOne, fail, hasAuthorization, httpConfig, isSet } from '../model/http-config.ts'
import { flag, goDuration, httpUrl, maybe, secret, secretUrl, string, strings } from '../model/settings.ts'
import { or, sendResolved, template } from './fields.ts'

const CHAT = 'https://slack.com/api/chat.postMessage'

const required = string.refine((given) => given !== '', 'cannot be empty')
const field = z.strictObject({ title: required, value: required, short: maybe(flag) })
export const action = z
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

export const config = z
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

export type Settings = z.output<typeof config>

/** An entry has a URL or a bot's token: its own keeps out what is global, and of both in `global` one counts. */
export function declines(own: Readonly<Record<string, unknown>>, whole: Readonly<Record<string, unknown>>): string[] {
  const urls = ['api_url', 'api_url_file']
  const tokens = ['app_token', 'app_token_file']
  const ways = [...urls, ...tokens]
  if (ways.some((key) => isSet(own[key]))) return ways.filter((key) => !(key in own))
  if (hasAuthorization(own['http_config'])) return tokens
  return tokens.some((key) => isSet(whole[key])) ? urls : []
}
