import type { Incident } from '../incident/incident.ts'
import { formatInstant } from '../model/instant.ts'
import type { Deps } from '../pipeline/deps.ts'
import { HttpError, cannotRead, cannotStore } from './error.ts'

/** Who changes an incident, and from where: it is written down with the change. */
export interface By {
  name: string // of the principal, or what a person says of themselves where nobody has to log in
  from: string // address, or the channel whose callback it is
}

/** Acknowledges or resolves by hand. Rejects with 404 where there is none, 409 where its state forbids it. */
export async function changeIncident(
  id: string,
  to: 'acknowledged' | 'resolved',
  { name: by, from }: By,
  { store, clock, events, log }: Pick<Deps, 'store' | 'clock' | 'events' | 'log'>,
): Promise<Incident> {
  const changed = await store.incidents.change(id, to, by, clock.now()).catch(cannotStore)
  if (!changed) throw unknownIncident(id)
  if (changed.done === 'no') throw new HttpError(409, `incident ${id} is ${changed.incident.state}; it cannot be ${to}`)
  if (changed.done === 'yes') {
    log.info({ incident: id, by, from }, `incident ${to}`)
    const at = formatInstant(clock.now())
    await store.audit.add({ at, event: `incident ${to}`, incident: id, by, from }).catch(cannotStore)
    events.publish('incident', { id, event: to } satisfies { id: Incident['id']; event: string })
  }
  return changed.incident
}

/** Writes a note into an incident's timeline. Rejects where Redis is away. */
export async function addNote(
  id: string,
  text: string,
  { name: by, from }: By,
  { store, clock, events, log }: Pick<Deps, 'store' | 'clock' | 'events' | 'log'>,
): Promise<Incident> {
  const now = clock.now()
  await store.incidents.note(id, text, by, now).catch(cannotStore)
  await store.audit.add({ at: formatInstant(now), event: 'note added', incident: id, by, from }).catch(cannotStore)
  log.info({ incident: id, by, from }, 'note added')
  events.publish('incident', { id, event: 'noted' })
  const incident = await store.incidents.get(id).catch(cannotRead)
  if (!incident) throw unknownIncident(id)
  return incident
}

export function unknownIncident(id: string): HttpError {
  return new HttpError(404, `there is no incident ${JSON.stringify(id.slice(0, 40))}`)
}
