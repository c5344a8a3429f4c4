import { z } from 'zod'
import { type Matcher, matcher } from '../match/matcher.ts'
import { MatcherError, parseMatchers } from '../match/parse.ts'
import { RegexError } from '../match/regex.ts'
import { duration, flag } from '../model/settings.ts'
import type { RouteOptions } from '../route/route.ts'

// The routing file's shape, without what channels bring. A key with nothing behind it keeps its default.

/** A key that may be missing or empty. */
export function maybe<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined)
}

const positive = duration.refine((ms) => ms > 0, 'cannot be zero')
const labelName = z.string().min(1, 'a label name cannot be empty')

const matcherList = maybe(z.array(z.string().transform(toMatchers)))
const matcherMap = (isRegex: boolean) =>
  maybe(
    z.record(z.string(), z.string().nullable()).transform((map, context) =>
      Object.entries(map).map(([name, value]): Matcher => {
        if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) context.addIssue(`"${name}" is not a label name`)
        if (isRegex && value === null) context.addIssue(`${name}: a regex is missing`)
        // in the group key as Alertmanager writes it
        return guard(
          () => matcher(name, isRegex ? `^(?:${value ?? ''})$` : (value ?? ''), { isRegex, isEqual: true }),
          context,
        )
      }),
    ),
  )

function toMatchers(text: string, context: z.core.$RefinementCtx): Matcher[] {
  return guard(() => parseMatchers(text).matchers, context)
}

function guard<T>(run: () => T, context: z.core.$RefinementCtx): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof MatcherError) && !(error instanceof RegexError)) throw error
    context.addIssue({ code: 'custom', message: error.message, input: undefined })
    return z.NEVER
  }
}

const groupBy = z.array(z.string()).transform((names, context): readonly string[] | 'all' => {
  for (const name of names) if (!labelName.safeParse(name).success) context.addIssue('a label name cannot be empty')
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) context.addIssue(`"${twice}" stands in it twice`)
  if (!names.includes('...')) return names
  if (names.length > 1) context.addIssue('"..." means all labels; no other name can stand beside it')
  return 'all'
})

const timers = {
  group_by: maybe(groupBy),
  group_wait: maybe(duration),
  group_interval: maybe(positive),
  repeat_interval: maybe(positive),
}

const routeShape = {
  receiver: maybe(z.string()),
  ...timers,
  continue: maybe(flag),
  matchers: matcherList,
  match: matcherMap(false),
  match_re: matcherMap(true),
  mute_time_intervals: maybe(z.array(z.string())),
  active_time_intervals: maybe(z.array(z.string())),
  labels: maybe(z.record(z.string(), z.string())),
}
export const routeKeys = [...Object.keys(routeShape), 'routes']

export interface RouteSettings extends z.output<z.ZodObject<typeof routeShape>> {
  routes: RouteSettings[] | undefined
}
export const route: z.ZodType<RouteSettings> = z.lazy(() =>
  z.strictObject({ ...routeShape, routes: maybe(z.array(route)) }),
)

type Timers = Partial<z.output<z.ZodObject<typeof timers>>>

/** What of grouping and timing is set, in the tree's words. */
export function timersOf({ group_by, group_wait, group_interval, repeat_interval }: Timers): Partial<RouteOptions> {
  return {
    ...(group_by !== undefined && { groupBy: group_by }),
    ...(group_wait !== undefined && { groupWait: group_wait }),
    ...(group_interval !== undefined && { groupInterval: group_interval }),
    ...(repeat_interval !== undefined && { repeatInterval: repeat_interval }),
  }
}

const inhibitRule = z.strictObject({
  name: maybe(z.string()),
  source_matchers: matcherList,
  target_matchers: matcherList,
  source_match: matcherMap(false),
  source_match_re: matcherMap(true),
  target_match: matcherMap(false),
  target_match_re: matcherMap(true),
  equal: maybe(z.array(labelName)),
})

const timeInterval = z.strictObject({
  name: z.string().min(1, 'needs a name'),
  time_intervals: maybe(
    z.array(
      z.strictObject({
        times: maybe(z.array(z.strictObject({ start_time: z.string(), end_time: z.string() }))),
        weekdays: maybe(z.array(z.string())),
        days_of_month: maybe(z.array(z.string())),
        months: maybe(z.array(z.string())),
        years: maybe(z.array(z.string())),
        location: maybe(z.string()),
      }),
    ),
  ),
})

const severityOverride = z.strictObject({
  notify: maybe(z.array(z.string())),
  incident: maybe(flag),
  priority: maybe(z.string()),
  ...timers,
})
export type SeverityOverride = z.output<typeof severityOverride>
export const severity = severityOverride.extend({
  notify: z.array(z.string()),
  default: maybe(flag),
})
export type SeveritySettings = z.output<typeof severity>

/** A destination, or several. */
const destination = maybe(z.union([z.string(), z.array(z.string())]))

/** A team's row: its destinations by channel, and where its severities differ. */
export function teamSchema(channels: readonly string[]) {
  return z.strictObject({
    default: maybe(flag),
    severities: maybe(z.record(z.string(), severityOverride)),
    ...Object.fromEntries(channels.map((name) => [name, destination])),
  })
}

/** What the file may hold at its top, beside receivers and global settings. */
export const top = z.strictObject({
  route: maybe(route),
  inhibit_rules: maybe(z.array(inhibitRule)),
  templates: maybe(z.array(z.string())),
  time_intervals: maybe(z.array(timeInterval)),
  mute_time_intervals: maybe(z.array(timeInterval)),
  include: maybe(z.array(z.string())),
  severities: maybe(z.record(z.string(), severity)),
  incidents: maybe(z.strictObject({ reopen_within: maybe(duration) })),
  // these are read elsewhere, or taken and left
  global: z.unknown().optional(),
  receivers: z.unknown().optional(),
  teams: z.unknown().optional(),
  tracing: z.unknown().optional(),
  event_recorder: z.unknown().optional(),
})
export type Top = z.output<typeof top>

/** Alertmanager's kinds of integration that have no channel here yet. */
export const undelivered = [
  'discord_configs',
  'incidentio_configs',
  'jira_configs',
  'mattermost_configs',
  'msteams_configs',
  'msteamsv2_configs',
  'opsgenie_configs',
  'pushover_configs',
  'rocketchat_configs',
  'sns_configs',
  'telegram_configs',
  'victorops_configs',
  'webex_configs',
  'wechat_configs',
]

/** Keys of `global` that Alertmanager knows and no channel of ours uses. */
export const foreignGlobals = [
  'opsgenie_api_url',
  'opsgenie_api_key',
  'opsgenie_api_key_file',
  'victorops_api_url',
  'victorops_api_key',
  'victorops_api_key_file',
  'telegram_api_url',
  'telegram_bot_token',
  'telegram_bot_token_file',
  'webex_api_url',
  'jira_api_url',
  'rocketchat_api_url',
  'rocketchat_token',
  'rocketchat_token_file',
  'rocketchat_token_id',
  'rocketchat_token_id_file',
  'wechat_api_url',
  'wechat_api_secret',
  'wechat_api_secret_file',
  'wechat_api_corp_id',
  'mattermost_webhook_url',
  'mattermost_webhook_url_file',
  'slack_app_token',
  'slack_app_token_file',
  'slack_app_url',
]
