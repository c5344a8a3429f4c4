import type { Secret } from '../model/secret.ts'
import { link, secretOf } from './fields.ts'
import { noAnswer } from './http.ts'
import { SettingError } from './notifier.ts'

/** Where the service is, itself or in a file. */
export interface HeartbeatAddress {
  url: Secret | undefined
  urlFile: string | undefined
}

/**
 * Calls the service that tells somebody when Tocsin does not call any more. Resolves within the signal's time to why it
 * could not be, undefined where it was; nothing of the URL is in it.
 */
export async function callHeartbeat(
  { url, urlFile }: HeartbeatAddress,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { fetch, dispatcher } = await import('./connections.ts')
  try {
    const to = link(secretOf(url, urlFile))
    if (to === '') return 'its URL is empty or no URL'
    const answer = await fetch(to, { signal, redirect: 'manual', dispatcher, headers: { 'User-Agent': 'Tocsin' } })
    await answer.body?.cancel()
    return answer.ok ? undefined : `HTTP ${answer.status}`
  } catch (error) {
    if (error instanceof SettingError) return error.message
    if (signal.aborted) return 'no answer within the deadline'
    const outcome = noAnswer(error)
    return outcome.state === 'delivered' ? undefined : outcome.detail
  }
}
