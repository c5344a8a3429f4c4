import { type Socket, connect as connectPlain } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type TLSSocket, connect as connectTls } from 'node:tls'
import { AbstractConnector, Redis } from 'ioredis'
import { z } from 'zod'
import type { Host, Login } from './address.ts'

const PATIENCE = 2000 // ms for one node to tell
const PAUSE = 500 // ms before all are asked again
const node = z.tuple([z.string().nullable(), z.number()]).rest(z.unknown())
const slots = z.array(z.tuple([z.number(), z.number(), node]).rest(node))

/**
 * How ioredis connects to the node of a cluster that holds everything of one prefix: all our keys carry the same hash tag, and
 * hence are in one slot. Whom to ask is found anew at each connection, among the nodes given and those that they told of, until one
 * tells: ioredis gives up a connection for good whose connector fails. Where the slot has moved a command answers MOVED, and the
 * connection is to be made anew.
 */
export function clusterNode(seeds: readonly Host[], login: Login, prefix: string) {
  let known: readonly Host[] = seeds // of all connections of this address

  return class ClusterNode extends AbstractConnector {
    constructor() {
      super(PATIENCE)
    }

    override async connect(emit: (type: string, error: Error) => void): Promise<Socket | TLSSocket> {
      this.connecting = true
      const primary = await this.find(emit)
      if (!this.connecting) throw new Error('Connection is closed.')
      const { tls } = login
      this.stream = tls ? connectTls({ ...primary, ...tls }) : connectPlain(primary)
      this.stream.once('error', (error: Error) => (this.firstError = error))
      return this.stream
    }

    private async find(emit: (type: string, error: Error) => void): Promise<Host> {
      while (this.connecting) {
        try {
          const { primary, others } = await askAny()
          known = [primary, ...others, ...seeds]
          return primary
        } catch (error) {
          emit('error', error instanceof Error ? error : new Error(String(error)))
          await sleep(PAUSE)
        }
      }
      throw new Error('Connection is closed.')
    }
  }

  async function askAny(): Promise<{ primary: Host; others: Host[] }> {
    let last: unknown
    for (const host of known) {
      try {
        return await ask(host)
      } catch (error) {
        last = error
      }
    }
    const why = last instanceof Error ? last.message : String(last)
    throw new Error(`no node of the Redis cluster tells where ${prefix} is: ${why}`)
  }

  async function ask(host: Host): Promise<{ primary: Host; others: Host[] }> {
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
      const ranges = slots.parse(await redis.cluster('SLOTS'))
      const toHost = ([name, port]: z.output<typeof node>): Host => ({ host: name || host.host, port })
      const own = ranges.find(([from, to]) => from <= slot && slot <= to)
      if (!own) throw new Error(`${host.host}:${host.port} knows no node for slot ${slot}`)
      const all = ranges.flatMap(([, , ...nodes]) => nodes.map(toHost))
      return { primary: toHost(own[2]), others: all }
    } finally {
      redis.disconnect()
    }
  }
}
