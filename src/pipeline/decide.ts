import { type Told, mayBelieve, rememberFor, tellingOf, toldAs, whyNotify, whyQuiet } from '../dedup/dedup.ts'
import { gravest, rankOf } from '../alert/severity.ts'
import type { Group } from '../store/groups.ts'
import type { Row } from '../store/outbox.ts'
import type { Versions } from '../store/versions.ts'
import { CALM } from './absence.ts'
import type { Deps } from './deps.ts'
import { drop, end, giveUpRemoved, isUnsaid } from './ending.ts'
import { freshen, hear } from './hear.ts'
import type { Telling } from './telling.ts'

/**
 * What the row's integration is to be told now; undefined where it is nothing, which is written down then. `read` is its group
 * where it has just been read.
 */
export async function decide(
  row: Row,
  deps: Deps,
  read?: { group: Group | undefined; versions: Versions },
): Promise<Telling | undefined> {
  const { routing, store, metrics, clock } = deps
  const integration = routing.config.integrations.get(row.integration)
  const [group, versions] = await Promise.all([
    read ? read.group : store.groups.load(row.group),
    freshen(deps, read?.versions),
  ])
  const route = group && routing.config.routes.get(group.routeId)
  if (!integration || (group && !route)) {
    if ((await store.configHash()) !== routing.config.hash) return giveBack(row, deps)
    if (!integration) return giveUpRemoved(row, group, deps)
  }
  if (!group || !route) return drop(row, 'nothing left to tell', deps)

  const at = clock.now()
  const heard = await hear(group, route, at, versions, deps)
  const last = group.told.get(integration.id)
  const members = group.alerts.map(({ fingerprint }) => fingerprint)
  const believed = row.unconfirmed ? mayBelieve(last, members, at) : last
  const { alerts, present } = tellingOf(heard, believed, at, deps.exact)
  const rules = { sendResolved: integration.sendResolved, repeatInterval: route.repeatInterval }
  const reasonAfter = (before: Told | undefined) => (heard.muting ? undefined : whyNotify(before, present, rules, at))
  const reason = reasonAfter(last) ?? (row.unconfirmed ? reasonAfter(believed) : undefined)
  const given = group.givenUp.get(integration.id)
  const isSaid = row.afterDead && !row.unconfirmed && given?.config === routing.config.hash
  // news came while it was given up, and is none: the dead letter says it already
  if (reason && isSaid && !whyNotify(given, present, rules, at)) return drop(row, 'given up', deps)
  const nflogTtl = rememberFor(route, deps.retention)
  if (!reason) {
    const why = heard.muting ? 'muted' : whyQuiet(last, present)
    // what may have been heard is still to be closed
    if (!believed || believed.ended.size <= (last?.ended.size ?? 0)) return drop(row, why, deps)
    metrics.suppressed.inc({ reason: why })
    const ending = {
      how: 'told',
      word: `dropped: ${why}`,
      told: believed,
      nflogTtl,
      keepsResolved: isUnsaid(why),
    } as const
    return end(row, ending, undefined, deps)
  }
  if (reason === 'all alerts resolved' && !integration.sendResolved) {
    metrics.suppressed.inc({ reason: 'resolves not wanted' })
    const word = 'dropped: resolves not wanted'
    return end(row, { how: 'told', word, told: toldAs(present, at), nflogTtl, keepsResolved: false }, undefined, deps)
  }
  const firing = alerts.filter(({ fingerprint }) => present.firing.has(fingerprint))
  const rank = Math.min(row.rank, rankOf(gravest(firing.length > 0 ? firing : alerts, routing.config), routing.config))
  // what is new began its own deadline; time in which nobody looked counts for none
  const begun = firing
    .filter(({ fingerprint, startsAt }) => startsAt <= at && !last?.firing.has(fingerprint))
    .map(({ startsAt }) => startsAt)
  const newsAt = Math.max(row.newsAt, deps.calmUntil - CALM, ...begun)
  return { row: { ...row, rank, newsAt }, group, route, integration, alerts, present, reason, at }
}

/**
 * The groups are sorted by another config than this replica's, which has been reloaded before or will be soon: leaves the row to
 * one that knows what it is about. The sweep wakes it.
 */
async function giveBack(row: Row, deps: Deps): Promise<undefined> {
  return end(row, { how: 'back' }, undefined, deps)
}
