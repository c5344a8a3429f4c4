import { resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { contentOf } from '../store/content.ts'
import { type Alert, isResolved } from '../alert/alert.ts'
import type { Ingested } from '../ingest/reject.ts'
import type { Accepted, Arrival } from '../store/alerts.ts'
import type { Deps, Routing } from './deps.ts'
import { hearHeartbeats } from './heartbeats.ts'

/** From 2001 until 2286 an instant has 13 digits. */
const LEAST = 1e12
/** So many alerts are routed before others get their turn. */
const TURN = 500

/**
 * Alerts came in: routes them and puts them into their groups in one trip to Redis. Once this
 * resolves they survive any crash; where it rejects, the sender has to send them again, which is safe.
 * `late`: the sender gave up on the request, and may have told the end of what fires in it since.
 * Tocsin's own alerts count as neither received nor as a sign of life of whoever else sends.
 */
export async function accept(
  { alerts, texts, again, rejects, truncated }: Ingested,
  source: 'v2' | 'webhook' | 'own',
  deps: Deps,
  { late = false }: { late?: boolean } = {},
): Promise<Accepted> {
  const { routing, store, metrics, clock, log, inhibition, origins, tally, exact, calmUntil } = deps
  const at = clock.now()
  const done = metrics.processing.begin()
  metrics.invalid.inc({ version: source }, rejects.length)
  metrics.truncated.inc(truncated)
  const placedBy = inhibition.version
  const arrivals: Arrival[] = []
  const arrive = async (some: readonly Alert[]) => {
    for (const alert of some) {
      arrivals.push(arrivalOf(alert, routing, deps))
      if (arrivals.length % TURN === 0) await setImmediate() // a long request is no reason for others to wait
    }
  }
  const repeated = again.length > 0 ? store.alerts.repeat(again, at) : undefined
  repeated?.catch(() => {}) // it is awaited below, and may fail before
  await arrive(alerts)
  const manner = {
    routing: routingOf(routing),
    exact,
    calm: !exact && at < calmUntil,
    regroups: false,
    late: late && !exact,
    ...(source !== 'own' && { most: routing.config.limits }), // what Tocsin has to say is few, and matters
  }
  const { rules, others } = (await repeated) ?? { rules: '', others: [] }
  // a rule that came since may make sources of alerts that come again
  const refused = new Set(others)
  const unplaced = again.filter((one) => one.kept.rules !== rules || refused.has(one))
  const whole = [...alerts, ...unplaced.map((one) => one.read())]
  await arrive(whole.slice(alerts.length))
  const span = await origins.arrive(source === 'own' ? [] : arrivals, at)
  const [accepted] = await Promise.all([
    arrivals.length === 0 && again.length > 0 ? nothing(rules) : store.alerts.accept(arrivals, at, manner),
    source === 'own' ? undefined : hearHeartbeats(whole, at, deps), // leaves in the same go
  ]).finally(() => span?.end())
  if (accepted.rules !== placedBy) await inhibition.catchUp(accepted.rules, whole, routing)
  remember(arrivals, texts, accepted, deps)
  renew(arrivals.slice(alerts.length), unplaced, accepted, deps)
  if (source === 'own') return accepted
  done()
  const resolved = alerts.filter((alert) => isResolved(alert, at)).length
  tally.count('received', again.length + alerts.length)
  metrics.received.inc({ status: 'firing', version: source }, again.length + alerts.length - resolved)
  metrics.received.inc({ status: 'resolved', version: source }, resolved)
  if (accepted.joined > 0 || resolved > 0) origins.arrived(arrivals, at, routing)
  metrics.late.inc(accepted.late)
  if (accepted.late > 0) log.info({ source, late: accepted.late }, 'late copies of what has been resolved were dropped')
  metrics.grouped.inc(accepted.joined)
  metrics.groups.inc(accepted.groups)
  metrics.groupLimitReached.inc(accepted.full.get('groups') ?? 0)
  return accepted
}

/** All came again. */
function nothing(rules: string): Accepted {
  return { fresh: 0, seen: 0, late: 0, joined: 0, groups: 0, soonest: -1, rules, full: new Map() }
}

function arrivalOf(alert: Alert, routing: Routing, { inhibition }: Deps): Arrival {
  const places = inhibition.placesOf(alert, routing)
  return {
    alert,
    content: contentOf(alert),
    groups: routing.groupsOf(alert),
    places,
    isGravest: routing.isGravest(alert),
  }
}

/** What alerts' groups are kept under: by another config they may have others. */
function routingOf({ config }: Routing): string {
  return config.hash.slice(0, 8)
}

/** Whether nothing but the alert itself depends on its end. */
function isOnlyItself({ alert, places }: Arrival, routing: Routing): boolean {
  return places.length === 0 && routing.heartbeatsOf(alert).length === 0
}

/** What went the full way may go the short one again. */
function renew(
  arrivals: readonly Arrival[],
  again: Ingested['again'],
  { rules }: Accepted,
  { routing, inhibition }: Deps,
): void {
  if (rules !== inhibition.version) return
  for (const [i, { kept }] of again.entries()) {
    const arrival = arrivals[i]
    if (!arrival || !isOnlyItself(arrival, routing)) continue
    kept.said = `${arrival.content.digest} ${routingOf(routing)}`
    kept.rules = rules
    kept.endsAt = 0 // what this replica wrote is no more what is there
  }
}

/** Alerts that came for the second time will come again. Those of which more than the end matters are always read. */
function remember(
  arrivals: readonly Arrival[],
  texts: Ingested['texts'],
  { fresh, full, rules }: Accepted,
  deps: Deps,
): void {
  const { routing, inhibition } = deps
  if (fresh > 0 || full.size > 0 || rules !== inhibition.version) return
  for (const [i, text] of texts.entries()) {
    const arrival = arrivals[i]
    if (text === undefined || !arrival || !isOnlyItself(arrival, routing)) continue
    const { fingerprint, startsAt, startsText = '-' } = arrival.alert
    if (startsAt < LEAST || startsAt >= 10 * LEAST) continue
    const said = `${arrival.content.digest} ${routingOf(routing)}`
    text.kept = { fingerprint, startsAt, startsText, said, rules, written: '', endsAt: 0 }
    routing.known.add(text)
  }
}

/**
 * A new routing is in force: gives every alert that is kept its groups under it, and lets go of groups
 * whose route is gone. Groups whose route stayed keep their times.
 */
export async function regroup(deps: Deps): Promise<void> {
  const { routing, store, clock, log } = deps
  for await (const alerts of store.alerts.scan()) {
    const firing = alerts.filter((alert) => !isResolved(alert, clock.now()))
    await store.alerts.accept(
      firing.map((alert) => arrivalOf(alert, routing, deps)),
      clock.now(),
      { routing: routingOf(routing), exact: false, calm: false, regroups: true, late: false },
    )
  }
  for (const id of await store.groups.ids()) {
    const group = await store.groups.load(id)
    if (!group || routing.config.routes.has(group.routeId)) continue
    await store.groups.drop(id, clock.now())
    log.info({ groupKey: group.key }, 'let go of a group whose route is gone; its alerts have others')
  }
  const { hash, file, included } = routing.config
  await store.setConfig(hash, resolve(file), included)
}
