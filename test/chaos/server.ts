import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** A redis-server that can end and come back with what it had, on a socket in a folder of its own. */
export interface Server extends AsyncDisposable {
  socket: string
  dir: string
  process: ChildProcess
  /** Asks it beside the proxy. */
  redis: Redis
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same folder, with other options where given; resolves once it answers. */
  restart(options?: ServerOptions): Promise<void>
  /** Its folder loses what it kept; only while it is down. */
  loseData(): void
}

export interface ServerOptions {
  settings?: string[]
  wrap?: string[] // a command that runs it, such as prlimit
}

export const durable = ['--appendonly', 'yes', '--appendfsync', 'always']
export const everysec = ['--appendonly', 'yes', '--appendfsync', 'everysec']

export async function openServer(dir: string, options: ServerOptions = {}): Promise<Server> {
  const socket = join(dir, 's')
  const start = ({ settings = durable, wrap = [] }: ServerOptions) => {
    const [command = '', ...args] = [
      ...wrap,
      'redis-server',
      '--port',
      '0',
      '--unixsocket',
      socket,
      '--dir',
      dir,
      '--save',
      '',
      '--hz',
      '100',
      '--logfile',
      join(dir, 'redis.log'),
      '--aof-load-truncated',
      'yes',
      '--enable-debug-command',
      'yes',
      ...settings,
    ]
    return spawn(command, args, { stdio: 'ignore' })
  }
  const redis = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  const server: Server = {
    socket,
    dir,
    process: start(options),
    redis,
    async kill(signal = 'SIGKILL') {
      const { process: child } = server
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill(signal)
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended
    },
    async restart(again = options) {
      await server.kill()
      server.process = start(again)
      await redis.ping()
    },
    loseData: () => rmSync(join(dir, 'appendonlydir'), { recursive: true, force: true }),
    async [Symbol.asyncDispose]() {
      server.redis.disconnect()
      await server.kill()
    },
  }
  await redis.ping()
  return server
}
