import { normalise } from '../alert/normalise.ts'
import { type MatcherMode, isLabelName } from '../match/mode.ts'
import { unreadable } from './answer.ts'
import { readAlert } from './read.ts'
import { IngestError, type Ingested } from './reject.ts'

/**
 * The body of `POST /api/v2/alerts`, as Prometheus, amtool and Grafana send it: a list of alerts.
 * One without an end ends `resolveTimeout` ms from now; `mode` says which names labels may have. Throws
 * IngestError where it is no list.
 */
export function postedAlerts(
  body: unknown,
  at: number,
  resolveTimeout: number,
  mode: MatcherMode = 'fallback',
): Ingested {
  if (!Array.isArray(body) && body !== null) {
    throw new IngestError(
      `parsing alerts body from "" failed, because ${unreadable(body, 'Go value of type models.PostableAlerts').message}`,
    )
  }
  const isName = (name: string) => isLabelName(name, mode)
  const ingested: Ingested = { alerts: [], rejects: [], truncated: 0 }
  for (const [index, value] of (body ?? []).entries()) {
    const raw = readAlert(value)
    const alert = 'reason' in raw ? raw : normalise(raw, at, resolveTimeout, isName)
    if ('reason' in alert) ingested.rejects.push({ index, ...alert })
    else ingested.alerts.push(alert)
  }
  return ingested
}
