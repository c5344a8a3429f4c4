import { normalise } from '../alert/normalise.ts'
import { type MatcherMode, isLabelName } from '../match/mode.ts'
import { type Limits, defaultLimits } from '../model/limits.ts'
import { unreadable } from './answer.ts'
import { type Batch, checkCount, readAll, withinLimits } from './batch.ts'
import { readAlert } from './read.ts'
import { IngestError, type Ingested } from './reject.ts'

/**
 * The body of `POST /api/v2/alerts`, as Prometheus, amtool and Grafana send it: a list of alerts.
 * One without an end ends `resolveTimeout` ms from now; `mode` says which names labels may have. Throws
 * IngestError where it is no list, or one of too many.
 */
export function postedBatch(
  body: unknown,
  at: number,
  resolveTimeout: number,
  mode: MatcherMode,
  limits: Limits,
): Batch {
  if (!Array.isArray(body) && body !== null) {
    throw new IngestError(
      `parsing alerts body from "" failed, because ${unreadable(body, 'Go value of type models.PostableAlerts').message}`,
    )
  }
  const list: readonly unknown[] = body ?? []
  checkCount(list, limits)
  const isName = (name: string) => isLabelName(name, mode)
  return {
    size: list.length,
    truncated: 0,
    read(index) {
      const raw = withinLimits(readAlert(list[index]), limits)
      return 'reason' in raw ? raw : normalise(raw, at, resolveTimeout, isName)
    },
  }
}

/** The same, all read. */
export function postedAlerts(
  body: unknown,
  at: number,
  resolveTimeout: number,
  mode: MatcherMode = 'fallback',
  limits = defaultLimits,
): Ingested {
  return readAll(postedBatch(body, at, resolveTimeout, mode, limits))
}
