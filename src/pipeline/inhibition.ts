import type { Alert } from '../alert/alert.ts'
import type { Store } from '../store/store.ts'
import { type InhibitRule, rolesOf } from '../suppress/inhibition.ts'
import type { Routing } from './deps.ts'

/**
 * Keeps every source in its places in Redis, whichever replica takes it, and for whichever replica's rules: a rule is
 * registered first, from then on every replica places what it takes; then all that is kept is placed; then only is the rule
 * used. So no target is ever told because its source was not yet seen.
 */
export interface Inhibition {
  /** Where an alert inhibits others, by the rules of all replicas. */
  placesOf(alert: Alert, routing: Routing): readonly string[]
  /** Makes the rules of a routing ready for use. */
  prepare(routing: Routing): Promise<void>
  /** Looks whether rules came or went since; then places these alerts, which may not have been by all rules, again. */
  catchUp(version: string, alerts: readonly Alert[], routing: Routing): Promise<void>
}

export function openInhibition(store: Store, newId: () => string): Inhibition {
  let foreign: readonly InhibitRule[] = [] // of other replicas only
  let known: string | undefined // the version of which `foreign` is

  function placesOf(alert: Alert, routing: Routing): readonly string[] {
    const own = routing.rolesOf(alert).sources
    return foreign.length === 0 ? own : [...own, ...rolesOf(foreign, alert.labels).sources]
  }

  async function prepare(routing: Routing): Promise<void> {
    const { inhibitRules } = routing.config
    known = undefined // what was ours may be another's now
    if (inhibitRules.length === 0) return
    const before = await store.inhibition.registered()
    const there = new Set(before.rules.map(({ id }) => id))
    const unregistered = inhibitRules.filter(({ id }) => !there.has(id))
    if (unregistered.length > 0) await store.inhibition.register(unregistered, newId())
    const incomplete = inhibitRules.filter(({ id }) => !before.complete.has(id))
    if (incomplete.length > 0) {
      for await (const alerts of store.alerts.scan()) {
        await store.inhibition.index(
          alerts.map(({ fingerprint, labels }) => ({ fingerprint, places: rolesOf(incomplete, labels).sources })),
        )
      }
      await store.inhibition.complete(incomplete.map(({ id }) => id))
    }
    // last, so that what changed meanwhile is seen
    const { rules } = await store.versions()
    await learn(rules, routing)
  }

  async function learn(version: string, routing: Routing): Promise<boolean> {
    const { rules, complete } = await store.inhibition.registered()
    const own = new Set(routing.config.inhibitRules.map(({ id }) => id))
    foreign = rules.filter(({ id }) => !own.has(id))
    known = version
    return [...own].every((id) => complete.has(id))
  }

  return {
    placesOf,
    prepare,
    async catchUp(version, alerts, routing) {
      if (version === known) return
      // ours are missing where this replica was taken for gone, or the data was lost
      if (!(await learn(version, routing))) await prepare(routing)
      await store.inhibition.index(
        alerts.map((alert) => ({ fingerprint: alert.fingerprint, places: placesOf(alert, routing) })),
      )
    },
  }
}
