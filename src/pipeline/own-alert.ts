import { postedAlerts } from '../ingest/posted-alerts.ts'
import { formatInstant } from '../model/instant.ts'
import { accept } from './accept.ts'
import type { Deps } from './deps.ts'

/** What Tocsin has to say of itself. */
export interface OwnAlert {
  alertname: string
  summary: string
  description: string
  stands: number // how long it stands unless it is raised again, ms: nobody resolves it
}

/** Has the default team told, as of any critical alert. Each replica that notices may do so; it is one alert. */
export async function raise({ alertname, summary, description, stands }: OwnAlert, deps: Deps): Promise<void> {
  const { routing, clock } = deps
  const now = clock.now()
  const { defaultTeam } = routing.config
  const alert = {
    labels: { alertname, severity: 'critical', ...(defaultTeam && { team: defaultTeam }) },
    annotations: { summary, description },
    startsAt: formatInstant(now),
    endsAt: formatInstant(now + stands),
  }
  await accept(postedAlerts([alert], now, stands), 'own', deps)
}
