import type { Redis } from 'ioredis'
import { z } from 'zod'
import { pairs } from './groups.ts'
import { type Keys, canaryGroup, canaryRow } from './keys.ts'
import { script } from './script.ts'

/** What was ever taken, what became of it, and what is there still: all of one instant. */
export interface Ledger {
  joined: number // memberships of alerts in groups that were made
  left: ReadonlyMap<string, number> // that ended, by what the alert came to
  live: number // that last
  owed: number // notifications that were owed
  ended: ReadonlyMap<string, number> // by how: 'delivered', 'dropped: …', 'dead: …'
  open: number // that are owed still
}

const auditScript = script('audit', z.tuple([z.array(z.string()), z.number(), z.number()]))
const openScript = script('open-ledger', z.number())

/** Counts that the scripts keep in the step in which they change what is counted. */
export function ledgerStore(redis: Redis, keys: Keys) {
  const held = [keys.ledger, keys.due, keys.owed]
  return {
    /** Makes the sums hold for data that is older than the ledger. To be called before anything is counted. */
    async open(): Promise<void> {
      await openScript(redis, held, [keys.members(''), canaryGroup, canaryRow])
    },

    async read(): Promise<Ledger> {
      const [fields, live, open] = await auditScript(redis, held, [keys.members(''), canaryGroup, canaryRow])
      const counts = new Map(pairs(fields).map(([name, count]) => [name, Number(count)]))
      const take = (name: string) => {
        const count = counts.get(name) ?? 0
        counts.delete(name)
        return count
      }
      const [joined, owed] = [take('joined'), take('owed')]
      const left = new Map<string, number>()
      const ended = new Map<string, number>()
      for (const [name, count] of counts) {
        if (name.startsWith('left:')) left.set(name.slice('left:'.length), count)
        else ended.set(name, count)
      }
      return { joined, left, live, owed, ended, open }
    },
  }
}
