import type { Outcome, Reason } from './notifier.ts'

/** What a channel answers is short; more of it is not read. Bytes. */
export const LONGEST_ANSWER = 64 * 1024
/** Shorter than any attempt, so that a deadline means that the request was under way. ms */
export const CONNECT_TIMEOUT = 5000
const LONGEST_WAIT = 15 * 60_000

/** An attempt's signal, cut short by a `timeout` of the file; 0 and undefined are none. ms */
export function within(signal: AbortSignal, timeout: number | undefined): AbortSignal {
  if (!timeout || signal.aborted) return signal
  // by hand: of AbortSignal.any and AbortSignal.timeout nobody keeps hold, and what is collected ends nothing
  const either = new AbortController()
  const abort = () => either.abort()
  signal.addEventListener('abort', abort, { once: true })
  setTimeout(abort, timeout).unref()
  return either.signal
}

/** What an HTTP status means where the channel has no rule of its own. */
export function reasonOf(status: number): Reason {
  if (status === 429) return 'rate limited'
  if (status === 408) return 'timeout'
  if (status === 401 || status === 403) return 'unauthorised'
  return status >= 500 ? 'server error' : 'client error'
}

/** A failure by its status; `says` is a word of the answer, never more than fits in a line. */
export function failedWith(
  status: number,
  says: string,
  retryAfter: string | null | undefined,
  reason = reasonOf(status),
): Outcome {
  const wait = retryAfterMs(retryAfter)
  const word = says.replace(/\s+/g, ' ').trim().slice(0, 200)
  return {
    state: 'failed',
    reason,
    detail: `HTTP ${status}${word && `: ${word}`}`,
    ...(wait !== undefined && { retryAfter: wait }),
  }
}

/** Retry-After in ms: seconds or a date (RFC 9110 §10.2.3), at most 15 min; undefined where there is none. */
export function retryAfterMs(header: string | null | undefined, now = Date.now()): number | undefined {
  if (!header) return undefined
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_WAIT, Math.max(0, ms))
}

const notSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])
const untrusted =
  /^(?:CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH)/

/**
 * What it means that there was no answer: `network` where nothing was sent, else that its fate is unknown.
 * Only the error's code is told; messages hold addresses.
 */
export function noAnswer(error: unknown): Outcome {
  const code = codeOf(error)
  if (notSent.has(code)) return { state: 'failed', reason: 'network', detail: code }
  if (untrusted.test(code))
    return { state: 'failed', reason: 'configuration', detail: `the connection is not trusted: ${code}` }
  return { state: 'unknown', detail: `no answer: ${code || 'the connection ended'}` }
}

/** Codes of errors that stand around the one that says something. */
const wrappers = new Set(['ERR_BAD_RESPONSE', 'slack_webhook_request_error'])

/** The first code in an error and its causes; `TimeoutError` and `AbortError` count as such. */
export function codeOf(error: unknown): string {
  // Slack's errors have what went wrong in `original`
  for (let cause = error; cause instanceof Error; cause = 'original' in cause ? cause.original : cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && !wrappers.has(cause.code)) return cause.code
    if (cause.name === 'TimeoutError' || cause.name === 'AbortError') return cause.name
  }
  return ''
}
