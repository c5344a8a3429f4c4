import type { Deps } from '../pipeline/deps.ts'
import type { Timers } from '../pipeline/timers.ts'

/** What the HTTP side works with. */
export interface ApiDeps {
  deps: Deps
  timers: Pick<Timers, 'nudge'>
  /** The engine takes no more alerts. */
  stopping: AbortSignal
  sandbox: boolean
  webRoot: string // folder of the built pages
  /** Loads the routing file anew. Rejects with what is wrong; then the old one stays. */
  reload(): Promise<void>
  /** Why Tocsin is not ready; undefined where it is. */
  notReady(): Promise<string | undefined>
}
