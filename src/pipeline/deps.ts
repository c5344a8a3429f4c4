import type { Alert } from '../alert/alert.ts'
import type { Config } from '../config/config.ts'
import type { KnownTexts } from '../ingest/known-texts.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { DeliveryQueue } from '../queue/delivery.ts'
import type { Log } from '../record/log.ts'
import type { Metrics } from '../record/metrics.ts'
import type { GroupSeed } from '../store/alerts.ts'
import type { Published } from '../store/live.ts'
import type { Store } from '../store/store.ts'
import type { Roles } from '../suppress/inhibition.ts'
import type { Templates } from '../template/templates.ts'
import type { Tally } from './tally.ts'
import type { KeptMessages } from './kept-messages.ts'
import type { Origins } from './origins.ts'
import type { Inhibition } from './inhibition.ts'
import type { Silences } from './silences.ts'

/** The routing that is in force, ready for use. A reload makes a new one and swaps it in whole. */
export interface Routing {
  config: Config<Notifier>
  templates: Templates
  /** The groups that an alert belongs to, remembered by fingerprint. */
  groupsOf(alert: Alert): readonly GroupSeed[]
  /** Whether no severity is graver than an alert's, remembered by fingerprint. */
  isGravest(alert: Alert): boolean
  /** What an alert is to the inhibitions, remembered by fingerprint. */
  rolesOf(alert: Alert): Roles
  /** The heartbeats that an alert is a sign of, remembered by fingerprint. */
  heartbeatsOf(alert: Alert): readonly ListenedFor[]
  /** Alerts that came before, by their text. */
  known: KnownTexts
  /** The adapter of an integration; opened at its first use. */
  notifier(integration: string): Notifier | undefined
  /** The adapters that were opened, by integration. They hold connections, and nothing of the routing. */
  adapters: ReadonlyMap<string, Notifier>
}

/** A heartbeat that this replica listens for. */
export interface ListenedFor {
  readonly name: string
  readonly timeout: number // ms
  notedAt: number // when this replica last wrote down that it was seen, epoch ms
}

/** What the stages work with. */
export interface Deps {
  readonly routing: Routing // the one in force now
  store: Store
  queue: Pick<DeliveryQueue, 'wake' | 'pass'>
  log: Log
  metrics: Metrics
  /** For the pages of all replicas. Never rejects: a page that misses it shows what is there at the next reading. */
  events: { publish(kind: Published, data: unknown): void }
  tally: Tally
  messages: KeptMessages
  origins: Origins
  silences: Silences
  inhibition: Inhibition
  retention: number // of the notification log and of silences that have ended, ms
  exact: boolean // Alertmanager's decisions to the letter
  /** Until then old alerts' groups wait like any other, epoch ms: what would inhibit them may still be on its way. */
  calmUntil: number
  clock: { now(): number } // epoch ms
  random(): number // 0 ≤ x < 1
  newId(): string
  externalURL: string // without a trailing slash
  /** Rows whose turns ended with Redis, and not with an engine: no suspects. */
  excused: Set<string>
  stopping: AbortSignal // ends what is in the air when the engine stops
}
