import type { Alert } from '../alert/alert.ts'
import { formatMatchers, matchesAll } from '../match/matcher.ts'
import { fingerprint as fingerprintOf } from '../model/fingerprint.ts'
import { type Labels, toRecord } from '../model/labels.ts'
import type { Deps } from '../pipeline/deps.ts'
import { waiting } from '../pipeline/settle.ts'
import { type Asked, type Test, explainRoute } from '../route/explain.ts'
import type { Delivery } from '../store/deliveries.ts'
import type { Group } from '../store/groups.ts'
import type { Owed } from '../store/outbox.ts'
import type { InhibitRule } from '../suppress/inhibition.ts'
import { contains } from '../suppress/interval.ts'
import type { Silence } from '../suppress/silence.ts'
import { type Muting, mutingOf } from '../suppress/suppress.ts'
import type { AlertView } from './alerts.ts'

/** A route on an alert's way. */
export interface WhyRoute {
  id: string
  matchers: string // '{}' for a route that takes everything
  receiver: string
  continues: boolean
  tests: readonly Test[]
  matches: boolean
  takes: boolean
  children: readonly WhyRoute[]
  notAsked: number
}

/** What one integration was last told about the group, what it was decided to be told, and how that goes on. */
export interface WhyIntegration {
  id: string
  channel: string
  told: { at: string; firing: boolean } | null // firing: whether it was told that this alert fires
  verdict: { at: string; word: string } | null
  owed: { state: Owed['state']; attempt: number; dueAt: string; waitsFor: string; said: string } | null
  givenUpAt: string | null
  attempts: readonly Delivery[] // the last ones, newest first
  outcome: string // in a sentence
}

/** A group that the alert is in, or would be. */
export interface WhyGroup {
  id: string
  routeId: string
  receiver: string
  key: string
  labels: Record<string, string>
  groupWait: number // ms, as the next two
  groupInterval: number
  repeatInterval: number
  muting: Muting | null
  exists: boolean
  alerts: number
  flushedAt: string | null
  dueAt: string | null
  integrations: readonly WhyIntegration[]
}

/** Why an alert was told to whom it was, or not; or where one with these labels would go. */
export interface Why {
  fingerprint: string
  labels: Record<string, string>
  isFiring: boolean
  startsAt: string | null
  route: WhyRoute
  silences: readonly { id: string; matchers: string; createdBy: string; comment: string; endsAt: string }[]
  inhibition: { fingerprint: string; labels: Record<string, string>; rule: string } | null
  groups: readonly WhyGroup[]
}

/** Attempts that are shown, and how far back they are looked for. */
const ATTEMPTS = 10
const LOOKED_AT = 2000
/** Of what is owed so much is looked at: what is due first. */
const OWED = 2000

/** What whoever asks may see of others' alerts and silences. */
export interface Sight {
  alert(labels: Labels): boolean
  silence(matchers: Silence['matchers']): boolean
}

/** Explains an alert, by its labels. Rejects where Redis does not answer. */
export async function explain(
  labels: Labels,
  sight: Sight,
  view: AlertView,
  deps: Pick<Deps, 'routing' | 'store' | 'silences' | 'clock'>,
): Promise<Why> {
  const { routing, store, silences } = deps
  const at = deps.clock.now()
  const snapshot = await view.snapshot(at)
  const fingerprint = fingerprintOf(labels)
  const seen = snapshot.alerts.find(({ alert }) => alert.fingerprint === fingerprint)
  const alert = seen?.alert ?? supposed(fingerprint, labels, at)
  const roles = routing.rolesOf(alert)
  const fitting = silences.matching(labels)
  const { inhibitedBy, silencedBy } = snapshot.statusOf({ roles, silences: fitting })
  const [source] = inhibitedBy
  const sourceLabels = snapshot.alerts.find((one) => one.alert.fingerprint === source)?.alert.labels ?? new Map()
  const seeds = routing.groupsOf(alert)
  const [owed, history, groups, dues] = await Promise.all([
    store.outbox.list(OWED),
    store.deliveries.before('', LOOKED_AT),
    Promise.all(seeds.map(({ id }) => store.groups.load(id))),
    Promise.all(seeds.map(({ id }) => store.groups.dueAt(id))),
  ])
  return {
    fingerprint,
    labels: toRecord(labels),
    isFiring: seen !== undefined,
    startsAt: seen ? iso(seen.alert.startsAt) : null,
    route: toRoute(explainRoute(routing.config.route, labels)),
    silences: fitting
      .filter(({ id, matchers }) => silencedBy.includes(id) && sight.silence(matchers))
      .map((silence) => toSilence(silence)),
    inhibition:
      source === undefined
        ? null
        : {
            fingerprint: source,
            labels: sight.alert(sourceLabels) ? toRecord(sourceLabels) : {},
            rule: ruleText(routing.config.inhibitRules, sourceLabels, labels),
          },
    groups: seeds.flatMap((seed, i) => {
      const route = routing.config.routes.get(seed.routeId)
      if (!route) return []
      const group = groups[i]
      const isIn = group?.alerts.some((one) => one.fingerprint === fingerprint) ?? false
      const muting = mutingOf(route, (name) => contains(routing.config.timeIntervals.get(name) ?? [], at))
      const pairs: [string, string][] = JSON.parse(seed.labels)
      const quiet = quietOf({ silencedBy, inhibitedBy, muting })
      return {
        id: seed.id,
        routeId: seed.routeId,
        receiver: seed.receiver,
        key: seed.groupKey,
        labels: toRecord(new Map(pairs)),
        groupWait: route.groupWait,
        groupInterval: route.groupInterval,
        repeatInterval: route.repeatInterval,
        muting: muting ?? null,
        exists: group !== undefined,
        alerts: group?.alerts.length ?? 0,
        flushedAt: group && group.flushedAt > 0 ? iso(group.flushedAt) : null,
        dueAt: isoOrNull(dues[i]),
        integrations: (routing.config.receivers.get(seed.receiver)?.integrations ?? []).map(({ id, channel }) => {
          const facts = factsOf(id, fingerprint, isIn ? group : undefined, owed, history.deliveries)
          return { id, channel, ...facts, outcome: outcomeOf(facts, quiet, isIn) }
        }),
      }
    }),
  }
}

/** What keeps an alert from being told, in a sentence; undefined where nothing does. */
function quietOf({
  silencedBy,
  inhibitedBy,
  muting,
}: {
  silencedBy: readonly string[]
  inhibitedBy: readonly string[]
  muting: Muting | undefined
}): string | undefined {
  if (inhibitedBy.length > 0) return `inhibited by ${inhibitedBy.join(', ')}`
  if (muting)
    return muting.by === 'active_time_interval'
      ? `outside of ${muting.intervals.join(', ')}, which its route is active in`
      : `muted by ${muting.intervals.join(', ')}`
  return silencedBy.length > 0 ? `silenced by ${silencedBy.join(', ')}` : undefined
}

type Facts = Omit<WhyIntegration, 'id' | 'channel' | 'outcome'>

function factsOf(
  integration: string,
  fingerprint: string,
  group: Group | undefined,
  owed: readonly Owed[],
  history: readonly Delivery[],
): Facts {
  const told = group?.told.get(integration)
  const verdict = group?.verdicts.get(integration)
  const row = group && owed.find((one) => one.group === group.id && one.integration === integration)
  const givenUp = group?.givenUp.get(integration)
  return {
    told: told ? { at: iso(told.at), firing: told.firing.has(fingerprint) } : null,
    verdict: verdict ? { at: iso(verdict.at), word: verdict.word } : null,
    owed: row
      ? {
          state: row.state,
          attempt: row.attempt,
          dueAt: iso(row.dueAt),
          waitsFor: row.waitsFor ? waiting[row.waitsFor] : '',
          said: row.said,
        }
      : null,
    givenUpAt: isoOrNull(givenUp?.at),
    attempts: history
      .filter((one) => one.integration === integration && (one.alerts?.includes(fingerprint) ?? false))
      .slice(0, ATTEMPTS),
  }
}

/** How it stands with telling an integration, in a sentence. */
export function outcomeOf(
  { told, verdict, owed, givenUpAt }: Pick<Facts, 'told' | 'verdict' | 'owed' | 'givenUpAt'>,
  quiet: string | undefined,
  isIn: boolean,
): string {
  const toldOfIt = told?.firing ? `told at ${told.at} that it fires` : ''
  if (!isIn) return quiet === undefined ? 'would be told' : `would not be told: ${quiet}`
  if (owed) {
    const why = owed.waitsFor || (owed.attempt > 0 ? 'it is tried again' : 'it is about to leave')
    const said = owed.said && `; the last attempt: ${owed.said}`
    return owed.state === 'sending' ? 'being sent now' : `owed, ${owed.dueAt}: ${why}${said}`
  }
  if (givenUpAt !== null) return `given up at ${givenUpAt}; it is in the dead letters`
  if (quiet !== undefined) return toldOfIt ? `${toldOfIt}; quiet now: ${quiet}` : `not told: ${quiet}`
  if (toldOfIt) return toldOfIt
  return verdict ? `not told: ${verdict.word}` : 'not decided yet: its group has not been flushed'
}

function toRoute({ route, tests, matches, takes, children, notAsked }: Asked): WhyRoute {
  return {
    id: route.id,
    matchers: formatMatchers(route.matchers),
    receiver: route.receiver,
    continues: route.continue,
    tests,
    matches,
    takes,
    children: children.map(toRoute),
    notAsked,
  }
}

function toSilence({ id, matchers, createdBy, comment, endsAt }: Silence): Why['silences'][number] {
  return { id, matchers: formatMatchers(matchers), createdBy, comment, endsAt: iso(endsAt) }
}

/** The first rule by which one alert inhibits another. */
function ruleText(rules: readonly InhibitRule[], source: Labels, target: Labels): string {
  const rule = rules.find(
    (one) =>
      matchesAll(one.source, source) &&
      matchesAll(one.target, target) &&
      one.equal.every((name) => (source.get(name) ?? '') === (target.get(name) ?? '')),
  )
  if (!rule) return ''
  const equal = rule.equal.length > 0 ? `, where ${rule.equal.join(', ')} are the same` : ''
  return `${formatMatchers(rule.source)} inhibits ${formatMatchers(rule.target)}${equal}`
}

/** An alert that nobody sent. */
function supposed(fingerprint: string, labels: Labels, at: number): Alert {
  return {
    fingerprint,
    labels,
    annotations: new Map(),
    generatorURL: '',
    startsAt: at,
    endsAt: 0,
    endedBy: 'resolve',
    updatedAt: at,
  }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

function isoOrNull(at: number | undefined): string | null {
  return at === undefined ? null : iso(at)
}
