import type { Log } from '../record/log.ts'
import type { Peer } from '../store/peers.ts'
import type { Store } from '../store/store.ts'
import type { Deps } from './deps.ts'

/** How often a replica says that it runs, ms. */
const BEAT = 5000

export interface Presence {
  name: string
  /** Says at once what has changed about this replica. Rejects where Redis does not answer. */
  announce(change: Partial<Pick<Peer, 'address' | 'rules'>>): Promise<void>
  /** Takes leave. */
  stop(): Promise<void>
}

/** Keeps the other replicas told that this one runs. */
export function openPresence(store: Store, name: string, log: Log): Presence {
  let peer: Peer = { name, address: '', rules: [] }
  const beat = () => store.peers.beat(peer)
  const timer = setInterval(() => {
    beat().catch((err: unknown) => log.warn({ err }, 'cannot tell the other replicas that this one runs'))
  }, BEAT).unref()

  return {
    name,
    async announce(change) {
      peer = { ...peer, ...change }
      await beat()
    },
    async stop() {
      clearInterval(timer)
      await store.peers.leave(name).catch(() => {}) // then they notice by themselves
    },
  }
}

/** Lets go of inhibitions that no replica has any more. */
export async function forgetRules({ store: { peers, inhibition }, routing }: Deps): Promise<void> {
  const { rules } = await inhibition.registered()
  if (rules.length === 0) return
  const own = routing.config.inhibitRules.map(({ id }) => id)
  const used = new Set([...own, ...(await peers.list()).flatMap((peer) => peer.rules)])
  const unused = rules.map(({ id }) => id).filter((id) => !used.has(id))
  if (unused.length > 0) await inhibition.unregister(unused)
}
