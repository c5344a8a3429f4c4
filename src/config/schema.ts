import { z } from 'zod'
import { type Egress, everywhere, parseRange } from '../model/egress.ts'
import { atMostOne, fail, header, httpConfig, isSet, tlsConfig } from '../model/http-config.ts'
import { record } from '../model/record.ts'
import { duration, flag, integer, maybe, number, secretUrl, string, stringMap, strings } from '../model/settings.ts'
import type { RouteOptions } from '../route/route.ts'
import { budgets } from './budgets.ts'
import { callbacks } from './callbacks.ts'
import { isPattern } from './read/glob.ts'
import { interval } from './interval.ts'
import { limits } from './limits.ts'

// The routing file's shape, without what channels bring. A key with nothing behind it keeps its default.

const positive = duration.refine((ms) => ms > 0, 'cannot be zero')

const matcherList = maybe(z.array(z.preprocess((given) => given ?? '', string)))
const matcherMap = maybe(record(string.nullable()))

const groupBy = strings.transform((names, context): readonly string[] | 'all' => {
  // as Alertmanager: twice `...` is still all
  if (names.length > 0 && names.every((name) => name === '...')) return 'all'
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) context.addIssue(`"${twice}" stands in it twice`)
  if (!names.includes('...')) return names
  context.addIssue('"..." means all labels; no other name can stand beside it')
  return 'all'
})

const timers = {
  group_by: maybe(groupBy),
  group_wait: maybe(duration),
  group_interval: maybe(positive),
  repeat_interval: maybe(positive),
}

const routeShape = {
  receiver: maybe(string),
  ...timers,
  continue: maybe(flag),
  matchers: matcherList,
  match: matcherMap,
  match_re: matcherMap,
  mute_time_intervals: maybe(strings),
  active_time_intervals: maybe(strings),
  labels: maybe(stringMap),
}

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
  name: maybe(string),
  source_matchers: matcherList,
  target_matchers: matcherList,
  source_match: matcherMap,
  source_match_re: matcherMap,
  target_match: matcherMap,
  target_match_re: matcherMap,
  equal: maybe(strings),
})

const timeInterval = maybe(
  z.strictObject({
    name: string.refine((name) => name !== '', 'needs a name'),
    time_intervals: maybe(z.array(maybe(interval))),
  }),
).transform((given) => given ?? { name: '', time_intervals: undefined }) // an empty item, as Alertmanager takes it

const tracing = z
  .strictObject({
    client_type: maybe(string.refine((given) => /^(?:grpc|http)$/.test(given), 'must be grpc or http')),
    endpoint: maybe(string),
    sampling_fraction: maybe(number),
    insecure: maybe(flag),
    tls_config: maybe(tlsConfig),
    headers: maybe(record(header)),
    compression: maybe(string.refine((given) => /^(?:|gzip)$/.test(given), 'must be gzip')),
    timeout: maybe(duration),
  })
  .check((context) => {
    if (!isSet(context.value.endpoint)) fail(context, 'endpoint', 'is required')
  })

/** Alertmanager's experiment, which needs a flag of its own: checked, and left. */
const eventRecorder = z.strictObject({
  file_outputs: outputs({ path: maybe(string) }, 'path'),
  webhook_outputs: outputs(
    {
      url: maybe(secretUrl),
      http_config: maybe(httpConfig),
      timeout: maybe(duration),
      workers: maybe(integer),
      max_retries: maybe(integer),
      retry_backoff: maybe(duration),
    },
    'url',
  ),
  kafka_outputs: outputs({
    brokers: maybe(strings),
    topic: maybe(string),
    client_id: maybe(string),
    acks: maybe(string),
    compression: maybe(string),
    format: maybe(string),
    buffer_size: maybe(integer),
    tls_config: maybe(tlsConfig),
  }),
  stdout_outputs: maybe(z.array(z.unknown())),
})

function outputs<Shape extends z.ZodRawShape>(shape: Shape, required?: keyof Shape & string) {
  const output = z.strictObject(shape).check((context) => {
    const value: Readonly<Record<string, unknown>> = context.value
    if (required && !isSet(value[required])) fail(context, required, 'is required')
  })
  return maybe(z.array(maybe(output)))
}

/** An alert that is to come all the time. */
const heartbeatIn = z.strictObject({
  name: string.refine((name) => name !== '', 'needs a name'),
  matchers: z
    .array(z.preprocess((given) => given ?? '', string))
    .min(1, 'needs a matcher, such as alertname="Watchdog": without one, any alert is a sign of life'),
  timeout: maybe(positive),
  severity: maybe(string),
  team: maybe(string),
  labels: maybe(stringMap),
})

/** A service outside that is called as long as Tocsin works. */
const heartbeatOut = z
  .strictObject({
    url: maybe(secretUrl),
    url_file: maybe(string),
    interval: maybe(duration.refine((ms) => ms >= 1000, 'must be 1s or more')),
  })
  .check((context) => {
    const { url, url_file } = context.value
    if (!isSet(url) && !isSet(url_file)) fail(context, 'url', 'needs url or url_file')
    atMostOne(context, 'url', 'url_file')
  })

const severityOverride = z.strictObject({
  notify: maybe(strings),
  incident: maybe(flag),
  priority: maybe(string),
  deadline: maybe(positive),
  ...timers,
})
export type SeverityOverride = z.output<typeof severityOverride>
export const severity = severityOverride.extend({
  notify: z.array(string),
  default: maybe(flag),
})
export type SeveritySettings = z.output<typeof severity>

/** A destination, or several. */
const destination = maybe(z.union([string, strings]))

/** A team's row: its destinations by channel, and where its severities differ. */
export function teamSchema(channels: readonly string[]) {
  return z.strictObject({
    default: maybe(flag),
    fallback: maybe(string),
    severities: maybe(record(severityOverride)),
    ...Object.fromEntries(channels.map((name) => [name, destination])),
  })
}

const NO_PATTERN =
  'is no pattern of file names: a [ that is not closed, an empty one, or nothing behind a \\; write \\[ for a [ that means itself'
const patterns = maybe(z.array(z.preprocess((given) => given ?? '', string).refine(isPattern, NO_PATTERN)))

const range = string.transform((text, context) => {
  const parsed = parseRange(text)
  if (!parsed) context.addIssue(`"${text}" is no range of addresses; write it as 10.0.0.0/8 or fd00::/8`)
  return parsed ?? z.NEVER
})

const allOrNone = z.unknown().transform((given, context): boolean => {
  const parsed = flag.safeParse(given)
  if (!parsed.success) context.addIssue('must be true, false or a list of ranges of addresses, such as [10.0.0.0/8]')
  return parsed.data ?? false
})

/** Where requests may go. */
const egress = z.strictObject({ allow_private: maybe(z.union([z.array(range), allOrNone])) })

/** What holds of it: all, where the file says nothing. */
export function egressOf(given: z.output<typeof egress> | undefined): Egress {
  return { allowPrivate: given?.allow_private ?? everywhere.allowPrivate }
}

/** What the file may hold at its top, beside receivers and global settings. */
export const top = z.strictObject({
  route: maybe(route),
  inhibit_rules: maybe(z.array(maybe(inhibitRule))),
  templates: patterns,
  time_intervals: maybe(z.array(timeInterval)),
  mute_time_intervals: maybe(z.array(timeInterval)),
  include: patterns,
  severities: maybe(record(severity)),
  tracing: maybe(tracing),
  event_recorder: maybe(eventRecorder),
  egress: maybe(egress),
  budgets: maybe(budgets),
  incidents: maybe(z.strictObject({ reopen_within: maybe(duration) })),
  limits: maybe(limits),
  heartbeats: maybe(z.array(heartbeatIn)),
  heartbeat: maybe(heartbeatOut),
  callbacks: maybe(callbacks),
  // these are read elsewhere, or taken and left
  global: z.unknown().optional(),
  receivers: z.unknown().optional(),
  teams: z.unknown().optional(),
})
export type Top = z.output<typeof top>
