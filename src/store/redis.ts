import { Redis, type RedisOptions } from 'ioredis'

const retryStrategy = (times: number) => Math.min(50 * 2 ** times, 1000)

/** Fails at once or within 2 s rather than hang, so that a sender gets its 503. */
const impatient = {
  enableOfflineQueue: false,
  commandTimeout: 2000,
  maxRetriesPerRequest: 1,
  connectTimeout: 5000,
  retryStrategy,
}

/** For the store, at a `redis://…` address or a Unix socket's path. */
export function storeConnection(address: string): Redis {
  return connect(address, impatient)
}

/**
 * For what is accepted, and for the replicas that are to have it: WAIT is about what its own connection wrote, so that
 * nothing of a connection that is lost is sent again on the next.
 */
export function acceptingConnection(address: string): Redis {
  return connect(address, { ...impatient, autoResendUnfulfilledCommands: false })
}

/** For BullMQ's workers, which block: waits for Redis as long as it takes. */
export function blockingConnection(address: string): Redis {
  return connect(address, { maxRetriesPerRequest: null, connectTimeout: 5000, retryStrategy })
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

function connect(address: string, options: Omit<RedisOptions, 'replyMapping'>): Redis {
  const redis = new Redis(address, { ...options, reconnectOnError: findPrimary() })
  // commands say it too; without a listener each lost connection prints a stack
  redis.on('error', (error: Error) => lastErrors.set(redis, error))
  redis.on('ready', () => lastErrors.delete(redis))
  return redis
}

const lastErrors = new WeakMap<Redis, Error>()

/** Why a connection is away; its commands only say that it is. Undefined where it is not. */
export function whyAway(redis: Redis): Error | undefined {
  return lastErrors.get(redis)
}

/** A primary that has become a replica goes on answering: behind the same name there may be another now. Once a second at most. */
function findPrimary(): (error: Error) => boolean {
  let last = Number.NEGATIVE_INFINITY
  return ({ message }) => {
    if (!message.startsWith('READONLY') || performance.now() - last < 1000) return false
    last = performance.now()
    return true
  }
}
