import { spawnSync } from 'node:child_process'
import type { Answer, HttpSink } from './http-sink.ts'
import { alertmanagerBinary } from './prometheus.ts'

// The same script, played to several Alertmanagers at once; what each of them tells and answers, in words that
// can be compared. Instants are seconds of the play.

/** The 25 of 0.25.0. */
export const peerVersion = Number(
  /version 0\.(\d+)\./.exec(spawnSync(alertmanagerBinary, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
)

type Labels = Record<string, string>

/** By labels alone (`A team=db`) it fires from the step's instant on, and says no end. */
export type Alert =
  | string
  | {
      labels: string | Labels
      annotations?: Labels
      generatorURL?: string
      since?: number | 'unsaid'
      until?: number
    }

export type Event =
  | { does: 'fire' | 'resolve'; alerts: Alert[] }
  | { does: 'silence'; silence: string; matchers: string; from?: number; until?: number }
  | { does: 'expire'; silence: string }
  | { does: 'answer'; status: number | 'hang'; times: number; webhook: number }
  | { does: 'see' }

/** A repeated alert keeps its start, one that fires again gets a new one. */
export const fire = (...alerts: Alert[]): Event => ({ does: 'fire', alerts })
export const resolve = (...alerts: Alert[]): Event => ({ does: 'resolve', alerts })
/** The second time, the silence of that name is changed. Matchers as `a="b" c!~"d"`. */
export const silence = (name: string, matchers: string, times: { from?: number; until?: number } = {}): Event => ({
  does: 'silence',
  silence: name,
  matchers,
  ...times,
})
export const expire = (name: string): Event => ({ does: 'expire', silence: name })
/** From now on the scenario's first webhook, or another, is answered so, for so many times; then 200 again. */
export const answer = (status: number | 'hang', times = Infinity, webhook = 0): Event => ({
  does: 'answer',
  status,
  times,
  webhook,
})
/** Alerts, groups and silences, as the API shows them now. */
export const see: Event = { does: 'see' }

export interface Scenario {
  name: string // also its receiver's, and the label that keeps it apart
  steps: Record<number, Event | Event[]> // by instant
  route?: Record<string, unknown>
  webhooks?: Record<string, unknown>[] // of its receiver
  receivers?: Record<string, Record<string, unknown>[]> // further ones
  inhibits?: { source: string; target: string; equal?: string[] }[] // matchers
}

/** One alertmanager.yml for all of them: ticks 1 s after a group's first alert, then every 3 s. */
export function configFor(scenarios: readonly Scenario[], sink: HttpSink): string {
  const own = ({ name }: Scenario) => `scenario="${name}"`
  return JSON.stringify({
    global: { resolve_timeout: '24s' },
    route: {
      receiver: 'nobody',
      group_wait: '1s',
      group_interval: '3s',
      repeat_interval: '1h',
      routes: scenarios.map((scenario) => ({
        receiver: scenario.name,
        matchers: [own(scenario)],
        group_by: ['scenario'],
        ...scenario.route,
      })),
    },
    receivers: [
      { name: 'nobody' },
      ...scenarios.flatMap(({ name, webhooks = [{}], receivers = {} }) =>
        Object.entries({ [name]: webhooks, ...receivers }).map(([receiver, configs]) => ({
          name: receiver,
          webhook_configs: configs.map((config, i) => ({
            url: `${sink.url}/${[name, receiver, String(i)].map(encodeURIComponent).join('/')}`,
            ...config,
          })),
        })),
      ),
    ],
    inhibit_rules: scenarios.flatMap((scenario) =>
      (scenario.inhibits ?? []).map(({ source, target, equal = [] }) => ({
        source_matchers: [own(scenario), source],
        target_matchers: [own(scenario), target],
        equal,
      })),
    ),
    time_intervals: [
      { name: 'always', time_intervals: [{ times: [{ start_time: '00:00', end_time: '24:00' }] }] },
      { name: 'never', time_intervals: [{ years: ['1999'] }] },
      { name: 'nowhere', time_intervals: [{ months: ['1:12'], years: ['1999'] }] },
    ],
  })
}

/** Who the script is played to. */
export interface Peer {
  url: string
  sink: HttpSink
}

/** What a peer said of a scenario. */
interface Part {
  peer: Peer
  ids: Map<string, string> // of silences, by name
  next: Map<string, { status: number | 'hang'; times: number }> // by destination
  answers: string[]
  told: Map<string, string[]> // by destination and group
}

interface Cast {
  scenario: Scenario
  since: Map<string, number> // of alerts that fire
  from: Map<string, number> // of silences
  clock: Clock
  parts: Part[]
  isOver: boolean
}

interface Clock {
  start: number
  /** For a request. */
  say(at: number): string
  /** In seconds, if the script said it; a server's own time is `then`. */
  show(time: string): string
}

interface Told {
  receiver: string
  status: string
  notification_reason?: string
  groupKey: string
  groupLabels: Labels
  commonLabels: Labels
  commonAnnotations: Labels
  truncatedAlerts: number
  alerts: ShownAlert[]
}

interface ShownAlert {
  status: string | ApiStatus // a webhook's, or the API's
  labels: Labels
  annotations: Labels
  startsAt: string
  endsAt: string
  generatorURL?: string
  fingerprint: string
  receivers?: { name: string }[]
}

interface ApiStatus {
  state: string
  silencedBy: string[]
  inhibitedBy: string[]
  mutedBy?: string[]
}

/** Plays all scenarios side by side, each until `end`; the last starts three seconds after the first. */
export async function play(
  scenarios: readonly Scenario[],
  peers: readonly Peer[],
  end: number,
): Promise<{ said: Map<string, string>[]; notifications: number; late: number }> {
  const start = Date.now() + 100
  const casts = new Map(
    scenarios.map((scenario, i) => [
      scenario.name,
      {
        scenario,
        since: new Map<string, number>(),
        from: new Map<string, number>(),
        clock: clockFrom(start + Math.floor((i * 3000) / scenarios.length)),
        parts: peers.map(partOf),
        isOver: false,
      },
    ]),
  )
  for (const [i, { sink }] of peers.entries())
    sink.answer = ({ path, body }) => {
      const [name = '', receiver = '', index = ''] = path.slice(1).split('/').map(decodeURIComponent)
      const cast = casts.get(name)
      const part = cast?.parts[i]
      return part && !cast.isOver ? hear(cast, part, `${receiver}/${index}`, JSON.parse(body)) : { status: 200 }
    }

  const late = await Promise.all([...casts.values()].map((cast) => playOne(cast, end)))
  return {
    said: peers.map((_peer, i) => new Map([...casts].map(([name, { parts }]) => [name, written(parts[i])]))),
    notifications: peers.reduce((sum, { sink }) => sum + sink.requests.length, 0),
    late: Math.max(...late),
  }
}

const partOf = (peer: Peer): Part => ({
  peer,
  ids: new Map(),
  next: new Map(),
  answers: [],
  told: new Map(),
})

function clockFrom(start: number): Clock {
  const said = new Set<number>()
  return {
    start,
    say(at) {
      said.add(start + at * 1000)
      return new Date(start + at * 1000).toISOString()
    },
    show: (time) => (said.has(Date.parse(time)) ? `${(Date.parse(time) - start) / 1000}` : 'then'),
  }
}

/** Returns by how many ms the latest step was late. */
async function playOne(cast: Cast, end: number): Promise<number> {
  const { steps } = cast.scenario
  let late = 0
  for (const at of [...Object.keys(steps).map(Number), end].sort((a, b) => a - b)) {
    // 5 ms more: nothing that ends now may lie ahead, and no server's now be the script's
    const due = cast.clock.start + at * 1000 + 5
    await new Promise((done) => setTimeout(done, due - Date.now()))
    late = Math.max(late, Date.now() - due)
    const events = [steps[at] ?? []].flat().map((event) => ({ event, body: toBody(event, at, cast) }))
    await Promise.all(
      cast.parts.map(async (part) => {
        for (const { event, body } of events) part.answers.push(...(await act(event, at, body, cast, part)))
      }),
    )
  }
  cast.isOver = true
  return late
}

/** What is sent to every peer, its own ids left out. */
function toBody(event: Event, at: number, { scenario, since, from, clock }: Cast): unknown {
  if (event.does === 'silence') {
    const startsAt = event.from ?? from.get(event.silence) ?? at
    from.set(event.silence, startsAt)
    return {
      matchers: toMatchers(`${event.matchers} scenario="${scenario.name}"`),
      startsAt: clock.say(startsAt),
      endsAt: clock.say(event.until ?? 60),
      createdBy: 'play',
      comment: event.silence,
    }
  }
  if (event.does !== 'fire' && event.does !== 'resolve') return undefined
  return event.alerts.map((alert) => {
    const given = typeof alert === 'string' ? { labels: alert } : alert
    const labels = { ...toLabels(given.labels), scenario: scenario.name }
    const key = writtenLabels(labels)
    const startsAt = given.since ?? since.get(key) ?? at
    const endsAt = given.until ?? (event.does === 'resolve' ? at : undefined)
    if (event.does === 'resolve') since.delete(key)
    else if (startsAt !== 'unsaid') since.set(key, startsAt)
    return {
      annotations: given.annotations,
      generatorURL: given.generatorURL,
      labels,
      startsAt: startsAt === 'unsaid' ? undefined : clock.say(startsAt),
      endsAt: endsAt === undefined ? undefined : clock.say(endsAt),
    }
  })
}

/** Does it to a peer, and returns what the peer's API says. */
async function act(event: Event, at: number, body: unknown, cast: Cast, part: Part): Promise<string[]> {
  const { peer, ids } = part
  const ask = (method: string, path: string, content?: unknown) =>
    fetch(`${peer.url}/api/v2/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    })
  const get = async <T>(path: string) => (await (await ask('GET', path)).json()) as T

  switch (event.does) {
    case 'fire':
    case 'resolve':
      return [`${at} ${event.does}: ${(await ask('POST', 'alerts', body)).status}`]
    case 'silence': {
      const id = ids.get(event.silence)
      // as every client does: what is changed begins when the server says that it began
      const kept = id === undefined ? {} : await get<{ startsAt: string }>(`silence/${id}`)
      const startsAt = 'startsAt' in kept && event.from === undefined ? { startsAt: kept.startsAt } : {}
      const reply = await ask('POST', 'silences', { ...(body as object), ...startsAt, id })
      const { silenceID } = (reply.ok ? await reply.json() : {}) as { silenceID?: string }
      if (silenceID !== undefined) ids.set(event.silence, silenceID)
      return [`${at} silence ${event.silence}: ${reply.status}, ${silenceID === id ? 'the same' : 'a new'} id`]
    }
    case 'expire':
      return [`${at} expire ${event.silence}: ${(await ask('DELETE', `silence/${ids.get(event.silence)}`)).status}`]
    case 'answer':
      part.next.set(`${cast.scenario.name}/${event.webhook}`, { status: event.status, times: event.times })
      return []
    case 'see': {
      const { scenario, clock } = cast
      const filter = `?filter=${encodeURIComponent(`scenario="${scenario.name}"`)}`
      const names = new Map([...ids].map(([name, id]) => [id, name]))
      const alerts = await get<ShownAlert[]>(`alerts${filter}`)
      const groups = await get<{ labels: Labels; receiver: { name: string }; alerts: ShownAlert[] }[]>(
        `alerts/groups${filter}`,
      )
      const silences = await get<{ id: string; comment: string; status: { state: string }; endsAt: string }[]>(
        `silences${filter}`,
      )
      return [
        `${at} alerts:`,
        ...alerts.map((alert) => `  ${writtenAlert(alert, clock, names)}`),
        `${at} groups:`,
        ...groups
          .map(({ labels, receiver, alerts: members }) =>
            [
              `  ${receiver.name} ${writtenLabels(labels)}`,
              ...members.map((alert) => `    ${writtenAlert(alert, clock, names)}`),
            ].join('\n'),
          )
          .sort(), // of two with the same labels and receiver either may be first
        `${at} silences:`,
        ...silences.map(
          ({ id, comment, status, endsAt }) =>
            `  ${comment}${names.has(id) ? '' : ', replaced'}: ${status.state} until ${clock.show(endsAt)}`,
        ),
      ]
    }
    default:
      return event satisfies never
  }
}

/** Writes down what a peer tells, and answers as the script says. */
function hear({ clock }: Cast, part: Part, destination: string, told: Told): Answer {
  const planned = part.next.get(destination)
  const status = planned && planned.times > 0 ? planned.status : 200
  if (planned) planned.times -= 1
  const reason = peerVersion < 32 || told.notification_reason === undefined ? '' : `, ${told.notification_reason}`
  const line = [
    `  ${status} ${told.receiver} ${told.status}${reason}, group ${writtenLabels(told.groupLabels)}, common`,
    ` ${writtenLabels(told.commonLabels)} ${writtenLabels(told.commonAnnotations)}, ${told.truncatedAlerts} cut`,
    ...told.alerts.map((alert) => `\n    ${writtenAlert(alert, clock, new Map())}`),
  ].join('')
  const stream = `${destination} ${told.groupKey}`
  const lines = part.told.get(stream) ?? []
  // 5xx is tried again as often as the dice say
  if (status === 'hang' || status < 500 || lines.at(-1) !== line) part.told.set(stream, [...lines, line])
  // no connection is kept that closes as the next tick comes
  return status === 'hang' ? { fault: 'hang' } : { status, headers: { Connection: 'close' } }
}

/** `A team=db` as labels. */
function toLabels(text: string | Labels): Labels {
  if (typeof text !== 'string') return text
  const [alertname = '', ...rest] = text.split(' ')
  return { alertname, ...Object.fromEntries(rest.map((pair) => pair.split('=', 2) as [string, string])) }
}

function toMatchers(text: string) {
  return [...text.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(([, name, operator = '', value]) => ({
    name,
    value,
    isRegex: operator.endsWith('~'),
    isEqual: operator.startsWith('='),
  }))
}

function written(part: Part | undefined): string {
  const told = [...(part?.told ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
  return [...(part?.answers ?? []), ...told.flatMap(([stream, lines]) => [stream, ...lines])].join('\n')
}

function writtenLabels(labels: Labels): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`
}

function writtenAlert(
  { status, labels, annotations, startsAt, endsAt, generatorURL, fingerprint, receivers }: ShownAlert,
  clock: Clock,
  silences: ReadonlyMap<string, string>,
): string {
  return [
    ...(typeof status === 'string' ? [status] : writtenStatus(status, silences)),
    writtenLabels(labels),
    writtenLabels(annotations),
    `since ${clock.show(startsAt)}`,
    ...(endsAt === '0001-01-01T00:00:00Z' ? [] : [`until ${clock.show(endsAt)}`]),
    ...(generatorURL ? [generatorURL] : []),
    fingerprint,
    ...(receivers ? [`for ${receivers.map(({ name }) => name).join()}`] : []),
  ].join(' ')
}

/** Before 0.28 the API knew nothing of time intervals. */
function writtenStatus({ state, ...by }: ApiStatus, silences: ReadonlyMap<string, string>): string[] {
  const silencedBy = by.silencedBy.map((id) => silences.get(id) ?? 'another').sort()
  return [
    peerVersion < 28 && silencedBy.length + by.inhibitedBy.length === 0 ? 'active' : state,
    ...(silencedBy.length > 0 ? [`silenced by ${silencedBy.join()}`] : []),
    ...(by.inhibitedBy.length > 0 ? [`inhibited by ${by.inhibitedBy.join()}`] : []),
    ...(peerVersion >= 28 && by.mutedBy?.length ? [`muted by ${by.mutedBy.join()}`] : []),
  ]
}
