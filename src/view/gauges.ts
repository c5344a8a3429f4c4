import { statfs } from 'node:fs/promises'
import { canary } from '../alert/canary.ts'
import type { Deps } from '../pipeline/deps.ts'
import { failureReasons } from '../pipeline/failure-reason.ts'
import { type SilenceState, stateOf } from '../suppress/silence.ts'
import type { AlertView } from './alerts.ts'
import { DAY, readKpis } from './insights.ts'

/** KPIs of a day need not be worked out at each scrape, ms. */
const KPIS_EVERY = 15_000
const silenceStates: readonly SilenceState[] = ['active', 'pending', 'expired']

export interface GaugeOptions {
  deps: Deps
  view: AlertView
  dataDir: string
  /** How many pages listen to what happens. */
  listeners(): number
}

/** What fills the gauges that are worked out at a scrape. What cannot be found out now stays as it was. */
export function openGauges({ deps, view, dataDir, listeners }: GaugeOptions): () => Promise<void> {
  const { metrics, store, clock } = deps
  let kpisReadAt = Number.NEGATIVE_INFINITY

  async function alerts(): Promise<void> {
    const { alerts: firing, groups, statusOf } = await view.snapshot(clock.now())
    let suppressed = 0
    for (const one of firing) {
      const { inhibitedBy, silencedBy } = statusOf(one)
      if (inhibitedBy.length + silencedBy.length > 0) suppressed += 1
    }
    metrics.aggregationGroups.set(groups.length)
    metrics.alerts.set({ state: 'active' }, firing.length - suppressed)
    metrics.alerts.set({ state: 'suppressed' }, suppressed)
    metrics.alerts.set({ state: 'unprocessed' }, 0) // what is accepted is in its groups
    const states = new Map(silenceStates.map((state) => [state, 0]))
    for (const silence of deps.silences.all()) {
      const state = stateOf(silence, clock.now())
      states.set(state, (states.get(state) ?? 0) + 1)
    }
    for (const [state, count] of states) metrics.silences.set({ state }, count)
    metrics.silencesKept.set([...states.values()].reduce((sum, count) => sum + count, 0))
  }

  async function incidents(): Promise<void> {
    for (const [state, count] of Object.entries(await store.incidents.states()))
      metrics.incidentStates.set({ state }, count)
  }

  async function ledger(): Promise<void> {
    const { joined, left, live, owed, ended, open } = await store.ledger.read()
    const set = (of: string, state: string, count: number) => metrics.ledger.set({ of, state }, count)
    set('memberships', 'joined', joined)
    set('memberships', 'live', live)
    for (const [word, count] of left) set('memberships', word, count)
    set('notifications', 'owed', owed)
    set('notifications', 'open', open)
    for (const [word, count] of ended) set('notifications', word, count)
  }

  async function breakers(): Promise<void> {
    const { adapters, config } = deps.routing
    const fixed = [...adapters].flatMap(([id, { fixed: to }]) => {
      const channel = config.integrations.get(id)?.channel
      return to && channel !== undefined && channel !== canary.channel ? [{ id, channel, to: to.destination }] : []
    })
    const failing = await store.health.failing(fixed.map(({ to }) => to))
    metrics.breakerOpen.reset() // a reload may have let go of some
    for (const { id, channel, to } of fixed)
      metrics.breakerOpen.set({ channel, integration: id }, failing.has(to) ? 1 : 0)
  }

  async function kpis(): Promise<void> {
    if (performance.now() - kpisReadAt < KPIS_EVERY) return
    const { kpis: found } = await readKpis(DAY, deps)
    kpisReadAt = performance.now()
    metrics.kpiMet.reset()
    for (const { name, value, met } of found) {
      metrics.kpi.set({ kpi: name }, value ?? Number.NaN)
      if (met !== null) metrics.kpiMet.set({ kpi: name }, met ? 1 : 0)
      if (name === 'mtta') metrics.mtta.set(value ?? Number.NaN)
      if (name === 'mttr') metrics.mttr.set(value ?? Number.NaN)
    }
  }

  async function disk(): Promise<void> {
    const { blocks, bfree, bavail } = await statfs(dataDir)
    const used = blocks - bfree
    // as df has it: of what somebody without privileges may use
    metrics.diskUsed.set({ mount_point: dataDir }, used + bavail === 0 ? 0 : (100 * used) / (used + bavail))
  }

  async function peers(): Promise<void> {
    const { running, failed } = await store.peers.look()
    metrics.clusterMembers.set(running.length)
    metrics.clusterFailed.set(failed.length)
  }

  return async () => {
    metrics.liveConnections.set(listeners())
    await Promise.allSettled([alerts(), incidents(), ledger(), breakers(), kpis(), disk(), peers()])
  }
}

/** Notes what a routing has, and begins at 0 what may come to be counted of it, as Alertmanager does. */
export function tellOfRouting({ config }: Deps['routing'], metrics: Deps['metrics']): void {
  const receivers = [...config.receivers.keys()].filter((name) => name !== canary.receiver)
  const integrations = [...config.integrations.values()].filter(({ channel }) => channel !== canary.channel)
  metrics.receivers.set(receivers.length)
  metrics.integrations.set(integrations.length)
  metrics.inhibitionRules.set(config.inhibitRules.length)
  metrics.clusterEnabled.set(1)
  metrics.httpInFlight.inc({ method: 'get' }, 0)
  metrics.httpTooMany.inc({ method: 'get' }, 0)
  metrics.configHash.set(Number.parseInt(config.hash.slice(0, 12), 16)) // as much as a number holds exactly
  for (const integration of new Set(integrations.map(({ channel }) => channel))) {
    metrics.notified.inc({ integration }, 0)
    metrics.requests.inc({ integration }, 0)
    metrics.requestsFailed.inc({ integration }, 0)
    for (const reason of failureReasons) metrics.failed.inc({ integration, reason }, 0)
  }
}
