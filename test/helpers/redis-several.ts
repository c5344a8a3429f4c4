import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { eventually } from './engine.ts'
import { freePort } from './port.ts'

/** A Redis that listens on a port, of several that know each other. */
export interface Node {
  port: number
  redis: Redis
  process: ChildProcess
  /** Ends it, and starts it again on its port with its data once `meanwhile` resolves. */
  restart(meanwhile: () => Promise<unknown>): Promise<void>
}

export interface Several extends AsyncDisposable {
  address: string
  nodes: readonly Node[]
}

/** Servers of one test, gone with it. */
function openServers() {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-several-'))
  const nodes: Node[] = []
  return {
    dir,
    nodes,
    async start(port: number, ...settings: string[]): Promise<Node> {
      const own = join(dir, String(port))
      mkdirSync(own)
      const args = [...settings, '--port', String(port), '--bind', '127.0.0.1', '--dir', own]
      const open = () => spawn('redis-server', args, { stdio: 'ignore' })
      const redis = new Redis(port, { retryStrategy: () => 20, maxRetriesPerRequest: null })
      redis.on('error', () => {})
      const node = {
        port,
        redis,
        process: open(),
        async restart(meanwhile: () => Promise<unknown>) {
          node.process.kill('SIGKILL')
          await once(node.process, 'exit')
          await meanwhile()
          node.process = open()
          await redis.ping()
        },
      }
      await redis.ping()
      nodes.push(node)
      return node
    },
    async [Symbol.asyncDispose]() {
      for (const { redis, process: child } of nodes) {
        redis.disconnect()
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A cluster of three nodes without replicas, which share the 16,384 slots. */
export async function openRedisCluster(): Promise<Several> {
  const servers = openServers()
  const { nodes } = servers
  const settings = ['--cluster-enabled', 'yes', '--save', '', '--appendonly', 'yes']
  const busPorts: number[] = []
  for (let node = 0; node < 3; node++) {
    const busPort = await freePort()
    busPorts.push(busPort)
    await servers.start(await freePort(), ...settings, '--cluster-port', String(busPort))
  }
  const [first] = nodes
  if (!first) throw new Error('no node')
  for (const [i, { redis }] of nodes.entries()) {
    const from = Math.floor((16_384 / 3) * i)
    await redis.cluster('ADDSLOTSRANGE', from, Math.floor((16_384 / 3) * (i + 1)) - 1)
    if (i > 0) await redis.call('CLUSTER', ['MEET', '127.0.0.1', first.port, busPorts[0] ?? 0])
  }
  for (const { redis } of nodes)
    await eventually(
      async () => redis.cluster('INFO'),
      (info) => /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info),
    )
  return {
    address: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  }
}

/** A primary, a replica, and a Sentinel that makes the replica the primary half a second after the other has gone. */
export async function openSentinel(): Promise<Several & { sentinel: Node; primary: Node; replica: Node }> {
  const servers = openServers()
  const settings = ['--save', '', '--appendonly', 'yes', '--repl-diskless-sync-delay', '0']
  const primary = await servers.start(await freePort(), ...settings)
  const replica = await servers.start(await freePort(), ...settings, '--replicaof', `127.0.0.1 ${primary.port}`)
  await eventually(
    async () => replica.redis.info('replication'),
    (info) => info.includes('master_link_status:up'),
  )
  const file = join(servers.dir, 'sentinel.conf')
  writeFileSync(
    file,
    [
      `sentinel monitor tocsin 127.0.0.1 ${primary.port} 1`,
      'sentinel down-after-milliseconds tocsin 500',
      'sentinel failover-timeout tocsin 2000',
      '',
    ].join('\n'),
  )
  const sentinel = await servers.start(await freePort(), file, '--sentinel')
  return {
    address: `redis+sentinel://127.0.0.1:${sentinel.port}/tocsin`,
    nodes: servers.nodes,
    sentinel,
    primary,
    replica,
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  }
}
