import { json } from './fields.ts'
import { type Answer, isCutShort } from './http.ts'
import type { Outcome } from './notifier.ts'
import { type Verdicts, all, failedBy } from './verdict.ts'

/** Slack's words, of webhooks and of its Web API; one that is not among them is judged by the HTTP status. */
export const slackWords: Verdicts = {
  ...all('rate_limited ratelimited', { means: 'rate limited' }),
  ...all('internal_error service_unavailable request_timeout', { means: 'server error' }),
  fatal_error: { means: 'unknown' }, // Slack may have posted it before it failed
  ...all('invalid_payload no_text too_many_attachments invalid_blocks msg_blocks_too_long message_limit_exceeded', {
    means: 'client error',
  }),
  ...all(
    'channel_not_found not_in_channel channel_is_archived is_archived user_not_found no_service no_service_id no_active_hooks no_team team_disabled',
    { means: 'rejected' },
  ),
  ...all('action_prohibited posting_to_general_channel_denied restricted_action', { means: 'unauthorised' }),
  ...all('invalid_token invalid_auth not_authed token_revoked token_expired account_inactive missing_scope', {
    means: 'unauthorised',
  }),
}

/** What is said again in plain words, once. */
const tooMuch = new Set(['msg_blocks_too_long', 'invalid_blocks'])

/** Whether the same in plain words may be taken. */
export function wantsLess(answer: Answer): boolean {
  return answer.status === 413 || tooMuch.has(wordOf(answer.body))
}

/** A webhook says `ok`, the Web API `{"ok":true}`; both may say something else with HTTP 200. */
export function slackOutcome(answer: Answer): Outcome {
  const { status, body } = answer
  const isSuccess = status >= 200 && status < 300
  if (isSuccess && !isCutShort(answer) && saysOk(body)) return { state: 'delivered', ...posted(body) }
  const word = wordOf(body)
  const verdict = Object.hasOwn(slackWords, word) ? slackWords[word] : undefined
  const seconds: unknown = json(body)?.['retry_after']
  const told = answer.retryAfter ?? (typeof seconds === 'number' ? String(Math.ceil(seconds)) : undefined)
  return failedBy({ ...answer, retryAfter: told }, word, verdict)
}

function saysOk(body: string): boolean {
  return body.trim() === 'ok' || /^\s*\{\s*"ok"\s*:\s*true\b/.test(body) || json(body)?.['ok'] === true
}

/** `channel:ts`, by which the Web API knows a message. What is cut off behind 64 kB is the message itself. */
function posted(body: string): { id?: string } {
  const channel = /"channel"\s*:\s*"([A-Z0-9]+)"/.exec(body)?.[1]
  const ts = /"ts"\s*:\s*"([0-9.]+)"/.exec(body)?.[1]
  return channel && ts ? { id: `${channel}:${ts}` } : {}
}

/** The plain word of a webhook, or the `error` of the Web API. */
function wordOf(body: string): string {
  const error: unknown = json(body)?.['error']
  return typeof error === 'string' ? error : body.trim()
}
