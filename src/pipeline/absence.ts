import { isCanary } from '../alert/canary.ts'
import type { Deps } from './deps.ts'

/** A restart is shorter; senders repeat their alerts every minute or so, and they hold for some minutes. ms */
export const ABSENCE = 60_000
/** After an absence: how long alerts that would have ended wait to be sent again, and old ones for what would inhibit them, ms. */
export const CALM = 90_000

/**
 * Where nobody has looked after what is due for longer than a restart takes (no replica ran, or Redis was away): alerts whose
 * end came meanwhile have not resolved for that, since nobody was there to hear that they go on. Each gets some time to be
 * sent again, or to end then.
 */
export async function bridgeAbsence(deps: Deps): Promise<void> {
  const { store, clock, log } = deps
  const now = clock.now()
  const since = await store.peers.lastAlive()
  if (since !== undefined && now - since < ABSENCE) return
  deps.calmUntil = now + CALM
  if (since === undefined) return
  let extended = 0
  for await (const alerts of store.alerts.scan()) {
    const ended = alerts
      .filter((alert) => alert.endsAt > since && alert.endsAt <= now && !isCanary(alert)) // that is sent anew by us
      .map(({ fingerprint }) => fingerprint)
    if (ended.length > 0) extended += await store.alerts.extendEnds(ended, since, now, now + CALM)
  }
  const absence = `${Math.round((now - since) / 1000)} s`
  log.warn(
    { absence, alerts: extended },
    'nobody looked after what is due; alerts that would have ended wait to be sent again',
  )
}
