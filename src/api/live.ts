import { Router } from 'express'
import { z } from 'zod'
import type { ApiDeps } from './deps.ts'
import { HttpError } from './error.ts'

/** Keeps proxies from closing a stream on which nothing happens, ms. */
const HEARTBEAT = 15_000
const AUDIT_LISTED = 500
/** What a page that does not read may keep waiting here, bytes. */
const MOST_UNREAD = 1_000_000

const mail = z.object({ html: z.string() })

/** What pages read: the sandbox's inbox, who did what, and a stream of what happens. */
export function live({ deps: { store, events }, stopping }: ApiDeps): Router {
  const router = Router()

  router.get('/inbox', async (_request, response) => {
    response.json(await store.inbox.list())
  })

  // a document of its own, for a frame: what a mail's HTML may do is nothing but have its styles
  router.get('/inbox/:id/html', async (request, response) => {
    const entry = (await store.inbox.list()).find(({ id }) => id === request.params.id)
    const html = mail.safeParse(entry?.payload)
    if (!html.success) throw new HttpError(404, 'there is no such mail')
    response.set(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
    )
    response.set('X-Content-Type-Options', 'nosniff')
    response.type('html').send(html.data.html)
  })

  router.get('/audit', async (_request, response) => {
    response.json(await store.silences.audit(AUDIT_LISTED))
  })

  router.get('/events', (request, response) => {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
    response.flushHeaders()
    response.write('retry: 1000\n\n')
    const stopListening = events.listen(({ id, kind, data }) => {
      if (response.writableLength > MOST_UNREAD) return end() // it comes again, and reads the list anew
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
