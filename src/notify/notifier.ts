import { z } from 'zod'
import { type Budget, type UnconfirmedPolicy, unconfirmedPolicies } from '../model/delivery.ts'
import type { Surroundings } from '../model/egress.ts'
import { Plain } from '../model/plain.ts'
import { Secret } from '../model/secret.ts'
import { keysAt } from '../model/keys.ts'
import { read } from '../model/reading.ts'
import { maybe, string } from '../model/settings.ts'
import type { TemplateData } from '../template/data.ts'

/** Why an attempt failed: a closed set. Adapters classify, `retries` says what it means. */
export type Reason =
  | 'network' // no connection, no answer: nothing was taken
  | 'timeout'
  | 'rate limited'
  | 'server error'
  | 'client error' // the channel refused what we sent
  | 'unauthorised' // the channel refused who we are
  | 'rejected' // the address or number is not to be reached
  | 'configuration' // TLS, certificates, an empty URL after rendering

/** Whether sending the same again can help. */
export const retries: Readonly<Record<Reason, boolean>> = {
  network: true,
  timeout: true,
  'rate limited': true,
  'server error': true,
  'client error': false,
  unauthorised: false,
  rejected: false,
  configuration: true,
}

/** A setting that is only found wanting when it is used, such as a secret's file that is not there. Holds no secret. */
export class SettingError extends Error {
  override readonly name = 'SettingError'
}

/** How one attempt ended. A failure is a value here; what is thrown is a bug. */
export type Outcome =
  | { state: 'delivered'; id?: string; detail?: string } // id: the channel's own, to edit or resolve the message later
  | { state: 'failed'; reason: Reason; detail: string; retryAfter?: number } // retryAfter: ms
  | { state: 'unknown'; detail: string } // sent, but the answer was lost

/** What one integration is told about one group. */
export interface Notification {
  id: string // the same on each attempt
  groupKey: string // Alertmanager's text form
  integration: string // 'team-x/slack/0'
  receiver: string // its plain name
  attempt: number // from 1
  possibleRepeat: boolean // an earlier attempt may have arrived
  insteadOf: string // the receiver whose fallback this one is and that is not reached; '' for the receiver itself
  at: number
  severity: string // of the gravest alert that fires, or of the gravest there is; '' where none has one
  team: string // common to all alerts, or ''
  data: TemplateData
  // Each renders the setting `field` of the integration, `fields[0].value`, and throws TemplateError where it fails.
  // Then all is composed once more, and what fails is replaced by what its field is for.

  /** What people read: a Go text template over `data`; `escape` is for what its actions print. In its place: plain words. */
  text(template: string, field: string, escape?: (text: string) => string): string
  /** The same with html/template's escaping. */
  html(template: string, field: string): string
  /** What says where a message shows and how, and may be missing: a channel, an icon, a link. In its place: ''. */
  address(template: string, field: string): string
  /**
   * Without which nothing can be sent. In its place: the longest of the template's literal parts of which
   * `complete` makes more than ''; a part has U+FFFD where an action would have printed. Else throws SettingError.
   */
  destination(template: string, field: string, complete: (literal: string) => string): string
  /** A structured setting as JSON: its texts rendered, then decoded as YAML; over other data where given. */
  structure(value: unknown, field: string, data?: TemplateData): unknown
}

/** A message as its receiver would see it, and what goes over the wire. Holds no credentials. */
export interface Message<Payload = unknown> {
  to: string // for people: `#alerts`, an address, a phone number, a host
  title: string
  text: string
  payload: Payload
  /** What the receiver sees, where the payload holds something around it. */
  seen?: unknown
  /** What budgets and breakers count by, such as a Slack webhook, a routing key, a sender's number; no secret in it. */
  destination: string
  /** How many tokens of the destination's budget it takes: an SMS's segments. */
  cost: number
  /** What an answer to it names it by: an SMS's four letters. */
  reference?: string
}

/** Whether the channel has a message that was sent before. */
export type Reconciled = 'arrived' | 'not there' | 'cannot tell'

/**
 * A channel's adapter for one integration. `compose` is pure; `send` hands the message over once and
 * reads the answer. Neither retries, waits, logs or counts.
 */
export interface Notifier<Payload = unknown> {
  /** The same for adapters of which either both fail to compose a notification or neither. */
  readonly likeness?: string
  /** The `to` and `destination` of all that it composes, where they hang on no template and no file. */
  readonly fixed?: Pick<Message, 'to' | 'destination'> | undefined
  /** Throws TemplateError where a template of the config fails. */
  compose(notification: Notification): Message<Payload>
  /** Resolves within the signal's time, whatever the other end does. May throw SettingError, as `compose` may. */
  send(message: Message<Payload>, signal: AbortSignal): Promise<Outcome>
  /** Asks the channel whether an attempt before has arrived. Resolves within the signal's time; throws nothing but bugs. */
  reconcile?(message: Message<Payload>, signal: AbortSignal): Promise<Reconciled>
  /** Gives back pooled connections. */
  close?(): void
}

export const channelNames = ['slack', 'pagerduty', 'email', 'sms', 'webhook'] as const
export type ChannelName = (typeof channelNames)[number]

/** Settings as a file gives them. */
type Entry = Readonly<Record<string, unknown>>

/** A kind of way out as its file declares it: its settings, and how to build its adapter. */
interface Definition<Schema extends z.ZodObject, Payload> {
  name: ChannelName
  /** One entry of `<name>_configs`; `send_resolved` carries Alertmanager's default. */
  config: Schema
  /** Settings that an entry takes from `global` where it has none of its own: entry key → global key. */
  inherits: Readonly<Record<string, string>>
  /** Settings that Alertmanager obeys and this channel does not yet: `key` or `key.part`. A flag that says no is obeyed. */
  ignores: readonly string[]
  /** Settings of a destination that this channel cannot reach yet. */
  unreached?: readonly string[]
  /** Settings that are not taken from `global`, by an entry's own and by what there is in all. */
  declines?(own: Entry, whole: Entry): readonly string[]
  /** Keys of `global` that only this channel knows, with their schema. */
  globals: z.ZodObject
  /** What the sandbox, where nothing is sent, puts in for settings that are missing. */
  standIns: Readonly<Record<string, string>>
  /** Entries from the short form in a team's row: `slack: https://…`, `sms: ["+61…"]`. */
  fromTeam(value: string | readonly string[]): Record<string, unknown>[]
  deadline: number // ms for one attempt
  budget: Budget
  /** Imports what only sending needs: up to half a second, which the first page should not wait for. */
  load(): Promise<unknown>
  /** What holds where an entry has no `on_unconfirmed`. */
  onUnconfirmed: UnconfirmedPolicy
  create(config: z.output<Schema>, surroundings: Surroundings): Notifier<Payload>
}

/** What an entry's settings come to, or what is wrong with them. */
export type Reading =
  | { ok: true; sendResolved: boolean; onUnconfirmed: UnconfirmedPolicy; open(surroundings: Surroundings): Notifier }
  | { ok: false; issues: readonly z.core.$ZodIssue[] }

export interface Channel {
  readonly name: ChannelName
  readonly inherits: Readonly<Record<string, string>>
  readonly ignores: readonly string[]
  readonly unreached: readonly string[]
  readonly globals: z.ZodObject
  readonly standIns: Readonly<Record<string, string>>
  readonly deadline: number
  readonly budget: Budget
  /** Imports what sending needs. */
  load(): Promise<unknown>
  fromTeam(value: string | readonly string[]): Record<string, unknown>[]
  declines(own: Entry, whole: Entry): readonly string[]
  /** The keys that its config knows at a path within an entry. */
  keysAt(within: readonly PropertyKey[]): readonly string[]
  /** Checks one entry, its inherited settings filled in. */
  read(entry: unknown): Reading
}

/** A channel for the registry, from what its file declares. */
export function channel<Schema extends z.ZodObject, Payload>(definition: Definition<Schema, Payload>): Channel {
  const { name, inherits, ignores, unreached = [], globals, standIns, deadline, budget, config } = definition
  return {
    name,
    inherits,
    ignores,
    unreached,
    globals,
    standIns,
    deadline,
    budget,
    load: () => definition.load(),
    declines: (own, whole) => definition.declines?.(own, whole) ?? [],
    keysAt: (within) => [...keysAt(config, within), ...(within.length === 0 ? Object.keys(everyChannel.shape) : [])],
    fromTeam: (value) => definition.fromTeam(value),
    read(entry) {
      const [own, common] = apart(entry)
      const parsed = read(config, own)
      const shared = read(everyChannel, common)
      if (!parsed.success || !shared.success)
        return { ok: false, issues: [...(parsed.error?.issues ?? []), ...(shared.error?.issues ?? [])] }
      return {
        ok: true,
        sendResolved: parsed.data['send_resolved'] === true,
        onUnconfirmed: shared.data.on_unconfirmed ?? definition.onUnconfirmed,
        open: (surroundings) => ({
          ...definition.create(parsed.data, surroundings),
          likeness: JSON.stringify([name, templatesIn(parsed.data)]),
        }),
      }
    },
  }
}

/** Settings that every channel's entries may have, Tocsin's own. */
const everyChannel = z.strictObject({
  on_unconfirmed: maybe(string.pipe(z.enum(unconfirmedPolicies, 'must be resend, reconcile or skip'))),
})

/** An entry's own settings, and those that every channel's may have. */
function apart(entry: unknown): [unknown, Record<string, unknown>] {
  if (typeof entry !== 'object' || entry === null || !('on_unconfirmed' in entry)) return [entry, {}]
  const { on_unconfirmed, ...own } = entry
  return [own, { on_unconfirmed }]
}

/** Settings without what their plain texts say, which cannot fail; a file's name stays. */
function templatesIn(value: unknown, key = ''): unknown {
  const text = value instanceof Secret ? value.reveal() : value
  if (typeof text === 'string') return text.includes('{{') || text === '' || key.endsWith('_file') ? text : 'text'
  if (Array.isArray(value)) return value.map((part) => templatesIn(part))
  if (typeof value !== 'object' || value === null || value instanceof Plain) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, templatesIn(part, name)]))
}
