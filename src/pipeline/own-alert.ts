import { postedAlerts } from '../ingest/posted-alerts.ts'
import type { Labels } from '../model/labels.ts'
import { formatInstant } from '../model/instant.ts'
import { accept } from './accept.ts'
import type { Deps } from './deps.ts'

const ownNames = ['TocsinStateLost', 'TocsinAuditMissing', 'AlertStorm', 'DeliveryErrorSpike'] as const

/** What Tocsin has to say of itself. */
export interface OwnAlert {
  alertname: (typeof ownNames)[number]
  summary: string
  description: string
  annotations?: Readonly<Record<string, string>> // beside these two
  severity: 'critical' | 'warning'
  stands: number // how long it stands unless it is raised again, ms: nobody resolves it
}

/** Has the default team told, as of any alert of that severity. Each replica that notices may do so; it is one alert. */
export async function raise(
  { alertname, summary, description, annotations, severity, stands }: OwnAlert,
  deps: Deps,
): Promise<void> {
  const { routing, clock } = deps
  const now = clock.now()
  const { defaultTeam } = routing.config
  const alert = {
    labels: { alertname, severity, ...(defaultTeam && { team: defaultTeam }) },
    annotations: { ...annotations, summary, description },
    startsAt: formatInstant(now),
    endsAt: formatInstant(now + stands),
  }
  await accept(postedAlerts([alert], now, stands), 'own', deps)
}

/** Whether an alert is one of Tocsin's own; one that bears the same name counts as one. */
export function isOwn(labels: Labels): boolean {
  const alertname = labels.get('alertname')
  return ownNames.some((name) => name === alertname)
}
