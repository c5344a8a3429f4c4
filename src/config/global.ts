import { z } from 'zod'
import { httpConfig, isSet, tlsConfig } from '../model/http-config.ts'
import { duration, flag, hostPort, httpUrl, maybe, secret, secretUrl, string } from '../model/settings.ts'
import { check } from './check.ts'
import type { ChannelReader } from './receivers.ts'
import { type Source, isMap } from './read/source.ts'

const RESOLVE_TIMEOUT = 5 * 60_000

/** Alertmanager's `global`. */
const alertmanager = {
  resolve_timeout: maybe(duration),
  http_config: maybe(httpConfig),
  smtp_from: maybe(string),
  smtp_hello: maybe(string),
  smtp_smarthost: maybe(z.union([hostPort, z.literal('')])),
  smtp_auth_username: maybe(string),
  smtp_auth_password: maybe(secret),
  smtp_auth_password_file: maybe(string),
  smtp_auth_secret: maybe(secret),
  smtp_auth_secret_file: maybe(string),
  smtp_auth_identity: maybe(string),
  smtp_require_tls: maybe(flag),
  smtp_tls_config: maybe(tlsConfig),
  smtp_force_implicit_tls: maybe(flag),
  slack_api_url: maybe(secretUrl),
  slack_api_url_file: maybe(string),
  slack_app_token: maybe(secret),
  slack_app_token_file: maybe(string),
  slack_app_url: maybe(httpUrl),
  pagerduty_url: maybe(httpUrl),
  opsgenie_api_url: maybe(httpUrl),
  opsgenie_api_key: maybe(secret),
  opsgenie_api_key_file: maybe(string),
  wechat_api_url: maybe(httpUrl),
  wechat_api_secret: maybe(secret),
  wechat_api_secret_file: maybe(string),
  wechat_api_corp_id: maybe(string),
  victorops_api_url: maybe(httpUrl),
  victorops_api_key: maybe(secret),
  victorops_api_key_file: maybe(string),
  telegram_api_url: maybe(httpUrl),
  telegram_bot_token: maybe(secret),
  telegram_bot_token_file: maybe(string),
  webex_api_url: maybe(httpUrl),
  rocketchat_api_url: maybe(httpUrl),
  rocketchat_token: maybe(secret),
  rocketchat_token_file: maybe(string),
  rocketchat_token_id: maybe(secret),
  rocketchat_token_id_file: maybe(string),
  jira_api_url: maybe(httpUrl),
  mattermost_webhook_url: maybe(secretUrl),
  mattermost_webhook_url_file: maybe(string),
}
const SLACK_APP_URL = 'https://slack.com/api/chat.postMessage'

/** The schema of `global`: Alertmanager's keys and those of our own channels. */
export function globalSchema<N>(channels: readonly ChannelReader<N>[]) {
  const own: z.ZodRawShape = Object.assign({}, ...channels.map(({ globals }) => globals.shape))
  return z.strictObject({ ...own, ...alertmanager })
}

/** The `global` block as it stands; what is wrong with it is among the source's problems. */
export function readGlobal<N>(
  source: Source,
  channels: readonly ChannelReader<N>[],
): Readonly<Record<string, unknown>> {
  const value = isMap(source.value) ? source.value['global'] : undefined
  if (value === undefined || value === null) return {}
  check(globalSchema(channels), value, source, ['global'])
  const given = isMap(value) ? value : {}
  const fail = (key: string, beside: string) =>
    source.problems.push(source.problem(['global', key], `cannot stand beside ${beside}; keep one of them`, 'key'))
  for (const key of Object.keys(given)) {
    const twin = key.slice(0, -'_file'.length)
    if (key.endsWith('_file') && isSet(given[key]) && isSet(given[twin])) fail(key, twin)
  }
  const url = ['slack_api_url', 'slack_api_url_file'].find((key) => isSet(given[key]))
  const token = ['slack_app_token', 'slack_app_token_file'].find((key) => isSet(given[key]))
  // with a bot token both may name the one address that takes it
  if (url && token && given['slack_api_url'] !== (given['slack_app_url'] ?? SLACK_APP_URL)) fail(token, url)
  return given
}

/** How long an alert without an end lives, ms. */
export function resolveTimeout(global: Readonly<Record<string, unknown>>): number {
  const parsed = duration.safeParse(global['resolve_timeout'])
  return parsed.success ? parsed.data : RESOLVE_TIMEOUT
}
