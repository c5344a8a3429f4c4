import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

export interface TestRedis extends AsyncDisposable {
  socket: string
  redis: Redis
  process: ChildProcess
}

/** A real Redis of the test's own on a Unix socket in a temporary folder; gone with the test. */
export async function openRedis(...settings: string[]): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-redis-'))
  const socket = join(dir, 's')
  const child = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', socket, '--dir', dir, '--save', '', '--hz', '100', ...settings],
    { stdio: 'ignore' },
  )
  const redis = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  await redis.ping()
  return {
    socket,
    redis,
    process: child,
    async [Symbol.asyncDispose]() {
      redis.disconnect()
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
