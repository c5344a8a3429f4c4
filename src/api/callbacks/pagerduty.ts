import { z } from 'zod'
import type { Deps } from '../../pipeline/deps.ts'
import { parseJson } from '../body.ts'
import { settle } from './settle.ts'

const changes = { 'incident.acknowledged': 'acknowledged', 'incident.resolved': 'resolved' } as const

/** https://developer.pagerduty.com/docs/webhooks-overview; of other events nothing is read. */
const webhook = z.object({
  event: z.object({
    id: z.string().min(1).max(200),
    event_type: z.enum(['incident.acknowledged', 'incident.resolved']),
    agent: z.object({ summary: z.string().nullish() }).nullish(),
    data: z.object({ incident_key: z.string().nullish(), alert_key: z.string().nullish() }),
  }),
})

/** What PagerDuty says happened to one of our incidents; undefined for everything else that it says. */
export function pagerdutyEvent(body: Buffer): { id: string; apply(deps: Deps): Promise<void> } | undefined {
  const parsed = webhook.safeParse(parseJson(body))
  if (!parsed.success) return undefined
  const { id, event_type, agent, data } = parsed.data.event
  const key = data.incident_key ?? data.alert_key
  if (!key) return undefined
  const by = { name: `${(agent?.summary ?? 'somebody').slice(0, 100)} (PagerDuty)`, from: 'pagerduty' }
  return {
    id,
    async apply(deps) {
      const incident = await deps.store.incidents.ofDedupKey(key)
      if (incident && incident.state !== 'resolved') await settle(incident.id, changes[event_type], by, deps)
    },
  }
}
