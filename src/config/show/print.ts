import { Document, visit } from 'yaml'
import { withoutValues } from '../read/environment.ts'
import { formatDuration } from '../../model/duration.ts'
import { formatMatcher } from '../../match/matcher.ts'
import type { MatcherMode } from '../../match/mode.ts'
import type { RouteSpec } from '../../route/tree.ts'
import {
  type Printed,
  type Printer,
  type Reader,
  eventRecorder,
  isMap,
  heartbeat,
  heartbeats,
  isPrintedMap,
  labels,
  limits,
  shapesFor,
  templates,
  timeIntervals,
  tracing,
} from './shapes.ts'

/**
 * A receiver as read: its integrations by kind (`slack_configs`), with what they take from `global`, but for
 * `http_config`, which is their own or none.
 */
export interface PrintableReceiver {
  name: string
  labels: unknown
  integrations: ReadonlyMap<string, readonly unknown[]>
}

/** The parts of a config, each as its YAML gives it: texts, lists, maps and `Plain` scalars. */
export interface Printable {
  global: unknown
  route: unknown
  receivers: readonly PrintableReceiver[]
  inhibit_rules?: unknown
  templates?: unknown
  time_intervals?: unknown
  mute_time_intervals?: unknown
  tracing?: unknown
  event_recorder?: unknown
  heartbeats?: unknown
  heartbeat?: unknown
  limits?: unknown
  matcherMode?: MatcherMode // how its matchers are read; fallback where it is not given
  taken?: ReadonlyMap<string, string> // values of variables in it → their names
}

/**
 * A config in Alertmanager's language, as its status shows it: defaults filled in, secrets hidden. With
 * `Alertmanager` its strict parser takes it, Tocsin's own keys left out (spec: config.md §1.10); with
 * `Tocsin` they stand in it, and what it is loaded as routes the same.
 */
export function printConfig(config: Printable, reader: Reader): string {
  const shapes = shapesFor(reader, config.matcherMode ?? 'fallback')
  const printedGlobal = withoutSlackUrl(shapes.global(isMap(config.global) ? config.global : {}), 'slack_')
  const whole: Record<string, Printed | undefined> = {
    global: printedGlobal,
    route: shapes.route(config.route),
    inhibit_rules: shapes.inhibitRules(config.inhibit_rules),
    receivers: config.receivers.map((receiver) => printReceiver(receiver, printedGlobal, shapes.integrations)),
    templates: templates(config.templates),
    time_intervals: timeIntervals(config.time_intervals),
    mute_time_intervals: timeIntervals(config.mute_time_intervals),
    tracing: tracing(config.tracing),
    event_recorder: eventRecorder(config.event_recorder),
    ...(reader === 'Tocsin' && { heartbeats: heartbeats(config.heartbeats), heartbeat: heartbeat(config.heartbeat) }),
    limits: reader === 'Tocsin' ? limits(config.limits) : undefined,
  }
  const given = Object.entries(whole).filter((entry): entry is [string, Printed] => entry[1] !== undefined)
  return toYaml(withReferences(Object.fromEntries(given), config.taken ?? new Map(), false))
}

/** What decides where an alert goes, and what only reads as a value of its kind; anything else may be a secret. */
const shown =
  /^(?:name|receiver|group_by|equal|.*match(?:_re|ers)?|.*time_intervals|.*(?:wait|interval|timeout|duration|url|smarthost|type|version)|templates|times|.*_time|weekdays|days_of_month|months|years|location|retry|expire|ttl|parse_mode|signature_algorithm|compression)$/

/** The same with the names of variables in place of their values. */
function withReferences(printed: Printed, taken: ReadonlyMap<string, string>, isShown: boolean): Printed {
  if (typeof printed === 'string') return isShown ? printed : withoutValues(printed, taken)
  if (Array.isArray(printed)) return printed.map((part) => withReferences(part, taken, isShown))
  if (!isPrintedMap(printed)) return printed
  const whole: { [key: string]: Printed } = Object.create(null)
  for (const [key, part] of Object.entries(printed))
    whole[key] = withReferences(part, taken, isShown || shown.test(key))
  return whole
}

/** A compiled route in the keys of the file; what says nothing is left out. */
export function toRouteSettings(spec: RouteSpec): Record<string, unknown> {
  const { groupBy, matchers, muteTimeIntervals, activeTimeIntervals, routes } = spec
  return {
    receiver: spec.receiver,
    group_by: groupBy === 'all' ? ['...'] : groupBy, // [] says something
    ...(matchers.length > 0 && { matchers: matchers.map(formatMatcher) }),
    ...(muteTimeIntervals.length > 0 && { mute_time_intervals: muteTimeIntervals }),
    ...(activeTimeIntervals.length > 0 && { active_time_intervals: activeTimeIntervals }),
    continue: spec.continue,
    ...(routes.length > 0 && { routes: routes.map(toRouteSettings) }),
    group_wait: durationText(spec.groupWait),
    group_interval: durationText(spec.groupInterval),
    repeat_interval: durationText(spec.repeatInterval),
    ...(spec.labels.size > 0 && { labels: Object.fromEntries(spec.labels) }),
  }
}

function durationText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatDuration(ms)
}

function printReceiver(
  receiver: PrintableReceiver,
  printedGlobal: Printed,
  integrations: Readonly<Record<string, Printer>>,
): Printed {
  const own = asMap(labels(receiver.labels))
  const printed: { [key: string]: Printed } = { name: receiver.name }
  if (Object.keys(own).length > 0) printed['labels'] = { ...own, name: receiver.name }
  for (const [kind, print] of Object.entries(integrations)) {
    const entries = receiver.integrations.get(kind)
    if (entries?.length) printed[kind] = entries.map((entry) => printEntry(kind, asMap(print(entry)), printedGlobal))
  }
  return printed
}

function printEntry(kind: string, printed: { [key: string]: Printed }, printedGlobal: Printed): Printed {
  const whole = withHttpConfig(kind, printed, asMap(asMap(printedGlobal)['http_config']))
  return kind === 'slack_configs' ? withoutSlackUrl(whole, '') : whole
}

/** With the global `http_config`, unless the entry has its own or would be refused with it. */
function withHttpConfig(kind: string, printed: { [key: string]: Printed }, http_config: { [key: string]: Printed }) {
  const hasToken = Object.keys(printed).some((key) => /^(?:app|alert_source)_token/.test(key))
  const isRefused = http_config['authorization'] ? hasToken : kind === 'incidentio_configs' && !hasToken
  const speaksHttp = kind !== 'email_configs' && kind !== 'sms_configs'
  if (!speaksHttp || printed['http_config'] !== undefined || isRefused) return printed
  const { send_resolved = null, ...rest } = printed
  return { send_resolved, http_config, ...rest }
}

/** A bot token's address must not be printed: hidden, it could no longer be told from a webhook's. */
function withoutSlackUrl(printed: Printed | undefined, prefix: string): Printed {
  const { [`${prefix}api_url`]: url, [`${prefix}api_url_file`]: file, ...rest } = asMap(printed)
  if (rest[`${prefix}app_token`] || rest[`${prefix}app_token_file`]) return rest
  return { ...rest, ...(url && { [`${prefix}api_url`]: url }), ...(file && { [`${prefix}api_url_file`]: file }) }
}

function asMap(printed: Printed | undefined): { [key: string]: Printed } {
  return isPrintedMap(printed) ? printed : {}
}

/** Characters that end a line, or may not stand, in YAML 1.1. */
// oxlint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/gu

/** A merge key, and block texts whose indentation or tabs the two versions read differently. */
const misread = /^<<$|^\s|\n *\t/

/** YAML that means the same to a 1.1 parser. */
function toYaml(value: unknown): string {
  const document = new Document(value, { version: '1.1', merge: false, aliasDuplicateObjects: false })
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && (node.value.search(unprintable) >= 0 || misread.test(node.value)))
        node.type = 'QUOTE_DOUBLE'
    },
  })
  const text = document.toString({ lineWidth: 0, directives: false })
  return text.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
