import { readAll } from '../../src/ingest/batch.ts'
import type { Ingested } from '../../src/ingest/reject.ts'
import { webhookBatch } from '../../src/ingest/webhook.ts'
import type { MatcherMode } from '../../src/match/mode.ts'
import { defaultLimits } from '../../src/model/limits.ts'

/** Alerts of a webhook payload, all read. */
export function webhookAlerts(body: unknown, at: number, mode: MatcherMode = 'fallback'): Ingested {
  return readAll(webhookBatch(body, at, mode, defaultLimits))
}
