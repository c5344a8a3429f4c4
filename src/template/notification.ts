import { type Alert, endsText, isResolved, startsText } from '../alert/alert.ts'
import { zeroTime } from '../model/instant.ts'
import { type Labels, commonLabels } from '../model/labels.ts'
import type { TemplateData } from './data.ts'

/** What a notification is about. */
export interface Subject {
  receiver: string // its plain name
  reason: string
  groupLabels: Labels
  externalURL: string
  alerts: readonly Alert[] // in notification order
}

/** What templates see of it. Alerts that fire show no end, whatever end is expected. */
export function toTemplateData(
  { receiver, reason, groupLabels, externalURL, alerts }: Subject,
  at: number,
): TemplateData {
  return {
    receiver: receiver.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'),
    status: alerts.some((alert) => !isResolved(alert, at)) ? 'firing' : 'resolved',
    alerts: alerts.map((alert) => ({
      status: isResolved(alert, at) ? 'resolved' : 'firing',
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: startsText(alert),
      endsAt: isResolved(alert, at) ? endsText(alert) : zeroTime,
      generatorURL: alert.generatorURL,
      fingerprint: alert.fingerprint,
    })),
    notificationReason: reason,
    groupLabels,
    commonLabels: commonLabels(alerts.map((alert) => alert.labels)),
    commonAnnotations: commonLabels(alerts.map((alert) => alert.annotations)),
    routeLabels: new Map(),
    externalURL,
  }
}
