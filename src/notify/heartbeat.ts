import { type Egress, everywhere } from '../model/egress.ts'
import type { Secret } from '../model/secret.ts'
import { link, secretOf } from './fields.ts'
import { exchange, noAnswer } from './http.ts'
import { SettingError } from './notifier.ts'

/** Where the service is, itself or in a file. */
export interface HeartbeatAddress {
  url: Secret | undefined
  urlFile: string | undefined
  egress?: Egress // everywhere, where it is not given
}

/**
 * Calls the service that tells somebody when Tocsin does not call any more. Resolves within the signal's time to why it
 * could not be, undefined where it was; nothing of the URL is in it.
 */
export async function callHeartbeat(
  { url, urlFile, egress = everywhere }: HeartbeatAddress,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { connectionsFor } = await import('./connections.ts')
  try {
    const to = link(secretOf(url, urlFile))
    if (to === '') return 'its URL is empty or no URL'
    const { status } = await exchange({
      method: 'GET',
      url: to,
      headers: { 'User-Agent': 'Tocsin' },
      secrets: [],
      connections: connectionsFor(egress, true),
      signal,
    })
    return status >= 200 && status < 300 ? undefined : `HTTP ${status}`
  } catch (error) {
    if (error instanceof SettingError) return error.message
    if (signal.aborted) return 'no answer within the deadline'
    const outcome = noAnswer(error)
    return outcome.state === 'delivered' ? undefined : outcome.detail
  }
}
