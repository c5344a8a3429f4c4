import { type Alert, type EndedBy } from '../../src/alert/alert.ts'
import { fingerprint } from '../../src/model/fingerprint.ts'

/** An alert of these labels, as normalised: fires since 0 without an end unless told otherwise. */
export function alertOf(labels: Record<string, string>, rest: Partial<Alert> & { endedBy?: EndedBy } = {}): Alert {
  const map = new Map(Object.entries(labels))
  return {
    fingerprint: fingerprint(map),
    labels: map,
    annotations: new Map(),
    generatorURL: '',
    startsAt: 0,
    endsAt: 0,
    endedBy: 'resolve',
    updatedAt: 0,
    ...rest,
  }
}
