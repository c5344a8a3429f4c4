import { EventEmitter } from 'node:events'

/** Something that live pages are told: its kind, and what it is about as JSON makes it. */
export interface LiveEvent {
  id: number
  kind: 'inbox' | 'incident'
  data: unknown
}

/** What happens in this process, for whoever listens now. Nothing is kept: a page that lost its stream reads anew. */
export function openEvents() {
  const emitter = new EventEmitter()
  emitter.setMaxListeners(0)
  let last = 0
  return {
    publish(kind: LiveEvent['kind'], data: unknown): void {
      last += 1
      emitter.emit('event', { id: last, kind, data } satisfies LiveEvent)
    },
    /** Returns how to stop listening. */
    listen(listener: (event: LiveEvent) => void): () => void {
      emitter.on('event', listener)
      return () => emitter.off('event', listener)
    },
    get listeners(): number {
      return emitter.listenerCount('event')
    },
  }
}

export type Events = ReturnType<typeof openEvents>
