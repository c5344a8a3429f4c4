import { formatInstant } from '../model/instant.ts'
import type { Message, Notification, Notifier } from './notifier.ts'

/** A message as the sandbox keeps it. */
export interface Delivered {
  id: string
  notificationId: string
  channel: string
  receiver: string
  integration: string
  to: string
  at: string // RFC 3339, UTC
  status: 'firing' | 'resolved'
  title: string
  text: string
  attempt: number
  possibleRepeat: boolean
  payload: unknown
}

/** The sandbox's last hop: composes as the channel does, and puts the message where the page shows it. */
export function inbox(
  { compose, close }: Notifier,
  channel: string,
  put: (entry: Delivered) => Promise<void>,
): Notifier<{ entry: Delivered }> {
  return {
    compose(notification) {
      const message = compose(notification)
      // nothing that could be overrun
      const entry = toEntry(notification, message, channel)
      return { ...message, destination: '', payload: { entry }, seen: message.payload }
    },
    async send({ payload: { entry } }) {
      await put(entry)
      return { state: 'delivered', id: entry.id }
    },
    ...(close && { close }),
  }
}

function toEntry(notification: Notification, message: Message, channel: string): Delivered {
  const { id, receiver, integration, at, attempt, possibleRepeat, data } = notification
  return {
    id: `${id}-${attempt}`,
    notificationId: id,
    channel,
    receiver,
    integration,
    to: message.to,
    at: formatInstant(at),
    status: data.status,
    title: message.title,
    text: message.text,
    attempt,
    possibleRepeat,
    payload: message.payload,
  }
}
