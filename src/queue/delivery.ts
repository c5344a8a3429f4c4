import { type ConnectionOptions, Queue, Worker } from 'bullmq'
import { type Verdict, openWatchdog } from './watchdog.ts'

/** A wake-up for one outbox row. It carries ids only: a job lost, late or doubled costs nothing. */
export interface Wake {
  row: string
  channel: string
  integration: string
  notification: string
  turn: number // taken so far: each has a job of its own
  rank: number // of the severity; 0 goes first
  delay: number // ms
}

export interface DeliveryQueueOptions {
  channels: readonly { name: string; deadline: number; byJobOnly?: boolean }[] // deadline: ms for one attempt
  prefix: string // in braces, for Redis Cluster
  connection: ConnectionOptions // for adding: fails fast
  blocking(): ConnectionOptions // for a worker: waits
  run(row: string, channel: string, integration: string): Promise<void>
  failed(channel: string, error: Error): void
  /** A worker took no job for long although jobs wait, and is built anew; or it was, and it is hopeless. */
  stuck(channel: string, verdict: Exclude<Verdict, 'fine'>): void
  /** How long a worker may take no job although jobs wait, ms. */
  patience?: number
}

/** A channel's queue as it is now. */
export interface Line {
  jobs: number // that wait or run
  idleFor: number // since its worker took or ended a job, or had none to take, ms
}

export interface DeliveryQueue {
  /** Runs here at once while the channel is idle, else by a job. May be lost: a sweep wakes what the outbox owes. */
  wake(wakes: readonly Wake[]): Promise<void>
  /** The same for rows that had a job and wait no longer: they do so in a busy channel, too. */
  pass(wakes: readonly Wake[]): Promise<void>
  start(): void
  /** How each channel stands; to be asked every few seconds, since workers that are stuck are found by it. */
  look(): Promise<ReadonlyMap<string, Line>>
  /** Takes no more jobs and waits for those that run. */
  drain(): Promise<void>
  close(): Promise<void>
}

/** What a channel has in hand here. */
interface Hands {
  busy: number
  beside: number // of those, not by a job
  byJobOnly: boolean
}

/** What a job carries. */
type Job = Pick<Wake, 'row' | 'integration'>

const CONCURRENCY = 32 // per channel; one destination's share is the pipeline's business
const PATIENCE = 30_000
/** With fewer jobs in hand than that a channel is idle, and what is woken here is run here at once. */
const IDLE = 8
/** So many of a channel run without a job: all hands are left to those that wait for theirs. */
const BESIDE = 16

/**
 * A BullMQ queue and worker per channel, so that a channel that hangs holds up no other. While a channel is idle, what is woken runs
 * at once where it is woken: a job for it costs as much as all the rest, and would only do what the sweep does where this engine dies.
 * A run that fails gets a job.
 */
export function openDeliveryQueue(options: DeliveryQueueOptions): DeliveryQueue {
  const { prefix, connection } = options
  const lines = new Map(options.channels.map((channel) => [channel.name, openLine(channel)]))

  function openLine({ name, deadline, byJobOnly = false }: DeliveryQueueOptions['channels'][number]) {
    const queueName = `deliver-${name}`
    const queue = new Queue(queueName, { connection, prefix, skipVersionCheck: true })
    queue.on('error', () => {}) // the connection's own listener tells
    // longer than an attempt may take: all its hands may be full for so long
    const patience = options.patience ?? Math.max(PATIENCE, deadline + 15_000)
    const watchdog = openWatchdog(patience, performance.now())
    const hands: Hands = { busy: 0, beside: 0, byJobOnly }
    return { queue, worker: openWorker(queueName, name, deadline, watchdog, hands), deadline, watchdog, hands }
  }

  async function run({ row, integration }: Job, channel: string, hands: Hands): Promise<void> {
    hands.busy += 1
    try {
      await options.run(row, channel, integration)
    } finally {
      hands.busy -= 1
    }
  }

  function openWorker(
    queueName: string,
    name: string,
    deadline: number,
    watchdog: ReturnType<typeof openWatchdog>,
    hands: Hands,
  ) {
    const take = async ({ data }: { data: Job }) => {
      watchdog.progressed(performance.now())
      try {
        await run(data, name, hands)
      } finally {
        watchdog.progressed(performance.now())
      }
    }
    const worker = new Worker<Job>(queueName, take, {
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
    return worker
  }

  function start(channel: string, worker: Worker): void {
    worker.run().catch((error: Error) => options.failed(channel, error))
  }

  /** What the old one has in hand is taken up again when its locks run out; the outbox lets nobody send twice. */
  function rebuild(channel: string, line: ReturnType<typeof openLine>): void {
    line.worker.close(true).catch(() => {}) // may never end: that is why
    line.worker = openWorker(line.queue.name, channel, line.deadline, line.watchdog, line.hands)
    start(channel, line.worker)
  }

  let isStarted = false
  const running = new Set<Promise<void>>() // without a job

  /** Runs it here at once, where there is a hand for it; returns whether it does. */
  function runBeside(wake: Wake, most: number): boolean {
    const hands = lines.get(wake.channel)?.hands
    if (!hands || hands.byJobOnly || !isStarted || wake.delay > 0) return false
    if (hands.busy >= most || hands.beside >= BESIDE) return false
    hands.beside += 1
    const turn = run(wake, wake.channel, hands)
      .catch((error: Error) => {
        options.failed(wake.channel, error)
        return add([wake]).catch(() => {}) // the sweep wakes it
      })
      .finally(() => {
        hands.beside -= 1
        running.delete(turn)
      })
    running.add(turn)
    return true
  }

  async function add(wakes: readonly Wake[]): Promise<void> {
    await Promise.all(
      [...lines].map(async ([channel, { queue }]) => {
        const jobs = wakes.filter((wake) => wake.channel === channel).map(toJob)
        if (jobs.length > 0) await queue.addBulk(jobs)
      }),
    )
  }

  async function lookAt(channel: string, line: ReturnType<typeof openLine>): Promise<Line> {
    const { queue, watchdog } = line
    const counts = await queue.getJobCounts('wait', 'prioritized', 'delayed', 'active').catch((error: unknown) => {
      watchdog.unknown(performance.now())
      throw error
    })
    const now = performance.now()
    const waiting = isStarted ? (counts['wait'] ?? 0) + (counts['prioritized'] ?? 0) : 0
    const verdict = watchdog.look(now, waiting)
    if (verdict === 'rebuild') rebuild(channel, line)
    if (verdict !== 'fine') options.stuck(channel, verdict)
    const jobs = Object.values(counts).reduce((sum, count) => sum + count, 0)
    return { jobs, idleFor: now - watchdog.progressAt }
  }

  return {
    async wake(wakes) {
      await add(wakes.filter((wake) => !runBeside(wake, IDLE)))
    },

    async pass(wakes) {
      await add(wakes.filter((wake) => !runBeside(wake, Number.POSITIVE_INFINITY)))
    },

    start() {
      isStarted = true
      for (const [channel, { worker }] of lines) start(channel, worker)
    },

    async look() {
      const seen = [...lines].map(async ([channel, line]): Promise<[string, Line]> => [
        channel,
        await lookAt(channel, line),
      ])
      return new Map(await Promise.all(seen))
    },

    async drain() {
      isStarted = false
      await Promise.all([...lines.values()].map(({ worker }) => worker.close()))
      await Promise.all(running)
    },

    async close() {
      await Promise.all([...lines.values()].map(({ worker }) => worker.close(true)))
      await Promise.all([...lines.values()].map(({ queue }) => queue.close()))
    },
  }
}

/**
 * One job a turn: adding it again while it waits or runs changes nothing. One that waits for its time is another: by the clock
 * of who added it that time may never come, and the sweep's must be able to stand beside it.
 */
export function jobIdOf({ row, notification, turn, delay }: Wake): string {
  return `${row}-${notification}-${turn}${delay > 0 ? '-later' : ''}`
}

function toJob(wake: Wake) {
  const { row, integration, rank, delay } = wake
  return {
    name: 'deliver',
    data: { row, integration } satisfies Job,
    opts: {
      jobId: jobIdOf(wake),
      delay,
      priority: rank + 1, // BullMQ runs jobs without a priority first
      attempts: 1, // the outbox owns retries and their times
      removeOnComplete: true,
      removeOnFail: true,
    },
  }
}
