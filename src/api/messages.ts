import { type Request, type Response, Router } from 'express'
import { z } from 'zod'
import { isTheirs, teamOfReceiver } from '../access/scope.ts'
import { type Kept, keptMessage, messageId } from '../pipeline/kept-messages.ts'
import type { ApiDeps } from './deps.ts'
import { receiverOf } from './deliveries.ts'
import { HttpError, cannotRead } from './error.ts'
import { principalOf } from './principals.ts'

const asked = z.object({ notification: z.string(), integration: z.string() })
const mail = z.object({ html: z.string() })

/** What was told, word for word, as long as it is kept. */
export function messages({ deps: { store } }: Pick<ApiDeps, 'deps'>): Router {
  const router = Router()

  router.get('/message', async (request, response) => {
    response.set('Cache-Control', 'no-store').json(await found(request))
  })

  router.get('/message/html', async (request, response) => {
    sendMail(response, (await found(request)).payload)
  })

  async function found(request: Request): Promise<Kept> {
    const of = asked.safeParse(request.query)
    if (!of.success) throw new HttpError(400, 'say which message: notification=…&integration=…')
    const { notification, integration } = of.data
    const isOurs = isTheirs(principalOf(request), teamOfReceiver(receiverOf({ integration })))
    const message = isOurs
      ? await keptMessage(messageId(notification, integration), store).catch(cannotRead)
      : undefined
    if (!message) throw new HttpError(404, 'the whole message is not kept any more')
    return message
  }

  return router
}

/** A mail as a document of its own, for a frame: what its HTML may do is nothing but have its styles. */
export function sendMail(response: Response, payload: unknown): void {
  const html = mail.safeParse(payload)
  if (!html.success) throw new HttpError(404, 'there is no such mail')
  response.set(
    'Content-Security-Policy',
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
  )
  response.set('X-Content-Type-Options', 'nosniff')
  response.type('html').send(html.data.html)
}
