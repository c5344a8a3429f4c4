import type { Deps } from '../../pipeline/deps.ts'
import { changeIncident } from '../change-incident.ts'
import { HttpError } from '../error.ts'

/** Changes an incident as a callback asks; returns what came of it, in words for who asked. Rejects where Redis is away. */
export async function settle(
  id: string,
  to: 'acknowledged' | 'resolved',
  by: { name: string; from: string },
  deps: Deps,
): Promise<string> {
  try {
    const { title } = await changeIncident(id, to, by, deps)
    return `${to === 'acknowledged' ? 'Acknowledged' : 'Resolved'}: ${title}`
  } catch (error) {
    // the vendor would only send it again
    if (error instanceof HttpError && error.status < 500) return `Not ${to}: ${error.message}`
    throw error
  }
}
