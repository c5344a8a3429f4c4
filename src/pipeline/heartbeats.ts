import { type Alert, isResolved } from '../alert/alert.ts'
import type { Deps, ListenedFor } from './deps.ts'

/** How often a replica writes down that a heartbeat was seen, ms: at the most so often, and ten times within its timeout. */
const NOTE = 5000

/** Notes the heartbeats that these alerts are signs of. Never rejects: what could not be noted now is with the next one. */
export async function hearHeartbeats(alerts: readonly Alert[], at: number, deps: Deps): Promise<void> {
  const { routing, store, log } = deps
  const due = new Set<ListenedFor>()
  for (const alert of alerts) {
    for (const heartbeat of routing.heartbeatsOf(alert)) {
      const isDue = Math.abs(at - heartbeat.notedAt) >= Math.min(NOTE, heartbeat.timeout / 10)
      if (isDue && !isResolved(alert, at)) due.add(heartbeat)
    }
  }
  if (due.size === 0) return
  const names = [...due].map((heartbeat) => {
    heartbeat.notedAt = at
    return heartbeat.name
  })
  try {
    await store.heartbeats.see(names, at)
  } catch (err) {
    for (const heartbeat of due) heartbeat.notedAt = 0
    log.warn({ err, heartbeats: names }, 'heartbeats were seen, which could not be written down')
  }
}
