import type { Alert } from '../alert/alert.ts'
import type { Heartbeat } from '../config/heartbeats.ts'
import { formatMatchers } from '../match/matcher.ts'
import { formatDuration } from '../model/duration.ts'
import { fingerprint } from '../model/fingerprint.ts'
import { formatInstant } from '../model/instant.ts'
import type { Awaited, Raised } from '../store/heartbeats.ts'
import { ABSENCE } from './absence.ts'
import { own } from '../ingest/batch.ts'
import { accept } from './accept.ts'
import type { Deps } from './deps.ts'

/** How often heartbeats are looked at, ms. */
export const WATCH = 2000
/** A raised alert is told to go on each so often, and ends by itself when nobody does any more, ms. */
const REFRESH = 30_000
const HOLD = 3 * 60_000
/**
 * Raises an alert of each heartbeat that was not seen for its timeout, keeps it going, and resolves it when the heartbeat
 * is back or awaited no more. Any replica may run it at any time: one acts at a time, and what is done twice changes nothing.
 */
export async function watchHeartbeats(deps: Deps): Promise<void> {
  const { routing, store, clock, metrics, log } = deps
  const { heartbeats, hash } = routing.config
  // what another file awaits is another replica's to say
  if ((await store.configHash()) !== hash) return
  const at = clock.now()
  const names = heartbeats.map(({ name }) => name)
  const { isOurTurn, awaited, raised } = await store.heartbeats.watch(names, at, WATCH, ABSENCE)

  const alerts: Alert[] = []
  const going = new Map<string, Raised>()
  const over = new Set(raised.keys())
  metrics.heartbeatMissing.reset()
  for (const [i, heartbeat] of heartbeats.entries()) {
    const state = awaited[i]
    if (!state) continue
    const { name } = heartbeat
    const deadline = state.from + heartbeat.timeout
    metrics.heartbeatMissing.set({ heartbeat: name }, deadline <= at ? 1 : 0)
    if (deadline > at) continue
    const before = raised.get(name)
    const isSame = before !== undefined && fingerprintOf(before) === fingerprint(heartbeat.labels)
    if (isSame) over.delete(name)
    if (isSame && at - before.refreshedAt < REFRESH) continue
    if (before && !isSame) alerts.push(toAlert(before, at, at)) // another severity or team by now
    const now = isSame ? { ...before, refreshedAt: at } : raise(heartbeat, state, deadline, at)
    alerts.push(toAlert(now, at + HOLD, at))
    going.set(name, now)
    if (!before && isOurTurn)
      log.error({ heartbeat: name, timeout: formatDuration(heartbeat.timeout) }, 'a heartbeat is missing')
  }
  if (!isOurTurn) return
  for (const name of over) {
    const before = raised.get(name)
    if (!before || going.has(name)) continue
    alerts.push(toAlert(before, at, at))
    log.info(
      { heartbeat: name },
      names.includes(name) ? 'a heartbeat is missing no more' : 'a heartbeat is awaited no more',
    )
  }
  if (alerts.length === 0) return
  await accept(own(alerts), 'own', deps)
  await store.heartbeats.noteRaised(
    going,
    [...over].filter((name) => !going.has(name)),
  )
}

function raise(
  { name, matchers, timeout, labels }: Heartbeat,
  { from, seenAt }: Awaited,
  deadline: number,
  at: number,
): Raised {
  const lasted = formatDuration(timeout)
  const seen =
    seenAt === undefined
      ? `has never been seen since it is awaited (${formatInstant(from)})`
      : `was last seen at ${formatInstant(seenAt)}`
  const annotations = {
    summary: `No heartbeat from ${name} for ${lasted}`,
    description:
      `The alert that comes from ${name} all the time, ${formatMatchers(matchers)}, ${seen}. ` +
      'Look whether its sender runs, still has the rule, and reaches Tocsin: until it is back, its other alerts do not come either.',
  }
  return { labels: [...labels], annotations: Object.entries(annotations), startsAt: deadline, refreshedAt: at }
}

function fingerprintOf({ labels }: Raised): string {
  return fingerprint(new Map(labels))
}

function toAlert({ labels, annotations, startsAt }: Raised, endsAt: number, at: number): Alert {
  return {
    fingerprint: fingerprint(new Map(labels)),
    labels: new Map(labels),
    annotations: new Map(annotations),
    generatorURL: '',
    startsAt,
    endsAt,
    endedBy: 'sender',
    updatedAt: at,
  }
}
