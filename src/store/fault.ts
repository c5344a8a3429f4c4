/** Why Redis did not do what it was asked: a word for metrics, and a sentence for people. Never a secret. */
export interface StoreFault {
  reason: StoreReason
  message: string
}

export type StoreReason =
  | 'unreachable'
  | 'frozen'
  | 'busy'
  | 'loading'
  | 'read-only'
  | 'full'
  | 'disk'
  | 'password'
  | 'too few replicas'
  | 'store'

/** What Redis' own errors begin with, and ioredis' and the system's hold. */
const faults: readonly [found: RegExp, reason: StoreReason, message: string][] = [
  [/^(?:NOAUTH|WRONGPASS|NOPERM)\b/, 'password', 'Redis asks for another user or password than REDIS_URL has'],
  [/^BUSY\b/, 'busy', 'Redis is held up by a script that does not end'],
  [/^LOADING\b/, 'loading', 'Redis is loading its data'],
  [/^(?:READONLY|MASTERDOWN)\b/, 'read-only', 'this Redis is a replica and takes no writes'],
  [
    /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/,
    'unreachable',
    'the Redis cluster is moving what is Tocsin’s to another node',
  ],
  [/^NOREPLICAS\b/, 'too few replicas', 'Redis has fewer replicas than min-replicas-to-write asks for'],
  [/^TOOFEWREPLICAS\b/, 'too few replicas', 'fewer replicas of Redis than --redis.wait-replicas have what was written'],
  [/^OOM\b/, 'full', 'Redis is at its maxmemory'],
  [/^MISCONF\b/, 'disk', 'Redis cannot write to its disk'],
  [/Command timed out/, 'frozen', 'Redis does not answer within 2 s'],
  [
    /enableOfflineQueue|Connection is closed|max retries per request|ECONNREFUSED|ECONNRESET|ENOENT|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH|certificate|self.signed/i,
    'unreachable',
    'Redis cannot be reached',
  ],
]

/** Sorts an error of the store's. Its transactions wrap the reason into EXECABORT. */
export function faultOf(error: unknown): StoreFault {
  const texts = causes(error)
  for (const text of texts) {
    const found = faults.find(([pattern]) => pattern.test(text))
    if (found) return { reason: found[1], message: found[2] }
  }
  return { reason: 'store', message: 'Redis does not take writes' }
}

function causes(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  const inner = 'previousErrors' in error && Array.isArray(error.previousErrors) ? error.previousErrors : []
  return [error.message, ...inner.flatMap(causes), ...(error.cause === undefined ? [] : causes(error.cause))]
}
