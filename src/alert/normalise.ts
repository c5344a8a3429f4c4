import { fingerprint } from '../model/fingerprint.ts'
import { type Instant, formatInstant, isPlain } from '../model/instant.ts'
import type { Labels } from '../model/labels.ts'
import type { Alert, EndedBy } from './alert.ts'

/** An alert as a sender gave it, its shape checked and nothing more. */
export interface RawAlert {
  labels: Map<string, string>
  annotations: Map<string, string>
  generatorURL: string
  startsAt: Instant | undefined
  endsAt: Instant | undefined // a firing one with none ends after `timeout`, or with a resolve
}

/** What is wrong with an alert, and in which of its fields. */
export interface Fault {
  field: string // 'labels.severity'
  reason: string
  answer: AlertmanagerAnswer
}

/**
 * How Alertmanager says it: JSON that cannot be read (400), what its schema forbids (601: format, 602: required, 612: too
 * few), or what breaks a rule.
 */
export interface AlertmanagerAnswer {
  code: 400 | 601 | 602 | 612 | 'rule'
  message: string
}

/**
 * The alert as Tocsin keeps it: times filled in, empty labels left out, fingerprint made; or what is
 * wrong with it. `timeout` is the resolve timeout in ms, undefined where only a resolve ends an alert.
 * `isLabelName` says which names labels may have.
 * The rules and their order are Alertmanager's (api/v2, postAlerts; types.Alert.Validate).
 */
export function normalise(
  raw: RawAlert,
  at: number,
  timeout: number | undefined,
  isLabelName: (name: string) => boolean,
): Alert | Fault {
  const starts = raw.startsAt ?? raw.endsAt ?? { at, text: formatInstant(at) }
  const { end, endedBy } = endOf(raw, at, timeout)
  if (end && end.at < starts.at) return fault('endsAt', 'start time must be before end time')

  for (const [name, value] of raw.labels) if (value === '') raw.labels.delete(name)
  if (raw.labels.size === 0) return fault('labels', 'at least one label pair required')
  const wrong =
    faultIn('labels', 'label set', raw.labels, isLabelName) ??
    faultIn('annotations', 'annotations', raw.annotations, isLabelName)
  if (wrong) return wrong

  const alert: Alert = {
    fingerprint: fingerprint(raw.labels),
    labels: raw.labels,
    annotations: raw.annotations,
    generatorURL: raw.generatorURL,
    startsAt: starts.at,
    endsAt: end ? end.at || 1 : 0, // 0 is kept for "none"; 1970 to the millisecond is as good a ms later
    endedBy,
    updatedAt: at,
  }
  if (!isPlain(starts)) alert.startsText = starts.text
  if (end && !isPlain(end)) alert.endsText = end.text
  return alert
}

function endOf(raw: RawAlert, at: number, timeout: number | undefined): { end?: Instant; endedBy: EndedBy } {
  if (raw.endsAt) return { end: raw.endsAt, endedBy: 'sender' }
  if (timeout === undefined) return { endedBy: 'resolve' }
  return { end: { at: at + timeout, text: formatInstant(at + timeout) }, endedBy: 'timeout' }
}

function fault(field: string, reason: string, message = reason): Fault {
  return { field, reason, answer: { code: 'rule', message } }
}

function faultIn(
  field: string,
  what: string,
  labels: Labels,
  isLabelName: (name: string) => boolean,
): Fault | undefined {
  for (const [name, value] of labels) {
    if (!isLabelName(name)) {
      const rule = !name.isWellFormed() || name === '' ? 'valid UTF-8 and not empty' : '[a-zA-Z_][a-zA-Z0-9_]*'
      const reason = `${JSON.stringify(name)} is not a name; it must be ${rule}`
      return fault(field, reason, `invalid ${what}: invalid name ${JSON.stringify(name)}`)
    }
    if (!value.isWellFormed())
      return fault(
        `${field}.${name}`,
        'the value is not valid UTF-8',
        `invalid ${what}: invalid value ${JSON.stringify(value)}`,
      )
  }
  return undefined
}
