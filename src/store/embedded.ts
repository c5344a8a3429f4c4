import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'

/** Redis cannot be used, and what to do about it. */
export class RedisError extends Error {
  override readonly name = 'RedisError'
}

export interface EmbeddedRedis {
  socket: string
  adopted: boolean // it was running already: an engine that crashed had started it
  /** Stops the server, unless another engine uses it. */
  stop(): Promise<void>
}

/** Unix socket paths end at 107 bytes on Linux and 103 on macOS. */
const LONGEST_SOCKET = 100
const LEAVING = 2000 // ms: our own connections, one that was still being made among them, are gone by then
const START_PATIENCE = 30_000 // ms: a large append-only file takes its time to load
const BINARIES = ['redis-server', 'valkey-server']

/**
 * Redis (or Valkey) as a child of ours on a private socket, its append-only file under `directory`.
 * It outlives an engine that is killed: the next start adopts it, and never are there two servers on one
 * file. Throws RedisError.
 */
export async function openEmbedded(directory: string, onExit: (reason: string) => void): Promise<EmbeddedRedis> {
  const dir = resolve(directory)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  close(dir)
  const socket = socketIn(dir)
  let stopping = false
  let watch: NodeJS.Timeout | undefined
  let child = await ensure(dir, socket)
  const adopted = child === undefined
  await supervise()

  /** Redis leaves when its disk is full (`appendfsync always`): start it again until it stays. */
  async function supervise() {
    if (child) {
      child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`))
      return
    }
    // no child of this process: there is no event when it ends, only its process id
    const pid = await processId(socket)
    watch = setInterval(() => {
      if (isAlive(pid)) return
      clearInterval(watch)
      ended(`process ${pid} is gone`)
    }, 1000).unref()
  }
  function ended(how: string) {
    if (stopping) return
    onExit(`redis-server ended (${how}); starting it again. ${lastWords(dir)}`)
    void restart()
  }
  async function restart() {
    while (!stopping) {
      try {
        child = await ensure(dir, socket)
        return await supervise()
      } catch (error) {
        onExit(error instanceof Error ? error.message : String(error))
        await sleep(1000)
      }
    }
  }

  return {
    socket,
    adopted,
    async stop() {
      stopping = true
      clearInterval(watch)
      const redis = new Redis(socket, { retryStrategy: () => null, maxRetriesPerRequest: 0, commandTimeout: 5000 })
      redis.on('error', () => {})
      try {
        if (!(await until(() => isAlone(redis), LEAVING))) return // another engine has adopted it
        child?.ref() // its end is waited for now
        const gone = child && new Promise((done) => child?.once('exit', done))
        await redis.shutdown().catch(() => {}) // the connection ends before there is an answer
        await (gone ?? until(async () => !(await answers(socket)), 5000))
      } finally {
        redis.disconnect()
      }
    },
  }
}

/** The server of this folder: as a child, or undefined where one runs already, started by another engine. */
async function ensure(dir: string, socket: string): Promise<ChildProcess | undefined> {
  if (await answers(socket)) return undefined
  const lock = join(dir, 'redis.lock')
  if (!takeLock(lock)) {
    await patience(socket, () => undefined) // another engine is starting it
    return undefined
  }
  try {
    // a second server would take the socket over, and both would write one file: look once more
    if (await answers(socket)) return undefined
    const pid = Number(readText(join(dir, 'redis.pid')))
    if (isAlive(pid) && isOurs(pid, socket)) {
      // it loads its data, or is frozen
      await patience(socket, () => (isAlive(pid) ? undefined : `redis-server (process ${pid}) ended`))
      return undefined
    }
    return await start(dir, socket)
  } finally {
    rmSync(lock, { force: true })
  }
}

/** Whether the process is the server on this socket, and not another that has its number now. */
function isOurs(pid: number, socket: string): boolean {
  const command = readText(`/proc/${pid}/cmdline`)
  return command === '' || command.includes(socket)
}

/** A folder that is another user's, as some volumes are, stays as it is. */
function close(dir: string): void {
  try {
    chmodSync(dir, 0o700)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) throw error
  }
}

function socketIn(dir: string): string {
  const socket = join(dir, 'redis.sock')
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET) return socket
  const shorter = join(
    tmpdir(),
    `tocsin-${process.getuid?.() ?? 0}-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`,
  )
  mkdirSync(shorter, { recursive: true, mode: 0o700 })
  return join(shorter, 'redis.sock')
}

/** False where another engine that is alive holds it. */
function takeLock(lock: string): boolean {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      return true
    } catch {
      if (isAlive(Number(readText(lock)))) return false
      rmSync(lock, { force: true })
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    // one that has ended and that nobody has taken notice of yet is not alive
    return pid > 0 && process.kill(pid, 0) && !/^\d+ \(.*\) Z /.test(readText(`/proc/${pid}/stat`))
  } catch {
    return false
  }
}

async function start(dir: string, socket: string): Promise<ChildProcess> {
  const binary = await findBinary()
  rmSync(socket, { force: true })
  const settings: Record<string, string> = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    dir,
    appendonly: 'yes',
    appendfsync: 'always', // written to disk before it is answered
    save: '',
    maxmemory: String(Math.floor(totalmem() / 2)), // beyond it alerts are refused, and senders keep them
    'maxmemory-policy': 'noeviction',
    'aof-load-truncated': 'yes',
    hz: '100', // BullMQ's delays are as exact as this
    logfile: join(dir, 'redis.log'),
    pidfile: join(dir, 'redis.pid'),
  }
  // detached: else Ctrl-C stops Redis together with us, before we have given back what we hold
  const child = spawn(
    binary,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    {
      stdio: 'ignore',
      detached: true,
    },
  )
  child.unref()
  let failed: string | undefined
  child.once('error', (error) => (failed = error.message))
  child.once('exit', (code) => (failed ??= `it ended with exit code ${code}. ${lastWords(dir)}`))
  await patience(socket, () => failed && `cannot start ${binary}: ${failed}`)
  return child
}

async function findBinary(): Promise<string> {
  for (const binary of BINARIES) {
    const shown = await promisify(execFile)(binary, ['--version']).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw new RedisError(`${binary} does not run: ${error.message}`)
    })
    if (!shown) continue
    const version = /v=(\d+\.\d+\.\d+)/.exec(shown.stdout)?.[1] ?? ''
    checkVersion(version, binary)
    return binary
  }
  throw new RedisError(
    `neither ${BINARIES.join(' nor ')} is on the PATH; install one (Debian: apt-get install redis-server, ` +
      'macOS: brew install redis) or set REDIS_URL to a Redis that is running',
  )
}

/** Throws RedisError below 6.2. */
export function checkVersion(version: string, what: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < 6 || (major === 6 && minor < 2)) {
    throw new RedisError(`${what} is version ${version || 'unknown'}; Tocsin needs Redis 6.2 or newer, or Valkey`)
  }
}

async function patience(socket: string, failed: () => string | undefined): Promise<void> {
  const end = Date.now() + START_PATIENCE
  while (!(await answers(socket))) {
    const why =
      failed() ??
      (Date.now() > end
        ? `redis-server does not answer on ${socket} within ${START_PATIENCE / 1000} s; look at redis.log beside it, or end it`
        : undefined)
    if (why) throw new RedisError(why)
    await sleep(20)
  }
}

async function isAlone(redis: Redis): Promise<boolean> {
  const clients = String(await redis.client('LIST'))
  return clients.trim().split('\n').length === 1
}

/** Whether it came to be so within so many ms. */
async function until(condition: () => Promise<boolean>, time: number): Promise<boolean> {
  const end = Date.now() + time
  while (!(await condition())) {
    if (Date.now() > end) return false
    await sleep(20)
  }
  return true
}

/** Whether a server that has loaded its data answers there. */
async function answers(socket: string): Promise<boolean> {
  const redis = new Redis(socket, {
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    commandTimeout: 2000,
    lazyConnect: true,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return (await redis.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    redis.disconnect()
  }
}

async function processId(socket: string): Promise<number> {
  const redis = new Redis(socket, { retryStrategy: () => null, maxRetriesPerRequest: 0, commandTimeout: 2000 })
  redis.on('error', () => {})
  try {
    return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])
  } finally {
    redis.disconnect()
  }
}

function lastWords(dir: string): string {
  const lines = readText(join(dir, 'redis.log')).trim().split('\n')
  return `Its last words: ${lines.slice(-2).join(' · ') || 'none'}`
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
