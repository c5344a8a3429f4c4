import { type AppOptions, startApp } from './app.ts'
import { humanLines, openLog } from './record/log.ts'
import { hear, isWorker, lead, say } from './workers.ts'

export type ServeOptions = Omit<AppOptions, 'listen' | 'log' | 'reloadOthers' | 'setLogLevel'> & {
  listenAddress: string
  logLevel: string
  logFormat: 'human' | 'json'
  idleFlags: readonly string[] // given, and without a meaning here
  workers: number // processes that share the work
}

/** Runs an engine until SIGTERM or SIGINT; SIGHUP loads the routing file anew, SIGUSR2 switches the log to debug and back. Resolves to the exit code. */
export async function serve({
  listenAddress,
  logLevel,
  logFormat,
  idleFlags,
  workers,
  ...options
}: ServeOptions): Promise<number> {
  const { stdout } = process
  const terminal = logFormat === 'human' ? humanLines((text) => stdout.write(text), stdout.isTTY) : undefined
  const log = openLog(logLevel, terminal)
  if (workers > 1 && !isWorker) return lead({ workers, log, ...options })
  if (idleFlags.length > 0)
    log.warn(
      { flags: idleFlags },
      'these flags change nothing: replicas share their Redis, which needs no gossip and no maintenance',
    )
  const listen = parseListenAddress(listenAddress)
  if (!listen) {
    log.fatal(
      `--web.listen-address: ${JSON.stringify(listenAddress)} is no address; write it as :9093 or 127.0.0.1:9093`,
    )
    return 1
  }
  process.on('uncaughtException', (err) => {
    log.fatal({ err, stack: err.stack }, 'a bug; stopping at once, for the next start to go on from what Redis holds')
    process.exit(1)
  })
  const asked = new Promise((stop) => {
    // for as long as it takes: npm sends a signal twice, and the second must not end what the first has begun; one that
    // comes while it starts counts as soon as it is up
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
  let reload: (() => void) | undefined
  let isReloadAsked = false
  process.on('SIGHUP', () => {
    if (reload) reload()
    else isReloadAsked = true // while it starts, from a file that may be read already
  })
  process.on('SIGUSR2', () => {
    log.level = log.level === 'debug' ? logLevel : 'debug'
    log.warn({ level: log.level }, 'the log level is changed, by SIGUSR2')
  })
  hear((word) => {
    if (word.kind === 'tocsin log level') log.level = word.level
  })
  try {
    const stopped = asked.then(() => 'stopped' as const)
    const app = await Promise.race([
      startApp({
        ...options,
        listen,
        log,
        reloadOthers: () => say({ kind: 'tocsin reload' }),
        setLogLevel(level) {
          log.level = level
          say({ kind: 'tocsin log level', level })
        },
      }),
      stopped,
    ])
    if (app === 'stopped') return 0 // it waited for Redis, and has taken nothing
    say({ kind: 'tocsin up' })
    reload = () => void app.reload().catch(() => {}) // it has said why
    if (isReloadAsked) reload()
    const why = await Promise.race([app.broken, stopped])
    if (why !== 'stopped') {
      log.fatal(`${why}; stopping, to be started anew`)
      return 1
    }
    await app.stop()
    return 0
  } catch (err) {
    log.fatal({ err }, 'Tocsin cannot run')
    return 1
  }
}

/** `:9093`, `127.0.0.1:9093`, `[::1]:9093`; undefined for what is none. No host means all addresses. */
export function parseListenAddress(address: string): AppOptions['listen'] | undefined {
  const found = /^(\[[^\]]+\]|[^:[\]]*):(\d{1,5})$/.exec(address)
  const port = Number(found?.[2])
  if (!found || port > 65_535) return undefined
  return { host: found[1]?.replace(/^\[|\]$/g, '') || undefined, port }
}
