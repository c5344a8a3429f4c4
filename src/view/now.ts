import { setImmediate } from 'node:timers/promises'
import { toRecord } from '../model/labels.ts'
import type { Routing } from '../pipeline/deps.ts'
import { contains } from '../suppress/interval.ts'
import { mutingOf } from '../suppress/suppress.ts'
import type { Seen, SeenGroup, Snapshot } from './alerts.ts'

/** An alert as the page shows it. */
export interface ShownAlert {
  fingerprint: string
  labels: Record<string, string>
  annotations: Record<string, string>
  generatorURL: string
  startsAt: string // RFC 3339, UTC
  groups: readonly string[] // ids
  silencedBy: readonly string[] // ids
  inhibitedBy: readonly string[] // fingerprints
  mutedBy: readonly string[] // time intervals, where they keep all of its groups quiet
}

/** A group as the page shows it. */
export interface ShownGroup {
  receiver: string
  labels: Record<string, string>
  key: string // Alertmanager's text form
}

/** How an alert is now, and a text that is another one where the page would show it otherwise. */
export interface Standing {
  seen: Seen
  silencedBy: readonly string[]
  inhibitedBy: readonly string[]
  mutedBy: readonly string[]
  says: string
}

/** So many alerts are looked at before others get their turn. */
const TURN = 2000

/** How all alerts that fire are at an instant, by fingerprint. */
export async function standings(snapshot: Snapshot, { config }: Routing, at: number): Promise<Map<string, Standing>> {
  const intervals = new Map<string, readonly string[]>() // by route
  const mutingRoute = (routeId: string): readonly string[] => {
    let muting = intervals.get(routeId)
    if (!muting) {
      const route = config.routes.get(routeId)
      const isWithin = (name: string) => contains(config.timeIntervals.get(name) ?? [], at)
      muting = (route && mutingOf(route, isWithin)?.intervals) ?? []
      intervals.set(routeId, muting)
    }
    return muting
  }
  const routeOf = new Map(snapshot.groups.map(({ id, routeId }) => [id, routeId]))
  const found = new Map<string, Standing>()
  for (const seen of snapshot.alerts) {
    const { silencedBy, inhibitedBy } = snapshot.statusOf(seen)
    const muting = seen.groupIds.map((id) => mutingRoute(routeOf.get(id) ?? ''))
    const mutedBy = muting.every((names) => names.length > 0) ? [...new Set(muting.flat())] : []
    const { alert, groupIds, annotationsJson } = seen
    const says = `${alert.startsAt} ${groupIds.join()} ${silencedBy.join()} ${inhibitedBy.join()} ${mutedBy.join()} ${annotationsJson}`
    found.set(alert.fingerprint, { seen, silencedBy, inhibitedBy, mutedBy, says })
    if (found.size % TURN === 0) await setImmediate()
  }
  return found
}

export function showAlert({ seen, silencedBy, inhibitedBy, mutedBy }: Standing): ShownAlert {
  const { fingerprint, labels, annotations, generatorURL, startsAt } = seen.alert
  return {
    fingerprint,
    labels: toRecord(labels),
    annotations: toRecord(annotations),
    generatorURL,
    startsAt: new Date(startsAt).toISOString(),
    groups: seen.groupIds,
    silencedBy,
    inhibitedBy,
    mutedBy,
  }
}

/** The groups that some alerts are in, by id. */
export function showGroups(shown: readonly ShownAlert[], groups: readonly SeenGroup[]): Record<string, ShownGroup> {
  const wanted = new Set(shown.flatMap((alert) => alert.groups))
  return Object.fromEntries(
    groups
      .filter(({ id }) => wanted.has(id))
      .map(({ id, receiver, labels, key }) => [id, { receiver, labels: toRecord(labels), key }]),
  )
}
