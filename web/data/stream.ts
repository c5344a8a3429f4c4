import { OURS, headers, signedOut } from './api.ts'
import { openValue } from './value.ts'

/** One event of the stream. */
export interface Told {
  kind: string
  data: unknown
}

/** How the stream is, and since when. */
export interface Connection {
  state: 'connecting' | 'live' | 'lost'
  since: number // epoch ms
}

/** The engine says every 15 s that it is there; one that is silent for longer is gone, ms. */
const SILENT = 40_000
const SOONEST = 500
const LATEST = 10_000

export const connection = openValue<Connection>({ state: 'connecting', since: Date.now() })
const listeners = new Map<string, Set<(data: unknown) => void>>()
let last = '' // the place of the last event, from which the next connection goes on
let stop: AbortController | undefined

/** Calls back with each event of a kind. Returns how to stop. */
export function onEvent(kind: string, listener: (data: unknown) => void): () => void {
  const those = listeners.get(kind) ?? new Set()
  listeners.set(kind, those.add(listener))
  return () => void those.delete(listener)
}

/** Listens for as long as the page is open. A lost connection is made anew, and goes on where it was. */
export function startStream(): void {
  if (stop) return
  stop = new AbortController()
  void run(stop.signal)
  // a phone that wakes up is not to wait for the next try
  window.addEventListener('online', () => retryNow())
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && retryNow())
}

let retryNow: () => void = () => {}

async function run(stopped: AbortSignal): Promise<void> {
  let wait = SOONEST
  while (!stopped.aborted) {
    try {
      await listen(stopped, () => (wait = SOONEST))
    } catch {
      // whatever it was, it is tried again
    }
    if (connection.get().state !== 'lost') connection.set({ state: 'lost', since: Date.now() })
    await new Promise<void>((done) => {
      const timer = setTimeout(done, wait * (0.5 + Math.random() / 2))
      retryNow = () => {
        clearTimeout(timer)
        done()
      }
    })
    retryNow = () => {}
    wait = Math.min(LATEST, wait * 2)
  }
}

/** One connection, to its end. */
async function listen(stopped: AbortSignal, isUp: () => void): Promise<void> {
  const silent = new AbortController()
  const giveUp = () => silent.abort()
  let timer = setTimeout(giveUp, SILENT)
  window.addEventListener('offline', giveUp) // a connection may hang on for long where there is no network any more
  try {
    const answer = await fetch(`${OURS}/events`, {
      headers: { ...headers, Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) },
      cache: 'no-store',
      signal: AbortSignal.any([stopped, silent.signal]),
    })
    if (answer.status === 401) signedOut()
    if (!answer.ok || !answer.body) throw new Error(`the stream was answered ${answer.status}`)
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(giveUp, SILENT)
      text += value
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const told = take(block)
        if (told?.kind === 'hello') {
          isUp()
          connection.set({ state: 'live', since: Date.now() })
        }
        if (told?.kind === 'away') connection.set({ state: 'lost', since: Date.now() })
        if (told) for (const listener of listeners.get(told.kind) ?? []) listener(told.data)
      }
    }
  } finally {
    clearTimeout(timer)
    window.removeEventListener('offline', giveUp)
  }
}

function take(block: string): Told | undefined {
  let kind = ''
  let data = ''
  for (const line of block.split('\n')) {
    if (line.startsWith('id: ')) last = line.slice(4)
    else if (line.startsWith('event: ')) kind = line.slice(7)
    else if (line.startsWith('data: ')) data += line.slice(6)
  }
  return kind === '' ? undefined : { kind, data: JSON.parse(data) }
}
