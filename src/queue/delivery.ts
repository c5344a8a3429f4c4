import { type ConnectionOptions, Queue, Worker } from 'bullmq'

/** A wake-up for one outbox row. It carries ids only: a job lost, late or doubled costs nothing. */
export interface Wake {
  row: string
  channel: string
  notification: string
  turn: number // taken so far: each has a job of its own
  rank: number // of the severity; 0 goes first
  delay: number // ms
  early?: boolean // its turn has a job already, which is for later
}

export interface DeliveryQueueOptions {
  channels: readonly { name: string; deadline: number }[] // deadline: ms for one attempt
  prefix: string // in braces, for Redis Cluster
  connection: ConnectionOptions // for adding: fails fast
  blocking(): ConnectionOptions // for a worker: waits
  run(row: string, channel: string): Promise<void>
  failed(channel: string, error: Error): void
}

export interface DeliveryQueue {
  /** May be lost: the outbox keeps the promise, and a sweep wakes what is owed. */
  wake(wakes: readonly Wake[]): Promise<void>
  start(): void
  /** Jobs that wait or run, by channel. */
  depths(): Promise<ReadonlyMap<string, number>>
  /** Takes no more jobs and waits for those that run. */
  drain(): Promise<void>
  close(): Promise<void>
}

const CONCURRENCY = 32 // per channel; one destination's share is the pipeline's business

/** A BullMQ queue and worker per channel, so that a channel that hangs holds up no other. */
export function openDeliveryQueue(options: DeliveryQueueOptions): DeliveryQueue {
  const { prefix, connection } = options
  const lines = new Map(options.channels.map((channel) => [channel.name, openLine(channel)]))

  function openLine({ name, deadline }: { name: string; deadline: number }) {
    const queueName = `deliver-${name}`
    const queue = new Queue(queueName, { connection, prefix, skipVersionCheck: true })
    queue.on('error', () => {}) // the connection's own listener tells
    const worker = new Worker<{ row: string }>(queueName, (job) => options.run(job.data.row, name), {
      connection: options.blocking(),
      prefix,
      autorun: false,
      concurrency: CONCURRENCY,
      // longer than an attempt may take, so that a healthy send never outlives its lock
      lockDuration: Math.max(15_000, deadline + 5000),
      stalledInterval: deadline > 15_000 ? 15_000 : 5000,
      maxStalledCount: 100_000, // BullMQ would give up a page after two crashes; poison is not its business
      skipVersionCheck: true,
    })
    worker.on('error', () => {})
    worker.on('failed', (_job, error) => options.failed(name, error))
    return { queue, worker }
  }

  return {
    async wake(wakes) {
      await Promise.all(
        [...lines].map(async ([channel, { queue }]) => {
          const jobs = wakes.filter((wake) => wake.channel === channel).map(toJob)
          if (jobs.length > 0) await queue.addBulk(jobs)
        }),
      )
    },

    start() {
      for (const [channel, { worker }] of lines) {
        worker.run().catch((error: Error) => options.failed(channel, error))
      }
    },

    async depths() {
      const counted = [...lines].map(async ([channel, { queue }]): Promise<[string, number]> => {
        const counts = await queue.getJobCounts('wait', 'prioritized', 'delayed', 'active')
        return [channel, Object.values(counts).reduce((sum, count) => sum + count, 0)]
      })
      return new Map(await Promise.all(counted))
    },

    async drain() {
      await Promise.all([...lines.values()].map(({ worker }) => worker.close()))
    },

    async close() {
      await Promise.all([...lines.values()].map(({ worker }) => worker.close(true)))
      await Promise.all([...lines.values()].map(({ queue }) => queue.close()))
    },
  }
}

function toJob({ row, notification, turn, rank, delay, early }: Wake) {
  return {
    name: 'deliver',
    data: { row },
    opts: {
      // one job a turn: adding it again while it waits or runs changes nothing
      jobId: `${row}-${notification}-${turn}${early ? '-early' : ''}`,
      delay,
      priority: rank + 1, // BullMQ runs jobs without a priority first
      attempts: 1, // the outbox owns retries and their times
      removeOnComplete: true,
      removeOnFail: true,
    },
  }
}
