#!/usr/bin/env node
import { AssertionError } from 'node:assert'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { text as read } from 'node:stream/consumers'
import { Command, InvalidArgumentError, Option } from 'commander'

const version: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
const program = new Command('tocsin').description('Alertmanager-compatible alert routing on Redis').version(version)
const { stdin, stdout, stderr, env } = process

/** Flags of Alertmanager that a service file may hold and that have no meaning here. */
const idleFlags = [
  'cluster.listen-address',
  'cluster.advertise-address',
  'cluster.peer',
  'cluster.peer-timeout',
  'cluster.peers-resolve-timeout',
  'cluster.gossip-interval',
  'cluster.pushpull-interval',
  'cluster.tcp-timeout',
  'cluster.probe-timeout',
  'cluster.probe-interval',
  'cluster.settle-timeout',
  'cluster.reconnect-interval',
  'cluster.reconnect-timeout',
  'cluster.label',
  'data.maintenance-interval',
  'dispatch.maintenance-interval',
]

/** What an action gets: commander's names in camel case, `config.file` as `config.file`. */
type Options = Readonly<Record<string, string | number | boolean | string[] | undefined>>

const configFile = () => new Option('--config.file <file>', 'the routing file').default('routing/tocsin.yml')
const features = () =>
  new Option(
    '--enable-feature <names>',
    'features, comma separated: classic-mode, utf8-strict-mode, alertmanager-exact',
  ).default('')
const sandbox = () => new Option('--sandbox', 'stand in for variables that are not set').default(false)

const redisUrl = () =>
  new Option(
    '--redis.url <url>',
    'Redis to use: redis://, redis+sentinel://, redis+cluster:// or a Unix socket; without one, an embedded Redis',
  ).env('REDIS_URL')
const redisPrefix = () => new Option('--redis.prefix <name>', 'prefix of all keys in Redis').default('tocsin')
const storagePath = () => new Option('--storage.path <folder>', 'data of the embedded Redis').default('data')

// what a command needs is imported when it runs: the CLI answers in a fraction of a second
const serveCommand = program
  .command('serve')
  .description('run the engine')
  .addOption(configFile())
  .addOption(
    new Option('--web.listen-address <address>', 'where to listen; default :9093, with --sandbox 127.0.0.1:9093'),
  )
  .addOption(
    new Option(
      '--web.config.file <file>',
      'who may call, and TLS: in the format of Alertmanager and its exporter-toolkit',
    ),
  )
  .addOption(
    new Option('--web.allow-anonymous', 'listen off this machine although nobody has to say who they are').default(
      false,
    ),
  )
  .addOption(new Option('--web.external-url <url>', 'the URL under which people reach Tocsin'))
  .addOption(new Option('--web.route-prefix <path>', "prefix of all paths; default the external URL's path"))
  .addOption(
    new Option(
      '--web.get-concurrency <number>',
      'how many GETs of API v2 are answered at once, more get 503; 0: 8, or as many as there are processors',
    )
      .default(0)
      .argParser(wholeNumber),
  )
  .addOption(
    new Option('--workers <number>', 'how many processes share the port and the work, each a replica of its own')
      .default(1)
      .argParser(atLeastOne),
  )
  .addOption(redisUrl())
  .addOption(redisPrefix())
  .addOption(
    new Option(
      '--redis.min-durability <level>',
      'what an accepted alert must survive; with less in Redis, this replica is not ready and takes no alerts',
    )
      .choices(['none', 'everysec', 'always'])
      .default('none'),
  )
  .addOption(
    new Option('--redis.wait-replicas <number>', 'how many replicas of Redis must have an alert before it is accepted')
      .default(0)
      .argParser(wholeNumber),
  )
  .addOption(
    new Option(
      '--redis.wait-timeout <duration>',
      'how long they get for it, at most 1500ms; then the answer is 503',
    ).default('300ms'),
  )
  .addOption(storagePath())
  .addOption(
    new Option('--data.retention <duration>', 'how long ended silences and the notification log are kept').default(
      '120h',
    ),
  )
  .addOption(new Option('--alerts.gc-interval <duration>', 'how long resolved alerts are kept').default('30m'))
  .addOption(
    new Option('--dispatch.start-delay <duration>', 'how long after the start nobody is told yet').default('0s'),
  )
  .addOption(
    new Option(
      '--silences.max-silences <number>',
      'how many silences there may be, expired ones included; 0: any number',
    )
      .default(0)
      .argParser(wholeNumber),
  )
  .addOption(
    new Option('--silences.max-silence-size-bytes <number>', 'how large a silence may be; 0: any size')
      .default(0)
      .argParser(wholeNumber),
  )
  .addOption(
    new Option('--log.level <level>', 'what to log').choices(['debug', 'info', 'warn', 'error']).default('info'),
  )
  .addOption(
    new Option(
      '--log.format <format>',
      'how: JSON, an object a line, or for people; human on a terminal, else json. logfmt, which Alertmanager has, is json here',
    ).choices(['human', 'json', 'logfmt']),
  )
  .addOption(features())
  .addOption(new Option('--sandbox', 'deliver to the built-in inbox instead of the world').default(false))
  .action(async (options: Options) => {
    const [{ serve }, isRedis] = await Promise.all([import('./serve.ts'), isRedisAddress(options)])
    if (!isRedis) return
    const isSandbox = options['sandbox'] === true
    const externalURL = text(options['web.externalUrl'])
    if (externalURL !== undefined && !/^https?:\/\/[^/]/.test(externalURL))
      return fail(`--web.external-url: ${JSON.stringify(externalURL)} is no URL; write it as https://host/path`)
    const [retention, keepResolved, startDelay, waitTimeout] = await Promise.all([
      duration(options['data.retention'], 'data.retention'),
      duration(options['alerts.gcInterval'], 'alerts.gc-interval'),
      duration(options['dispatch.startDelay'], 'dispatch.start-delay'),
      duration(options['redis.waitTimeout'], 'redis.wait-timeout'),
    ])
    if (retention === undefined || keepResolved === undefined || startDelay === undefined) return
    if (waitTimeout === undefined) return
    if (waitTimeout < 1 || waitTimeout > 1500)
      return fail('--redis.wait-timeout: it must be 1ms to 1500ms, so that a sender has its answer in time')
    const exitCode = await serve({
      configFile: text(options['config.file']) ?? '',
      listenAddress: text(options['web.listenAddress']) ?? (isSandbox ? '127.0.0.1:9093' : ':9093'),
      externalURL,
      webConfigFile: text(options['web.config.file']),
      allowAnonymous: options['web.allowAnonymous'] === true,
      redisUrl: text(options['redis.url']),
      prefix: text(options['redis.prefix']) ?? '',
      dataDir: text(options['storage.path']) ?? '',
      logLevel: text(options['log.level']) ?? '',
      logFormat: logFormat(options['log.format']),
      sandbox: isSandbox,
      workers: Number(options['workers']),
      env,
      version,
      retention,
      keepResolved,
      startDelay,
      minDurability: minDurability(options['redis.minDurability']),
      replicaWait: { replicas: Number(options['redis.waitReplicas']), timeout: waitTimeout },
      routePrefix: text(options['web.routePrefix']),
      getConcurrency: Number(options['web.getConcurrency']) || Math.max(8, availableParallelism()),
      silenceLimits: {
        count: Number(options['silences.maxSilences']),
        size: Number(options['silences.maxSilenceSizeBytes']),
      },
      features: await featuresOf(options),
      idleFlags: idleFlags.filter(
        (flag) => options[flag.replace(/-(.)/g, (_all, letter: string) => letter.toUpperCase())] !== undefined,
      ),
    })
    process.exit(exitCode) // a channel's idle connection is no reason to stay
  })

for (const flag of idleFlags) serveCommand.addOption(new Option(`--${flag} <value>`).hideHelp())

program
  .command('check-config')
  .description('check routing files, with their templates, without using them')
  .argument('[files...]', 'without any, standard input')
  .addOption(features())
  .addOption(sandbox())
  .action(async (files: string[], options: Options) => {
    const { checkConfig } = await import('./command/check-config.ts')
    const given = files.length > 0 ? {} : { text: await read(stdin) }
    process.exitCode = checkConfig(files.length > 0 ? files : ['/dev/stdin'], {
      ...(await loadOptions(options)),
      ...given,
      stdout,
      stderr,
      at: Date.now(),
    })
  })

const config = program.command('config').description('look at a routing file')

config
  .command('show')
  .description("print the file as Alertmanager's status does: in its language, with defaults, without secrets")
  .addOption(configFile())
  .addOption(
    new Option(
      '--expanded',
      "what it all comes to, Tocsin's own keys too; loads again, without incident, priority, default, deadline, fallback, on_unconfirmed, reopen_within and budgets",
    ).default(false),
  )
  .addOption(features())
  .addOption(sandbox())
  .action(async (options: Options) => {
    const { printConfig } = await import('./config/show/print.ts')
    const loaded = await load(options)
    if (loaded) stdout.write(printConfig(loaded.printable, options['expanded'] === true ? 'Tocsin' : 'Alertmanager'))
  })

const routes = config.command('routes').description('the routing tree (show is the default)')
routes
  .command('show', { isDefault: true })
  .description('draw the routing tree')
  .addOption(configFile())
  .addOption(features())
  .addOption(sandbox())
  .action(async (options: Options) => {
    const { showRoutes } = await import('./command/routes.ts')
    const loaded = await load(options)
    if (loaded) showRoutes(loaded.route, stdout)
  })
routes
  .command('test')
  .description('print the receivers of a label set, comma separated')
  .argument('[labels...]', 'name=value each')
  .addOption(configFile())
  .addOption(new Option('--verify.receivers <names>', 'fail where the receivers are not these').default(''))
  .addOption(new Option('--tree', 'draw the routes that match, too').default(false))
  .addOption(new Option('--batch', 'read label sets from standard input, a JSON map a line').default(false))
  .addOption(features())
  .addOption(sandbox())
  .action(async (labels: string[], options: Options) => {
    const { testRoutes, testRoutesBatch } = await import('./command/routes.ts')
    const loaded = await load(options)
    if (!loaded) return
    const { route } = loaded
    if (options['batch'] === true) {
      if (labels.length > 0 || options['tree'] === true || text(options['verify.receivers']))
        return fail('--batch takes its labels from standard input, and neither --tree nor --verify.receivers')
      process.exitCode = await testRoutesBatch(route, stdin, { stdout, stderr })
      return
    }
    process.exitCode = testRoutes({
      route,
      mode: (await featuresOf(options)).matcherMode,
      labels,
      verifyReceivers: text(options['verify.receivers']) ?? '',
      tree: options['tree'] === true,
      stdout,
      stderr,
    })
  })

program
  .command('template')
  .description('work with templates')
  .command('render')
  .description('render a template over the data of a notification')
  .addOption(new Option('--config.file <file>', 'a routing file whose templates are known'))
  .addOption(
    new Option('--template.glob <glob>', 'files of definitions; may be given again')
      .argParser((glob: string, before: string[]) => [...before, glob])
      .default([]),
  )
  .addOption(new Option('--template.text <text>', 'the template'))
  .addOption(new Option('--template.type <type>', 'how it is escaped').choices(['text', 'html']).default('text'))
  .addOption(new Option('--template.data <file>', 'the data as JSON; without it, made-up alerts').default(''))
  .addOption(new Option('--batch', 'read {"text","data"?} from standard input, one a line').default(false))
  .addOption(features())
  .addOption(sandbox())
  .action(async (options: Options) => {
    const isBatch = options['batch'] === true
    const given = options['template.text']
    if (!isBatch && typeof given !== 'string') return fail('--template.text is required, or --batch')
    const { templateRender } = await import('./command/template-render.ts')
    const loaded = options['config.file'] === undefined ? { templates: [] } : await load(options)
    if (!loaded) return
    const globs = options['template.glob']
    process.exitCode = await templateRender({
      templates: loaded.templates,
      globs: Array.isArray(globs) ? globs : [],
      dataFile: text(options['template.data']) ?? '',
      type: options['template.type'] === 'html' ? 'html' : 'text',
      text: isBatch || typeof given !== 'string' ? undefined : given,
      stdin,
      stdout,
      stderr,
      at: Date.now(),
    })
  })

program
  .command('matchers')
  .description('work with matchers')
  .command('parse')
  .description('say what matchers mean, as JSON')
  .argument('[texts...]', 'matchers')
  .addOption(new Option('--batch', 'read JSON texts from standard input, one a line').default(false))
  .addOption(features())
  .action(async (texts: string[], options: Options) => {
    const { matchersParse } = await import('./command/matchers-parse.ts')
    if (texts.length === 0 && options['batch'] !== true) return fail('give matchers, or --batch')
    const { matcherMode: mode } = await featuresOf(options)
    process.exitCode = await matchersParse({ texts, mode, stdin, stdout, stderr })
  })

program
  .command('audit')
  .description('add up what was taken and what became of it, from Redis; fails where something is missing')
  .addOption(redisUrl())
  .addOption(redisPrefix())
  .addOption(storagePath())
  .action(async (options: Options) => {
    const [{ audit }, isRedis] = await Promise.all([import('./command/audit.ts'), isRedisAddress(options)])
    if (!isRedis) return
    process.exitCode = await audit({
      redisUrl: text(options['redis.url']),
      prefix: text(options['redis.prefix']) ?? '',
      dataDir: text(options['storage.path']) ?? '',
      at: Date.now(),
      stdout,
    })
  })

const engineUrl = () =>
  new Option('--url <url>', 'where the engine is; with user:password@ where it asks for one').default(
    'http://127.0.0.1:9093',
  )
const deadletter = program.command('deadletter').description('notifications that were given up')
deadletter
  .command('list')
  .description('what was given up, why, and what to do about it')
  .addOption(engineUrl())
  .action(async ({ url }: { url: string }) => {
    const { listDeadLetters } = await import('./command/dead-letter.ts')
    process.exitCode = await listDeadLetters({ url, stdout, stderr })
  })
deadletter
  .command('show')
  .description('one of them, whole')
  .argument('<id>')
  .addOption(engineUrl())
  .action(async (id: string, { url }: { url: string }) => {
    const { showDeadLetter } = await import('./command/dead-letter.ts')
    process.exitCode = await showDeadLetter(id, { url, stdout, stderr })
  })
deadletter
  .command('retry')
  .description('send some again, with what is true now; each goes out once')
  .argument('[ids...]')
  .addOption(new Option('--all', 'send all again').default(false))
  .addOption(engineUrl())
  .action(async (ids: string[], { url, all }: { url: string; all: boolean }) => {
    if (all === ids.length > 0) return fail('give ids, or --all')
    const { retryDeadLetters } = await import('./command/dead-letter.ts')
    process.exitCode = await retryDeadLetters(all ? 'all' : ids, { url, stdout, stderr })
  })

const window = () => new Option('--window <duration>', 'how far back to look, up to 1w').default('24h')
program
  .command('patterns')
  .description('what alerts came in and which deliveries failed: types, services, hours, and unusual minutes')
  .addOption(engineUrl())
  .addOption(window())
  .action(async (options: { url: string; window: string }) => {
    const { showPatterns } = await import('./command/insights.ts')
    process.exitCode = await showPatterns({ ...options, stdout })
  })
program
  .command('kpis')
  .description('how the engine does, against its targets')
  .addOption(engineUrl())
  .addOption(window())
  .action(async (options: { url: string; window: string }) => {
    const { showKpis } = await import('./command/insights.ts')
    process.exitCode = await showKpis({ ...options, stdout })
  })

program
  .command('demo')
  .description('play a two-minute story of alerts to an engine that runs')
  .addOption(new Option('--url <url>', 'where the engine is').default('http://127.0.0.1:9093'))
  .addOption(new Option('--pace <factor>', 'how long the pauses are; 1 takes two minutes').default('1'))
  .action(async (options: { url: string; pace: string }) => {
    const { demo } = await import('./command/demo.ts')
    process.exitCode = await demo({ url: options.url, pace: Number(options.pace), stdout })
  })

// who reads no more, as `| head -1`, wants no more
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    if (stream === stdout) fail(error.message)
    process.exit(1)
  })
}
try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof Error) || isBug(error)) throw error
  fail(error.message)
}

/** What no command expects; its stack says where to mend it. A failed fetch is a TypeError with a cause. */
function isBug(error: Error): boolean {
  return [TypeError, RangeError, ReferenceError, AssertionError].some((kind) => error instanceof kind) && !error.cause
}

function wholeNumber(given: string): number {
  if (!/^\d{1,15}$/.test(given)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(given)
}

function atLeastOne(given: string): number {
  const number = wholeNumber(given)
  if (number < 1 || number > 1024) throw new InvalidArgumentError('It must be 1 to 1024.')
  return number
}

/** The flag takes these words only. */
function minDurability(given: Options[string]): 'none' | 'everysec' | 'always' {
  return given === 'always' || given === 'everysec' ? given : 'none'
}

function logFormat(given: Options[string]): 'human' | 'json' {
  if (given === undefined) return stdout.isTTY ? 'human' : 'json'
  return given === 'human' ? 'human' : 'json'
}

function text(value: Options[string]): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A duration in ms; undefined where it is none, which was said then. */
async function duration(given: Options[string], flag: string): Promise<number | undefined> {
  const { parseDuration } = await import('./model/duration.ts')
  const ms = parseDuration(text(given) ?? '')
  if (ms === undefined) fail(`--${flag}: ${JSON.stringify(given)} is no duration; write it as 30s, 5m or 1h30m`)
  return ms
}

function fail(message: string): void {
  stderr.write(`tocsin: error: ${message}\n`)
  process.exitCode = 1
}

/** Whether the address of Redis is none or a good one; else it was said what is wrong. */
async function isRedisAddress(options: Options): Promise<boolean> {
  const { whyNoRedis } = await import('./store/address.ts')
  const why = whyNoRedis(text(options['redis.url']) ?? '/')
  if (why !== undefined) fail(`--redis.url or REDIS_URL: it ${why}`)
  return why === undefined
}

async function featuresOf(options: Options) {
  const { parseFeatures } = await import('./config/features.ts')
  try {
    return parseFeatures(text(options['enableFeature']) ?? '')
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
    process.exit()
  }
}

async function loadOptions(options: Options) {
  const { channels } = await import('./notify/index.ts')
  const { matcherMode } = await featuresOf(options)
  return { channels, env, sandbox: options['sandbox'] === true, matcherMode }
}

/** The routing file of a command; undefined where it is bad, which was said then. */
async function load(options: Options) {
  const { ConfigError } = await import('./config/error.ts')
  const { loadConfig } = await import('./config/load.ts')
  try {
    return loadConfig(text(options['config.file']) ?? '', await loadOptions(options))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    stderr.write(`${error.message}\n`)
    process.exitCode = 1
    return undefined
  }
}
