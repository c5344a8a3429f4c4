import type { Incident } from '../../src/incident/incident.ts'
import { attempt } from '../components/toasts.tsx'
import { OURS, send } from './api.ts'
import { changedHere, useResource } from './resource.ts'
import { ownName } from './session.ts'

/** All incidents, the newest first. */
export function useIncidents() {
  return useResource<Incident[]>(`${OURS}/incidents`, 'incident')
}

export async function acknowledge({ id, title }: Pick<Incident, 'id' | 'title'>): Promise<void> {
  await change(id, 'ack', `Acknowledged: ${title}`)
}

export async function resolve({ id, title }: Pick<Incident, 'id' | 'title'>): Promise<void> {
  await change(id, 'resolve', `Resolved: ${title}`)
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
