import { type Notification, SettingError } from '../notify/notifier.ts'
import { decodePayload } from '../config/payload.ts'
import { structure } from '../template/structure.ts'
import { TemplateError, type Templates } from '../template/templates.ts'

/** What a template failed with, and where: `ops/slack/0 title`. */
export interface TemplateFailure {
  field: string
  error: string
}

/** Stands in a template's literal parts for what an action would have printed. */
const GAP = '\uFFFD'
/** An action, and the word that it begins with. */
const action = /\{\{-?\s*(\w*)[^]*?\}\}/g
const control = new Set(['if', 'else', 'end', 'with', 'range'])

/**
 * A notification whose failing templates never eat the page: what people would have read says in plain words
 * what it is about and what failed, what only addresses is left to the channel's default. `failures` fills as
 * it is composed, one a field.
 */
export function inPlainWords(
  notification: Notification,
  templates: Templates,
): { plain: Notification; failures: readonly TemplateFailure[] } {
  const { at, integration } = notification
  const { status, alerts, commonAnnotations, groupLabels } = notification.data
  const failures: TemplateFailure[] = []
  const about = commonAnnotations.get('summary') ?? [...groupLabels.values()].join(' ')

  function orElse<T>(field: string, render: () => T, otherwise: (failure: TemplateFailure) => T): T {
    try {
      return render()
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      const failure = { field: `${integration} ${field}`, error: error.message }
      failures.push(failure)
      return otherwise(failure)
    }
  }
  // in whatever language the field is: none of it is markup
  const sentence = ({ field, error }: TemplateFailure) =>
    `[${status}:${alerts.length}] ${about} (a template failed: ${field}: ${error})`.replace(/[<>&]/g, ' ')

  const plain: Notification = {
    ...notification,
    text: (template, field, escape) => orElse(field, () => notification.text(template, field, escape), sentence),
    html: (template, field) => orElse(field, () => notification.html(template, field), sentence),
    address: (template, field) =>
      orElse(
        field,
        () => notification.address(template, field),
        () => '',
      ),
    destination(template, field, complete) {
      try {
        return notification.destination(template, field, complete)
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error
        // the action itself is not quoted: a secret may stand in it
        const failure = { field: `${integration} ${field}`, error: error.message.replace(/ at <[^]*?>: /, ': ') }
        failures.push(failure)
        const [longest = ''] = literalsOf(template)
          .map(complete)
          .sort((a, b) => b.length - a.length)
        if (longest !== '') return longest
        throw new SettingError(`the template of ${failure.field} failed: ${failure.error}`)
      }
    },
    structure: (value, field, seen = notification.data) =>
      orElse<unknown>(
        field,
        () =>
          structure(value, field, {
            value: (text, place) => orElse<unknown>(place, () => decode(templates.text(text, seen, at)), sentence),
            key: (text, place) =>
              orElse(
                place,
                () => templates.text(text, seen, at),
                () => text,
              ),
          }),
        sentence,
      ),
  }
  return { plain, failures }
}

/**
 * A notification without any template of a file: for one over which engines have died. Where it goes is still rendered, since
 * without that it goes nowhere.
 */
export function minimal(notification: Notification): Notification {
  const { data } = notification
  const summary = data.commonAnnotations.get('summary') ?? [...data.commonLabels.values()].join(' ')
  const title = `[${data.status}:${data.alerts.length}] ${[...summary].slice(0, 200).join('')}`
  const sentence = `${title} (sent in the plainest words, since sending it has ended Tocsin before)`.replace(
    /[<>&]/g,
    ' ',
  )
  return {
    ...notification,
    text: () => sentence,
    html: () => sentence,
    address: () => '',
    structure: () => sentence,
  }
}

/** JSON has no number that is none. */
function decode(text: string): unknown {
  const value = decodePayload(text)
  return typeof value === 'number' && !Number.isFinite(value) ? text : value
}

/** The literal parts between a template's branches, each with a gap where an action prints. */
function literalsOf(template: string): string[] {
  return template.replace(action, (_all, word: string) => (control.has(word) ? '\0' : GAP)).split('\0')
}
