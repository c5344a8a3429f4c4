import { getHeapStatistics } from 'node:v8'
import type { Alert } from '../alert/alert.ts'
import { canary, isCanary } from '../alert/canary.ts'
import { rankOf } from '../alert/severity.ts'
import type { Config } from '../config/config.ts'
import { groupKey, groupLabels } from '../group/key.ts'
import { matchesAll } from '../match/matcher.ts'
import { openKnownTexts } from '../ingest/known-texts.ts'
import { openRecent } from '../model/recent.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { Route } from '../route/route.ts'
import { matchRoutes } from '../route/tree.ts'
import type { GroupSeed } from '../store/alerts.ts'
import { groupId } from '../store/keys.ts'
import { type Roles, rolesOf } from '../suppress/inhibition.ts'
import { parseTemplates } from '../template/templates.ts'
import type { ListenedFor, Routing } from './deps.ts'

/** What labels come to under a config. */
interface Known {
  groups: readonly GroupSeed[]
  isGravest: boolean
  roles: Roles
  heartbeats: readonly ListenedFor[]
}

/** Texts of alerts that came before may take so many bytes, and no more than this part of the memory that V8 may use. */
const KNOWN_TEXTS = 256 * 1024 * 1024
const KNOWN_PART = 1 / 8

/** One for all: nearly every alert is a sign of no heartbeat. */
const none: readonly ListenedFor[] = []

/** How many alerts' groups and roles are remembered; the older half goes when it is full. */
const REMEMBERED = 100_000

/**
 * Makes a config ready for use; whatever can fail fails here. `builtin` are the definitions that come
 * with Tocsin; `open` makes an integration's adapter. Throws TemplateError.
 */
export function openRouting(
  config: Config<Notifier>,
  builtin: readonly { name: string; text: string }[],
  open: (integration: string, notifier: Notifier) => Notifier,
): Routing {
  const templates = parseTemplates([...builtin, ...config.templates])
  const notifiers = new Map<string, Notifier>()
  const seedsByRoute = new Map<string, Map<string, GroupSeed>>() // by group labels
  let seedCount = 0 // of all routes
  const remembered = openRecent<string, Known>(REMEMBERED) // by fingerprint

  const heartbeats = config.heartbeats.map(({ name, matchers, timeout }) => ({ name, matchers, timeout, notedAt: 0 }))

  function heartbeatsIn({ labels }: Alert): readonly ListenedFor[] {
    const found = heartbeats.filter(({ matchers }) => matchesAll(matchers, labels))
    return found.length > 0 ? found : none
  }

  /** The canary goes by no tree: its route is its own. */
  function routesOf(alert: Alert): Route[] {
    if (!isCanary(alert)) return matchRoutes(config.route, alert.labels)
    const own = config.routes.get(canary.route)
    return own ? [own] : []
  }

  function seedsOf(alert: Alert): GroupSeed[] {
    return routesOf(alert).map((route) => {
      const labels = groupLabels(route, alert.labels)
      const text = JSON.stringify([...labels])
      if (seedCount >= REMEMBERED) {
        seedsByRoute.clear()
        seedCount = 0
      }
      let seeds = seedsByRoute.get(route.id)
      if (!seeds) seedsByRoute.set(route.id, (seeds = new Map()))
      let seed = seeds.get(text)
      if (!seed) {
        const key = groupKey(route, labels)
        const { id: routeId, groupWait, receiver } = route
        seed = { id: groupId(routeId, key), groupWait, routeId, groupKey: key, labels: text, receiver }
        seeds.set(text, seed)
        seedCount += 1
      }
      return seed
    })
  }

  let last: { alert: Alert; known: Known } | undefined // each alert is asked about several times in a row

  function know(alert: Alert): Known {
    if (last?.alert === alert) return last.known
    const known = remembered.get(alert.fingerprint) ?? meet(alert)
    last = { alert, known }
    return known
  }

  function meet(alert: Alert): Known {
    const known = {
      groups: seedsOf(alert),
      isGravest: rankOf(alert.labels.get('severity') ?? '', config) === 0,
      roles: rolesOf(isCanary(alert) ? [] : config.inhibitRules, alert.labels),
      heartbeats: heartbeatsIn(alert),
    }
    remembered.set(alert.fingerprint, known)
    return known
  }

  return {
    config,
    templates,
    known: openKnownTexts(Math.min(KNOWN_TEXTS, getHeapStatistics().heap_size_limit * KNOWN_PART)),
    groupsOf: (alert) => know(alert).groups,
    isGravest: (alert) => know(alert).isGravest,
    rolesOf: (alert) => know(alert).roles,
    heartbeatsOf: (alert) => (heartbeats.length === 0 ? none : know(alert).heartbeats),
    notifier(id) {
      const known = notifiers.get(id)
      const integration = config.integrations.get(id)
      if (known || !integration) return known
      const notifier = open(id, integration.open())
      notifiers.set(id, notifier)
      return notifier
    },
    adapters: notifiers,
  }
}
