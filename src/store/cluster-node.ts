import { type Socket, connect as connectPlain } from 'node:net'
import { type TLSSocket, connect as connectTls } from 'node:tls'
import { AbstractConnector, Redis } from 'ioredis'
import { z } from 'zod'
import type { Host, Login } from './address.ts'

const PATIENCE = 2000 // ms for one node to tell
const shards = z.array(
  z.tuple([z.number(), z.number(), z.tuple([z.string().nullable(), z.number()]).rest(z.unknown())]).rest(z.unknown()),
)

/**
 * How ioredis connects to the node of a cluster that holds everything of one prefix: all our keys carry the same hash tag, and
 * hence are in one slot. Whom to ask is found anew at each connection, among the nodes given and those that they told of. Where
 * the slot has moved a command answers MOVED, and the connection is to be made anew.
 */
export function clusterNode(seeds: readonly Host[], login: Login, prefix: string) {
  let known: readonly Host[] = seeds // of all connections of this address

  return class ClusterNode extends AbstractConnector {
    constructor() {
      super(PATIENCE)
    }

    override async connect(): Promise<Socket | TLSSocket> {
      this.connecting = true
      const { primary, all } = await find()
      known = [...all, ...seeds]
      if (!this.connecting) throw new Error('Connection is closed.')
      const { tls } = login
      this.stream = tls ? connectTls({ ...primary, ...tls }) : connectPlain(primary)
      this.stream.once('error', (error: Error) => (this.firstError = error))
      return this.stream
    }
  }

  async function find(): Promise<{ primary: Host; all: Host[] }> {
    let last: unknown
    for (const host of known) {
      try {
        return await ask(host)
      } catch (error) {
        last = error
      }
    }
    throw new Error(
      `no node of the Redis cluster tells where ${prefix} is: ${last instanceof Error ? last.message : 'none'}`,
    )
  }

  async function ask(host: Host): Promise<{ primary: Host; all: Host[] }> {
    const redis = new Redis({
      ...host,
      ...login,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: PATIENCE,
      commandTimeout: PATIENCE,
    })
    redis.on('error', () => {})
    try {
      await redis.connect()
      const slot = await redis.cluster('KEYSLOT', `{${prefix}}`)
      const ranges = shards.parse(await redis.cluster('SLOTS'))
      const toHost = ([name, port]: readonly [string | null, number, ...unknown[]]): Host => ({
        host: name || host.host,
        port,
      })
      const own = ranges.find(([from, to]) => from <= slot && slot <= to)
      if (!own) throw new Error(`${host.host}:${host.port} knows no node for slot ${slot}`)
      return { primary: toHost(own[2]), all: ranges.map(([, , primary]) => toHost(primary)) }
    } finally {
      redis.disconnect()
    }
  }
}
