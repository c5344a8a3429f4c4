import type { WebConfig } from '../config/web/load.ts'
import type { Deps } from '../pipeline/deps.ts'
import type { Level } from '../record/log.ts'
import type { Tracing } from '../record/tracing.ts'
import type { Presence } from '../pipeline/presence.ts'
import type { Timers } from '../pipeline/timers.ts'
import type { AlertView } from '../view/alerts.ts'
import type { Feed } from '../view/feed.ts'
import type { ReloadFailure } from '../view/routing.ts'
import type { Admission } from './admission.ts'
import type { Health } from '../view/health.ts'
import type { Authenticator } from './authenticate.ts'

/** What the HTTP side works with. */
export interface ApiDeps {
  deps: Deps
  view: AlertView
  feed: Pick<Feed, 'listen'>
  timers: Pick<Timers, 'nudge'>
  admission: Admission
  tracing: Tracing | undefined
  /** Changes what is logged from now on, by all processes that share this one's work. */
  setLogLevel(level: Level): void
  presence: Pick<Presence, 'name'>
  version: string // Tocsin's own
  startedAt: number // epoch ms
  /** Who may call, as it is in force now. */
  web(): WebConfig
  authenticator: Authenticator
  routePrefix: string // '' or with a slash in front and none behind
  silenceLimits: { count: number; size: number } // size in bytes; 0: no limit
  getConcurrency: number // of API v2
  /** The engine takes no more alerts. */
  stopping: AbortSignal
  sandbox: boolean
  webRoot: string // folder of the built pages
  /** Loads the routing file anew. Rejects with what is wrong; then the old one stays. */
  reload(): Promise<void>
  /** Why the routing file as it stands is not in force; undefined where it is. */
  reloadFailure(): ReloadFailure | undefined
  /** All metrics as text, those of the processes that share its work included; with exemplars where they can be had. */
  metrics(exemplars: boolean): Promise<{ text: string; type: string }>
  /** How each part of Tocsin is; answers whatever is broken. */
  health(): Promise<Health>
  /** Why Tocsin is not ready; undefined where it is. */
  notReady(): Promise<string | undefined>
}
