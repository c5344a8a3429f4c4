import { readFileSync } from 'node:fs'
import { startEngine, tempDir } from '../test/helpers/engine.ts'
import { startAlertmanagerWith } from '../test/helpers/prometheus.ts'
import { openRedis } from '../test/helpers/redis.ts'

/** One of the two that are measured beside each other. */
export interface Side {
  url: string
  /** Processor seconds so far, user and system, of all its processes. */
  processor(): number
  /** What its processes hold of memory, MiB. */
  memory(): number
}

/** Tocsin, with a Redis of its own beside it that syncs as said, and Alertmanager, both by the same file. */
export async function openSides(config: string, appendfsync: 'everysec' | 'always') {
  const dir = tempDir()
  const redis = await openRedis('--appendonly', 'yes', '--appendfsync', appendfsync)
  const engine = await startEngine({ config, redis: redis.socket })
  const peer = await startAlertmanagerWith(config, dir.path)
  const side = (url: string, ...pids: (number | undefined)[]): Side => ({
    url,
    processor: () => sum(pids, processorOf),
    memory: () => sum(pids, memoryOf),
  })
  return {
    tocsin: side(engine.url, engine.process.pid, redis.process.pid),
    alertmanager: side(peer.url, peer.process.pid),
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
      await peer[Symbol.asyncDispose]()
      dir[Symbol.dispose]()
    },
  }
}

export type Sides = Awaited<ReturnType<typeof openSides>>

function sum(pids: readonly (number | undefined)[], of: (pid: number) => number): number {
  return pids.reduce<number>((total, pid) => total + (pid === undefined ? 0 : of(pid)), 0)
}

function processorOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
