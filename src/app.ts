import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openAdmission } from './api/admission.ts'
import { authenticator } from './api/authenticate.ts'
import { openComparer, openPasswords } from './api/passwords.ts'
import { openServer } from './api/server.ts'
import { alertmanagerVersion } from './api/v2/status.ts'
import { builtinTemplates } from './config/builtin.ts'
import { ConfigError } from './config/error.ts'
import type { Features } from './config/features.ts'
import { type LoadOptions, loadConfig } from './config/load.ts'
import { callHeartbeat } from './notify/heartbeat.ts'
import { refuseToBeOpen, refuseToChange } from './config/web/exposure.ts'
import type { WebConfig } from './config/web/load.ts'
import { openWebConfig } from './config/web/watch.ts'
import { inbox } from './notify/inbox.ts'
import { channels } from './notify/index.ts'
import type { Notifier } from './notify/notifier.ts'
import { bridgeAbsence } from './pipeline/absence.ts'
import { regroup } from './pipeline/accept.ts'
import { accountIncident } from './pipeline/account.ts'
import { canaryChannel, openCanary } from './pipeline/canary.ts'
import { deliver } from './pipeline/deliver.ts'
import type { Deps, Routing } from './pipeline/deps.ts'
import { openOrigins } from './pipeline/origins.ts'
import { openOutcomes } from './pipeline/outcomes.ts'
import { openRouting } from './pipeline/routing.ts'
import { openPresence } from './pipeline/presence.ts'
import { goOnWithoutState, sayStateLost } from './pipeline/loss.ts'
import { rehearse } from './pipeline/rehearse.ts'
import { openInhibition } from './pipeline/inhibition.ts'
import { startSelfWatch } from './pipeline/self-watch.ts'
import { openSilences } from './pipeline/silences.ts'
import { openKeptMessages } from './pipeline/kept-messages.ts'
import { openTally } from './pipeline/tally.ts'
import { startTimers } from './pipeline/timers.ts'
import { startWatch } from './pipeline/watch.ts'
import { type Line, openDeliveryQueue } from './queue/delivery.ts'
import type { Level, Log } from './record/log.ts'
import { openMetrics } from './record/metrics.ts'
import { metricsOfAll } from './record/shared-metrics.ts'
import { openTracing } from './record/tracing.ts'
import { nameOfRedis } from './store/address.ts'
import { type Durability, checkRedis } from './store/check.ts'
import { openClock } from './store/clock.ts'
import { RedisError, openEmbedded } from './store/embedded.ts'
import { epochFile } from './store/epoch-file.ts'
import { faultOf } from './store/fault.ts'
import { acceptingConnection, blockingConnection, storeConnection, whyAway } from './store/redis.ts'
import { type ReplicaWait, openReplicaWait } from './store/replicas.ts'
import { openStore } from './store/store.ts'
import { openAlertView } from './view/alerts.ts'
import { openFeed } from './view/feed.ts'
import { openGauges, tellOfRouting } from './view/gauges.ts'
import { readHealth } from './view/health.ts'
import { type ReloadFailure, failureOf } from './view/routing.ts'

export interface AppOptions {
  configFile: string
  listen: { host: string | undefined; port: number } // no host: all addresses
  webConfigFile: string | undefined // who may call, and TLS; undefined: everybody, without
  allowAnonymous: boolean // off this machine too
  externalURL: string | undefined // undefined: made from host name and port
  routePrefix: string | undefined // undefined: the external URL's path
  silenceLimits: { count: number; size: number } // size in bytes; 0: no limit
  getConcurrency: number // how many GETs of API v2 are answered at once
  redisUrl: string | undefined // undefined: an embedded Redis under `dataDir`
  dataDir: string
  prefix: string // of every key in Redis
  sandbox: boolean
  features: Features
  keepResolved: number // how long a resolved alert can still be merged with, ms
  startDelay: number // from the start to the first flush, ms
  retention: number // of expired silences and the notification log, ms
  minDurability: Durability // with less this replica is not ready
  replicaWait: ReplicaWait // what is accepted, is on so many replicas of Redis
  env: Readonly<Record<string, string | undefined>>
  version: string
  log: Log
  reloadOthers(): void // the processes that share this one's work
  setLogLevel(level: Level): void // of this process and of those that share its work
}

export interface App {
  url: string // where it listens
  /** Loads the routing file anew. Rejects with what is wrong with it; then the old one stays in force. */
  reload(): Promise<void>
  /** Stops within 10 s: what is in the air is finished or given back. */
  stop(): Promise<void>
  /** Resolves with why, where it cannot go on: it has to be started anew. */
  broken: Promise<string>
}

/** Of the 10 s that a stop may take: what deliveries get before they are cut off, ms. */
const FINISH_WITHIN = 6000
/** A delivery may still use an adapter of the routing before a reload, ms. */
const CLOSE_AFTER = 60_000
const packageRoot = fileURLToPath(new URL('..', import.meta.url))

/** Starts an engine. Rejects with ConfigError, TemplateError, RedisError or the listener's error. */
export async function startApp(options: AppOptions): Promise<App> {
  const { log, sandbox } = options
  const opened: (() => Promise<unknown> | void)[] = [] // closed in reverse order
  const close = async () => {
    for (const undo of opened.splice(0).reverse()) await within(500, undo())
  }
  try {
    return await start()
  } catch (error) {
    await close()
    throw error
  }

  async function start(): Promise<App> {
    const startedAt = Date.now()
    let reloadFailure: ReloadFailure | undefined
    const metrics = openMetrics(alertmanagerVersion, options.version)
    const tracing = await openTracing(options.env, options.version, (reason) =>
      log.warn({ reason }, 'what is traced cannot be sent'),
    )
    opened.push(() => tracing?.stop())
    const stopping = new AbortController() // takes no more
    const cutOff = new AbortController() // ends what is in the air
    setMaxListeners(0, cutOff.signal) // each delivery in the air listens
    const first = loadFirst() // before anything is opened: a bad file is the likeliest reason not to start
    const web = openWebConfig(options.webConfigFile, options)
    opened.push(() => web.stop())
    refuseToBeOpen(web.current(), options.listen.host, options.allowAnonymous)

    let waitingFor = 'Redis'
    const { server, open: openDoor } = openServer({
      why: () => `Tocsin is starting and waits for ${waitingFor}\n`,
      web: () => web.current(),
      log,
    })
    opened.push(() => void server.close())
    const port = await listen() // senders get their 503 while Redis is away
    const address = await openRedis()
    const redis = storeConnection(address, options.prefix)
    opened.push(() => redis.disconnect())
    const { durability, maxMemory } = await untilUsable(redis, log, (why) => (waitingFor = `Redis: ${why}`))
    metrics.durability.set({ level: durability }, 1)
    if (maxMemory === 0)
      log.warn(
        'Redis has no maxmemory: a flood may use all that the machine has; set it, and alerts are refused before',
      )
    if (durability === 'unknown') {
      log.warn('Redis does not tell its appendfsync: what an accepted alert survives is not known')
    } else if (durability !== 'always') {
      log.warn(
        { durability },
        'an accepted alert may not survive a power cut; set appendonly yes and appendfsync always in Redis',
      )
    }
    const accepting = options.replicaWait.replicas > 0 ? acceptingConnection(address, options.prefix) : redis
    if (accepting !== redis) opened.push(() => accepting.disconnect())
    await usable(accepting)
    const replicated = openReplicaWait(accepting, options.replicaWait)
    const kept = openStore(redis, options.prefix, options.keepResolved, { accepting, replicated })
    await kept.ledger.open()
    const epochs = epochFile(resolve(options.dataDir), nameOfRedis(options.redisUrl ?? 'embedded', options.prefix))
    const epoch = await kept.vitals.epochOr(randomUUID())
    const isStateLost = (epochs.read() ?? epoch) !== epoch
    const clock = openClock({
      redis: () => kept.vitals.time(),
      wall: () => Date.now(),
      mono: () => performance.now(),
    })
    await clock.look()
    const tally = openTally(kept, clock)
    const messages = openKeptMessages(kept)
    opened.push(() => messages.settled())
    const origins = openOrigins({ store: kept, tally, tracing, metrics, clock })
    const store = { ...kept, groups: origins.watching(kept.groups) }
    let giveUp: (why: string) => void = () => {}
    const broken = new Promise<string>((done) => (giveUp = done))
    const adding = storeConnection(address, options.prefix)
    opened.push(() => adding.disconnect())

    const outcomes = openOutcomes(clock)
    const canary = openCanary()
    const queue = openDeliveryQueue({
      channels: [...channels, canaryChannel],
      prefix: store.queuePrefix,
      connection: adding,
      blocking: () => {
        const connection = blockingConnection(address, options.prefix)
        opened.push(() => connection.disconnect())
        return connection
      },
      run: (row, channel, integration) =>
        channel === canaryChannel.name
          ? canary.deliver(row, deps)
          : origins.delivering(row, channel, integration, () =>
              deliver(row, deadlines.get(channel) ?? 0, integration, deps),
            ),
      failed: (channel, err) => log.error({ channel, err }, 'a delivery job failed; the sweep wakes it again'),
      stuck(channel, verdict) {
        log.error({ channel, verdict }, 'a delivery worker takes no jobs although some wait')
        if (verdict === 'hopeless') giveUp(`the delivery worker of ${channel} takes no jobs, nor does a new one`)
      },
    })
    opened.push(() => queue.close())

    let routing = open(
      first ?? load({ starting: true, lastGood: await store.includedBefore(resolve(options.configFile)) }),
    )
    tellFaults(routing.config)
    tellOfRouting(routing, metrics)
    let reloading: Promise<unknown> = Promise.resolve()
    const newId = () => randomUUID()
    const deps: Deps = {
      get routing() {
        return routing
      },
      store,
      queue,
      log,
      metrics,
      events: {
        publish(kind, data) {
          void accountIncident({ kind, data }, deps)
          store.live.publish(kind, data).catch((err: unknown) => log.warn({ kind, err }, 'pages are not told of it'))
        },
      },
      tally,
      messages,
      origins,
      silences: openSilences(store, clock, options.retention, metrics),
      inhibition: openInhibition(store, newId),
      retention: options.retention,
      exact: options.features.exact,
      calmUntil: 0,
      clock,
      random: () => Math.random(),
      newId,
      externalURL: '',
      excused: new Set(),
      stopping: cutOff.signal,
    }
    const presence = openPresence(store, newId(), log)
    opened.push(() => presence.stop())
    metrics.clusterPeer.set({ peer: presence.name }, 1)
    await prepare(routing)
    await bridgeAbsence(deps)
    await store.peers.alive(clock.now())
    if ((await store.configHash()) !== routing.config.hash) await regroup(deps)

    if (isStateLost) {
      sayStateLost(deps)
      await goOnWithoutState(deps)
    }
    const unwritten = epochs.write(epoch)
    if (unwritten)
      log.warn(
        { reason: unwritten },
        'cannot note which data Redis has: that it was lost while no replica ran would go unseen',
      )
    const watch = startWatch(deps, clock, {
      minDurability: options.minDurability,
      epochs,
      epoch,
      whyAway: () => whyAway(redis),
    })
    opened.push(() => watch.stop())

    const timers = startTimers(deps, clock.now() + options.startDelay)
    opened.push(() => timers.stop())
    const comparer = openComparer()
    opened.push(() => comparer.close())
    const routePrefix = trimSlashes(options.routePrefix ?? pathOf(options.externalURL))
    const upAt = clock.now()
    const view = openAlertView(deps)
    const health = () =>
      readHealth({ deps, calls: !sandbox, outcomes, watch, startedAt: upAt, stopping: stopping.signal, configFault })
    const feed = openFeed({ deps, view, health, defaultTeam: () => routing.config.defaultTeam })
    opened.push(() => feed.close())
    metrics.measureBy(openGauges({ deps, view, dataDir: resolve(options.dataDir), listeners: () => feed.listeners }))
    openDoor({
      deps,
      admission: openAdmission(deps, watch, stopping.signal),
      view,
      feed,
      timers,
      presence,
      tracing,
      setLogLevel: options.setLogLevel,
      version: options.version,
      startedAt,
      web: web.current,
      authenticator: authenticator(web.current, {
        store,
        passwords: openPasswords(comparer.compare),
      }),
      routePrefix: routePrefix && `/${routePrefix}`,
      silenceLimits: options.silenceLimits,
      getConcurrency: options.getConcurrency,
      stopping: stopping.signal,
      sandbox,
      webRoot: join(packageRoot, 'dist', 'web'),
      async reload() {
        options.reloadOthers()
        await reload()
      },
      metrics: metricsOfAll(metrics.registry),
      reloadFailure: () => reloadFailure,
      health,
      notReady,
    })
    web.watch({ changed: takeIn, failed: tellBadWebConfig })
    const scheme = web.current().tls ? 'https' : 'http'
    deps.externalURL = (options.externalURL ?? `${scheme}://${hostname()}:${port}`).replace(/\/+$/, '')
    await presence.announce({ address: `${options.listen.host ?? ownAddress()}:${port}` })
    queue.start()
    loadChannels(routing)
    const selfWatch = startSelfWatch(deps, { canary, call: sandbox ? undefined : callHeartbeat })
    opened.push(() => selfWatch.stop())
    if (sandbox && routing.config.heartbeat) log.info('nothing leaves the sandbox: the heartbeat is not sent')
    if (routing.config.faults.length === 0) metrics.reloadedAt.setToCurrentTime()
    const gauges = setInterval(() => void measure(), 5000).unref()
    const url = `${scheme}://${hostInUrl(options.listen.host ?? 'localhost')}:${port}${routePrefix && `/${routePrefix}`}`
    log.info({ url, sandbox, config: options.configFile, durability }, 'Tocsin is up')
    return { url, reload, stop: once(stop), broken }

    /** What changed in the web config's files, where that can be done while they are in use. Throws where not. */
    function takeIn(next: WebConfig, before: WebConfig): void {
      refuseToChange(next, before)
      if (next.tls && server instanceof TlsServer) server.setSecureContext(next.tls.context)
      log.info({ file: options.webConfigFile }, 'the web config file was loaded')
    }

    function tellBadWebConfig(error: unknown): void {
      log.error({ err: error }, 'the web config file was not loaded; the old one stays in force')
    }

    function open(loaded: Routing['config']): Routing {
      const opening = openRouting(canary.into(loaded), builtinTemplates(), (id, notifier) => {
        const integration = loaded.integrations.get(id)
        if (!integration) return notifier
        const { channel } = integration
        if (!sandbox) return outcomes.watching(id, channel, origins.sending(channel, notifier))
        const shown = inbox(notifier, channel, async (entry) => {
          await store.inbox.add(entry)
          deps.events.publish('inbox', entry)
        })
        return outcomes.watching(id, channel, origins.sending(channel, shown))
      })
      for (const { file, line, column, path, message } of loaded.warnings)
        log.warn({ at: `${file}:${line}:${column}`, path }, message)
      for (const line of rehearse(loaded, opening.templates, Date.now())) log.warn(line)
      return opening
    }

    /** So that the first page does not wait for it. */
    function loadChannels({ config }: Routing): void {
      if (sandbox) return
      const used = new Set([...config.integrations.values()].map(({ channel }) => channel))
      for (const { name, load: loadOne } of channels)
        if (used.has(name))
          loadOne().catch((err: unknown) => log.error({ err, channel: name }, 'a channel cannot be loaded'))
    }

    /** Before its first use: the other replicas are to know of its inhibitions, and who is a source is to be known. */
    async function prepare(next: Routing): Promise<void> {
      await presence.announce({ rules: next.config.inhibitRules.map(({ id }) => id) })
      await deps.inhibition.prepare(next)
    }

    /** One after the other: a slow one must not write down an older config than is in force. */
    function reload(): Promise<void> {
      const next = reloading.then(loadAnew)
      reloading = next.catch(() => {})
      return next
    }

    async function loadAnew(): Promise<void> {
      try {
        const before = routing
        // all that can fail has not touched what runs
        const next = open(load({ lastGood: before.config.included }))
        await prepare(next)
        routing = next
        loadChannels(routing)
        tellOfRouting(routing, metrics)
        closeLater(before.adapters) // and let go of the rest: a routing is large, and reloads may be many
        if (before.config.hash !== routing.config.hash) await regroupSoon(routing)
      } catch (error) {
        metrics.reloadSuccessful.set(0)
        reloadFailure = failureOf(error, Date.now())
        deps.events.publish('reload', { ok: false })
        log.error({ err: error }, 'the routing file was not loaded; the old one stays in force')
        throw error
      }
      const { faults, heldBack } = routing.config
      tellFaults(routing.config)
      deps.events.publish('reload', { ok: faults.length === 0 })
      if (faults.length > 0) {
        const became = [...heldBack].map(([file, what]) => `${file} is ${what}`).join(', ')
        throw new ConfigError(faults, [...heldBack.keys()], `everything else was loaded, but ${became}`)
      }
      metrics.reloadedAt.setToCurrentTime()
      log.info({ config: options.configFile }, 'the routing file was loaded')
    }

    /** A mistake in a team's file leaves that team what it had; it is told until it is mended. */
    function tellFaults({ faults, heldBack }: Routing['config']): void {
      reloadFailure = undefined
      metrics.reloadSuccessful.set(faults.length === 0 ? 1 : 0)
      for (const { file, line, column, path, message } of faults)
        log.error({ at: `${file}:${line}:${column}`, path }, `${message}; the file is ${heldBack.get(file)}`)
    }

    /** Why what is in force is not the routing file as it stands there; the log says what is wrong with it. */
    function configFault(): string | undefined {
      if (reloadFailure)
        return `the routing file could not be loaded at ${reloadFailure.at}; the old one stays in force`
      const [fault] = routing.config.faults
      return fault && `${fault.file} is ${routing.config.heldBack.get(fault.file)}: something is wrong with it`
    }

    /** Tries at once, and again each second where Redis is away, until it is done or another routing is in force. */
    async function regroupSoon(of: Routing): Promise<void> {
      await regroup(deps).catch((err: unknown) => {
        log.error({ err }, 'alerts could not be given their groups under the new routing; trying again')
        setTimeout(() => {
          const isInForce = routing.config.hash === of.config.hash
          if (isInForce && !stopping.signal.aborted) void regroupSoon(of)
        }, 1000).unref()
      })
    }

    async function notReady(): Promise<string | undefined> {
      if (stopping.signal.aborted) return 'Tocsin is stopping'
      return store.probe().then(
        () => watch.notReady(),
        (error: unknown) => faultOf(whyAway(redis) ?? error).message,
      )
    }

    async function measure(): Promise<void> {
      const lines = await queue.look().catch(() => new Map<string, Line>())
      for (const [channel, { jobs, idleFor }] of lines) {
        metrics.queueJobs.set({ channel }, jobs)
        metrics.workerProgress.set({ channel }, (Date.now() - idleFor) / 1000)
      }
      const backlog = await store.health.backlog().catch(() => undefined)
      for (const { name: channel } of backlog ? channels : []) {
        const oldest = backlog?.channels.get(channel)?.oldest ?? clock.now()
        metrics.owedOldest.set({ channel }, Math.max(0, clock.now() - oldest) / 1000)
      }
    }

    function listen(): Promise<number> {
      return new Promise((done, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) =>
          reject(new Error(whyNotListening(error), { cause: error })),
        )
        server.listen(options.listen.port, options.listen.host, () => done((server.address() as AddressInfo).port))
      })
    }

    function whyNotListening(error: NodeJS.ErrnoException): string {
      const where = `${options.listen.host ?? ''}:${options.listen.port}`
      if (error.code === 'EADDRINUSE') {
        return `${where} is taken by another program; stop it or choose another with --web.listen-address=${options.listen.host ?? ''}:PORT`
      }
      if (error.code === 'EACCES') return `${where} needs rights that this user lacks; choose a port above 1023`
      return `cannot listen on ${where}: ${error.message}`
    }

    async function stop(): Promise<void> {
      log.info('stopping: finishing what is in the air')
      stopping.abort()
      clearInterval(gauges)
      const deadline = setTimeout(() => cutOff.abort(), FINISH_WITHIN)
      const closed = new Promise((done) => server.close(done))
      server.closeIdleConnections()
      // what is cut off has a moment to be written down; with Redis away there is nothing to wait for
      await within(FINISH_WITHIN + 1000, Promise.all([selfWatch.stop(), timers.stop(), queue.drain()]))
      clearTimeout(deadline)
      server.closeAllConnections()
      await closed
      closeAll(routing.adapters)
      await close()
      log.info('stopped')
    }
  }

  function load(how: Pick<LoadOptions<Notifier>, 'starting' | 'lastGood'>): Routing['config'] {
    const { configFile: file, env, features } = options
    return loadConfig<Notifier>(file, { ...how, env, sandbox, channels, matcherMode: features.matcherMode })
  }

  /** The config; undefined where a mistake may be that of an included file, of which Redis knows what it last said. */
  function loadFirst(): Routing['config'] | undefined {
    try {
      return load({})
    } catch (error) {
      if (error instanceof ConfigError && error.included.length > 0) return undefined
      throw error
    }
  }

  async function openRedis(): Promise<string> {
    if (options.redisUrl) return options.redisUrl
    const embedded = await openEmbedded(options.dataDir, (reason) => log.error(reason))
    opened.push(() => embedded.stop())
    log.info({ socket: embedded.socket, adopted: embedded.adopted }, 'embedded Redis is up')
    return embedded.socket
  }
}

const deadlines = new Map<string, number>(channels.map(({ name, deadline }) => [name, deadline]))

/** Waits for the end of something, but so many ms at the most. */
async function within(ms: number, ending: Promise<unknown> | void): Promise<void> {
  const enough = new AbortController()
  await Promise.race([ending, sleep(ms, undefined, { signal: enough.signal }).catch(() => {})])
  enough.abort()
}

function pathOf(url: string | undefined): string {
  return url === undefined ? '' : new URL(url).pathname
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, '')
}

/** The address under which others reach this machine, as far as it knows itself. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const outward = addresses.find(({ internal, family }) => !internal && family === 'IPv4') ?? addresses[0]
  return outward?.address ?? hostname()
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => (running ??= run())
}

/** How often it is said what a start waits for, ms. */
const TELL_EVERY = 10_000

/** Waits for Redis for as long as it takes, and looks whether it can be trusted. Rejects with RedisError where it cannot. */
async function untilUsable(redis: Connection, log: Log, tell: (why: string) => void) {
  let toldAt = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      await usable(redis)
      return await checkRedis(redis)
    } catch (error) {
      if (error instanceof RedisError) throw error
      const { message } = faultOf(whyAway(redis) ?? error)
      tell(message)
      if (performance.now() - toldAt > TELL_EVERY) {
        toldAt = performance.now()
        log.error({ err: whyAway(redis) ?? error }, `${message}; waiting for it. Is REDIS_URL right?`)
      }
      await sleep(200)
    }
  }
}

/** Resolves once a connection can be used; rejects where it is away after a second. */
async function usable(redis: Connection): Promise<void> {
  for (const end = performance.now() + 1000; redis.status !== 'ready'; await sleep(10)) {
    if (performance.now() > end) throw new Error('Connection is closed.')
  }
}

type Connection = ReturnType<typeof storeConnection>

function closeAll(adapters: ReadonlyMap<string, Notifier>): void {
  for (const adapter of adapters.values()) adapter.close?.()
}

function closeLater(adapters: ReadonlyMap<string, Notifier>): void {
  setTimeout(() => closeAll(adapters), CLOSE_AFTER).unref()
}
