import { canary } from '../alert/canary.ts'
import type { Config, Integration } from '../config/config.ts'
import type { Budget } from '../model/delivery.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { Route } from '../route/route.ts'
import { own } from '../ingest/batch.ts'
import { accept } from './accept.ts'
import { deliver } from './deliver.ts'
import type { Deps } from './deps.ts'

const DEADLINE = 5000

/** The canary's way out, for the queue: it has a line of its own, as every channel. */
/** Its own is to go the whole way, and so by a job. */
export const canaryChannel: { name: string; deadline: number; budget: Budget; byJobOnly: true } = {
  byJobOnly: true,
  name: canary.channel,
  deadline: DEADLINE,
  budget: { burst: 1, refill: 0, inFlight: 1, digestAbove: 0 },
}

/** Where no heartbeat goes out, the canary flies as if one did each minute, ms. */
const INTERVAL = 60_000
const MOST_OFTEN = 30_000
const LONGEST_LIFE = 10_000
const LONGEST_PATIENCE = 2 * 60_000

/** When there is a canary, by how often the heartbeat goes out. In ms. */
export function canaryTimes({ heartbeat }: Pick<Config<unknown>, 'heartbeat'>) {
  const interval = heartbeat?.interval ?? INTERVAL
  const every = Math.min(interval / 2, MOST_OFTEN)
  return {
    every,
    /** What is slower than this on its way does not arrive: the alert has ended then. */
    life: Math.round(Math.min(every * 0.75, LONGEST_LIFE)),
    /** So long after the last one arrived, Tocsin counts as at work. */
    patience: Math.min(2 * interval, LONGEST_PATIENCE),
  }
}

export interface Canary {
  /** The config with the canary's route, receiver and integration, which stand beside the file's own tree. */
  into(config: Config<Notifier>): Config<Notifier>
  /** Sends one on its way. */
  send(deps: Deps): Promise<void>
  /** A delivery of the canary's line; notes what arrives once that is written down. */
  deliver(row: string, deps: Deps): Promise<void>
}

/** Sends an alert through every stage that alerts go through, to an integration that only notes that it came. */
export function openCanary(): Canary {
  let arrived = false
  const notifier: Notifier = {
    compose: () => ({ to: '', title: 'canary', text: '', payload: '', destination: '', cost: 1 }),
    async send() {
      arrived = true
      return { state: 'delivered' }
    },
  }

  return {
    into(config) {
      const { life } = canaryTimes(config)
      const route: Route = {
        receiver: canary.receiver,
        groupBy: [],
        groupWait: 0,
        groupInterval: life,
        repeatInterval: life,
        labels: new Map(),
        path: canary.route,
        id: canary.route,
        matchers: [],
        continue: false,
        muteTimeIntervals: [],
        activeTimeIntervals: [],
        routes: [],
      }
      const integration: Integration<Notifier> = {
        id: canary.integration,
        receiver: canary.receiver,
        channel: canary.channel,
        index: 0,
        sendResolved: false,
        deadline: DEADLINE,
        onUnconfirmed: 'resend',
        open: () => notifier,
      }
      const receiver = {
        name: canary.receiver,
        labels: new Map<string, string>(),
        fallback: '',
        integrations: [integration],
      }
      return {
        ...config,
        routes: new Map([...config.routes, [route.id, route]]),
        receivers: new Map([...config.receivers, [receiver.name, receiver]]),
        integrations: new Map([...config.integrations, [integration.id, integration]]),
        budgets: new Map([...config.budgets, [canary.channel, canaryChannel.budget]]),
      }
    },

    async send(deps) {
      const at = deps.clock.now()
      const alert = {
        fingerprint: canary.fingerprint,
        labels: new Map<string, string>(),
        annotations: new Map<string, string>(),
        generatorURL: '',
        startsAt: at,
        endsAt: at + canaryTimes(deps.routing.config).life,
        endedBy: 'sender' as const,
        updatedAt: at,
      }
      await accept(own([alert]), 'own', deps)
    },

    async deliver(row, deps) {
      arrived = false
      // that each one was delivered is no news; that one was not, is
      const { log } = deps
      const quiet = log.isLevelEnabled('warn') ? log.child({}, { level: 'warn' }) : log
      await deliver(row, DEADLINE, canary.integration, { ...deps, log: quiet })
      if (arrived) await deps.store.heartbeats.canaryArrived(deps.clock.now())
    },
  }
}
