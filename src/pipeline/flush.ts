import { type Alert, isResolved } from '../alert/alert.ts'
import { gravest, rankOf } from '../alert/severity.ts'
import { type Told, presentOf, rememberFor, whyNotify, whyQuiet } from '../dedup/dedup.ts'
import type { TimelineEntry } from '../incident/incident.ts'
import { describeIncident } from '../incident/open.ts'
import type { Claimed, Group, IncidentStep, Owing } from '../store/groups.ts'
import { rowId } from '../store/keys.ts'
import { regroup } from './accept.ts'
import type { Deps } from './deps.ts'

/** How long a flusher may hold a group before another takes it, ms. */
const LEASE = 10_000
const BATCH = 100

/** Flushes what is due. Returns how many groups were: as many as fit means that there may be more. */
export async function flushDue(deps: Deps): Promise<number> {
  const { store, clock, newId, log } = deps
  const claim = newId()
  const claimed = await store.groups.claimDue(clock.now(), LEASE, BATCH, claim)
  const ended = await Promise.allSettled(claimed.map((group) => flush(group, claim, deps)))
  for (const [i, end] of ended.entries()) {
    // the lease gives it to whoever is able, soon
    if (end.status === 'rejected')
      log.error({ err: end.reason, group: claimed[i]?.id }, 'a flush failed; it is tried again')
  }
  return claimed.length
}

/**
 * A group is due: decides for each integration of its receiver whether to speak, and queues what it says.
 * Runs at least once for each due time; a second run of the same flush finds its claim gone.
 */
async function flush({ id, dueAt }: Claimed, claim: string, deps: Deps): Promise<void> {
  const { routing, store, queue, metrics, clock, log } = deps
  const at = clock.now()
  metrics.flushes.inc()
  metrics.flushLag.observe(Math.max(0, at - dueAt) / 1000)

  const group = await store.groups.load(id)
  if (!group) return
  const route = routing.config.routes.get(group.routeId)
  if (!route) {
    // of a routing that another replica has, or of one that is gone: then its alerts belong elsewhere
    if ((await store.configHash()) === routing.config.hash) await regroup(deps)
    return
  }

  const firing = group.alerts.filter((alert) => !isResolved(alert, at))
  const resolved = group.alerts.filter((alert) => isResolved(alert, at))
  const present = presentOf(group.alerts, at)
  const rank = rankOf(gravest(firing.length > 0 ? firing : resolved, routing.config), routing.config)

  const owings: Owing[] = []
  const silently = new Map<string, Told>()
  for (const integration of routing.config.receivers.get(route.receiver)?.integrations ?? []) {
    const rules = { sendResolved: integration.sendResolved, repeatInterval: route.repeatInterval }
    const last = group.told.get(integration.id)
    const reason = whyNotify(last, present, rules, at)
    const given = group.givenUp.get(integration.id)
    if (!reason) {
      metrics.suppressed.inc({ reason: whyQuiet(last, present) })
    } else if (given && !whyNotify(given, present, rules, at)) {
      metrics.suppressed.inc({ reason: 'given up' }) // a dead letter says this already
    } else if (reason === 'all alerts resolved' && !integration.sendResolved) {
      metrics.suppressed.inc({ reason: 'resolves not wanted' })
      silently.set(integration.id, { at, ...present })
    } else {
      owings.push({
        integration: integration.id,
        channel: integration.channel,
        reason,
        notification: deps.newId(),
        rank,
      })
    }
  }

  const incident = incidentStep(group, firing, owings, deps, at)
  const settled = await store.groups.settle(
    id,
    {
      claim,
      nextDue: at + route.groupInterval,
      resolved,
      owings,
      silently,
      nflogTtl: rememberFor(route.repeatInterval),
      ...(incident && { incident }),
    },
    at,
  )
  if (!settled.held) return
  if (settled.incident) {
    metrics.incidents.inc({ event: settled.incident })
    deps.events.publish('incident', { id: settled.incidentId, event: settled.incident })
    log.info({ incident: settled.incidentId, groupKey: group.key }, `incident ${settled.incident}`)
  }

  const woken = new Set(settled.woken)
  const wakes = owings
    .map(({ integration, channel, notification }) => ({ row: rowId(id, integration), channel, notification, rank }))
    .filter((wake) => woken.has(wake.row))
  if (wakes.length > 0) await queue.wake(wakes.map((wake) => ({ ...wake, attempt: 0, delay: 0 })))
}

/** What the flush means for the group's incident, if its severity has one. */
function incidentStep(
  group: Group,
  firing: readonly Alert[],
  owings: readonly Owing[],
  { routing: { config } }: Deps,
  at: number,
): IncidentStep | undefined {
  if (firing.length === 0) {
    if (!group.incident) return undefined
    const resolved = entryOf('resolved', 'all alerts resolved', at)
    return { verb: 'resolve', reopenWithin: config.incidentReopenWithin, resolved }
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
