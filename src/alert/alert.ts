import { formatInstant, zeroTime } from '../model/instant.ts'
import { type Labels, compareLabels } from '../model/labels.ts'

/** One label set with a start and, once it is known, an end. */
export interface Alert {
  fingerprint: string
  labels: Labels
  annotations: Labels
  generatorURL: string // '' where the sender gave none
  startsAt: number
  endsAt: number // 0: no end known, as for what another Alertmanager's webhook brought
  endedBy: EndedBy
  updatedAt: number
  startsText?: string // the sender's own spelling, where it differs from what the instant prints as
  endsText?: string
}

/**
 * Where an alert's end comes from: the sender gave it, it is the resolve timeout's, or there is none
 * and only a resolve ends the alert.
 */
export type EndedBy = 'sender' | 'timeout' | 'resolve'

/** An end that has come. There is no event when it does: whoever looks next sees it. */
export function isResolved(alert: Alert, at: number): boolean {
  return alert.endsAt !== 0 && alert.endsAt <= at
}

export function startsText(alert: Alert): string {
  return alert.startsText ?? formatInstant(alert.startsAt)
}

export function endsText(alert: Alert): string {
  if (alert.endsAt === 0) return zeroTime
  return alert.endsText ?? formatInstant(alert.endsAt)
}

/**
 * Notification order, as Alertmanager sorts a flush: by `job`, then `instance`, where an alert
 * without the label comes after those with it, then by the order of label sets.
 */
export function compareAlerts(a: Alert, b: Alert): number {
  for (const name of ['job', 'instance']) {
    const x = a.labels.get(name)
    const y = b.labels.get(name)
    if (x === y) continue
    if (x === undefined) return 1
    if (y === undefined) return -1
    return compareLabels(new Map([[name, x]]), new Map([[name, y]]))
  }
  return compareLabels(a.labels, b.labels)
}
