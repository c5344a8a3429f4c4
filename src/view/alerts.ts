import { type Alert, compareAlerts, endsText, isResolved, startsText } from '../alert/alert.ts'
import { isCanary } from '../alert/canary.ts'
import { apiTime } from '../model/instant.ts'
import { toJson } from '../model/json.ts'
import { type Labels, compareLabels, toRecord } from '../model/labels.ts'
import type { Deps, Routing } from '../pipeline/deps.ts'
import { activeIds } from '../pipeline/silences.ts'
import type { AlertTimes } from '../store/alerts.ts'
import { type Roles, type Source, inhibitorOf } from '../suppress/inhibition.ts'
import type { Silence } from '../suppress/silence.ts'

/** What keeps an alert quiet now. */
export interface Status {
  inhibitedBy: readonly string[]
  silencedBy: readonly string[]
}

/** An alert that is kept, with what is worked out once for it. */
export interface Seen {
  alert: Alert
  receivers: readonly string[] // of its routes, in their order, repeats kept
  json: AlertJson
  annotationsJson: string
  groupIds: readonly string[]
  roles: Roles
  silences: readonly Silence[] // that fit, in whatever state
}

/** A group with the alerts in it; resolved ones may be among them. */
export interface SeenGroup {
  id: string
  routeId: string
  key: string // Alertmanager's text form
  labels: Labels
  receiver: string
  alerts: readonly Seen[] // in notification order
}

/** What is true at an instant. */
export interface Snapshot {
  alerts: readonly Seen[] // that fire, by fingerprint
  groups: readonly SeenGroup[] // by labels, then receiver
  firing(seen: Seen): boolean
  statusOf(seen: Pick<Seen, 'roles' | 'silences'>): Status
}

/** The parts of an alert as API v2 writes it; between them stand its receivers and its status. */
export interface AlertJson {
  head: string
  middle: string
  tail: string
}

/** After so long without a question what is known is let go, ms. */
const IDLE = 10 * 60_000

interface Known extends Seen {
  labelsJson: string
}

interface KnownGroup extends SeenGroup {
  members: Map<string, Known>
  sorted: Known[] | undefined // undefined: to be sorted anew
}

/**
 * All alerts that the store keeps, held in this process for whoever asks, as the store's stream of changes tells of them:
 * each question first takes in what has changed, so that it is as new as Redis is. Filled at the first question.
 */
export function openAlertView(deps: Deps) {
  let last: string | undefined // the change that was taken in last; undefined: nothing is known
  let routing: Routing | undefined // by which groups and roles were worked out
  let silences = '' // the version by which silences were
  const known = new Map<string, Known>()
  const groups = new Map<string, KnownGroup>()
  let sources = new Map<string, Set<Known>>() // by place
  let byFingerprint: Known[] | undefined
  let inOrder: KnownGroup[] | undefined
  let updating: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined

  function forget(): void {
    last = undefined
    known.clear()
    groups.clear()
    sources = new Map() // who still reads a snapshot has the old one
    byFingerprint = inOrder = undefined
  }

  function remove(one: Known): void {
    known.delete(one.alert.fingerprint)
    byFingerprint = undefined
    for (const place of one.roles.sources) {
      const there = sources.get(place)
      if (there?.delete(one) && there.size === 0) sources.delete(place)
    }
    for (const id of one.groupIds) {
      const group = groups.get(id)
      group?.members.delete(one.alert.fingerprint)
      if (group) group.sorted = undefined
      if (group?.members.size === 0 && groups.delete(id)) inOrder = undefined
    }
  }

  function add(alert: Alert): void {
    if (isCanary(alert)) return // nobody's business but Tocsin's own
    const before = known.get(alert.fingerprint)
    if (before) remove(before)
    const { routing: now } = deps
    const seeds = now.groupsOf(alert)
    const labelsJson = toJson(toRecord(alert.labels))
    const annotationsJson = toJson(toRecord(alert.annotations))
    const one: Known = {
      alert,
      receivers: seeds.map(({ receiver }) => receiver),
      json: toParts(alert, labelsJson, annotationsJson),
      labelsJson,
      annotationsJson,
      roles: now.rolesOf(alert),
      silences: deps.silences.matching(alert.labels),
      groupIds: seeds.map(({ id }) => id),
    }
    known.set(alert.fingerprint, one)
    byFingerprint = undefined
    for (const place of one.roles.sources) {
      const there = sources.get(place)
      if (there) there.add(one)
      else sources.set(place, new Set([one]))
    }
    for (const { id, routeId, groupKey: key, labels, receiver } of seeds) {
      let group = groups.get(id)
      if (!group) {
        const pairs: [string, string][] = JSON.parse(labels)
        const made: KnownGroup = {
          id,
          routeId,
          key,
          labels: new Map(pairs),
          receiver,
          members: new Map(),
          sorted: undefined,
          get alerts() {
            return (made.sorted ??= [...made.members.values()].sort((a, b) => compareAlerts(a.alert, b.alert)))
          },
        }
        groups.set(id, (group = made))
        inOrder = undefined
      }
      group.members.set(alert.fingerprint, one)
      group.sorted = undefined
    }
  }

  function move(one: Known, { startsAt, endsAt, endedBy, updatedAt, startsText: starts, endsText: ends }: AlertTimes) {
    const { fingerprint, labels, annotations, generatorURL } = one.alert
    const alert: Alert = { fingerprint, labels, annotations, generatorURL, startsAt, endsAt, endedBy, updatedAt }
    if (starts !== undefined) alert.startsText = starts
    if (ends !== undefined) alert.endsText = ends
    one.alert = alert
    one.json = toParts(alert, one.labelsJson, one.annotationsJson)
  }

  async function update(): Promise<void> {
    const { store } = deps
    const versions = await store.versions()
    await deps.silences.freshen(versions)
    if (routing !== deps.routing) forget()
    const changes = last === undefined ? undefined : await store.alerts.changesSince(last)
    if (!changes) {
      forget()
      ;({ routing } = deps)
      const from = await store.alerts.newest()
      for await (const alerts of store.alerts.scan()) alerts.forEach(add)
      last = from
      if (from !== '0-0') await takeIn(await store.alerts.changesSince(from))
    } else {
      await takeIn(changes)
    }
    if (silences === deps.silences.version) return
    silences = deps.silences.version
    for (const one of known.values()) one.silences = deps.silences.matching(one.alert.labels)
  }

  async function takeIn(changes: Awaited<ReturnType<typeof deps.store.alerts.changesSince>>): Promise<void> {
    if (!changes) return
    for (const fingerprint of changes.gone) {
      const one = known.get(fingerprint)
      if (one) remove(one)
    }
    // one that moved and is not known may have come while all was read
    const strangers = [...changes.moved].filter((fingerprint) => !known.has(fingerprint))
    const changed = [...new Set([...changes.changed, ...strangers])]
    const moved = [...changes.moved].filter(
      (fingerprint) => known.has(fingerprint) && !changes.changed.has(fingerprint),
    )
    const [alerts, times] = await Promise.all([deps.store.alerts.load(changed), deps.store.alerts.times(moved)])
    alerts.forEach(add)
    for (const [fingerprint, time] of times) {
      const one = known.get(fingerprint)
      if (one) move(one, time)
    }
    ;({ last } = changes)
  }

  return {
    /** What is true now, as new as Redis is. Rejects where Redis does not answer. */
    async snapshot(at: number): Promise<Snapshot> {
      clearTimeout(idle)
      idle = setTimeout(forget, IDLE).unref()
      // one after the other, each for a question that came before it began
      const mine = updating.then(update, update)
      updating = mine.catch(() => {})
      await mine
      byFingerprint ??= [...known.values()].sort((a, b) => (a.alert.fingerprint < b.alert.fingerprint ? -1 : 1))
      inOrder ??= [...groups.values()].sort(
        (a, b) => compareLabels(a.labels, b.labels) || (a.receiver < b.receiver ? -1 : a.receiver > b.receiver ? 1 : 0),
      )
      const firing = ({ alert }: Seen) => !isResolved(alert, at)
      const lastSources = new Map<string, Source | undefined>()
      const places = sources
      const lastSource = (place: string) => {
        if (!lastSources.has(place)) lastSources.set(place, latest(places.get(place)))
        return lastSources.get(place)
      }
      return {
        alerts: byFingerprint.filter(firing),
        groups: inOrder,
        firing,
        statusOf({ roles, silences: fitting }) {
          const inhibitor = roles.targets.length > 0 ? inhibitorOf(roles, lastSource, at) : undefined
          return {
            inhibitedBy: inhibitor === undefined ? [] : [inhibitor],
            silencedBy: fitting.length > 0 ? activeIds(fitting, at) : [],
          }
        },
      }
    },
  }
}

export type AlertView = ReturnType<typeof openAlertView>

/** The source that ends last, as `lastSources` of the store finds it. */
function latest(there: ReadonlySet<Known> | undefined): Source | undefined {
  let found: Source | undefined
  for (const { alert } of there ?? []) {
    const endsAt = alert.endsAt || Number.POSITIVE_INFINITY
    const isLater =
      !found || endsAt > found.endsAt || (endsAt === found.endsAt && alert.fingerprint > found.fingerprint)
    if (isLater) found = { fingerprint: alert.fingerprint, endsAt }
  }
  return found
}

function toParts(alert: Alert, labelsJson: string, annotationsJson: string): AlertJson {
  const url = alert.generatorURL && `"generatorURL":${toJson(alert.generatorURL)},`
  return {
    head: `{"annotations":${annotationsJson},"endsAt":"${apiTime(endsText(alert))}","fingerprint":"${alert.fingerprint}","receivers":`,
    middle: `,"startsAt":"${apiTime(startsText(alert))}","status":`,
    tail: `,"updatedAt":"${new Date(alert.updatedAt).toISOString()}",${url}"labels":${labelsJson}}`,
  }
}
