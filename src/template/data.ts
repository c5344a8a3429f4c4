import type { Labels } from '../model/labels.ts'

/** What the templates of a notification see, as Alertmanager has it (template data, version 0.33). */
export interface TemplateData {
  receiver: string // with regex characters backslashed, as Alertmanager gives it: `ops\.team`
  status: 'firing' | 'resolved'
  alerts: readonly TemplateAlert[] // in notification order
  notificationReason: string
  groupLabels: Labels
  commonLabels: Labels
  commonAnnotations: Labels
  routeLabels: Labels
  externalURL: string // without a trailing slash
}

export interface TemplateAlert {
  status: 'firing' | 'resolved'
  labels: Labels
  annotations: Labels
  startsAt: string // RFC 3339 with up to nine fraction digits and the sender's offset
  endsAt: string // `0001-01-01T00:00:00Z` while firing
  generatorURL: string
  fingerprint: string
}
