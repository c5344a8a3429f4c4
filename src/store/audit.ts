import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Keys } from './keys.ts'
import type { SilenceAudit } from './silences.ts'

const KEPT = 10_000

const entry = z.object({
  at: z.string(), // RFC 3339, UTC
  event: z.string(),
  silence: z.string().exactOptional(), // id
  replaces: z.string().exactOptional(), // id of the silence that ended with it
  incident: z.string().exactOptional(), // id
  letter: z.string().exactOptional(), // id of a dead letter
  level: z.string().exactOptional(), // of the log
  by: z.string(), // '' where nobody said
  from: z.string(), // address, or the channel whose callback it was
  client: z.string().exactOptional(), // user agent
})
export type AuditLine = z.infer<typeof entry>

/** Who did what. */
export type Audited =
  | SilenceAudit
  | {
      at: string
      event: 'incident acknowledged' | 'incident resolved' | 'note added'
      incident: string
      by: string
      from: string
    }
  | { at: string; event: 'dead letter sent again'; letter: string; by: string; from: string }
  | { at: string; event: 'reload asked for'; by: string; from: string }
  | { at: string; event: 'log level changed'; level: string; by: string; from: string; client: string }
  | { at: string; event: 'logged in' | 'logged out'; by: string; from: string; client: string }

/** The audit log; silences write their lines in the step that changes them. */
export function auditStore(redis: Redis, keys: Keys) {
  return {
    async add(line: Audited): Promise<void> {
      await redis.xadd(keys.audit, 'MAXLEN', '~', KEPT, '*', 'entry', JSON.stringify(line))
    },

    /** What happened last, newest first. */
    async list(limit: number): Promise<AuditLine[]> {
      const entries = await redis.xrevrange(keys.audit, '+', '-', 'COUNT', limit)
      // one that another version wrote hides no others
      return entries.flatMap(([, fields]) => entry.safeParse(JSON.parse(fields[1] ?? 'null')).data ?? [])
    },
  }
}
