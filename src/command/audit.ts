import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { auditAll, whyNotBalanced } from '../pipeline/audit.ts'
import { openEmbedded } from '../store/embedded.ts'
import { storeConnection, whenReady } from '../store/redis.ts'
import { openStore } from '../store/store.ts'

export interface AuditOptions {
  redisUrl: string | undefined // undefined: the embedded Redis under `dataDir`
  dataDir: string
  prefix: string
  at: number // epoch ms
  stdout: Writable
}

const elsewhere = 'name the Redis of the engine by REDIS_URL or --redis.url, or its folder by --storage.path'

/**
 * Adds up what was taken and what became of it, and looks for whatever is in no named state: all from Redis. Returns the exit
 * code: 1 where something is missing. Rejects where Redis cannot be reached.
 */
export async function audit({ redisUrl, dataDir, prefix, at, stdout }: AuditOptions): Promise<number> {
  // nothing is made only to be found empty
  if (!redisUrl && !existsSync(join(dataDir, 'appendonlydir')) && !existsSync(join(dataDir, 'redis.pid')))
    throw new Error(`there is no data of Tocsin's under ${dataDir}; ${elsewhere}`)
  const embedded = redisUrl ? undefined : await openEmbedded(dataDir, () => {})
  const redis = storeConnection(redisUrl ?? embedded?.socket ?? '', prefix)
  try {
    await whenReady(redis)
    const store = openStore(redis, prefix)
    if (!(await store.isUsed()))
      throw new Error(`Tocsin has kept nothing in this Redis under the prefix ${prefix}; ${elsewhere}`)
    const ledger = await store.ledger.read()
    const print = (line: string) => stdout.write(`${line}\n`)
    const list = (counts: ReadonlyMap<string, number>) => {
      for (const [word, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
        print(`  ${String(count).padStart(10)}  ${word}`)
    }
    print(`alerts that joined groups: ${ledger.joined}`)
    list(ledger.left)
    print(`  ${String(ledger.live).padStart(10)}  in their groups still`)
    print(`notifications owed: ${ledger.owed}`)
    list(ledger.ended)
    print(`  ${String(ledger.open).padStart(10)}  owed still`)

    const missing = await auditAll(store, at)
    const faults = [
      ...whyNotBalanced(ledger),
      ...missing.map(({ groupKey, integration, why }) => `${groupKey} ${integration}: ${why}`),
    ]
    print(faults.length === 0 ? 'nothing is missing' : `missing: ${faults.length}`)
    for (const fault of faults) print(`  ${fault}`)
    return faults.length === 0 ? 0 : 1
  } finally {
    redis.disconnect()
    await embedded?.stop()
  }
}
