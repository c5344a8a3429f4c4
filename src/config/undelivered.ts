import { z } from 'zod'
import { parseGoDuration } from '../model/duration.ts'
import { atMostOne, fail, hasAuthorization, httpConfig, isSet } from '../model/http-config.ts'
import { record } from '../model/record.ts'
import {
  duration,
  flag,
  httpUrl,
  integer,
  goDuration,
  maybe,
  secret,
  secretUrl,
  string,
  stringMap,
  strings,
} from '../model/settings.ts'

// Alertmanager's kinds of integration that have no channel here yet: read and checked as Alertmanager 0.33
// does, so that a file that it takes is taken here, and one that it refuses is refused.

/** A kind's settings, and those that an entry takes from `global`: entry key → global key. */
export interface Kind {
  config: z.ZodType
  inherits: Readonly<Record<string, string>>
}

type Check<T> = z.core.ParsePayload<T>

const common = { send_resolved: maybe(flag), http_config: maybe(httpConfig) }
const http = { http_config: 'http_config' }

function kind<Shape extends z.ZodRawShape>(
  shape: Shape,
  inherits: Readonly<Record<string, string>>,
  check: (context: Check<z.output<z.ZodObject<typeof common & Shape, z.core.$strict>>>) => void,
): Kind {
  return { config: z.strictObject({ ...common, ...shape }).check(check), inherits }
}

/** Exactly one of a setting and its file. */
function needsOne<T extends object>(
  context: Check<T>,
  key: keyof T & string,
  twin: keyof T & string,
  global = '',
): void {
  atMostOne(context, key, twin)
  if (isSet(context.value[key]) || isSet(context.value[twin])) return
  fail(context, key, `is required; set ${key} or ${twin}${global && `, or ${global} in global`}`)
}

function needs<T extends object>(context: Check<T>, ...keys: (keyof T & string)[]): void {
  for (const key of keys) if (!isSet(context.value[key])) fail(context, key, 'is required')
}

function oneOf(...words: string[]) {
  return maybe(string.refine((given) => given === '' || words.includes(given), `must be one of ${words.join(', ')}`))
}

/** A Go duration that takes no bare number. */
const goDurationText = string.transform((given, context) => {
  const ms = parseGoDuration(given)
  if (ms === undefined)
    context.addIssue(`"${given}" is not a duration; write it as 30s, 1m or 1h30m; there are no days`)
  return ms ?? z.NEVER
})

const webhookUrl = { webhook_url: maybe(secretUrl), webhook_url_file: maybe(string) }
const field = z.strictObject({ title: maybe(string), value: maybe(string), short: maybe(flag) }).check((context) => {
  needs(context, 'title', 'value')
})

const responder = z
  .strictObject({ id: maybe(string), name: maybe(string), username: maybe(string), type: maybe(string) })
  .check((context) => {
    const { id, name, username, type = '' } = context.value
    if (!isSet(id) && !isSet(name) && !isSet(username)) fail(context, 'name', 'is required; set id, name or username')
    if (!type.includes('{{') && !/^(?:team|teams|user|escalation|schedule)$/i.test(type))
      fail(context, 'type', 'must be team, teams, user, escalation or schedule')
  })

const reservedFields =
  'routing_key message_type state_message entity_display_name monitoring_tool entity_id entity_state'

const jiraText = z.union([string, z.strictObject({ template: maybe(string), enable_update: maybe(flag) })])

const mattermostAttachment = z.strictObject({
  fallback: maybe(string),
  color: maybe(string),
  pretext: maybe(string),
  text: maybe(string),
  author_name: maybe(string),
  author_link: maybe(string),
  author_icon: maybe(string),
  title: maybe(string),
  title_link: maybe(string),
  fields: maybe(z.array(field)),
  thumb_url: maybe(string),
  footer: maybe(string),
  footer_icon: maybe(string),
  image_url: maybe(string),
})

const mattermostPriority = z.strictObject({
  priority: maybe(string),
  requested_ack: maybe(flag),
  persistent_notifications: maybe(flag),
})

/** By the key of a receiver. */
export const undelivered: Readonly<Record<string, Kind>> = {
  discord_configs: kind(
    {
      ...webhookUrl,
      content: maybe(string),
      title: maybe(string),
      message: maybe(string),
      username: maybe(string),
      avatar_url: maybe(string),
    },
    http,
    (context) => needsOne(context, 'webhook_url', 'webhook_url_file'),
  ),
  incidentio_configs: kind(
    {
      url: maybe(httpUrl),
      url_file: maybe(string),
      alert_source_token: maybe(secret),
      alert_source_token_file: maybe(string),
      max_alerts: maybe(integer.refine((given) => given >= 0, 'cannot be negative')),
      timeout: maybe(goDuration),
    },
    {}, // a global http_config counts for nothing in the rules below
    (context) => {
      const { alert_source_token, alert_source_token_file, http_config } = context.value
      needsOne(context, 'url', 'url_file')
      atMostOne(context, 'alert_source_token', 'alert_source_token_file')
      const hasToken = isSet(alert_source_token) || isSet(alert_source_token_file)
      if (hasToken && hasAuthorization(http_config))
        fail(context, 'alert_source_token', 'cannot stand beside http_config.authorization')
      if (!hasToken && http_config && !hasAuthorization(http_config))
        fail(context, 'alert_source_token', 'is required; set it, its file, or http_config.authorization')
    },
  ),
  jira_configs: kind(
    {
      api_url: maybe(httpUrl),
      api_type: maybe(
        string.refine((given) => /^(?:auto|cloud|datacenter)$/.test(given), 'must be auto, cloud or datacenter'),
      ),
      project: maybe(string),
      summary: maybe(jiraText),
      description: maybe(jiraText),
      labels: maybe(strings),
      priority: maybe(string),
      issue_type: maybe(string),
      reopen_transition: maybe(string),
      resolve_transition: maybe(string),
      wont_fix_resolution: maybe(string),
      reopen_duration: maybe(duration),
      fields: maybe(record(z.unknown())),
    },
    { ...http, api_url: 'jira_api_url' },
    (context) => {
      needs(context, 'project', 'issue_type')
      if (!isSet(context.value.api_url)) fail(context, 'api_url', 'is required; set it here, or jira_api_url in global')
    },
  ),
  mattermost_configs: kind(
    {
      ...webhookUrl,
      channel: maybe(string),
      username: maybe(string),
      ...mattermostAttachment.shape,
      icon_url: maybe(string),
      icon_emoji: maybe(string),
      attachments: maybe(z.array(mattermostAttachment)),
      type: maybe(string),
      props: maybe(z.strictObject({ card: maybe(string) })),
      priority: maybe(mattermostPriority),
    },
    { ...http, webhook_url: 'mattermost_webhook_url', webhook_url_file: 'mattermost_webhook_url_file' },
    (context) => needsOne(context, 'webhook_url', 'webhook_url_file', 'mattermost_webhook_url'),
  ),
  msteams_configs: kind(
    { ...webhookUrl, title: maybe(string), summary: maybe(string), text: maybe(string) },
    http,
    (context) => needsOne(context, 'webhook_url', 'webhook_url_file'),
  ),
  msteamsv2_configs: kind({ ...webhookUrl, title: maybe(string), text: maybe(string) }, http, (context) =>
    needsOne(context, 'webhook_url', 'webhook_url_file'),
  ),
  opsgenie_configs: kind(
    {
      api_key: maybe(secret),
      api_key_file: maybe(string),
      api_url: maybe(httpUrl),
      message: maybe(string),
      description: maybe(string),
      source: maybe(string),
      details: maybe(stringMap),
      entity: maybe(string),
      responders: maybe(z.array(responder)),
      actions: maybe(string),
      tags: maybe(string),
      note: maybe(string),
      priority: maybe(string),
      update_alerts: maybe(flag),
    },
    { ...http, api_key: 'opsgenie_api_key', api_key_file: 'opsgenie_api_key_file', api_url: 'opsgenie_api_url' },
    (context) => needsOne(context, 'api_key', 'api_key_file', 'opsgenie_api_key'),
  ),
  pushover_configs: kind(
    {
      user_key: maybe(secret),
      user_key_file: maybe(string),
      token: maybe(secret),
      token_file: maybe(string),
      title: maybe(string),
      message: maybe(string),
      url: maybe(string),
      url_title: maybe(string),
      device: maybe(string),
      sound: maybe(string),
      priority: maybe(string),
      retry: maybe(goDurationText),
      expire: maybe(goDurationText),
      ttl: maybe(goDurationText),
      html: maybe(flag),
      monospace: maybe(flag),
    },
    http,
    (context) => {
      needsOne(context, 'user_key', 'user_key_file')
      needsOne(context, 'token', 'token_file')
      if (context.value.html && context.value.monospace) fail(context, 'monospace', 'cannot stand beside html')
    },
  ),
  rocketchat_configs: kind(
    {
      api_url: maybe(httpUrl),
      token: maybe(secret),
      token_file: maybe(string),
      token_id: maybe(secret),
      token_id_file: maybe(string),
      channel: maybe(string),
      color: maybe(string),
      title: maybe(string),
      title_link: maybe(string),
      text: maybe(string),
      fields: maybe(z.array(z.strictObject({ title: maybe(string), value: maybe(string), short: maybe(flag) }))),
      short_fields: maybe(flag),
      emoji: maybe(string),
      icon_url: maybe(string),
      image_url: maybe(string),
      thumb_url: maybe(string),
      link_names: maybe(flag),
      actions: maybe(
        z.array(
          z.strictObject({
            type: maybe(string),
            text: maybe(string),
            url: maybe(string),
            msg: maybe(string),
            imageurl: maybe(string),
            iswebview: maybe(flag),
            webviewheightratio: maybe(string),
            msginchatwindow: maybe(flag),
            msgprocessingtype: maybe(string),
          }),
        ),
      ),
    },
    {
      ...http,
      api_url: 'rocketchat_api_url',
      token: 'rocketchat_token',
      token_file: 'rocketchat_token_file',
      token_id: 'rocketchat_token_id',
      token_id_file: 'rocketchat_token_id_file',
    },
    (context) => {
      needsOne(context, 'token_id', 'token_id_file', 'rocketchat_token_id')
      needsOne(context, 'token', 'token_file', 'rocketchat_token')
    },
  ),
  sns_configs: kind(
    {
      api_url: maybe(string),
      sigv4: maybe(
        z
          .strictObject({
            region: maybe(string),
            access_key: maybe(string),
            secret_key: maybe(secret),
            profile: maybe(string),
            role_arn: maybe(string),
            external_id: maybe(string),
            use_fips_sts_endpoint: maybe(flag),
            service_name: maybe(string),
          })
          .check((context) => {
            if (isSet(context.value.access_key) !== isSet(context.value.secret_key))
              fail(context, 'secret_key', 'access_key and secret_key go together')
            if (isSet(context.value.external_id) && !isSet(context.value.role_arn))
              fail(context, 'external_id', 'needs role_arn beside it')
          }),
      ),
      topic_arn: maybe(string),
      target_arn: maybe(string),
      phone_number: maybe(string),
      subject: maybe(string),
      message: maybe(string),
      attributes: maybe(stringMap),
      use_aws_http_client: maybe(flag),
    },
    http,
    (context) => {
      const { topic_arn, target_arn, phone_number } = context.value
      // Alertmanager counts to odd, so all three pass
      if ([topic_arn, target_arn, phone_number].filter(isSet).length % 2 === 0)
        fail(context, 'topic_arn', 'set one of topic_arn, target_arn and phone_number')
    },
  ),
  telegram_configs: kind(
    {
      api_url: maybe(httpUrl),
      bot_token: maybe(secret),
      bot_token_file: maybe(string),
      chat_id: maybe(integer),
      chat_id_file: maybe(string),
      message_thread_id: maybe(integer),
      message: maybe(string),
      disable_notifications: maybe(flag),
      parse_mode: oneOf('Markdown', 'MarkdownV2', 'HTML'),
    },
    {
      ...http,
      api_url: 'telegram_api_url',
      bot_token: 'telegram_bot_token',
      bot_token_file: 'telegram_bot_token_file',
    },
    (context) => {
      const { chat_id, chat_id_file } = context.value
      if (!chat_id && !isSet(chat_id_file)) fail(context, 'chat_id', 'is required; set chat_id or chat_id_file')
      if (chat_id) atMostOne(context, 'chat_id', 'chat_id_file')
      needsOne(context, 'bot_token', 'bot_token_file', 'telegram_bot_token')
    },
  ),
  victorops_configs: kind(
    {
      api_key: maybe(secret),
      api_key_file: maybe(string),
      api_url: maybe(httpUrl),
      routing_key: maybe(string),
      message_type: maybe(string),
      state_message: maybe(string),
      entity_display_name: maybe(string),
      monitoring_tool: maybe(string),
      custom_fields: maybe(stringMap),
    },
    { ...http, api_key: 'victorops_api_key', api_key_file: 'victorops_api_key_file', api_url: 'victorops_api_url' },
    (context) => {
      needs(context, 'routing_key')
      for (const name of Object.keys(context.value.custom_fields ?? {})) {
        if (reservedFields.split(' ').includes(name))
          fail(context, 'custom_fields', `"${name}" is a field of the message itself; choose another name`)
      }
      needsOne(context, 'api_key', 'api_key_file', 'victorops_api_key')
    },
  ),
  webex_configs: kind(
    { api_url: maybe(httpUrl), room_id: maybe(string), message: maybe(string) },
    { api_url: 'webex_api_url' }, // its authorization must be its own
    (context) => {
      needs(context, 'room_id')
      if (!hasAuthorization(context.value.http_config))
        fail(context, 'http_config', 'needs authorization: the bot token')
    },
  ),
  wechat_configs: kind(
    {
      api_secret: maybe(secret),
      api_secret_file: maybe(string),
      corp_id: maybe(string),
      api_url: maybe(httpUrl),
      message: maybe(string),
      to_user: maybe(string),
      to_party: maybe(string),
      to_tag: maybe(string),
      agent_id: maybe(string),
      message_type: oneOf('text', 'markdown'),
    },
    {
      ...http,
      api_secret: 'wechat_api_secret',
      api_secret_file: 'wechat_api_secret_file',
      corp_id: 'wechat_api_corp_id',
      api_url: 'wechat_api_url',
    },
    (context) => {
      needsOne(context, 'api_secret', 'api_secret_file', 'wechat_api_secret')
      if (!isSet(context.value.corp_id))
        fail(context, 'corp_id', 'is required; set it here, or wechat_api_corp_id in global')
    },
  ),
}
