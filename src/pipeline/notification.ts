import { decodePayload } from '../config/payload.ts'
import type { Notification } from '../notify/notifier.ts'
import { structure } from '../template/structure.ts'
import type { Templates } from '../template/templates.ts'

/** What is known of a notification, made able to render. */
export function toNotification(
  facts: Omit<Notification, 'text' | 'html' | 'structure'>,
  templates: Templates,
): Notification {
  const { data, at } = facts
  return {
    ...facts,
    text: (template, escape) => templates.text(template, data, at, escape),
    html: (template) => templates.html(template, data, at),
    structure: (value, seen = data) => structure(value, (text) => templates.text(text, seen, at), decodePayload),
  }
}
