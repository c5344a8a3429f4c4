import type { Labels } from '../model/labels.ts'

/** What data says nothing of, and Go has nil for. Templates take it as empty, but JSON shows `null`. */
export const noLabels: Labels = new Map()
export const noAlerts: readonly TemplateAlert<never>[] = []

/** What the templates of a notification see, as Alertmanager has it (template data, version 0.33). */
export interface TemplateData<Status extends string = 'firing' | 'resolved'> {
  receiver: string // with regex characters backslashed, as Alertmanager gives it: `ops\.team`
  status: Status
  alerts: readonly TemplateAlert<Status>[] // in notification order
  notificationReason: string
  groupLabels: Labels
  commonLabels: Labels
  commonAnnotations: Labels
  routeLabels: Labels
  externalURL: string // without a trailing slash
}

export interface TemplateAlert<Status extends string = 'firing' | 'resolved'> {
  status: Status
  labels: Labels
  annotations: Labels
  startsAt: string // RFC 3339 with up to nine fraction digits and the sender's offset
  endsAt: string // `0001-01-01T00:00:00Z` while firing
  generatorURL: string
  fingerprint: string
}
