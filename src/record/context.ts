import { AsyncLocalStorage } from 'node:async_hooks'
import type { Span } from './tracing.ts'

/** What is worked at now: each log line that belongs to it says so. */
export interface Context {
  requestId?: string
  traceId: string
  span?: Span // undefined where no traces are made
}

const storage = new AsyncLocalStorage<Context>()

/** Runs something as part of a request or a delivery. */
export function within<T>(context: Context, run: () => T): T {
  return storage.run(context, run)
}

export function current(): Context | undefined {
  return storage.getStore()
}
