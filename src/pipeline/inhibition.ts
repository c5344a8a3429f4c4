import type { Alert } from '../alert/alert.ts'
import { isCanary } from '../alert/canary.ts'
import type { Store } from '../store/store.ts'
import { type InhibitRule, rolesOf } from '../suppress/inhibition.ts'
import type { Routing } from './deps.ts'

/**
 * Keeps every source in its places in Redis, whichever replica takes it, and for whichever replica's rules: a rule is
 * registered first, from then on every replica places what it takes; then all that is kept is placed; then only is the rule
 * used. So no target is ever told because its source was not yet seen.
 */
export interface Inhibition {
  /** Up to which version of the registered rules `placesOf` knows them. */
  readonly version: string | undefined
  /** Where an alert inhibits others, by the rules of all replicas. */
  placesOf(alert: Alert, routing: Routing): readonly string[]
  /** Makes the rules of a routing ready for use. */
  prepare(routing: Routing): Promise<void>
  /** Learns what rules came or went up to a version, and places alerts that may not have been by all of them. */
  catchUp(version: string, alerts: readonly Alert[], routing: Routing): Promise<void>
}

export function openInhibition(store: Store, newId: () => string): Inhibition {
  let registered: readonly InhibitRule[] = []
  let version: string | undefined
  let foreign: { of: Routing; by: typeof registered; rules: readonly InhibitRule[] } | undefined
  let preparing: { of: Routing; done: Promise<void> } | undefined

  /** The rules that only other replicas have. */
  function foreignTo(routing: Routing): readonly InhibitRule[] {
    if (foreign?.of !== routing || foreign.by !== registered) {
      const own = new Set(routing.config.inhibitRules.map(({ id }) => id))
      foreign = { of: routing, by: registered, rules: registered.filter(({ id }) => !own.has(id)) }
    }
    return foreign.rules
  }

  function placesOf(alert: Alert, routing: Routing): readonly string[] {
    if (isCanary(alert)) return [] // it inhibits nobody, whatever a rule says
    const own = routing.rolesOf(alert).sources
    const others = foreignTo(routing)
    return others.length === 0 ? own : [...own, ...rolesOf(others, alert.labels).sources]
  }

  async function learn(): Promise<ReadonlySet<string>> {
    const { rules } = await store.versions() // first: what is registered later has another
    const now = await store.inhibition.registered()
    registered = now.rules
    version = rules
    return now.complete
  }

  async function prepareOnce({ config: { inhibitRules } }: Routing): Promise<void> {
    const before = await store.inhibition.registered()
    const there = new Set(before.rules.map(({ id }) => id))
    const unregistered = inhibitRules.filter(({ id }) => !there.has(id))
    if (unregistered.length > 0) await store.inhibition.register(unregistered, newId())
    const incomplete = inhibitRules.filter(({ id }) => !before.complete.has(id))
    if (incomplete.length > 0) {
      for await (const alerts of store.alerts.scan()) {
        await store.inhibition.index(
          alerts
            .filter((alert) => !isCanary(alert))
            .map(({ fingerprint, labels }) => ({ fingerprint, places: rolesOf(incomplete, labels).sources })),
        )
      }
      await store.inhibition.complete(incomplete.map(({ id }) => id))
    }
    await learn()
  }

  /** Those who come while it is done wait for it. */
  function prepare(routing: Routing): Promise<void> {
    if (preparing?.of === routing) return preparing.done
    const done = prepareOnce(routing).finally(() => {
      if (preparing?.done === done) preparing = undefined
    })
    preparing = { of: routing, done }
    return done
  }

  return {
    get version() {
      return version
    },
    placesOf,
    async prepare(routing) {
      if (routing.config.inhibitRules.length > 0) await prepare(routing)
    },
    async catchUp(wanted, alerts, routing) {
      if (wanted !== version) {
        const complete = await learn()
        // ours are missing where this replica was taken for gone, or the data was lost
        if (!routing.config.inhibitRules.every(({ id }) => complete.has(id))) await prepare(routing)
      }
      await store.inhibition.index(
        alerts.map((alert) => ({ fingerprint: alert.fingerprint, places: placesOf(alert, routing) })),
      )
    },
  }
}
