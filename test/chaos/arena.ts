import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { builtCli } from '../helpers/built.ts'
import { type Engine, eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { randomFrom } from '../helpers/random.ts'
import { capture } from './capture.ts'
import { type FakeChannel, openChannel } from './channels.ts'
import { type Ended, type Evidence, type Expected, type Letter, check } from './checker.ts'
import { type Findings, openFindings } from './findings.ts'
import { type Kind, type Request, type Sent, type SentAlert, append, readLedger } from './ledger.ts'
import { type Proxy, openProxy, scriptNames } from './proxy.ts'
import type { Plan } from './sender.ts'
import { figure, isLong } from './tier.ts'
import { type Server, type ServerOptions, openServer } from './server.ts'
import { tellingsOf } from './telling.ts'

const TEAMS = ['red', 'green', 'blue']

export interface ArenaOptions {
  seed: number
  kinds?: readonly Kind[] // what a critical alert goes to; others go to the webhook
  redis?: ServerOptions
  cli?: string // of a broken build
}

export interface Arena extends AsyncDisposable {
  dir: string
  redis: Server
  proxy: Proxy
  channels: ReadonlyMap<Kind, FakeChannel>
  engines: Engine[]
  random: () => number
  /** The routing file's text, for who writes another. */
  config: string
  configFile: string
  /** Starts a replica; the senders hear of it. */
  start(options?: { env?: Record<string, string>; args?: string[]; wrap?: string[] }): Promise<Engine>
  /** Ends a replica, and tells the senders that it is gone. */
  kill(engine: Engine, signal?: NodeJS.Signals): Promise<void>
  /** Senders post to these from now on. */
  announce(): void
  /** A sender at work: resolves once its first alert is accepted. */
  openSender(plan?: Partial<Plan>): Promise<Sender>
  /** Posts one alert by hand; it is in a ledger as those of the senders are. */
  post(alert: Omit<SentAlert, 'state'>, state?: SentAlert['state']): Promise<Sent['result']>
  sent(): Sent[]
  /** Waits until all that was accepted has an end, or patience is over; then holds everything against the promises. */
  settle(findings: Findings, how?: Partial<Settling>): Promise<void>
}

export interface Settling {
  kills: number // of engines, with what each had in flight
  grace: number
  patience: number
  loss: { before: number; most: number; since?: number } // of what was accepted before an instant
  lateCopies: boolean // requests lay in a frozen engine's socket until their senders had given up on them
  repeats: number // what may be repeated, where that is not what the kills had in flight
  unread: (request: Request) => boolean // whose words tell of no alerts by their ids
}

export interface Sender {
  /** No new groups; resolves when all have lived. */
  stop(): Promise<void>
}

/** Per channel and replica. */
const IN_FLIGHT = 32

/** Everything that a chaos test has around its engines: Redis behind a proxy, fake channels, senders, each with its ledger. */
export async function openArena({
  seed,
  kinds = ['webhook', 'slack', 'pagerduty'],
  redis: server = {},
  cli = builtCli(),
}: ArenaOptions): Promise<Arena> {
  const folder = tempDir()
  const dir = folder.path
  const random = randomFrom(seed)
  const canary = (what: string) => `canary-${what}-${seed.toString(36)}`
  const tokens = new Map(TEAMS.map((team) => [team, canary(`${team}-alert`)]))
  const opened: AsyncDisposable[] = []
  const open = async <T extends AsyncDisposable>(opening: Promise<T>): Promise<T> => {
    const thing = await opening
    opened.push(thing)
    return thing
  }
  mkdirSync(join(dir, 'redis'))
  const redis = await open(openServer(join(dir, 'redis'), server))
  const proxy = await open(openProxy({ path: redis.socket }, scriptNames(join(cli, '..'))))
  proxy.random = random
  const channels = new Map<Kind, FakeChannel>()
  for (const kind of new Set<Kind>(['webhook', ...kinds])) channels.set(kind, await open(openChannel(kind, dir)))
  const routing = routingOf(kinds, channels, canary)
  const configFile = join(dir, 'tocsin.yml')
  writeFileSync(configFile, routing.config)

  const senders: ChildProcess[] = []
  const byHand = join(dir, 'by-hand.jsonl')
  const ledgers = [byHand]
  const past: Engine[] = [] // for what they said
  const arena: Arena = {
    dir,
    redis,
    proxy,
    channels,
    engines: [],
    random,
    config: routing.config,
    configFile,
    async start({ env = {}, args = [], wrap = [] } = {}) {
      const engine = await startEngine({
        config: configFile,
        redis: proxy.url,
        dir,
        cli,
        env: { ...routing.env, ...env },
        args,
        wrap,
      })
      arena.engines.push(engine)
      past.push(engine)
      arena.announce()
      return engine
    },
    async kill(engine, signal = 'SIGKILL') {
      arena.engines.splice(arena.engines.indexOf(engine), 1)
      arena.announce()
      await engine.kill(signal)
    },
    announce() {
      const urls = JSON.stringify(arena.engines.map(({ url }) => url))
      for (const sender of senders) if (sender.stdin?.writable) sender.stdin.write(`${urls}\n`)
    },
    async openSender(given = {}) {
      const ledger = join(dir, `sender-${ledgers.length - 1}.jsonl`)
      const plan: Plan = {
        seed: seed + ledgers.length - 1,
        name: `G${ledgers.length - 1}x`,
        ledger,
        teams: Object.fromEntries(tokens),
        perSecond: figure(20, 40),
        criticalShare: 0.08,
        resolveShare: 0.6,
        everywhere: false,
        patience: 10_000, // Prometheus' own
        pad: 0,
        lanes: 0,
        ...given,
      }
      ledgers.push(ledger)
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', join(import.meta.dirname, 'sender.ts'), JSON.stringify(plan)],
        { stdio: ['pipe', 'ignore', 'inherit'] },
      )
      child.stdin.on('error', () => {}) // it has ended
      senders.push(child)
      arena.announce()
      await eventually(
        async () => readLedger<Sent>(ledger).some(({ result }) => result === 'acked'),
        (isTaken) => isTaken,
        60_000,
      )
      return {
        async stop() {
          child.stdin.write('stop\n')
          if (child.exitCode === null) await once(child, 'exit')
        },
      }
    },
    async post(alert, state = 'firing') {
      const at = Date.now()
      const { id, group, team, severity } = alert
      const listed = {
        labels: { alertname: group, team, severity, id },
        annotations: { token: tokens.get(team) },
        ...(state === 'resolved' && { endsAt: new Date(at).toISOString() }),
      }
      const { status } = (await arena.engines[0]?.post('/api/v2/alerts', [listed]).catch(() => undefined)) ?? {
        status: 0,
      }
      const result = status === 0 ? 'unknown' : status < 300 ? 'acked' : 'refused'
      append(byHand, { at, doneAt: Date.now(), result, status, alerts: [{ ...alert, state }] })
      return result
    },
    sent: () => ledgers.flatMap((file) => readLedger<Sent>(file)),

    async settle(
      findings,
      {
        kills = 0,
        grace = figure(10_000, 5000),
        patience = 60_000,
        loss = { before: 0, most: 0 },
        lateCopies = false,
        repeats,
        unread = () => false,
      } = {},
    ) {
      const expected: Expected = {
        reach: ({ severity }) => (severity === 'critical' ? kinds : ['webhook']),
        firingOnly: new Set(),
        tokens,
        credentials: routing.credentials,
        secrets: routing.secrets,
        mostRepeats: repeats ?? kills * kinds.length * IN_FLIGHT,
        grace,
        loss,
        lateCopies,
        oneId: isLong,
      }
      const look = async () => {
        const found = openFindings()
        check(await evidence(unread), expected, found)
        return found
      }
      const isOver = ({ violations }: Findings) =>
        !violations.some(({ promise }) => promise === 'P1' || promise === 'P2')
      const end = Date.now() + patience // what is missing by then is told below
      for (;;) {
        while (!isOver(await look()) && Date.now() < end) await sleep(700)
        const captured = await capture(arena, past)
        const final = openFindings()
        check({ ...(await evidence(unread)), captured }, expected, final)
        // something may have come due since that look
        if (isOver(final) || Date.now() >= end) return findings.add(final)
      }
    },

    async [Symbol.asyncDispose]() {
      for (const sender of senders) sender.kill('SIGKILL')
      for (const engine of past) {
        engine.process.kill('SIGCONT')
        await engine.kill('SIGKILL')
      }
      for (const thing of opened.reverse()) await thing[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
  return arena

  async function evidence(unread: Settling['unread']): Promise<Evidence> {
    const lines = [...channels.values()]
      .flatMap((channel) => channel.read())
      .filter((line) => 'answered' in line || !unread(line))
    const [engine] = arena.engines
    const letters = engine ? await engine.get<OwnLetter[]>('/api/tocsin/v1/deadletters').catch(() => []) : []
    return {
      sent: arena.sent(),
      told: await tellingsOf(lines, routing.addresses),
      letters: letters.map(toLetter),
      ended: await endings(),
      owed: await redis.redis.zcard('{tocsin}:owed'),
      faults: engine
        ? await engine.get<{ faults: string[] }>('/api/tocsin/v1/ledger').then(
            ({ faults }) => faults,
            () => [],
          )
        : [],
      captured: [],
    }
  }

  async function endings(): Promise<Ended[]> {
    const entries = await redis.redis.xrange('{tocsin}:deliveries', '-', '+')
    return entries.map(([, fields]) => {
      const entry = JSON.parse(fields[1] ?? '') as Omit<Ended, 'isDelivered'> & { outcome?: { state: string } }
      return { ...entry, isDelivered: entry.outcome?.state === 'delivered' }
    })
  }
}

interface OwnLetter {
  channel: Kind
  receiver: string
  groupKey: string
}

function toLetter({ channel, receiver, groupKey }: OwnLetter): Letter {
  return { kind: channel, team: receiver.split('-')[0] ?? '', group: /alertname="([^"]*)"/.exec(groupKey)?.[1] ?? '' }
}

/** A routing file for three teams with addresses and secrets of their own, and which secret is whose. */
function routingOf(kinds: readonly Kind[], channels: ReadonlyMap<Kind, FakeChannel>, canary: (what: string) => string) {
  const port = (kind: Kind) => channels.get(kind)?.port
  const url = (kind: Kind) => `http://127.0.0.1:${port(kind)}`
  const env: Record<string, string> = { TWILIO_AUTH_TOKEN: canary('twilio'), SMTP_PASSWORD: canary('smtp') }
  const addresses = new Map<string, string>()
  const credentials = new Map<Kind, Map<string, string>>([
    ['pagerduty', new Map()],
    ['sms', new Map()],
    ['email', new Map()],
  ])
  const alerts =
    '{{ range .Alerts }}[{{ .Status }}|{{ .Labels.id }}|{{ .Labels.team }}|{{ .Annotations.token }}]{{ end }}'
  const entry = (kind: Kind, team: string): string => {
    const T = team.toUpperCase()
    switch (kind) {
      case 'webhook':
        env[`HOOK_${T}`] = `${url(kind)}/${team}/${canary(`${team}-hook`)}`
        addresses.set(`/${team}/${canary(`${team}-hook`)}`, team)
        return `webhook_configs: [{ url: '\${HOOK_${T}}' }]`
      case 'slack':
        env[`SLACK_${T}`] = `${url(kind)}/${team}/${canary(`${team}-slack`)}`
        addresses.set(`/${team}/${canary(`${team}-slack`)}`, team)
        return `slack_configs: [{ api_url: '\${SLACK_${T}}', send_resolved: true, title: 'alerts', text: '${alerts}' }]`
      case 'pagerduty': {
        const key = canary(`${team}-pd`)
          .replace(/[^a-z0-9]/g, '')
          .padEnd(32, '0')
          .slice(0, 32)
        env[`PD_${T}`] = key
        addresses.set(key, team)
        credentials.get(kind)?.set(team, key)
        return `pagerduty_configs: [{ routing_key: '\${PD_${T}}', url: '${url(kind)}/v2/enqueue' }]`
      }
      case 'sms': {
        const number = `+6140000000${TEAMS.indexOf(team)}`
        addresses.set(number, team)
        credentials.get(kind)?.set(team, `AC123:${canary('twilio')}`)
        return `sms_configs: [{ to: '${number}', send_resolved: true, text: '${alerts}' }]`
      }
      case 'email':
        addresses.set(`${team}@example.com`, team)
        credentials.get(kind)?.set(team, `tocsin:${canary('smtp')}`)
        return `email_configs: [{ to: '${team}@example.com', send_resolved: true, headers: { Subject: alerts }, text: '${alerts}' }]`
    }
  }
  const receiver = (name: string, entries: string[]) => `  - { name: ${name}, ${entries.join(', ')} }`
  const receivers = TEAMS.flatMap((team) => [
    receiver(
      `${team}-critical`,
      kinds.map((kind) => entry(kind, team)),
    ),
    receiver(`${team}-warning`, [entry('webhook', team)]),
  ])
  const routes = TEAMS.flatMap((team) =>
    ['critical', 'warning'].map(
      (severity) => `    - { receiver: ${team}-${severity}, matchers: [team="${team}", severity="${severity}"] }`,
    ),
  )
  const globals = [
    ...(channels.has('email')
      ? [
          `smtp_smarthost: 127.0.0.1:${port('email')}, smtp_from: tocsin@example.com, smtp_require_tls: false, smtp_auth_username: tocsin, smtp_auth_password: '\${SMTP_PASSWORD}'`,
        ]
      : []),
    ...(channels.has('sms')
      ? [
          `twilio_account_sid: AC123, twilio_auth_token: '\${TWILIO_AUTH_TOKEN}', twilio_from: "+15005550006", twilio_api_url: '${url('sms')}'`,
        ]
      : []),
  ]
  const config = `
global: { ${['resolve_timeout: 1h', ...globals].join(', ')} }
budgets: # a test has no time for the real ones, which are test/pipeline/delivery.test.ts'
  slack: { rate: 50/s, burst: 50, in_flight: 8, digest_above: 0 }
  pagerduty: { rate: 50/s, burst: 50, in_flight: 8 }
  sms: { rate: 50/s, burst: 50, in_flight: 8, digest_above: 0 }
  email: { rate: 50/s, burst: 50, digest_above: 0 }
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 50ms
  group_interval: 1s
  repeat_interval: 4h
  routes:
${routes.join('\n')}
receivers:
  - { name: nobody }
${receivers.join('\n')}
`
  const secrets = Object.values(env).map((text) => /[^/]*$/.exec(text)?.[0] ?? text)
  return { config, env, addresses, credentials, secrets }
}

/** Resolves once a channel has read so many requests more. */
export async function hears({ channels }: Arena, kind: Kind, more = 1): Promise<void> {
  const channel = channels.get(kind)
  const before = channel?.count ?? 0
  await eventually(
    async () => channel?.count ?? 0,
    (count) => count >= before + more,
    60_000,
  )
}
