import { type SmsPage, type SmsStatus, isFinal } from '../store/sms.ts'
import type { Row } from '../store/outbox.ts'
import type { Deps } from './deps.ts'
import { tellInstead } from './ending.ts'

/** How long Twilio has to say that a text message arrived, ms: "sent" is not "delivered". */
const PATIENCE = 2 * 60_000

/** Twilio took a text message. Where it can tell us what becomes of it, that is waited for. */
export async function awaitArrival(sid: string, { group, integration, rank }: Row, deps: Deps): Promise<void> {
  const { routing, store, clock, log } = deps
  if (!routing.config.callbacks.twilio) return
  await store.sms.sent(sid, { group, integration, rank }, clock.now() + PATIENCE).catch((err: unknown) => {
    log.error({ err, message: sid }, 'what becomes of a text message will not be heard of')
  })
}

/** Twilio says what became of a text message; one that did not arrive is told in another way. */
export async function arrived(sid: string, status: SmsStatus, error: string, deps: Deps): Promise<void> {
  if (status === 'delivered') await deps.store.sms.settled(sid)
  else if (status === 'undelivered' || status === 'failed' || status === 'canceled')
    await didNotArrive(sid, `Twilio says ${status}${error && ` (${error})`}`, deps)
}

/** Text messages of which Twilio has said nothing in time are told in another way. */
export async function missArrivals(deps: Deps): Promise<void> {
  const { sms } = deps.store
  for (const sid of await sms.overdue(deps.clock.now())) {
    const heard = await sms.status(sid)
    // it may have been heard of before it was written down that it is waited for
    if (heard && isFinal(heard.status)) await arrived(sid, heard.status, heard.error, deps)
    else await didNotArrive(sid, 'nothing was heard of it within 2 minutes', deps)
  }
}

async function didNotArrive(sid: string, why: string, deps: Deps): Promise<void> {
  const { store, metrics, log } = deps
  const page = await store.sms.page(sid)
  if (page) {
    log.warn({ message: sid, integration: page.integration, why }, 'a text message did not arrive')
    metrics.failed.inc({ integration: 'sms', reason: 'undelivered' })
    await instead(sid, page, deps)
  }
  await store.sms.settled(sid)
}

async function instead(sid: string, page: SmsPage, deps: Deps): Promise<void> {
  const group = await deps.store.groups.load(page.group)
  if (group) await tellInstead({ text: sid }, page, group, deps)
}
