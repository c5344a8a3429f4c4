import type { Incident } from '../../src/incident/incident.ts'
import { attempt } from '../components/toasts.tsx'
import { OURS, send } from './api.ts'
import { changedHere, useResource } from './resource.ts'
import { useSession } from './session.ts'
import { ownName } from './own-name.ts'

/** All incidents, the newest first. */
export function useIncidents() {
  return useResource<Incident[]>(`${OURS}/incidents`, 'incident')
}

/** What the reader may do about an incident as it stands now. */
export function useChanges(incident: Pick<Incident, 'id' | 'title' | 'state'> | undefined) {
  const { mayRespond } = useSession()
  if (!incident || !mayRespond) return {}
  const { id, title, state } = incident
  return {
    ...(state === 'open' && { acknowledge: () => void change(id, 'ack', `Acknowledged: ${title}`) }),
    ...(state !== 'resolved' && { resolve: () => void change(id, 'resolve', `Resolved: ${title}`) }),
  }
}

async function change(id: string, verb: 'ack' | 'resolve', done: string): Promise<void> {
  await attempt(send('POST', `${OURS}/incidents/${encodeURIComponent(id)}/${verb}`, by()), done)
  changedHere('incident')
}

/** Who one says to be where nobody has to sign in; elsewhere the engine knows, and takes no notice. */
export function by(): { by?: string } {
  const name = ownName().trim()
  return name === '' ? {} : { by: name }
}
