import type { Deps } from '../../pipeline/deps.ts'
import { arrived } from '../../pipeline/texts.ts'
import { isSmsStatus } from '../../store/sms.ts'
import { cannotRead, cannotStore } from '../error.ts'
import { settle } from './settle.ts'

const sid = /^(?:SM|MM)[0-9a-f]{32}$/

/** How far a message got. They come in any order, and again: the store keeps what is furthest. */
export async function smsStatus(form: ReadonlyMap<string, string>, deps: Deps): Promise<void> {
  const { store, clock, log } = deps
  const message = form.get('MessageSid') ?? ''
  const status = form.get('MessageStatus') ?? ''
  if (!sid.test(message) || !isSmsStatus(status)) return
  const error = /^\d{1,6}$/.exec(form.get('ErrorCode') ?? '')?.[0] ?? ''
  const isNews = await store.sms.advance(message, status, clock.now(), error).catch(cannotStore)
  if (!isNews) return
  log.info({ message, status, ...(error && { error }) }, 'sms status')
  await arrived(message, status, error, deps).catch(cannotStore)
}

/**
 * An answer to a page, `ack ABCD`: counts only from a number that a page with this reference was sent to. Returns the text
 * message that answers it, as TwiML; undefined for whatever else people write.
 */
export async function smsAnswer(form: ReadonlyMap<string, string>, deps: Deps): Promise<string | undefined> {
  const reference = /^\s*ack(?:nowledge)?\s+([a-z0-9]{4})\s*[.!]?\s*$/i.exec(form.get('Body') ?? '')?.[1]
  const from = form.get('From') ?? ''
  if (reference === undefined) return undefined
  const id = await deps.store.sms.incidentOf(from, reference).catch(cannotRead)
  const incident = id === undefined ? undefined : await deps.store.incidents.get(id).catch(cannotRead)
  if (!incident) {
    deps.log.warn(
      { reference: reference.toUpperCase() },
      'an answer by text message names no page with an incident that was sent to its number',
    )
    return undefined
  }
  const says = await settle(incident.id, 'acknowledged', { name: `${hidden(from)} (SMS)`, from: 'twilio' }, deps)
  return `<?xml version="1.0" encoding="UTF-8"?><Response><Message>${xml(says.slice(0, 150))}</Message></Response>`
}

/** Whose number it is is known by its end; all of it is nobody else's business. */
function hidden(number: string): string {
  return `…${number.slice(-4)}`
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function xml(text: string): string {
  return text.replace(/[&<>]/g, (c) => escapes[c] ?? c).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
}
