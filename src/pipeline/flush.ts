import { type Alert, isResolved } from '../alert/alert.ts'
import { canary } from '../alert/canary.ts'
import { gravest, rankOf } from '../alert/severity.ts'
import {
  type GivenUp,
  type Told,
  rememberFor,
  tellingOf,
  toldAs,
  whyNotify,
  whyQuiet,
  withEnded,
  withoutResolved,
} from '../dedup/dedup.ts'
import type { TimelineEntry } from '../incident/incident.ts'
import { describeIncident } from '../incident/open.ts'
import type { Wake } from '../queue/delivery.ts'
import type { Claimed, Group, IncidentStep, Left, Owing, Settled, Settlement } from '../store/groups.ts'
import { dedupKey } from '../notify/pagerduty-event.ts'
import { rowId } from '../store/keys.ts'
import type { Versions } from '../store/versions.ts'
import { regroup } from './accept.ts'
import type { Heard } from '../suppress/suppress.ts'
import { boundFor } from './bound.ts'
import type { Deps } from './deps.ts'
import { freshen, hear } from './hear.ts'

/** How long a flusher may hold a group before another takes it, ms. */
const LEASE = 10_000
const BATCH = 100
/** Groups that are read, and written, in one trip: a large one holds up few. */
const TOGETHER = 16

/** What a flush of a group comes to. */
interface Flush {
  group: Group
  settlement: Settlement
}

/** Flushes what is due. Returns how many groups were: as many as fit means that there may be more. */
export async function flushDue(deps: Deps): Promise<number> {
  const { store, clock, newId } = deps
  const claim = newId()
  const { claimed, versions } = await store.groups.claimDue(clock.now(), LEASE, BATCH, claim)
  if (claimed.length === 0) return 0
  await freshen(deps, versions)
  const parts = Array.from({ length: Math.ceil(claimed.length / TOGETHER) }, (_none, i) =>
    claimed.slice(i * TOGETHER, (i + 1) * TOGETHER),
  )
  await Promise.all(parts.map((part) => flushAll(part, claim, versions, deps).catch((err: unknown) => fail(err, deps))))
  return claimed.length
}

/** The lease gives the groups to whoever is able, soon. */
function fail(err: unknown, { log }: Deps): undefined {
  log.error({ err }, 'a flush failed; it is tried again')
}

/**
 * Groups are due: decides for each integration of their receivers whether to speak, and queues what it says.
 * Runs at least once for each due time; a second run of the same flush finds its claim gone.
 */
async function flushAll(claimed: readonly Claimed[], claim: string, versions: Versions, deps: Deps): Promise<void> {
  const { store, queue, clock } = deps
  const at = clock.now()
  const unread = claimed.filter(({ group }) => !group).map(({ id }) => id)
  const loaded = new Map((await store.groups.loadAll(unread)).map((reply, i) => [unread[i], reply]))
  const decided = await Promise.all(
    claimed.map(
      async ({ id, dueAt, group = valueOf(loaded.get(id), deps) }) =>
        group && flush(group, dueAt, at, claim, versions, deps).catch((err: unknown) => fail(err, deps)),
    ),
  )
  const flushes = decided.filter((one) => one !== undefined)
  const wakes: Wake[] = []
  const settled = await store.groups.settle(
    flushes.map(({ settlement }) => settlement),
    at,
  )
  for (const [i, { group, settlement }] of flushes.entries()) {
    const reply = settled[i]
    if (reply?.status === 'rejected') fail(reply.reason, deps)
    else if (reply?.value.held) wakes.push(...wakesOf(group, settlement, reply.value, at, deps))
  }
  if (wakes.length > 0) await queue.wake(wakes)
}

function valueOf<T>(reply: PromiseSettledResult<T> | undefined, deps: Deps): T | undefined {
  return reply?.status === 'rejected' ? fail(reply.reason, deps) : reply?.value
}

/** Tells what became of the incident, and whom to wake. */
function wakesOf(
  { id, key }: Group,
  { owings }: Settlement,
  { incident, incidentId, stood, woken }: Settled,
  at: number,
  { metrics, events, log }: Deps,
): Wake[] {
  if (incident) {
    metrics.incidents.inc({ event: incident })
    events.publish('incident', { id: incidentId, event: incident })
    log.info({ incident: incidentId, groupKey: key }, `incident ${incident}`)
  }
  for (const { channel, integration } of owings)
    if (stood.includes(rowId(id, integration))) metrics.waits.inc({ channel, reason: 'flight' })
  return owings
    .map(({ integration, channel, notification, rank }) => {
      return { row: rowId(id, integration), channel, integration, notification, rank, turn: at, delay: 0 }
    })
    .filter(({ row }) => woken.includes(row))
}

/** What a flush of a group is to write; undefined where it is another replica's. */
async function flush(
  group: Group,
  dueAt: number,
  at: number,
  claim: string,
  versions: Versions,
  deps: Deps,
): Promise<Flush | undefined> {
  const { routing, store, metrics } = deps
  metrics.flushes.inc()
  metrics.flushLag.observe(Math.max(0, at - dueAt) / 1000)
  const route = routing.config.routes.get(group.routeId)
  if (!route) {
    // of a routing that another replica has, or of one that is gone: then its alerts belong elsewhere
    if ((await store.configHash()) === routing.config.hash) await regroup(deps)
    return undefined
  }

  // a flush belongs to the instant that it was due at, so that it being some ms late decides nothing
  const missed = Math.floor((at - dueAt) / route.groupInterval)
  const tick = dueAt + Math.max(0, missed) * route.groupInterval
  const heard = await hear(group, route, at, versions, deps)
  const { audible, muting } = heard
  countSuppressed(heard, metrics)
  const resolved = group.alerts.filter((alert) => isResolved(alert, at))
  const firing = audible.filter((alert) => !isResolved(alert, at))
  const rank = rankOf(gravest(firing.length > 0 ? firing : resolved, routing.config), routing.config)

  const owings: Settlement['owings'][number][] = []
  const verdicts = new Map<string, string>()
  const integrations = [
    ...(routing.config.receivers.get(route.receiver)?.integrations ?? []),
    ...(deps.exact ? [] : standIns(group, route.receiver, firing, deps)),
  ]
  const entries = new Map<string, Told | GivenUp>()
  const kept = new Set<string>() // resolved, and still to be told
  let renews = false
  for (const integration of integrations) {
    const rules = { sendResolved: integration.sendResolved, repeatInterval: route.repeatInterval }
    const last = group.told.get(integration.id)
    const { present } = tellingOf(heard, last, at, deps.exact)
    const reason = muting ? undefined : whyNotify(last, present, rules, tick)
    const given = givenUpBy(group, integration, resolved)
    // what is on its way may tell that they fire: then their end is still to be told. It writes the log itself
    const isOnItsWay = group.owed.has(integration.id)
    if (isOnItsWay) for (const { fingerprint } of resolved) kept.add(fingerprint)
    else if (given && given !== group.givenUp.get(integration.id)) entries.set(`dead:${integration.id}`, given)
    if (!reason) {
      const quiet = muting ? 'muted' : whyQuiet(last, present)
      verdicts.set(integration.id, quiet)
      metrics.suppressed.inc({ reason: quiet })
      if (!last || deps.exact || !(muting || present.hidden.size > 0)) continue
      // the log goes on being needed, and those that end now are news when they fire again
      renews = true
      const ended = withEnded(last, muting ? resolved.map(({ fingerprint }) => fingerprint) : present.resolved)
      if (ended && !isOnItsWay) entries.set(integration.id, ended)
      if (integration.sendResolved)
        for (const { fingerprint } of resolved) if (last.firing.has(fingerprint)) kept.add(fingerprint)
    } else if (given && given.config === routing.config.hash && !whyNotify(given, present, rules, tick)) {
      verdicts.set(integration.id, 'given up')
      metrics.suppressed.inc({ reason: 'given up' }) // a dead letter says this already
    } else if (reason === 'all alerts resolved' && !integration.sendResolved) {
      verdicts.set(integration.id, 'resolves not wanted')
      metrics.suppressed.inc({ reason: 'resolves not wanted' })
      if (!isOnItsWay) entries.set(integration.id, toldAs(present, at))
    } else {
      verdicts.set(integration.id, 'owed')
      owings.push({
        integration: integration.id,
        channel: integration.channel,
        reason,
        notification: deps.newId(),
        rank,
        bound: boundFor(integration.id, deps),
      })
    }
  }

  const incident = incidentStep(group, muting ? [] : firing, owings, deps, at)
  return {
    group,
    settlement: {
      group: group.id,
      claim,
      nextDue: tick + route.groupInterval,
      groupInterval: route.groupInterval,
      resolved: resolved
        .filter(({ fingerprint }) => !kept.has(fingerprint))
        .map((alert) => ({ alert, word: cameTo(alert, group, heard) })),
      verdicts,
      owings,
      entries,
      renews,
      mutedBy: muting?.intervals ?? [],
      nflogTtl: rememberFor(route, deps.retention),
      ...(incident && { incident }),
    },
  }
}

/**
 * Integrations of other receivers that were told in the place of this one's. While the receiver fails those of its fallback hear
 * what it would; at the end all of them hear that it is over, those of a fallback that was, too.
 */
function standIns(group: Group, receiver: string, firing: readonly Alert[], { routing: { config } }: Deps) {
  const own = config.receivers.get(receiver)
  const isFailing = own?.integrations.some(({ id }) => group.givenUp.has(id) || group.owed.has(id)) ?? false
  const isOver = firing.length === 0
  return [...group.told].flatMap(([id, { firing: believed }]) => {
    const integration = config.integrations.get(id)
    if (!integration || integration.receiver === receiver) return []
    return (isOver && believed.size > 0) || (isFailing && integration.receiver === own?.fallback) ? [integration] : []
  })
}

/** What became of a resolved alert, for the ledger. */
function cameTo(alert: Alert, group: Group, { suppressed, muting }: Heard): Left['word'] {
  const isIn = ({ firing, resolved }: Told) => firing.has(alert.fingerprint) || resolved.has(alert.fingerprint)
  if (group.owed.size > 0 || [...group.told.values()].some(isIn)) return 'delivered'
  if ([...group.givenUp.values()].some(isIn)) return 'given-up'
  const suppression = suppressed.get(alert)
  if (suppression) return suppression.by === 'silence' ? 'silenced' : 'inhibited'
  return muting ? 'muted' : 'unheard'
}

/**
 * What was given up, as it stands now that some have resolved: firing again they are news. The end of what was never
 * announced is none, the end of what was is still to be told.
 */
function givenUpBy(group: Group, { id }: { id: string }, resolved: readonly Alert[]): GivenUp | undefined {
  const given = group.givenUp.get(id)
  if (!given) return undefined
  const announced = group.told.get(id)?.firing
  const ended = resolved.map(({ fingerprint }) => fingerprint)
  const unheard = withoutResolved(given, new Set(ended.filter((one) => !announced?.has(one))))
  const left = unheard ? { ...unheard, ended: given.ended } : given
  return withEnded(left, ended) ?? left
}

/** Alertmanager counts alerts, not groups. */
function countSuppressed({ suppressed, audible, muting }: Heard, metrics: Deps['metrics']): void {
  for (const { by } of suppressed.values()) metrics.alertsSuppressed.inc({ reason: by })
  if (muting) metrics.alertsSuppressed.inc({ reason: muting.by }, audible.length)
}

/** What the flush means for the group's incident, if its severity has one: it ends when nothing fires, told or not. */
function incidentStep(
  group: Group,
  firing: readonly Alert[], // those that may be told
  owings: readonly Owing[],
  { routing: { config } }: Deps,
  at: number,
): IncidentStep | undefined {
  if (group.routeId === canary.route) return undefined
  if (firing.length === 0) {
    if (!group.incident || group.alerts.some((alert) => !isResolved(alert, at))) return undefined
    const resolved = entryOf('resolved', 'all alerts resolved', at)
    return { verb: 'resolve', dedupKey: dedupKey(group.key), reopenWithin: config.incidentReopenWithin, resolved }
  }
  const severity = gravest(firing, config)
  const described = describeIncident(firing, group, { severity, priority: '', defaultTeam: config.defaultTeam })
  const policy = config.policy(severity, described.team)
  if (!policy.incident) return undefined
  // one that a person resolved while its alerts go on firing stays so until there is news
  const news = owings.some(({ reason }) => reason === 'first notification' || reason === 'new alerts added')
  if (group.incident && !news) return undefined

  const fields = { ...described, priority: policy.priority }
  return {
    verb: 'open',
    dedupKey: dedupKey(group.key),
    reopenWithin: config.incidentReopenWithin,
    fields: JSON.stringify(fields),
    opened: entryOf('opened', fields.title, at),
    reopened: entryOf('reopened', fields.title, at),
  }
}

/** A line of the timeline as JSON. */
function entryOf(event: TimelineEntry['event'], detail: string, at: number): string {
  return JSON.stringify({ at: new Date(at).toISOString(), event, by: 'tocsin', detail } satisfies TimelineEntry)
}
