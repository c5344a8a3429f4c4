import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { eventually, startEngine, tempDir } from '../test/helpers/engine.ts'
import { startAlertmanagerWith } from '../test/helpers/prometheus.ts'
import { openRedis } from '../test/helpers/redis.ts'
import type { Profile } from './profile.ts'

/** Where it is asked for: what Tocsin and its Redis do is noted there. */
export const noted: { by: Profile | undefined } = { by: undefined }

/** One of the two that are measured beside each other. */
export interface Side {
  url: string
  /** Processor seconds so far, user and system, of all its processes. */
  processor(): number
  /** What its processes hold of memory, MiB. */
  memory(): number
}

/** Tocsin with a Redis of its own beside it, and Alertmanager, both by the same file. */
export async function openSides(config: string, appendfsync: Appendfsync) {
  const dir = tempDir()
  const tocsin = await openTocsin(config, appendfsync)
  const peer = await startAlertmanagerWith(config, dir.path)
  return {
    tocsin: tocsin.side,
    alertmanager: sideOf(peer.url, peer.process.pid),
    async [Symbol.asyncDispose]() {
      await tocsin[Symbol.asyncDispose]()
      await peer[Symbol.asyncDispose]()
      dir[Symbol.dispose]()
    },
  }
}

type Appendfsync = 'everysec' | 'always'

/** Tocsin of so many processes, and a Redis that syncs as said. */
export async function openTocsin(config: string, appendfsync: Appendfsync, workers = 1) {
  const redis = await openRedis('--appendonly', 'yes', '--appendfsync', appendfsync)
  const engine = await startEngine({
    config,
    redis: redis.socket,
    args: [`--workers=${workers}`],
    node: noted.by?.flags ?? [],
  })
  await eventually(
    async () => engine.log.filter(({ message }) => message === 'Tocsin is up').length,
    (up) => up === workers,
  )
  const { pid } = engine.process
  const others = workers === 1 ? [] : childrenOf(pid)
  return {
    side: sideOf(engine.url, pid, redis.process.pid, ...others),
    async [Symbol.asyncDispose]() {
      noted.by?.redis(await redis.redis.info('commandstats'))
      await engine[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
    },
  }
}

function sideOf(url: string, ...pids: (number | undefined)[]): Side {
  return { url, processor: () => sum(pids, processorOf), memory: () => sum(pids, memoryOf) }
}

function childrenOf(pid: number | undefined): number[] {
  return execFileSync('pgrep', ['-P', String(pid)])
    .toString()
    .trim()
    .split('\n')
    .map(Number)
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
