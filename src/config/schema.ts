import { z } from 'zod'
import { fail, header, isSet, tlsConfig } from '../model/http-config.ts'
import { duration, flag, maybe, number, string, stringMap, strings } from '../model/settings.ts'
import type { RouteOptions } from '../route/route.ts'
import { interval } from './interval.ts'
import type { Path } from './source.ts'

// The routing file's shape, without what channels bring. A key with nothing behind it keeps its default.

const positive = duration.refine((ms) => ms > 0, 'cannot be zero')

const matcherList = maybe(z.array(z.preprocess((given) => given ?? '', string)))
const matcherMap = maybe(z.record(z.string(), string.nullable()))

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
  name: maybe(string),
  source_matchers: matcherList,
  target_matchers: matcherList,
  source_match: matcherMap,
  source_match_re: matcherMap,
  target_match: matcherMap,
  target_match_re: matcherMap,
  equal: maybe(strings),
})

const timeInterval = z.strictObject({
  name: string.refine((name) => name !== '', 'needs a name'),
  time_intervals: maybe(z.array(interval)),
})

const tracing = z
  .strictObject({
    client_type: maybe(string.refine((given) => /^(?:|grpc|http)$/.test(given), 'must be grpc or http')),
    endpoint: maybe(string),
    sampling_fraction: maybe(number),
    insecure: maybe(flag),
    tls_config: maybe(tlsConfig),
    headers: maybe(z.record(z.string(), header)),
    compression: maybe(string.refine((given) => /^(?:|gzip)$/.test(given), 'must be gzip')),
    timeout: maybe(string),
  })
  .check((context) => {
    if (!isSet(context.value.endpoint)) fail(context, 'endpoint', 'is required')
  })

const severityOverride = z.strictObject({
  notify: maybe(strings),
  incident: maybe(flag),
  priority: maybe(string),
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
    severities: maybe(z.record(z.string(), severityOverride)),
    ...Object.fromEntries(channels.map((name) => [name, destination])),
  })
}

/** What the file may hold at its top, beside receivers and global settings. */
export const top = z.strictObject({
  route: maybe(route),
  inhibit_rules: maybe(z.array(maybe(inhibitRule))),
  templates: maybe(strings),
  time_intervals: maybe(z.array(timeInterval)),
  mute_time_intervals: maybe(z.array(timeInterval)),
  include: maybe(strings),
  severities: maybe(z.record(z.string(), severity)),
  tracing: maybe(tracing),
  incidents: maybe(z.strictObject({ reopen_within: maybe(duration) })),
  // these are read elsewhere, or taken and left
  global: z.unknown().optional(),
  receivers: z.unknown().optional(),
  teams: z.unknown().optional(),
  event_recorder: z.unknown().optional(),
})
export type Top = z.output<typeof top>

/** The keys that may stand at a path of the file, for suggestions. */
export function knownAt(path: Path): readonly string[] {
  if (path.length === 0) return Object.keys(top.shape)
  if (path[0] === 'route') return routeKeys
  if (path[0] === 'severities') return Object.keys(severity.shape)
  if (path[0] === 'incidents') return ['reopen_within']
  if (path[0] === 'inhibit_rules') return Object.keys(inhibitRule.shape)
  if (path[0] === 'tracing') return path.length === 1 ? Object.keys(tracing.shape) : []
  return ['name', 'time_intervals', 'times', 'weekdays', 'days_of_month', 'months', 'years', 'location']
}
