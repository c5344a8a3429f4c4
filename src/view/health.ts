import { canary } from '../alert/canary.ts'
import { formatDuration } from '../model/duration.ts'
import { formatInstant } from '../model/instant.ts'
import { canaryTimes } from '../pipeline/canary.ts'
import type { Deps } from '../pipeline/deps.ts'
import type { Outcomes } from '../pipeline/outcomes.ts'
import type { Watch } from '../pipeline/watch.ts'

export const statuses = ['ok', 'degraded', 'down'] as const // from good to bad
export type Status = (typeof statuses)[number]

/** A part of Tocsin and how it is. */
export interface Part {
  name: 'receiving' | 'redis' | 'flush' | 'queue' | 'delivery' | 'canary' | 'heartbeat' | 'awaited' | 'config'
  of?: string // which of them: a channel, or a heartbeat that is awaited
  status: Status
  reason: string
}

export interface Health {
  status: Status // the worst of its parts
  at: string // RFC 3339, UTC
  parts: readonly Part[]
}

export interface HealthOptions {
  calls: boolean // whether the service outside is called: not from the sandbox
  deps: Deps
  outcomes: Outcomes
  watch: Pick<Watch, 'refusal' | 'notReady'>
  startedAt: number // epoch ms
  stopping: AbortSignal
  /** What is wrong with the routing file; undefined where it is in force as it is. */
  configFault(): string | undefined
}

/** Redis is asked no longer than this, ms, twice at the most: what says how Tocsin is must not hang with what it tells of. */
const PATIENCE = 900
const SLOW = 500
/** From when on being late is worth a word, and from when on nothing seems to be done any more, ms. */
const LATE = { flush: 5000, owed: 60_000 }
const STUCK = { flush: 60_000 }
const FAILURES = 3

/** How each part of Tocsin is, with the reason. Always answers, within 2 s, whatever is broken. */
export async function readHealth(options: HealthOptions): Promise<Health> {
  const { clock } = options.deps
  const at = clock.now()
  const [redis, ...others] = await Promise.all([
    redisPart(options),
    flushPart(options, at),
    queueParts(options, at),
    canaryParts(options, at),
    awaitedParts(options, at),
  ])
  const parts = [
    receivingPart(options, redis),
    redis,
    ...others.flat(),
    ...deliveryParts(options, at),
    configPart(options),
  ]
  const worst = statuses.findLast((status) => parts.some((part) => part.status === status)) ?? 'ok'
  return { status: worst, at: formatInstant(at), parts }
}

function receivingPart({ stopping, watch }: HealthOptions, redis: Part): Part {
  const name = 'receiving'
  if (stopping.aborted) return { name, status: 'down', reason: 'Tocsin is stopping' }
  if (redis.status === 'down') return { name, status: 'down', reason: `alerts are answered with 503: ${redis.reason}` }
  const refusal = watch.refusal()
  if (refusal) return { name, status: 'down', reason: `alerts are answered with 503: ${refusal.message}` }
  return { name, status: 'ok', reason: 'alerts are taken' }
}

async function redisPart({ deps: { store }, watch }: HealthOptions): Promise<Part> {
  const name = 'redis'
  const start = performance.now()
  const why = await asked(store.probe().then(() => undefined))
  if (why) return { name, status: 'down', reason: 'Redis does not take writes' }
  const took = Math.round(performance.now() - start)
  const fault = watch.notReady()
  if (fault !== undefined) return { name, status: 'degraded', reason: fault }
  if (took > SLOW) return { name, status: 'degraded', reason: `Redis took ${took} ms for a write` }
  const durability = await asked(store.vitals.durability())
  if (durability === 'none')
    return {
      name,
      status: 'degraded',
      reason: 'Redis keeps nothing on disk: set appendonly yes and appendfsync always',
    }
  const survives = durability instanceof Error ? 'unknown' : durability
  return { name, status: 'ok', reason: `a write took ${took} ms; durability ${survives}` }
}

async function flushPart({ deps: { store } }: HealthOptions, at: number): Promise<Part> {
  const name = 'flush'
  const due = await asked(store.groups.nextDue())
  if (due instanceof Error) return unknown(name)
  const late = due === undefined ? 0 : Math.max(0, at - due)
  if (late <= LATE.flush) return { name, status: 'ok', reason: 'groups are flushed when they are due' }
  return { name, status: late > STUCK.flush ? 'down' : 'degraded', reason: `a group has been due for ${lasted(late)}` }
}

async function queueParts({ deps: { store, routing } }: HealthOptions, at: number): Promise<Part[]> {
  const name = 'queue'
  const backlog = await asked(store.health.backlog())
  if (backlog instanceof Error) return [unknown(name)]
  const known = channelsOf(routing)
  const channels = [...new Set([...known, ...backlog.channels.keys()])].filter((one) => one !== canary.channel).sort()
  return channels.map((of): Part => {
    const owed = backlog.channels.get(of)
    if (!owed) return { name, of, status: 'ok', reason: 'nothing is owed' }
    const late = Math.max(0, at - owed.oldest)
    const count = `${backlog.whole ? '' : 'at least '}${owed.owed} owed, the oldest for ${lasted(late)}`
    return { name, of, status: late > LATE.owed ? 'degraded' : 'ok', reason: count }
  })
}

function deliveryParts({ deps: { routing }, outcomes }: HealthOptions, at: number): Part[] {
  const name = 'delivery'
  return channelsOf(routing).map((of): Part => {
    const ours = [...outcomes.fortunes].filter(
      ([id, { channel }]) => channel === of && routing.config.integrations.has(id),
    )
    if (ours.length === 0) return { name, of, status: 'ok', reason: 'nothing was to be delivered since the start' }
    const failing = ours.filter(([, { failures }]) => failures >= FAILURES)
    const [worst] = failing.sort(([, a], [, b]) => b.failures - a.failures)
    if (worst) {
      const [id, { failures, why }] = worst
      const others = failing.length > 1 ? `, and ${failing.length - 1} more` : ''
      return { name, of, status: 'degraded', reason: `${id} failed ${failures} times in a row (${why})${others}` }
    }
    const last = Math.max(...ours.map(([, { deliveredAt = 0 }]) => deliveredAt))
    const when = last === 0 ? 'nothing was delivered yet' : `the last one was delivered ${lasted(at - last)} ago`
    return { name, of, status: 'ok', reason: when }
  })
}

/** The canary, and the heartbeat that goes out with it. */
async function canaryParts({ deps: { store, routing }, calls, startedAt }: HealthOptions, at: number): Promise<Part[]> {
  const self = await asked(store.heartbeats.self())
  if (self instanceof Error) return [unknown('canary')]
  const { canaryArrivedAt, calledAt } = self
  const { patience } = canaryTimes(routing.config)
  const { heartbeat } = routing.config
  const isNew = at - startedAt <= patience
  const fresh = (last: number | undefined, patient: number) => last !== undefined && at - last <= patient
  const ago = (last: number | undefined) => (last === undefined ? 'never' : `${lasted(Math.max(0, at - last))} ago`)

  const parts: Part[] = [
    {
      name: 'canary',
      status: isNew || fresh(canaryArrivedAt, patience) ? 'ok' : 'down',
      reason: `Tocsin's own alert last went the whole way ${ago(canaryArrivedAt)}`,
    },
  ]
  if (heartbeat && calls) {
    const isSent = isNew || fresh(calledAt, 2 * heartbeat.interval)
    const reason = `the service outside was last called ${ago(calledAt)}`
    parts.push({ name: 'heartbeat', status: isSent ? 'ok' : 'degraded', reason })
  }
  return parts
}

async function awaitedParts({ deps: { store, routing } }: HealthOptions, at: number): Promise<Part[]> {
  const name = 'awaited'
  const { heartbeats } = routing.config
  if (heartbeats.length === 0) return []
  const answer = await asked(Promise.all([store.heartbeats.seen(), store.heartbeats.missing()]))
  if (answer instanceof Error) return [unknown(name)]
  const [seen, missing] = answer
  return heartbeats.map(({ name: of }): Part => {
    const last = seen.get(of)
    const reason = last === undefined ? 'not seen yet' : `last seen ${lasted(Math.max(0, at - last))} ago`
    return {
      name,
      of,
      status: missing.has(of) ? 'degraded' : 'ok',
      reason: missing.has(of) ? `missing, ${reason}` : reason,
    }
  })
}

function configPart({ configFault }: HealthOptions): Part {
  const fault = configFault()
  if (fault === undefined) return { name: 'config', status: 'ok', reason: 'the routing file is in force' }
  return { name: 'config', status: 'degraded', reason: fault }
}

/** The channels that the file's receivers use, by name. */
function channelsOf({ config }: Deps['routing']): string[] {
  const used = new Set([...config.integrations.values()].map(({ channel }) => channel))
  used.delete(canary.channel)
  return [...used].sort()
}

function unknown(name: Part['name']): Part {
  return { name, status: 'down', reason: 'not known: Redis does not answer' }
}

function lasted(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000)
}

/** What Redis answers, or that it does not. */
async function asked<T>(asking: Promise<T>): Promise<T | Error> {
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<Error>((done) => {
    timer = setTimeout(() => done(new Error('no answer')), PATIENCE)
  })
  const answer = asking.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
  try {
    return await Promise.race([answer, enough])
  } finally {
    clearTimeout(timer)
  }
}
