import { z } from 'zod'
import type { Asking } from './client.ts'
import { json } from './fields.ts'
import { NoAnswer, type Request, exchange, noneOf } from './http.ts'
import type { Reconciled } from './notifier.ts'

/** How far back a message is looked for: nothing is tried for longer. s */
const LOOK_BACK = 24 * 3600
const PAGE = 200
const MOST_PAGES = 5
/** Messages come with all that they say; bytes. */
const LONGEST_PAGE = 4 * 1024 * 1024

const history = z.object({
  ok: z.literal(true),
  messages: z.array(
    z.object({
      metadata: z.object({ event_payload: z.object({ notification: z.unknown() }).partial().optional() }).optional(),
    }),
  ),
  has_more: z.boolean().default(false),
  response_metadata: z.object({ next_cursor: z.string().default('') }).nullish(),
})

/** What a message carries that a bot posts: by it a later attempt finds it again. */
export function metadataOf(notification: string) {
  return { event_type: 'tocsin_notification', event_payload: { notification } }
}

/**
 * Whether a channel's history holds a notification. It is read as far as it may be: without the scope for it, or for a
 * channel that is given by name, nothing can be told.
 */
export async function findInHistory(
  postUrl: string,
  channel: string,
  notification: string,
  at: number,
  { headers, secrets, connections, signal }: Asking,
): Promise<Reconciled> {
  if (!/^[CDG][A-Z0-9]{5,}$/.test(channel)) return 'cannot tell'
  const url = new URL('conversations.history', postUrl)
  let cursor = ''
  for (let page = 0; page < MOST_PAGES; page++) {
    const oldest = String(Math.floor(at / 1000) - LOOK_BACK)
    url.search = String(
      new URLSearchParams({
        channel,
        oldest,
        limit: String(PAGE),
        include_all_metadata: 'true',
        ...(cursor && { cursor }),
      }),
    )
    const request: Request = {
      method: 'GET',
      url: url.href,
      longest: LONGEST_PAGE,
      headers,
      secrets,
      connections,
      signal,
    }
    const answer = await exchange(request).catch(noneOf(NoAnswer))
    const read = history.safeParse(answer?.whole ? json(answer.body) : undefined)
    if (!read.success) return 'cannot tell'
    const { messages, has_more, response_metadata } = read.data
    if (messages.some(({ metadata }) => metadata?.event_payload?.notification === notification)) return 'arrived'
    cursor = response_metadata?.next_cursor ?? ''
    if (!has_more || cursor === '') return 'not there'
  }
  return 'cannot tell'
}
