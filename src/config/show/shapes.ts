import { limitKeys } from '../../model/limits.ts'
import { compareMatchers, formatMatcher } from '../../match/matcher.ts'
import type { MatcherMode } from '../../match/mode.ts'
import { parseMatchers } from '../../match/parse.ts'
import { Plain } from '../../model/plain.ts'

// How Alertmanager prints each setting: from a value as a YAML file gives it to one that may be shown. Defaults are filled
// in, but for those of settings that came after 0.25: its amtool (Debian 12's) refuses keys that it does not know.

/** Who is to read what is printed: Alertmanager's strict parser, or Tocsin with its own keys. */
export type Reader = 'Alertmanager' | 'Tocsin'

const CHAT = 'https://slack.com/api/chat.postMessage'

export type Printed = null | string | number | boolean | Printed[] | { [key: string]: Printed }
/** What is printed of a value; undefined where nothing is. */
export type Printer = (given: unknown) => Printed | undefined

const text: Printer = (given) => (given instanceof Plain ? given.text : typeof given === 'string' ? given : undefined)
const secret: Printer = (given) => (text(given) ? '<secret>' : undefined)
/** The address that takes bot tokens is no secret, and `update_message` asks for it. */
const slackUrl: Printer = (given) => (text(given) === CHAT ? CHAT : secret(given))
/** Before 0.26 a webhook's URL was no secret, and must read as one that leads somewhere. */
const webhookUrl: Printer = (given) => (text(given) ? 'http://<secret>' : undefined)
const flag: Printer = (given) => {
  const value = given instanceof Plain ? given.value : given
  return typeof value === 'boolean' ? value : undefined
}
const number: Printer = (given) => {
  const value = given instanceof Plain ? given.value : given
  return typeof value === 'number' ? value : undefined
}
/** Without the password that it may hold. */
const url: Printer = (given) => {
  const value = text(given)
  return typeof value === 'string' ? value.replace(/^([^/]*\/\/[^/@:]*):[^/]*@/, '$1:xxxxx@') : undefined
}
/** A Go duration, or a number of nanoseconds. */
const goDuration: Printer = (given) =>
  given instanceof Plain && typeof given.value === 'number' ? given.value : text(given)
const untyped: Printer = (given) => {
  if (given instanceof Plain) return given.value
  if (Array.isArray(given)) return given.map((item) => untyped(item) ?? null)
  if (isMap(given)) return mapOf(untyped, null)(given)
  return typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean' ? given : undefined
}

export function isMap(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given) && !(given instanceof Plain)
}

function list(item: Printer, empty?: Printed): Printer {
  return (given) => (Array.isArray(given) ? given.flatMap((one) => item(one) ?? empty ?? []) : undefined)
}

function mapOf(value: Printer, empty: Printed): Printer {
  return (given) => {
    if (!isMap(given)) return undefined
    const whole: { [key: string]: Printed } = Object.create(null)
    for (const [key, part] of Object.entries(given)) whole[key] = value(part) ?? empty
    return whole
  }
}

function struct(shape: Readonly<Record<string, Printer>>): Printer {
  return (given) => {
    if (!isMap(given)) return undefined
    const whole: { [key: string]: Printed } = Object.create(null)
    for (const [key, print] of Object.entries(shape)) {
      const printed = print(given[key])
      if (printed !== undefined) whole[key] = printed
    }
    return whole
  }
}

/** A setting that is printed also where it is not given. */
function or(print: Printer, otherwise: Printed): Printer {
  return (given) => print(given) ?? otherwise
}

const template = (name: string) => or(text, `{{ template "${name}" . }}`)
const texts = list(text, '')
const textMap = mapOf(text, '')

const tlsConfig = struct({
  ca: text,
  cert: text,
  key: secret,
  ca_file: text,
  cert_file: text,
  key_file: text,
  ca_ref: text,
  cert_ref: text,
  key_ref: text,
  server_name: text,
  insecure_skip_verify: or(flag, false),
  min_version: text,
  max_version: text,
})
const proxy = {
  proxy_url: url,
  no_proxy: text,
  proxy_from_environment: flag,
  proxy_connect_header: mapOf(list(secret), []),
}
const headers = mapOf(struct({ values: texts, secrets: list(secret), files: texts }), {})

const plainHttpConfig = struct({
  basic_auth: struct({
    username: text,
    username_file: text,
    username_ref: text,
    password: secret,
    password_file: text,
    password_ref: text,
  }),
  authorization: struct({ type: text, credentials: secret, credentials_file: text, credentials_ref: text }),
  oauth2: struct({
    client_id: text,
    client_secret: secret,
    client_secret_file: text,
    client_secret_ref: text,
    client_certificate_key_id: text,
    client_certificate_key: secret,
    client_certificate_key_file: text,
    client_certificate_key_ref: text,
    signature_algorithm: text,
    iss: text,
    audience: text,
    claims: untyped,
    scopes: texts,
    token_url: url,
    endpoint_params: textMap,
    grant_type: text,
    tls_config: tlsConfig,
    ...proxy,
  }),
  bearer_token: secret,
  bearer_token_file: text,
  tls_config: tlsConfig,
  follow_redirects: or(flag, true),
  enable_http2: or(flag, true),
  ...proxy,
  http_headers: headers,
})
/** A bearer token is printed in the form that took its place. */
const httpConfig: Printer = (given) => {
  const printed = plainHttpConfig(given)
  if (!isPrintedMap(printed)) return undefined
  const { bearer_token, bearer_token_file, ...rest } = printed
  if (bearer_token) return { authorization: { type: 'Bearer', credentials: bearer_token }, ...rest }
  if (bearer_token_file) return { authorization: { type: 'Bearer', credentials_file: bearer_token_file }, ...rest }
  return rest
}

export function isPrintedMap(given: Printed | undefined): given is { [key: string]: Printed } {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

const globalShape = {
  resolve_timeout: or(text, '5m'),
  http_config: or(httpConfig, { follow_redirects: true, enable_http2: true }),
  jira_api_url: url,
  smtp_from: text,
  smtp_hello: or(text, 'localhost'),
  smtp_smarthost: text,
  smtp_auth_username: text,
  smtp_auth_password: secret,
  smtp_auth_password_file: text,
  smtp_auth_secret: secret,
  smtp_auth_secret_file: text,
  smtp_auth_identity: text,
  smtp_require_tls: or(flag, true),
  smtp_tls_config: tlsConfig,
  smtp_force_implicit_tls: flag,
  slack_api_url: secret,
  slack_api_url_file: text,
  slack_app_token: secret,
  slack_app_token_file: text,
  slack_app_url: url,
  pagerduty_url: or(url, 'https://events.pagerduty.com/v2/enqueue'),
  opsgenie_api_url: or(url, 'https://api.opsgenie.com/'),
  opsgenie_api_key: secret,
  opsgenie_api_key_file: text,
  wechat_api_url: or(url, 'https://qyapi.weixin.qq.com/cgi-bin/'),
  wechat_api_secret: secret,
  wechat_api_secret_file: text,
  wechat_api_corp_id: text,
  victorops_api_url: or(url, 'https://alert.victorops.com/integrations/generic/20131114/alert/'),
  victorops_api_key: secret,
  victorops_api_key_file: text,
  telegram_api_url: or(url, 'https://api.telegram.org'),
  telegram_bot_token: secret,
  telegram_bot_token_file: text,
  webex_api_url: or(url, 'https://webexapis.com/v1/messages'),
  rocketchat_api_url: url,
  rocketchat_token: secret,
  rocketchat_token_file: text,
  rocketchat_token_id: secret,
  rocketchat_token_id_file: text,
  mattermost_webhook_url: secret,
  mattermost_webhook_url_file: text,
}

const chatUrl = { webhook_url: secret, webhook_url_file: text }
const fields = list(struct({ title: text, value: text, short: flag }))
const attachment = {
  fallback: text,
  color: text,
  pretext: text,
  text,
  author_name: text,
  author_link: text,
  author_icon: text,
  title: text,
  title_link: text,
  fields,
  thumb_url: text,
  footer: text,
  footer_icon: text,
  image_url: text,
}
const pagerdutyDetails = {
  firing: '{{ .Alerts.Firing | toJson }}',
  resolved: '{{ .Alerts.Resolved | toJson }}',
  num_firing: '{{ .Alerts.Firing | len }}',
  num_resolved: '{{ .Alerts.Resolved | len }}',
}
const jiraText =
  (otherwise: string): Printer =>
  (given) =>
    isMap(given)
      ? struct({ template: or(text, otherwise), enable_update: flag })(given)
      : { template: text(given) ?? otherwise }

interface Kind {
  sendResolved: boolean
  shape: Readonly<Record<string, Printer>>
}

/** Settings of each kind of integration; `send_resolved` and `http_config` stand before them. */
const kinds: Readonly<Record<string, Kind>> = {
  discord_configs: {
    sendResolved: true,
    shape: {
      ...chatUrl,
      content: text,
      title: template('discord.default.title'),
      message: template('discord.default.message'),
      username: text,
      avatar_url: text,
    },
  },
  email_configs: {
    sendResolved: false,
    shape: {
      to: text,
      from: text,
      hello: or(text, 'localhost'),
      smarthost: text,
      auth_username: text,
      auth_password: secret,
      auth_password_file: text,
      auth_secret: secret,
      auth_secret_file: text,
      auth_identity: text,
      headers: textMap,
      html: template('email.default.html'),
      text,
      require_tls: or(flag, true),
      tls_config: or(tlsConfig, { insecure_skip_verify: false }),
      force_implicit_tls: flag,
      threading: struct({ enabled: flag, thread_by_date: text }),
    },
  },
  pagerduty_configs: {
    sendResolved: true,
    shape: {
      service_key: secret,
      service_key_file: text,
      routing_key: secret,
      routing_key_file: text,
      url: or(url, 'https://events.pagerduty.com/v2/enqueue'),
      client: template('pagerduty.default.client'),
      client_url: template('pagerduty.default.clientURL'),
      description: or(text, '{{ template "pagerduty.default.description" .}}'),
      details: (given) => ({ ...pagerdutyDetails, ...(isMap(given) && printedMap(untyped(given))) }),
      images: list(struct({ src: text, alt: text, href: text }), {}),
      links: list(struct({ href: text, text }), {}),
      source: text,
      severity: text,
      class: text,
      component: text,
      group: text,
      timeout: goDuration,
    },
  },
  slack_configs: {
    sendResolved: false,
    shape: {
      api_url: slackUrl,
      api_url_file: text,
      app_token: secret,
      app_token_file: text,
      app_url: url,
      channel: text,
      username: template('slack.default.username'),
      color: template('slack.default.color'),
      title: template('slack.default.title'),
      title_link: template('slack.default.titlelink'),
      pretext: template('slack.default.pretext'),
      text: template('slack.default.text'),
      message_text: text,
      fields,
      short_fields: or(flag, false),
      footer: template('slack.default.footer'),
      fallback: template('slack.default.fallback'),
      callback_id: template('slack.default.callbackid'),
      icon_emoji: template('slack.default.iconemoji'),
      icon_url: template('slack.default.iconurl'),
      image_url: text,
      thumb_url: text,
      link_names: or(flag, false),
      mrkdwn_in: texts,
      actions: list(
        struct({
          type: text,
          text,
          url: text,
          style: text,
          name: text,
          value: text,
          confirm: struct({ text, title: text, ok_text: text, dismiss_text: text }),
        }),
      ),
      update_message: flag,
      timeout: goDuration,
    },
  },
  webhook_configs: {
    sendResolved: true,
    shape: {
      url: webhookUrl,
      url_file: text,
      max_alerts: or(number, 0),
      timeout: goDuration,
      payload: untyped,
    },
  },
  incidentio_configs: {
    sendResolved: true,
    shape: {
      url,
      url_file: or(text, ''),
      alert_source_token: secret,
      alert_source_token_file: text,
      max_alerts: or(number, 0),
      timeout: goDuration,
    },
  },
  jira_configs: {
    sendResolved: true,
    shape: {
      api_url: url,
      api_type: or(text, 'auto'),
      project: text,
      summary: jiraText('{{ template "jira.default.summary" . }}'),
      description: jiraText('{{ template "jira.default.description" . }}'),
      labels: texts,
      priority: template('jira.default.priority'),
      issue_type: text,
      reopen_transition: text,
      resolve_transition: text,
      wont_fix_resolution: text,
      reopen_duration: text,
      fields: untyped,
    },
  },
  mattermost_configs: {
    sendResolved: true,
    shape: {
      ...chatUrl,
      channel: text,
      ...attachment,
      username: template('mattermost.default.username'),
      text: template('mattermost.default.text'),
      fallback: template('mattermost.default.fallback'),
      color: template('mattermost.default.color'),
      title: template('mattermost.default.title'),
      title_link: template('mattermost.default.titlelink'),
      icon_url: text,
      icon_emoji: text,
      attachments: list(struct(attachment)),
      type: text,
      props: struct({ card: text }),
      priority: struct({ priority: text, requested_ack: flag, persistent_notifications: flag }),
    },
  },
  msteams_configs: {
    sendResolved: true,
    shape: {
      ...chatUrl,
      title: template('msteams.default.title'),
      summary: template('msteams.default.summary'),
      text: template('msteams.default.text'),
    },
  },
  msteamsv2_configs: {
    sendResolved: true,
    shape: { ...chatUrl, title: template('msteamsv2.default.title'), text: template('msteamsv2.default.text') },
  },
  opsgenie_configs: {
    sendResolved: true,
    shape: {
      api_key: secret,
      api_key_file: text,
      api_url: or(url, 'https://api.opsgenie.com/'),
      message: template('opsgenie.default.message'),
      description: template('opsgenie.default.description'),
      source: template('opsgenie.default.source'),
      details: textMap,
      entity: text,
      responders: list(struct({ id: text, name: text, username: text, type: text })),
      actions: text,
      tags: text,
      note: text,
      priority: text,
      update_alerts: flag,
    },
  },
  pushover_configs: {
    sendResolved: true,
    shape: {
      user_key: secret,
      user_key_file: text,
      token: secret,
      token_file: text,
      title: template('pushover.default.title'),
      message: template('pushover.default.message'),
      url: template('pushover.default.url'),
      url_title: text,
      device: text,
      sound: text,
      priority: or(text, '{{ if eq .Status "firing" }}2{{ else }}0{{ end }}'),
      retry: or(text, '1m0s'),
      expire: or(text, '1h0m0s'),
      ttl: text,
      html: flag,
      monospace: flag,
    },
  },
  rocketchat_configs: {
    sendResolved: false,
    shape: {
      api_url: or(url, 'https://open.rocket.chat/'),
      token_id: secret,
      token_id_file: text,
      token: secret,
      token_file: text,
      channel: text,
      color: or(text, '{{ if eq .Status "firing" }}red{{ else }}green{{ end }}'),
      title: template('rocketchat.default.title'),
      title_link: template('rocketchat.default.titlelink'),
      text: template('rocketchat.default.text'),
      fields,
      short_fields: or(flag, false),
      emoji: template('rocketchat.default.emoji'),
      icon_url: template('rocketchat.default.iconurl'),
      image_url: text,
      thumb_url: text,
      link_names: or(flag, false),
      actions: list(
        struct({
          type: text,
          text,
          url: text,
          imageurl: text,
          iswebview: flag,
          webviewheightratio: text,
          msg: text,
          msginchatwindow: flag,
          msgprocessingtype: text,
        }),
      ),
    },
  },
  sns_configs: {
    sendResolved: true,
    shape: {
      api_url: text,
      sigv4: or(
        struct({
          region: text,
          access_key: text,
          secret_key: secret,
          profile: text,
          role_arn: text,
          external_id: text,
          use_fips_sts_endpoint: flag,
          service_name: text,
        }),
        {},
      ),
      topic_arn: text,
      phone_number: text,
      target_arn: text,
      subject: template('sns.default.subject'),
      message: template('sns.default.message'),
      attributes: textMap,
      use_aws_http_client: flag,
    },
  },
  telegram_configs: {
    sendResolved: true,
    shape: {
      api_url: or(url, 'https://api.telegram.org'),
      bot_token: secret,
      bot_token_file: text,
      chat_id: number,
      chat_id_file: text,
      message_thread_id: number,
      message: template('telegram.default.message'),
      disable_notifications: flag,
      parse_mode: or(text, 'HTML'),
    },
  },
  victorops_configs: {
    sendResolved: true,
    shape: {
      api_key: secret,
      api_key_file: text,
      api_url: or(url, 'https://alert.victorops.com/integrations/generic/20131114/alert/'),
      routing_key: text,
      message_type: or(text, 'CRITICAL'),
      state_message: template('victorops.default.state_message'),
      entity_display_name: template('victorops.default.entity_display_name'),
      monitoring_tool: template('victorops.default.monitoring_tool'),
      custom_fields: textMap,
    },
  },
  webex_configs: {
    sendResolved: true,
    shape: {
      api_url: or(url, 'https://webexapis.com/v1/messages'),
      message: template('webex.default.message'),
      room_id: text,
    },
  },
  wechat_configs: {
    sendResolved: false,
    shape: {
      api_secret: secret,
      api_secret_file: text,
      corp_id: text,
      message: template('wechat.default.message'),
      api_url: or(url, 'https://qyapi.weixin.qq.com/cgi-bin/'),
      to_user: template('wechat.default.to_user'),
      to_party: template('wechat.default.to_party'),
      to_tag: template('wechat.default.to_tag'),
      agent_id: template('wechat.default.agent_id'),
      message_type: or(text, 'text'),
    },
  },
}

function printedMap(printed: Printed | undefined): { [key: string]: Printed } {
  return isPrintedMap(printed) ? printed : {}
}

/** What only Tocsin reads: kinds of its own, and keys of its own beside Alertmanager's. */
const own = {
  kinds: {
    sms_configs: {
      sendResolved: false,
      shape: {
        account_sid: text,
        auth_token: secret,
        from: text,
        messaging_service_sid: text,
        api_url: url,
        to: text,
        text,
        max_segments: number,
      },
    },
  } satisfies Readonly<Record<string, Kind>>,
  keys: {
    slack_configs: { timestamp: flag },
    webhook_configs: { signing_secret: secret, signing_secret_file: text },
  } satisfies Readonly<Record<string, Kind['shape']>>,
  global: {
    twilio_account_sid: text,
    twilio_auth_token: secret,
    twilio_from: text,
    twilio_messaging_service_sid: text,
    twilio_api_url: url,
  },
  route: { labels: textMap },
}

/** The shapes that a reader takes; integrations by kind, in the order of Alertmanager's print. */
export function shapesFor(
  reader: Reader,
  mode: MatcherMode,
): {
  global: Printer
  route: Printer
  inhibitRules: Printer
  integrations: Readonly<Record<string, Printer>>
} {
  const isOurs = reader === 'Tocsin'
  const ownKeys: Readonly<Record<string, Kind['shape']>> = isOurs ? own.keys : {}
  const integrations = Object.entries({ ...kinds, ...(isOurs && own.kinds) }).map(
    ([name, { sendResolved, shape }]): [string, Printer] => [
      name,
      struct({
        send_resolved: or(flag, sendResolved),
        ...(name !== 'email_configs' && { http_config: httpConfig }),
        ...shape,
        ...ownKeys[name],
      }),
    ],
  )
  return {
    global: struct({ ...globalShape, ...(isOurs && own.global) }),
    route: routePrinter(mode, isOurs ? own.route : {}),
    inhibitRules: inhibitRules(mode),
    integrations: Object.fromEntries(integrations),
  }
}

/** Matchers as Alertmanager writes them: one in each text, sorted. */
function matcherTexts(mode: MatcherMode): Printer {
  return (given) => {
    const printed = texts(given)
    if (!Array.isArray(printed)) return undefined
    const matchers = printed.flatMap((one) => (typeof one === 'string' ? parseMatchers(one, mode).matchers : []))
    return matchers.sort(compareMatchers).map(formatMatcher)
  }
}

const matching = (prefix: '' | 'source_' | 'target_', mode: MatcherMode) => ({
  [`${prefix}match`]: textMap,
  [`${prefix}match_re`]: textMap,
  [`${prefix}matchers`]: matcherTexts(mode),
})

function routePrinter(mode: MatcherMode, more: Readonly<Record<string, Printer>>): Printer {
  const route: Printer = (given) =>
    struct({
      receiver: text,
      group_by: texts,
      ...matching('', mode),
      mute_time_intervals: texts,
      active_time_intervals: texts,
      continue: or(flag, false),
      routes: list(route),
      group_wait: text,
      group_interval: text,
      repeat_interval: text,
      ...more,
    })(given)
  return route
}

function inhibitRules(mode: MatcherMode): Printer {
  return list(struct({ name: text, ...matching('source_', mode), ...matching('target_', mode), equal: texts }), {})
}

export const timeIntervals = list(
  struct({
    name: text,
    time_intervals: or(
      list(
        struct({
          times: list(struct({ start_time: text, end_time: text })),
          weekdays: texts,
          days_of_month: texts,
          months: texts,
          years: texts,
          location: text,
        }),
        {},
      ),
      [],
    ),
  }),
)

export const templates = or(texts, [])
export const labels = textMap

/** Tocsin's own. */
export const heartbeats = list(
  struct({ name: text, matchers: texts, timeout: text, severity: text, team: text, labels: textMap }),
)
export const heartbeat = struct({ url: secret, url_file: text, interval: text })

export const tracing = struct({
  client_type: or(text, 'grpc'),
  endpoint: text,
  sampling_fraction: number,
  insecure: flag,
  tls_config: tlsConfig,
  headers,
  compression: text,
  timeout: text,
})

/** Tocsin's own. */
export const limits = struct(Object.fromEntries(Object.values(limitKeys).map((key) => [key, number])))

export const eventRecorder = struct({
  file_outputs: list(struct({ path: text })),
  webhook_outputs: list(
    struct({
      url: secret,
      http_config: httpConfig,
      timeout: text,
      workers: number,
      max_retries: number,
      retry_backoff: text,
    }),
  ),
  kafka_outputs: list(
    struct({
      brokers: or(texts, []),
      topic: or(text, ''),
      client_id: text,
      acks: text,
      compression: text,
      format: text,
      buffer_size: number,
      tls_config: tlsConfig,
    }),
  ),
})
