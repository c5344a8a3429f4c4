import type { Deps } from '../pipeline/deps.ts'
import type { Happening } from '../store/live.ts'
import type { AlertView } from './alerts.ts'
import type { Health } from './health.ts'
import { type ShownAlert, type ShownGroup, type Standing, showAlert, showGroups, standings } from './now.ts'

/** What changed about alerts: those that came or are shown otherwise now, and those that went. */
export interface AlertNews {
  alerts: ShownAlert[]
  groups: Record<string, ShownGroup> // that these are in
  gone: { fingerprint: string; team: string }[]
}

/** What a reader of the feed is told. `place`: from where on a later call of `listen` goes on. */
export type Told =
  | Happening
  | { kind: 'hello'; place: string; data: { missed: boolean } } // missed: something that came before is not told any more
  | { kind: 'away'; data: null } // Redis does not answer; a hello says when it does again
  | { kind: 'alerts'; data: AlertNews }
  | { kind: 'many alerts'; data: null } // so many changed that they are better read anew
  | { kind: 'silences'; data: null }
  | { kind: 'routing'; data: { hash: string } }
  | { kind: 'health'; data: Health }

type Listener = (told: Told) => void

/** How often it is looked for news while somebody listens, ms. */
const BEAT = 200
/** Alerts end and silences begin by the clock: all are looked at anew so often, ms. */
const LOOK = 1000
/** Looking at all alerts may take this part of the time. */
const SHARE = 0.1
const HEALTH = 5000
/** More alerts than these are not told one by one. */
const MANY = 1000

interface FeedOptions {
  deps: Pick<Deps, 'store' | 'clock' | 'silences' | 'log'> & { readonly routing: Deps['routing'] }
  view: AlertView
  health(): Promise<Health>
  defaultTeam(): string
}

/**
 * What happens, for pages that listen: what any replica published and delivered, in its order and from a place on; and how
 * alerts, silences and health differ from what was told before. Does nothing while nobody listens.
 */
export function openFeed({ deps, view, health, defaultTeam }: FeedOptions) {
  const { store, clock } = deps
  const listeners = new Set<Listener>()
  let joining: { listener: Listener; after: string | undefined }[] = []
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  let isFailing = false
  let isClosed = false

  let place: string | undefined // undefined: nobody listened
  let known = new Map<string, Standing>()
  let [change, silences, hash, healthSaid] = ['', '', '', '']
  let [lookAgainAt, lookAt, healthAt] = [0, 0, 0]

  function tell(told: Told): void {
    for (const listener of listeners) listener(told)
  }

  async function beat(): Promise<void> {
    const isFirst = place === undefined
    if (place === undefined) place = await store.live.newest()
    const news = await store.live.since(place)
    const isBehind = news === undefined
    place = news?.place ?? (await store.live.newest())
    for (const happening of news?.happenings ?? []) tell(happening)
    if (isBehind) tell({ kind: 'hello', place, data: { missed: true } })
    await lookAtAlerts(isFirst)
    if (performance.now() >= healthAt) await lookAtHealth()
    for (const one of joining.splice(0)) await admit(one, place)
  }

  /** What a reader missed, up to where the others are; from there on it is told what they are. */
  async function admit({ listener, after }: { listener: Listener; after: string | undefined }, until: string) {
    let missed = after !== undefined
    let from = after
    while (from !== undefined) {
      const news = await store.live.since(from)
      if (!news) break
      for (const happening of news.happenings) if (!isAfter(happening.place, until)) listener(happening)
      missed = news.place !== from && isAfter(until, news.place)
      from = missed ? news.place : undefined
    }
    listener({ kind: 'hello', place: until, data: { missed } })
    listeners.add(listener)
  }

  async function lookAtAlerts(isFirst: boolean): Promise<void> {
    const began = performance.now()
    if (!isFirst && began < lookAgainAt) return
    const newest = await store.alerts.newest()
    if (!isFirst && newest === change && began < lookAt && silences === deps.silences.version) {
      const { silences: version, epoch } = await store.versions()
      if (silences === `${epoch} ${version}` && hash === deps.routing.config.hash) return
    }
    const at = clock.now()
    const snapshot = await view.snapshot(at)
    const next = await standings(snapshot, deps.routing, at)
    const before = known
    known = next
    change = newest
    if (!isFirst) {
      if (silences !== deps.silences.version) tell({ kind: 'silences', data: null })
      if (hash !== deps.routing.config.hash) tell({ kind: 'routing', data: { hash: deps.routing.config.hash } })
      tellAlerts(before, next, snapshot.groups)
    }
    silences = deps.silences.version
    hash = deps.routing.config.hash
    const ended = performance.now()
    lookAgainAt = ended + (ended - began) / SHARE
    lookAt = ended + LOOK
  }

  function tellAlerts(
    before: ReadonlyMap<string, Standing>,
    next: ReadonlyMap<string, Standing>,
    groups: Parameters<typeof showGroups>[1],
  ): void {
    const changed = [...next.values()].filter((one) => before.get(one.seen.alert.fingerprint)?.says !== one.says)
    const gone = [...before.values()].filter(({ seen }) => !next.has(seen.alert.fingerprint))
    if (changed.length + gone.length === 0) return
    if (changed.length + gone.length > MANY) return tell({ kind: 'many alerts', data: null })
    const alerts = changed.map(showAlert)
    tell({
      kind: 'alerts',
      data: {
        alerts,
        groups: showGroups(alerts, groups),
        gone: gone.map(({ seen: { alert } }) => ({
          fingerprint: alert.fingerprint,
          team: alert.labels.get('team') || defaultTeam(),
        })),
      },
    })
  }

  async function lookAtHealth(): Promise<void> {
    healthAt = performance.now() + HEALTH
    const now = await health()
    const said = JSON.stringify(now.parts.map(({ name, of, status }) => [name, of, status]))
    if (said !== healthSaid) tell({ kind: 'health', data: now })
    healthSaid = said
  }

  function run(): void {
    timer = undefined
    const again = () => {
      if (isClosed) return
      if (listeners.size + joining.length > 0) timer ??= setTimeout(run, isFailing ? LOOK : BEAT)
      else {
        place = undefined
        known = new Map()
      }
    }
    const fail = (err: unknown) => {
      if (isFailing) return
      isFailing = true
      deps.log.warn({ err }, 'pages cannot be told of news; it is tried again until they can')
      tell({ kind: 'away', data: null })
    }
    const succeed = () => {
      if (isFailing && place !== undefined) tell({ kind: 'hello', place, data: { missed: false } })
      isFailing = false
    }
    isRunning = true
    void beat()
      .then(succeed, fail)
      .finally(() => {
        isRunning = false
        again()
      })
  }
  return {
    /** Tells a reader what happens from now on, or after a place that it was told of. Returns how to stop. */
    listen(listener: Listener, after?: string): () => void {
      const one = { listener, after }
      joining.push(one)
      if (!timer && !isRunning) run()
      return () => {
        joining = joining.filter((other) => other !== one)
        listeners.delete(listener)
      }
    },
    get listeners(): number {
      return listeners.size + joining.length
    },
    close(): void {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

export type Feed = ReturnType<typeof openFeed>

/** Whether a place is behind another in one of the two streams. */
function isAfter(one: string, other: string): boolean {
  const [a, b] = [numbersOf(one), numbersOf(other)]
  return isLater(a.slice(0, 2), b.slice(0, 2)) || isLater(a.slice(2), b.slice(2))
}

function isLater([ms = 0, n = 0]: readonly number[], [otherMs = 0, otherN = 0]: readonly number[]): boolean {
  return ms > otherMs || (ms === otherMs && n > otherN)
}

function numbersOf(place: string): number[] {
  return place.split(/[-,]/).map(Number)
}
