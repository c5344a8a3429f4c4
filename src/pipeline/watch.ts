import { setTimeout as sleep } from 'node:timers/promises'
import { limitKeys, type Limits } from '../model/limits.ts'
import { type Durability, durabilities } from '../store/check.ts'
import type { Clock } from '../store/clock.ts'
import type { EpochFile } from '../store/epoch-file.ts'
import { type StoreFault, faultOf } from '../store/fault.ts'
import type { Vitals } from '../store/vitals.ts'
import type { Deps } from './deps.ts'
import { goOnWithoutState, sayStateLost } from './loss.ts'

/** Why no alerts are taken now: a word for the metric, and a sentence for the sender. */
export interface Refusal {
  reason: string
  message: string
}

export interface Watch {
  /** Why no alerts are taken now; undefined where they are. By what was seen within the last second, without asking Redis. */
  refusal(): Refusal | undefined
  /** Why this replica is not ready, as far as it is known without asking Redis. */
  notReady(): string | undefined
  stop(): Promise<void>
}

export interface WatchOptions {
  minDurability: Durability
  epochs: EpochFile
  epoch: string // of the data set, as it was found at the start
  /** Why the connection is away; its commands only say that it is. */
  whyAway(): Error | undefined
}

const LOOK = 1000
/** Each so many looks it looks at what changes rarely, too. */
const SELDOM = 10
/** A group that is due for longer is late, ms. */
const LATE = 2000
/** Of the clock, s. */
const SKEW_TOLD = 2
const SKEW_TAKEN = 30

/** Looks each second at how Redis is and how much there is, each ten at the clock and at what an accepted alert survives. */
export function startWatch(deps: Deps, clock: Clock, options: WatchOptions): Watch {
  const { store, metrics, log } = deps
  const stopping = new AbortController()
  let vitals: Vitals | undefined
  let durability: Durability | undefined
  let { epoch } = options
  let met = epoch // of the data that was last spoken of
  let away: StoreFault | undefined
  let isSkewTold = false

  async function look(nth: number): Promise<void> {
    const done = metrics.redisRoundTrip.startTimer()
    vitals = await store.vitals.read(clock.now() - LATE)
    done()
    metrics.redisUsed.set(vitals.usedMemory)
    metrics.redisMax.set(vitals.maxMemory)
    metrics.kept.set({ what: 'alerts' }, vitals.alerts)
    metrics.kept.set({ what: 'groups' }, vitals.groups)
    metrics.kept.set({ what: 'late groups' }, vitals.dueGroups)
    if (vitals.epoch !== epoch) await meetOtherData()
    if (nth % SELDOM === 0) {
      await clock.look()
      tellSkew()
      tellDurability(await store.vitals.durability())
    }
    if (away) log.info('Redis answers again')
    away = undefined
  }

  /** Emptied, or emptied and found by another replica before. */
  async function meetOtherData(): Promise<void> {
    const found = await store.vitals.epochOr(deps.newId())
    if (found !== met) sayStateLost(deps)
    met = found
    await goOnWithoutState(deps)
    epoch = found // only now: what fails before is done again at the next look
    options.epochs.write(epoch)
  }

  function tellSkew(): void {
    const skew = clock.skew()
    metrics.clockSkew.set(skew)
    const isSkewed = Math.abs(skew) > SKEW_TOLD
    if (isSkewed && !isSkewTold)
      log.warn({ seconds: Math.round(skew * 10) / 10 }, "this machine's clock is not Redis'; set both by NTP")
    isSkewTold = isSkewed
  }

  function tellDurability(now: Durability): void {
    for (const level of durabilities) metrics.durability.set({ level }, level === now ? 1 : 0)
    if (durability !== undefined && durability !== now)
      log.warn({ before: durability, now }, 'what an accepted alert survives has changed in Redis')
    durability = now
  }

  function tellAway(error: unknown): void {
    const fault = faultOf(options.whyAway() ?? error)
    if (fault.reason !== away?.reason) log.error({ err: error, reason: fault.reason }, `${fault.message}; trying again`)
    away = fault
  }

  async function run(): Promise<void> {
    for (let nth = 0; !stopping.signal.aborted; nth++) {
      await look(nth).catch(tellAway)
      await sleep(LOOK, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const running = run()

  function notReady(): Refusal | undefined {
    if (durability !== undefined && durabilities.indexOf(durability) < durabilities.indexOf(options.minDurability)) {
      return {
        reason: 'durability',
        message: `Redis keeps what is accepted by "${durability}", and --redis.min-durability asks for "${options.minDurability}"`,
      }
    }
    if (vitals?.evicts)
      return { reason: 'eviction', message: 'Redis may throw away accepted alerts; set maxmemory-policy to noeviction' }
    if (vitals?.aofFails) return { reason: 'disk', message: 'Redis cannot write to its append-only file' }
    if (vitals?.readOnly) return { reason: 'read-only', message: 'this Redis is a replica and takes no writes' }
    const skew = clock.skew()
    if (Math.abs(skew) > SKEW_TAKEN)
      return {
        reason: 'clock skew',
        message: `this machine's clock is ${Math.round(skew)} s before Redis'; set both by NTP`,
      }
    return undefined
  }

  return {
    refusal: () => notReady() ?? (vitals && fullOf(vitals, deps.routing.config.limits)),
    notReady: () => notReady()?.message ?? away?.message,
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** What there is too much of. */
function fullOf({ usedMemory, maxMemory, dueGroups, owed }: Vitals, limits: Limits): Refusal | undefined {
  const most = Math.floor(maxMemory * limits.redisMemory)
  if (maxMemory > 0 && usedMemory > most)
    return full(
      'memory',
      'redisMemory',
      `Redis uses ${usedMemory} of ${maxMemory} bytes, alerts are taken up to ${most}`,
    )
  if (dueGroups > limits.dueGroups)
    return full('due groups', 'dueGroups', `${dueGroups} groups are due, alerts are taken up to ${limits.dueGroups}`)
  if (owed > limits.owed)
    return full('owed', 'owed', `${owed} notifications are owed, alerts are taken up to ${limits.owed}`)
  return undefined
}

function full(reason: string, limit: keyof Limits, message: string): Refusal {
  return { reason, message: `${message} (limits.${limitKeys[limit]})` }
}
