import { useEffect, useSyncExternalStore } from 'react'
import { ApiError, get } from './api.ts'
import { onEvent } from './stream.ts'
import { openValue } from './value.ts'

/** What is known of something that the engine answers. */
export interface Resource<T> {
  data: T | undefined
  error: ApiError | undefined // of the last reading; `data` is older then
  readAt: number // epoch ms; 0 before the first
}

/** Events come in bursts: what they change is read once for so many ms of them, and for this many times what a reading takes. */
const BURST = 250
const TIMES = 5
/** Readings that nobody shows are kept, so that going back shows them at once; no more than so many. */
const KEPT = 40

interface Entry {
  value: ReturnType<typeof openValue<Resource<unknown>>>
  kinds: ReadonlySet<string>
  users: number
  reading: Promise<void> | undefined
  took: number // the last reading, ms
  timer: number | undefined
  isStale: boolean
}

const entries = new Map<string, Entry>()

/**
 * What the engine answers at a path, read anew where an event of one of these kinds comes, and when the stream is made anew.
 * `kinds` are those of the first who asks.
 */
export function useResource<T>(path: string, ...kinds: string[]): Resource<T> & { again: () => void } {
  const entry = entryOf(path, kinds)
  const now = useSyncExternalStore(entry.value.follow, entry.value.get)
  useEffect(() => {
    entry.users += 1
    if (entry.value.get().readAt === 0 || entry.isStale) void read(path, entry)
    return () => void (entry.users -= 1)
  }, [path, entry])
  const { error, readAt } = now
  const data = now.data as T | undefined
  return { data, error, readAt, again: () => void read(path, entry) }
}

function entryOf(path: string, kinds: readonly string[]): Entry {
  const known = entries.get(path)
  if (known) return known
  const made: Entry = {
    value: openValue<Resource<unknown>>({ data: undefined, error: undefined, readAt: 0 }),
    kinds: new Set(['hello', ...kinds]),
    users: 0,
    reading: undefined,
    took: 0,
    timer: undefined,
    isStale: false,
  }
  entries.set(path, made)
  for (const [oldest, { users }] of entries) {
    if (entries.size <= KEPT) break
    if (users === 0 && oldest !== path) entries.delete(oldest)
  }
  return made
}

async function read(path: string, entry: Entry): Promise<void> {
  // what changes while it is read is read once more
  if (entry.reading) {
    entry.isStale = true
    return entry.reading
  }
  entry.isStale = false
  entry.reading = get<unknown>(path).then(
    (data) => entry.value.set({ data, error: undefined, readAt: Date.now() }),
    (error: unknown) =>
      entry.value.set({
        ...entry.value.get(),
        error: error instanceof ApiError ? error : new ApiError(0, String(error)),
        readAt: Date.now(),
      }),
  )
  const began = performance.now()
  await entry.reading
  entry.took = performance.now() - began
  entry.reading = undefined
  if (entry.isStale) await read(path, entry)
}

function changed(kind: string): void {
  for (const [path, entry] of entries) {
    if (!entry.kinds.has(kind)) continue
    if (entry.users === 0) entry.isStale = true
    else
      entry.timer ??= window.setTimeout(
        () => {
          entry.timer = undefined
          void read(path, entry)
        },
        Math.max(BURST, TIMES * entry.took),
      )
  }
}

/** Reads anew what events of a kind would have changed. */
export const changedHere = changed

for (const kind of ['hello', 'incident', 'delivery', 'inbox', 'silences', 'routing', 'reload', 'health'])
  onEvent(kind, () => changed(kind))
