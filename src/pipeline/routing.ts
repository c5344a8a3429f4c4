import type { Alert } from '../alert/alert.ts'
import type { Config } from '../config/config.ts'
import { groupKey, groupLabels } from '../group/key.ts'
import type { Notifier } from '../notify/notifier.ts'
import { matchRoutes } from '../route/tree.ts'
import type { GroupSeed } from '../store/alerts.ts'
import { groupId } from '../store/keys.ts'
import { parseTemplates } from '../template/templates.ts'
import type { Routing } from './deps.ts'

/** How many alerts' groups are remembered; the older half goes when it is full. */
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
  let recent = new Map<string, readonly GroupSeed[]>()
  let older = new Map<string, readonly GroupSeed[]>()

  function seedsOf(alert: Alert): GroupSeed[] {
    return matchRoutes(config.route, alert.labels).map((route) => {
      const labels = groupLabels(route, alert.labels)
      const key = groupKey(route, labels)
      return {
        id: groupId(route.id, key),
        groupWait: route.groupWait,
        routeId: route.id,
        groupKey: key,
        labels: JSON.stringify([...labels]),
        receiver: route.receiver,
      }
    })
  }

  return {
    config,
    templates,
    groupsOf(alert) {
      let seeds = recent.get(alert.fingerprint)
      if (seeds) return seeds
      seeds = older.get(alert.fingerprint) ?? seedsOf(alert)
      if (recent.size >= REMEMBERED / 2) {
        older = recent
        recent = new Map()
      }
      recent.set(alert.fingerprint, seeds)
      return seeds
    },
    notifier(id) {
      const known = notifiers.get(id)
      const integration = config.integrations.get(id)
      if (known || !integration) return known
      const notifier = open(id, integration.open())
      notifiers.set(id, notifier)
      return notifier
    },
    close() {
      for (const notifier of notifiers.values()) notifier.close?.()
    },
  }
}
