import type { Integration } from '../config/config.ts'
import {
  type Message,
  type Notification,
  type Notifier,
  type Outcome,
  type Reconciled,
  SettingError,
} from '../notify/notifier.ts'
import { TemplateError } from '../template/templates.ts'
import type { Deps } from './deps.ts'
import { type TemplateFailure, inPlainWords } from './plain-words.ts'
import { within } from './within.ts'

/** A message, in plain words where a template failed; or how the attempt ends where it can go nowhere. */
export type Composed =
  | { message: Message; failures: readonly TemplateFailure[] }
  | { message: undefined; failures: readonly TemplateFailure[]; outcome: Exclude<Outcome, { state: 'delivered' }> }

/** The message, in plain words where a template fails. */
export function compose(
  notifier: Notifier,
  notification: Notification,
  { id, channel }: Integration<Notifier>,
  { routing, metrics, log }: Deps,
): Composed {
  try {
    return { message: notifier.compose(notification), failures: [] }
  } catch (error) {
    if (error instanceof SettingError) return { message: undefined, failures: [], outcome: misconfigured(error) }
    if (!(error instanceof TemplateError)) throw error
  }
  const { plain, failures } = inPlainWords(notification, routing.templates)
  const tell = (message: string) => {
    if (notification.attempt > 1) return // told once a notification
    metrics.templateErrors.inc({ integration: channel })
    log.error({ integration: id, failures }, message)
  }
  try {
    const message = notifier.compose(plain)
    tell('a template failed; the notification goes out in plain words')
    return { message, failures }
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    tell('a template failed, and without it there is no address; the notification is tried again')
    return { message: undefined, failures, outcome: misconfigured(error) }
  }
}

/** Hands a message over once, within the integration's deadline. */
export async function send(
  notifier: Notifier,
  message: Message,
  { deadline }: Integration<Notifier>,
  deps: Deps,
): Promise<Outcome> {
  try {
    return await within(deadline, deps.stopping, (signal) => notifier.send(message, signal))
  } catch (error) {
    if (error instanceof SettingError) return misconfigured(error)
    throw error
  }
}

/** Asks the channel for a message that may have arrived, within the integration's deadline. */
export async function reconcile(
  ask: NonNullable<Notifier['reconcile']>,
  message: Message,
  { deadline }: Integration<Notifier>,
  deps: Deps,
): Promise<Reconciled> {
  try {
    return await within(deadline, deps.stopping, (signal) => ask(message, signal))
  } catch (error) {
    if (error instanceof SettingError) return 'cannot tell'
    throw error
  }
}

/** Somebody may mend it while we go on trying. */
function misconfigured({ message }: SettingError): Exclude<Outcome, { state: 'delivered' }> {
  return { state: 'failed', reason: 'configuration', detail: message }
}
