import { Redis, type RedisOptions } from 'ioredis'
import { type Place, placeIn } from './address.ts'
import { clusterNode } from './cluster-node.ts'

const retryStrategy = (times: number) => Math.min(50 * 2 ** times, 1000)

/** Fails at once or within 2 s rather than hang, so that a sender gets its 503. */
const impatient = {
  enableOfflineQueue: false,
  commandTimeout: 2000,
  maxRetriesPerRequest: 1,
  connectTimeout: 5000,
  retryStrategy,
}

/** For the store, at an address as address.ts has them; `prefix` is that of all keys. */
export function storeConnection(address: string, prefix: string): Redis {
  return connect(address, prefix, impatient)
}

/**
 * For what is accepted, and for the replicas that are to have it: WAIT is about what its own connection wrote, so that
 * nothing of a connection that is lost is sent again on the next.
 */
export function acceptingConnection(address: string, prefix: string): Redis {
  return connect(address, prefix, { ...impatient, autoResendUnfulfilledCommands: false })
}

/** For BullMQ's workers, which block: waits for Redis as long as it takes. */
export function blockingConnection(address: string, prefix: string): Redis {
  return connect(address, prefix, { maxRetriesPerRequest: null, connectTimeout: 5000, retryStrategy })
}

/** The replies of a pipeline or transaction; rejects with the first error of its commands, which ioredis only lists. */
export async function execAll(all: ReturnType<Redis['pipeline']>): Promise<unknown[]> {
  return ((await all.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}

/** Rejects where Redis is not to be reached, with where that is; never the password in it. */
export async function whenReady(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return
  await new Promise<void>((done, reject) => {
    let last = ''
    redis.on('error', (error: Error) => (last = error.message))
    redis.once('ready', done)
    setTimeout(
      () => reject(new Error(`Redis does not answer${last && `: ${last}`}; look at --redis.url or REDIS_URL`)),
      10_000,
    ).unref()
  })
}

function connect(address: string, prefix: string, options: Options): Redis {
  const redis = open(placeIn(address), prefix, { ...options, reconnectOnError: findPrimary() })
  // commands say it too; without a listener each lost connection prints a stack
  redis.on('error', (error: Error) => lastErrors.set(redis, error))
  redis.on('ready', () => lastErrors.delete(redis))
  comeBack(redis)
  return redis
}

/** ioredis gives a connection up for ever where Sentinel tells of a new primary while it is looking for one. */
function comeBack(redis: Redis): void {
  let isClosed = false
  const { disconnect, quit } = redis
  redis.disconnect = (reconnect = false) => {
    isClosed ||= !reconnect
    disconnect.call(redis, reconnect)
  }
  redis.quit = (...given: Parameters<typeof quit>) => {
    isClosed = true
    return quit.apply(redis, given)
  }
  redis.on('end', () => {
    setTimeout(() => {
      if (!isClosed) redis.connect().catch(() => {})
    }, 100).unref()
  })
}

type Options = Omit<RedisOptions, 'replyMapping'>

function open(place: Place, prefix: string, options: Options): Redis {
  if (place.kind === 'server') return new Redis(place.address, options)
  if (place.kind === 'cluster')
    return new Redis({ ...options, ...place.login, Connector: clusterNode(place.hosts, place.login, prefix) })
  const { hosts, name, db, sentinelPassword, login } = place
  return new Redis({
    ...options,
    ...login,
    sentinels: hosts.map((host) => ({ ...host })),
    name,
    db,
    ...(sentinelPassword !== '' && { sentinelPassword }),
    ...(login.tls && { sentinelTLS: login.tls, enableTLSForSentinelMode: true }),
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: 2000, // one that takes connections and says nothing
    failoverDetector: true, // a primary that hangs keeps its connections
  })
}

const lastErrors = new WeakMap<Redis, Error>()

/** Why a connection is away; its commands only say that it is. Undefined where it is not. */
export function whyAway(redis: Redis): Error | undefined {
  return lastErrors.get(redis)
}

/**
 * A primary that has become a replica goes on answering, and a node of a cluster that our slot has left: behind the same name
 * there may be another now. Once a second at most.
 */
function findPrimary(): (error: Error) => boolean {
  let last = Number.NEGATIVE_INFINITY
  return ({ message }) => {
    if (!/^(?:READONLY|MOVED|CLUSTERDOWN)\b/.test(message) || performance.now() - last < 1000) return false
    last = performance.now()
    return true
  }
}
