import type { Notifier } from '../notify/notifier.ts'

/** How one integration has fared in this process. */
export interface Fortune {
  channel: string
  deliveredAt: number | undefined // epoch ms
  failures: number // in a row, since it last delivered
  why: string // of the last one
}

/** What became of attempts, by integration: for saying how the ways out are. */
export function openOutcomes(clock: { now(): number }) {
  const fortunes = new Map<string, Fortune>()
  return {
    fortunes: fortunes as ReadonlyMap<string, Fortune>,

    /** The same adapter, its answers noted. */
    watching(integration: string, channel: string, notifier: Notifier): Notifier {
      return {
        ...notifier,
        async send(message, signal) {
          const outcome = await notifier.send(message, signal)
          const before = fortunes.get(integration)
          const isDelivered = outcome.state === 'delivered'
          fortunes.set(integration, {
            channel,
            deliveredAt: isDelivered ? clock.now() : before?.deliveredAt,
            failures: isDelivered ? 0 : (before?.failures ?? 0) + 1,
            why: isDelivered ? '' : outcome.detail,
          })
          return outcome
        },
      }
    },
  }
}

export type Outcomes = ReturnType<typeof openOutcomes>
