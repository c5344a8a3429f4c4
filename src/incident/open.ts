import type { Alert } from '../alert/alert.ts'
import { type Labels, commonLabels, sortedNames } from '../model/labels.ts'
import type { IncidentFields } from './incident.ts'

/** Enough for a headline; the alerts hold the rest. */
const TITLE_LENGTH = 300

/** What a new incident says, from the alerts that fire: the common summary and description, or the first alert's. */
export function describeIncident(
  firing: readonly Alert[],
  group: { labels: Labels; key: string; receiver: string },
  policy: { severity: string; priority: string; defaultTeam: string },
): IncidentFields {
  const shared = commonLabels(firing.map((alert) => alert.annotations))
  const first = firing[0]
  const others = firing.length > 1 && !shared.has('summary') ? ` (+${firing.length - 1} more)` : ''
  const summary =
    shared.get('summary') ||
    first?.annotations.get('summary') ||
    first?.labels.get('alertname') ||
    inWords(group.labels)
  return {
    title: `${summary.slice(0, TITLE_LENGTH)}${others}`,
    description: shared.get('description') || first?.annotations.get('description') || '',
    team: commonLabels(firing.map((alert) => alert.labels)).get('team') || policy.defaultTeam,
    severity: policy.severity,
    priority: policy.priority,
    receiver: group.receiver,
    groupKey: group.key,
  }
}

function inWords(labels: Labels): string {
  return (
    sortedNames(labels)
      .map((name) => `${name}=${labels.get(name)}`)
      .join(' ') || 'alerts without labels in common'
  )
}
