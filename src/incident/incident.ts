/** Where an incident stands. */
export type IncidentState = 'open' | 'acknowledged' | 'resolved'

/** What it is about: fixed when it is opened. */
export interface IncidentFields {
  title: string
  description: string
  team: string
  severity: string
  priority: string
  receiver: string
  groupKey: string
}

/** One line of what happened. */
export interface TimelineEntry {
  at: string // RFC 3339, UTC
  event: 'opened' | 'reopened' | 'notified' | 'acknowledged' | 'resolved' | 'noted'
  by?: string // who did it: a person's name, or `tocsin`
  channel?: string
  receiver?: string
  to?: string
  detail?: string
}

export interface Incident extends IncidentFields {
  id: string
  state: IncidentState
  createdAt: string // RFC 3339, UTC
  acknowledgedAt?: string
  acknowledgedBy?: string
  resolvedAt?: string
  timeline: TimelineEntry[] // oldest first
}

/** What a person asks of an incident, and whether it makes sense in its state. */
export function mayBecome(from: IncidentState, wanted: 'acknowledged' | 'resolved'): 'yes' | 'already' | 'no' {
  if (from === wanted) return 'already'
  return from === 'resolved' ? 'no' : 'yes'
}
