import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'

const MOST = 10_000
const by = z.object({
  at: z.string(), // RFC 3339, UTC
  by: z.string(), // who it says it is by; '' where nobody said
  from: z.string(), // address
  client: z.string(), // user agent
})

const silenceAudit = by.extend({
  event: z.enum(['silence created', 'silence updated', 'silence expired']),
  silence: z.string(), // id
  replaces: z.string().exactOptional(), // id of the one that ended with it
})
const levelAudit = by.extend({ event: z.literal('log level changed'), level: z.string() })

/** Of the audit log: what happened, who did it and from where. */
export const auditEntry = z.union([silenceAudit, levelAudit])
export type SilenceAudit = z.infer<typeof silenceAudit>
export type LevelAudit = z.infer<typeof levelAudit>
export type AuditEntry = z.infer<typeof auditEntry>

/** What is written beside the change itself; a silence's is written by the script that changes it. */
export function auditLog(redis: Redis, keys: Keys) {
  return {
    async add(entry: LevelAudit): Promise<void> {
      await redis.xadd(keys.audit, 'MAXLEN', '~', MOST, '*', 'entry', JSON.stringify(entry))
    },
  }
}
