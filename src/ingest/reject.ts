import type { Fault } from '../alert/normalise.ts'
import type { Alert } from '../alert/alert.ts'
import type { KnownText } from './known-texts.ts'
import type { Again } from '../alert/again.ts'

/** An alert that was not taken, while its neighbours were. */
export interface Reject extends Fault {
  index: number // its place in the request, from 0
}

/** An alert that came before in the same words, its end apart. */
export interface Returned extends Again {
  /** Reads it in full. */
  read(): Alert
}

/** What a request comes to. */
export interface Ingested {
  alerts: Alert[]
  /** By what each of these is known when it comes again; undefined where it is not to be known. */
  texts: (KnownText | undefined)[]
  again: Returned[]
  rejects: Reject[]
  /** How many alerts of the group the sender left out (`truncatedAlerts`). */
  truncated: number
}

/** The request as a whole is not what the endpoint takes: nothing of it was used. */
export class IngestError extends Error {
  override readonly name = 'IngestError'
  readonly kind: 'malformed' | 'too many alerts'

  constructor(message: string, kind: IngestError['kind'] = 'malformed') {
    super(message)
    this.kind = kind
  }
}

/** `alerts[3].labels.severity: must be a string, not 1` */
export function formatReject({ index, field, reason }: Reject): string {
  return `alerts[${index}].${field}: ${reason}`
}
