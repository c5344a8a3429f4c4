import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repeats, seed, write } from '../chaos/tier.ts'
import { type HttpSink, type Received, openHttpSink, pagerdutyAnswer, twilioAnswer } from '../helpers/http-sink.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Delivered, type SmtpSink, openSmtpSink } from '../helpers/smtp-sink.ts'
import { type Story, tell } from '../helpers/story.ts'

// reliability.md P5: whatever the tree, a receiver hears of all alerts that are routed to it and of no others, each of its
// integrations at its own address and with its own credentials. Over HTTP and SMTP, as the channels speak.

const TREES = repeats(120, 10_000)

let server: TestRedis
let http: HttpSink
let mail: SmtpSink
beforeAll(async () => {
  server = await openRedis()
  http = await openHttpSink()
  mail = await openSmtpSink({ login: 'any' })
})
afterAll(() => Promise.all([server, http, mail].map((opened) => opened[Symbol.asyncDispose]())))

// --- what is drawn

type Labels = Record<string, string>

interface Matcher {
  name: string
  operator: '=' | '!=' | '=~' | '!~'
  pattern: Pattern
}

/** A value or regular expression as a file has it, and what it means, in other words than those of src/match. */
interface Pattern {
  text: string
  isRegex: boolean
  fits(value: string): boolean
}

interface Node {
  receiver: number | undefined
  matchers: Matcher[]
  classic: boolean // equality and regular expressions under match and match_re
  continue: boolean
  groupBy: string[] | undefined
  routes: Node[]
}

const kinds = ['webhook', 'slack', 'slack bot', 'pagerduty', 'sms', 'email'] as const
type Kind = (typeof kinds)[number]

interface World {
  receivers: Kind[][]
  isTight: boolean // its budgets make digests
  failEach: number // of so many requests one is refused for now; 0: none
}

const name = fc.constantFrom('a', 'b', 'A', 'é')
const value = fc.constantFrom('x', 'xy', 'y', 'X', '"\\|é')
const literal = (text: string): Pattern => ({ text, isRegex: false, fits: (given) => given === text })
const regex = (text: string, fits: Pattern['fits']): Pattern => ({ text, isRegex: true, fits })
const regexes = [
  regex('.+', (given) => given !== ''),
  regex('', (given) => given === ''),
  regex('x.*', (given) => given.startsWith('x')),
  regex('x|y', (given) => given === 'x' || given === 'y'),
  regex('(?i)x', (given) => given === 'x' || given === 'X'),
  regex('[^x]*', (given) => !given.includes('x')),
]
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  fc.record({
    name,
    operator: fc.constantFrom('=', '!='),
    pattern: fc.oneof(value, fc.constant('')).map(literal),
  }),
  fc.record({ name, operator: fc.constantFrom('=~', '!~'), pattern: fc.constantFrom(...regexes) }),
)
const receiverOf = fc.nat({ max: 3 })
const nodeOf = fc.memo((depth): fc.Arbitrary<Node> =>
  fc.record({
    receiver: fc.option(receiverOf, { nil: undefined }),
    matchers: fc.array(matcher, { maxLength: 2 }),
    classic: fc.boolean(),
    continue: fc.boolean(),
    groupBy: fc.option(fc.constantFrom([], ['a'], ['b', 'é'], ['id'], ['...']), { nil: undefined }),
    routes: depth > 1 ? fc.array(nodeOf(), { maxLength: 3 }) : fc.constant<Node[]>([]),
  }),
)
const tree = fc
  .tuple(receiverOf, nodeOf(4))
  .map(([receiver, node]): Node => ({ ...node, receiver, matchers: [], continue: false }))
const world: fc.Arbitrary<World> = fc.record({
  receivers: fc.array(fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 3 }), {
    minLength: 4,
    maxLength: 4,
  }),
  isTight: fc.boolean(),
  failEach: fc.constantFrom(0, 2, 5),
})
const labelSets = fc.array(fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true }), {
  minLength: 1,
  maxLength: 6,
})

// --- who is to hear what, by the rules as anybody would tell them

function holds({ name: label, operator, pattern }: Matcher, labels: Labels): boolean {
  return pattern.fits(labels[label] ?? '') !== operator.startsWith('!')
}

function whoHears(node: Node, labels: Labels, inherited = 0): Set<number> {
  const receiver = node.receiver ?? inherited
  const fitting = node.routes.filter(({ matchers }) => matchers.every((one) => holds(one, labels)))
  const last = fitting.findIndex((child) => !child.continue)
  const taking = last < 0 ? fitting : fitting.slice(0, last + 1)
  return new Set(taking.length === 0 ? [receiver] : taking.flatMap((child) => [...whoHears(child, labels, receiver)]))
}

// --- the file

/** Stands in an integration's address and in its credentials, and nowhere else. */
const canaryOf = (receiver: number, i: number) => `canary-r${receiver}i${i}-`
const phoneOf = (receiver: number, i: number) => `+6140000${receiver}00${i}`

function routeOf({ receiver, matchers, classic, groupBy, routes, ...rest }: Node): Record<string, unknown> {
  // a map holds a name once
  const isClassic = ({ name: label }: Matcher) =>
    classic && label !== 'é' && matchers.filter((one) => one.name === label).length === 1
  const fields = (operator: string) =>
    Object.fromEntries(
      matchers.flatMap((one) => (isClassic(one) && one.operator === operator ? [[one.name, one.pattern.text]] : [])),
    )
  const others = matchers.filter((one) => !isClassic(one) || one.operator.startsWith('!'))
  return {
    ...(receiver !== undefined && { receiver: `team${receiver}` }),
    match: fields('='),
    match_re: fields('=~'),
    matchers: others.map((one) => `${JSON.stringify(one.name)}${one.operator}${JSON.stringify(one.pattern.text)}`),
    ...(groupBy && { group_by: groupBy }),
    continue: rest.continue,
    routes: routes.map(routeOf),
  }
}

const text = '{{ range .Alerts }}{{ .Status }} {{ .Labels.id }} {{ .Annotations.note }}, {{ end }}'

const entryOf: Record<Kind, (canary: string, phone: string) => [string, Record<string, unknown>]> = {
  webhook: (canary) => [
    'webhook_configs',
    { url: `${http.url}/hook/${canary}`, http_config: { authorization: { credentials: canary } } },
  ],
  slack: (canary) => ['slack_configs', { api_url: `${http.url}/slack/${canary}`, send_resolved: true, text }],
  'slack bot': (canary) => [
    'slack_configs',
    { app_token: canary, app_url: `${http.url}/bot`, channel: `#${canary}`, send_resolved: true, text },
  ],
  pagerduty: (canary) => ['pagerduty_configs', { routing_key: canary, url: `${http.url}/v2/enqueue` }],
  sms: (canary, phone) => [
    'sms_configs',
    { to: phone, auth_token: canary, send_resolved: true, text: '{{ range .Alerts }}{{ .Labels.id }} {{ end }}' },
  ],
  email: (canary) => [
    'email_configs',
    { to: `${canary}@example.com`, auth_username: 'tocsin', auth_password: canary, send_resolved: true, text },
  ],
}

function configOf({ receivers, isTight }: World, { matchers: _all, ...root }: Node): string {
  const { continue: _none, match: _m, match_re: _r, matchers: _s, ...route } = routeOf({ ...root, matchers: [] })
  const budget = isTight ? { rate: '4/m', burst: 1, digest_above: 1 } : { rate: '1000/s', burst: 1000, digest_above: 0 }
  return JSON.stringify({
    global: {
      smtp_smarthost: mail.smarthost,
      smtp_from: 'tocsin@example.com',
      smtp_require_tls: false,
      twilio_account_sid: 'AC1',
      twilio_from: '+15005550006',
      twilio_api_url: http.url,
    },
    budgets: { slack: budget, sms: budget, email: budget },
    route: { ...route, group_wait: '0s', group_interval: '5m' },
    receivers: receivers.map((own, receiver) => {
      const entries: Record<string, Record<string, unknown>[]> = {}
      for (const [i, kind] of own.entries()) {
        const [key, entry] = entryOf[kind](canaryOf(receiver, i), phoneOf(receiver, i))
        ;(entries[key] ??= []).push(entry)
      }
      return { name: `team${receiver}`, ...entries }
    }),
  })
}

// --- what was told

/** A request or a mail: where it went, what it showed, and all that it said. */
interface Told {
  kind: Kind
  address: string
  credential: string
  isTaken: boolean
  isOver: boolean
  whole: string
}

function toldBy({ path, headers, body }: Received): Omit<Told, 'isTaken'> {
  const { authorization = '', ...others } = headers
  const login = authorization.startsWith('Basic ')
    ? Buffer.from(authorization.slice(6), 'base64').toString()
    : authorization.replace('Bearer ', '')
  const form = path.startsWith('/2010-04-01/') ? new URLSearchParams(body || path.split('?')[1]) : undefined
  const payload: { routing_key?: string; channel?: string; event_action?: string; status?: string } = form
    ? {}
    : JSON.parse(body)
  const whole = [path, JSON.stringify(others), login, form ? [...form.values()].join('\n') : body].join('\n')
  const isOver = payload.event_action === 'resolve' || payload.status === 'resolved' || !/firing/i.test(whole)
  if (form) return { kind: 'sms', address: form.get('To') ?? '', credential: login.replace('AC1:', ''), isOver, whole }
  const { routing_key = '', channel = '' } = payload
  if (path === '/v2/enqueue') return { kind: 'pagerduty', address: routing_key, credential: routing_key, isOver, whole }
  if (path === '/bot') return { kind: 'slack bot', address: channel.slice(1), credential: login, isOver, whole }
  const [, first = '', address = ''] = path.split('/')
  if (first === 'slack') return { kind: 'slack', address, credential: address, isOver, whole }
  return { kind: 'webhook', address, credential: login, isOver, whole }
}

function toldIn({ to, login, mail: { subject, text: plain, html }, raw }: Delivered): Told {
  const whole = [to.join(), login, subject, plain, html, raw].join('\n')
  return {
    kind: 'email',
    address: to.join().replace('@example.com', ''),
    credential: login.replace('tocsin:', ''),
    isTaken: true,
    isOver: !/firing/i.test(whole),
    whole,
  }
}

/** Answers as each service does, but refuses one request of so many. */
function answerTo(failEach: number, told: Told[]): HttpSink['answer'] {
  let nth = 0
  return (request) => {
    const line = toldBy(request)
    if (request.method === 'GET') {
      told.push({ ...line, isTaken: false }) // Twilio is asked for its list, after a refusal that may have been none
      return { status: 200, body: '{"messages":[]}' }
    }
    const isTaken = failEach === 0 || (nth += 1) % failEach !== 0
    told.push({ ...line, isTaken })
    if (!isTaken) return { status: 503 }
    if (line.kind === 'pagerduty') return pagerdutyAnswer(request)
    if (line.kind === 'sms') return twilioAnswer(request)
    return { status: 200, body: line.kind === 'slack bot' ? '{"ok":true}' : 'ok' }
  }
}

/** Whether each message is for whom it went to; of each integration that took any, the alerts that it heard of. */
function hearing({ receivers }: World, told: readonly Told[], isFor: (id: number, receiver: number) => boolean) {
  const heard = new Map<string, Set<number>>()
  for (const { kind, address, credential, isTaken, whole } of told) {
    const [, receiver = NaN, i = NaN] = (
      /^canary-r(\d)i(\d)-$/.exec(address) ??
      /^\+6140000(\d)00(\d)$/.exec(address) ??
      []
    ).map(Number)
    const canary = canaryOf(receiver, i)
    const what = `what ${kind} ${address} was told: ${whole}`
    expect(receivers[receiver]?.[i], what).toBe(kind)
    expect(credential, what).toBe(canary)
    expect(new Set(whole.match(/canary-\w+-/g)), what).toEqual(new Set([canary]))
    const ids = [...whole.matchAll(/alert-(\d+)-/g)].map(([, id]) => Number(id))
    expect(
      ids.filter((id) => !isFor(id, receiver)),
      what,
    ).toEqual([])
    const known = heard.get(canary) ?? new Set()
    heard.set(canary, known)
    if (isTaken) for (const id of ids) known.add(id)
  }
  return heard
}

/** Who is told in digests, under tight budgets: these name a few of many. */
const mayDigest = new Set<Kind>(['slack', 'slack bot', 'sms', 'email'])

let messages = 0
let pairs = 0
let digests = 0

async function play(
  where: World,
  root: Node,
  next: Node | undefined,
  sets: readonly Labels[],
  story: Story,
  told: Told[],
): Promise<void> {
  const alerts = sets.map((labels, n) => ({ ...labels, instance: `alert-${n}-`, id: `alert-${n}-` }))
  const post = (from: number, to: number, more = {}) =>
    story.post(
      ...alerts
        .slice(from, to)
        .map((labels) => ({ labels, annotations: { note: `about ${labels.id}`, secret: labels.id }, ...more })),
    )
  const route = (now: Node) => {
    const hears = alerts.map((labels) => whoHears(now, labels))
    return (id: number, receiver: number) => hears[id]?.has(receiver) ?? false
  }
  const drain = () => told.splice(0).concat(mail.mails.splice(0).map(toldIn))
  /** Everybody has heard of everything that is for them, and of nothing else. */
  const expectAll = (now: Node) => {
    const isFor = route(now)
    const lines = drain()
    const heard = hearing(where, lines, isFor)
    messages += lines.length
    digests += lines.filter(({ whole }) => whole.includes('So many at once')).length
    for (const [receiver, own] of where.receivers.entries()) {
      const wanted = new Set([...alerts.keys()].filter((id) => isFor(id, receiver)))
      for (const [i, kind] of own.entries()) {
        const known = heard.get(canaryOf(receiver, i)) ?? new Set()
        if (!where.isTight || !mayDigest.has(kind))
          expect(known, `what team${receiver}'s ${kind} heard`).toEqual(wanted)
        pairs += wanted.size
      }
    }
  }

  const half = Math.ceil(alerts.length / 2)
  await post(0, half)
  await story.advance('20s')
  await post(half, alerts.length)
  await story.advance('30m')
  expectAll(root)

  const ended = {
    startsAt: new Date(story.deps.clock.now() - 1).toISOString(),
    endsAt: new Date(story.deps.clock.now()).toISOString(),
  }
  await post(0, half, ended)
  await story.advance('30m')
  hearing(where, drain(), route(root))

  if (next) {
    await story.reload(configOf(where, next))
    await post(0, alerts.length)
    await story.advance('30m')
    hearing(where, drain(), (id, receiver) => route(next)(id, receiver) || route(root)(id, receiver))
  }
  const { open } = await story.deps.store.ledger.read()
  expect(open).toBe(0)
}

const title = `in ${TREES} random trees no team hears of another's alerts, nor with its credentials, and each of its own`

test(`${title} (seed ${seed})`, async () => {
  const startedAt = Date.now()
  await fc.assert(
    fc.asyncProperty(world, tree, fc.option(tree, { nil: undefined }), labelSets, async (where, root, next, sets) => {
      const told: Told[] = []
      http.requests.length = 0
      mail.mails.length = 0
      http.answer = answerTo(where.failEach, told)
      await using story = await tell(server, configOf(where, root), { deliverBy: 'channels' })
      await play(where, root, next, sets, story, told)
    }),
    { numRuns: TREES, seed },
  )
  const notes = [`${messages} messages, ${digests} of them digests`]
  write({
    name: title,
    promises: 'P5',
    rounds: TREES,
    facts: pairs,
    failures: 0,
    seed,
    took: Date.now() - startedAt,
    notes,
  })
  expect(pairs).toBeGreaterThan(TREES)
}, 7_200_000)
