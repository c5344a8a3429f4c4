import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Level, Log } from './record/log.ts'
import { answerForMetrics } from './record/shared-metrics.ts'
import { openEmbedded } from './store/embedded.ts'

/** After a worker's end: the first pause before the next one, and the longest, ms. */
const PAUSE = 1000
const LONGEST_PAUSE = 30_000
/** One that has run for so long has not failed at its start, ms. */
const HEALTHY = 60_000

export interface LeadOptions {
  workers: number
  redisUrl: string | undefined // undefined: an embedded Redis under `dataDir`
  dataDir: string
  log: Log
}

/** What a worker says to the process that leads it. */
export type Word = { kind: 'tocsin up' } | { kind: 'tocsin reload' } | { kind: 'tocsin log level'; level: Level }

/** Whether this process is a worker that another leads. */
export const isWorker = cluster.isWorker

/** Says it to the process that leads this one, if any. */
export function say(word: Word): void {
  process.send?.(word)
}

/** What the process that leads this one says to all of them. */
export function hear(heard: (word: Word) => void): void {
  process.on('message', (word: Word) => heard(word))
}

/**
 * Runs so many engines that share a port and a Redis, each a replica of its own, and starts another for each that ends. SIGTERM
 * and SIGINT stop all, SIGHUP and a reload that one of them was asked for reload all, as SIGUSR2 and
 * a log level go to all. Resolves to the exit code.
 */
export async function lead({ workers, redisUrl, dataDir, log }: LeadOptions): Promise<number> {
  const embedded = redisUrl === undefined ? await openEmbedded(dataDir, (reason) => log.error(reason)) : undefined
  if (embedded) process.env['REDIS_URL'] = embedded.socket
  cluster.setupPrimary({ serialization: 'advanced' }) // JSON has no NaN, which is what a gauge says that knows nothing
  answerForMetrics()
  const stopping = new AbortController()
  const stop = () => {
    stopping.abort()
    signalAll('SIGTERM')
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', () => signalAll('SIGHUP'))
  process.on('SIGUSR2', () => signalAll('SIGUSR2'))
  try {
    // one first: what is wrong with a file is said once
    const first = run(log, stopping.signal)
    const why = await first.upOrEnded
    if (why !== undefined) return why
    const others = Array.from({ length: workers - 1 }, () => run(log, stopping.signal))
    await Promise.all([first, ...others].map(({ ended }) => ended))
    return 0
  } finally {
    await embedded?.stop()
  }
}

function signalAll(signal: NodeJS.Signals, besides?: Worker): void {
  for (const worker of Object.values(cluster.workers ?? {}))
    if (worker && worker !== besides) worker.process.kill(signal)
}

function tellAll(word: Word): void {
  for (const worker of Object.values(cluster.workers ?? {})) if (worker?.isConnected()) worker.send(word)
}

/**
 * Keeps one worker running. `upOrEnded` resolves once it is up, or with the exit code where it ended before: then there is no other.
 * `ended` resolves once it has ended and no other is started.
 */
function run(log: Log, stopping: AbortSignal): { upOrEnded: Promise<number | undefined>; ended: Promise<void> } {
  let settle: (code: number | undefined) => void = () => {}
  const upOrEnded = new Promise<number | undefined>((done) => (settle = done))
  async function keep(): Promise<void> {
    const isFirst = Object.keys(cluster.workers ?? {}).length === 0
    let wasUp = !isFirst // what is wrong with the file is for the first to say
    for (let pause = PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const startedAt = performance.now()
      const worker = cluster.fork()
      worker.on('message', (word: Word) => {
        if (word.kind === 'tocsin up') {
          wasUp = true
          settle(undefined)
        } else if (word.kind === 'tocsin reload') signalAll('SIGHUP', worker)
        else if (word.kind === 'tocsin log level') tellAll(word)
      })
      const [code] = (await once(worker, 'exit')) as [number | null]
      settle(code ?? 1)
      if (stopping.aborted || !wasUp) return
      if (performance.now() - startedAt > HEALTHY) pause = PAUSE
      log.error({ worker: worker.process.pid, code, pause }, 'a worker ended; another is started')
      await sleep(pause, undefined, { signal: stopping }).catch(() => {})
      if (stopping.aborted) return
    }
  }
  return { upOrEnded, ended: keep() }
}
