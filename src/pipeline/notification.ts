import { decodePayload } from '../config/payload.ts'
import type { Notification } from '../notify/notifier.ts'
import { structure } from '../template/structure.ts'
import type { Templates } from '../template/templates.ts'

/** What is known of a notification, made able to render. */
export function toNotification(
  facts: Omit<Notification, 'text' | 'html' | 'address' | 'destination' | 'structure'>,
  templates: Templates,
): Notification {
  const { data, at } = facts
  const plain = (template: string, seen = data) => templates.text(template, seen, at)
  return {
    ...facts,
    text: (template, _field, escape) => templates.text(template, data, at, escape),
    html: (template) => templates.html(template, data, at),
    address: (template) => plain(template),
    destination: (template) => plain(template),
    structure: (value, field, seen = data) =>
      structure(value, field, {
        value: (text) => decodePayload(plain(text, seen)),
        key: (text) => plain(text, seen),
      }),
  }
}
