import type { Redis } from 'ioredis'

/** How many replicas must have what is accepted, and how long they get for it (WAIT, https://redis.io/commands/wait). */
export interface ReplicaWait {
  replicas: number // 0: none, and nothing is waited for
  timeout: number // ms
}

/**
 * Resolves once so many replicas have what was written on this connection before; rejects where they have not in time.
 * A connection waits once at a time: what is written meanwhile waits together behind it.
 */
export function openReplicaWait(redis: Redis, { replicas, timeout }: ReplicaWait): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  async function wait(): Promise<void> {
    const reached = await redis.wait(replicas, timeout)
    if (reached < replicas)
      throw new Error(`TOOFEWREPLICAS ${reached} of ${replicas} replicas had it within ${timeout} ms`)
  }

  function start(): Promise<void> {
    const mine = wait().finally(() => {
      if (running === mine) running = undefined
    })
    running = mine
    return mine
  }

  async function afterwards(before: Promise<void>): Promise<void> {
    await before.catch(() => {}) // those who waited for it hear of it
    next = undefined
    return start()
  }

  return () => {
    if (replicas === 0) return Promise.resolve()
    if (!running) return start()
    return (next ??= afterwards(running))
  }
}
