import { Router } from 'express'
import type { ApiDeps } from './deps.ts'

/** Keeps proxies from closing a stream on which nothing happens, ms. */
const HEARTBEAT = 15_000
const DEAD_LETTERS_LISTED = 500

/** What pages read: the sandbox's inbox, the dead letter, and a stream of what happens. */
export function live({ deps: { store, events }, stopping }: ApiDeps): Router {
  const router = Router()

  router.get('/inbox', async (_request, response) => {
    response.json(await store.inbox.list())
  })

  router.get('/deadletters', async (_request, response) => {
    const letters = await store.outbox.deadLetters(DEAD_LETTERS_LISTED)
    response.json(letters.map((letter) => ({ ...letter, at: new Date(letter.at).toISOString() })))
  })

  router.get('/events', (request, response) => {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
    response.flushHeaders()
    response.write('retry: 1000\n\n')
    const stopListening = events.listen(({ id, kind, data }) => {
      response.write(`id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`)
    })
    const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT)
    const end = () => {
      stopListening()
      clearInterval(heartbeat)
      stopping.removeEventListener('abort', end)
      response.end()
    }
    request.on('close', end)
    stopping.addEventListener('abort', end)
  })

  return router
}
