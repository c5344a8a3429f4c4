import type { Alert } from '../alert/alert.ts'
import { beyondLimits } from '../alert/bounds.ts'
import type { Fault, RawAlert } from '../alert/normalise.ts'
import { type Limits, limitKeys } from '../model/limits.ts'
import type { KnownText } from './known-texts.ts'
import { IngestError, type Ingested, type Returned } from './reject.ts'

/** A request's alerts, each read when it is asked for: a long list need not be read in one go. */
export interface Batch {
  size: number
  /** How many alerts of the group the sender left out (`truncatedAlerts`). */
  truncated: number
  read(index: number): Alert | Fault | Returned
  /** By what an alert that was read is known when it comes again; undefined where it is not to be known. */
  textOf?(index: number): KnownText | undefined
  /** The same without what is known. */
  anew?(): Batch
}

/** Reads up to `most` further alerts. Returns whether there are more. */
export function readOn(batch: Batch, ingested: Ingested, most = Number.POSITIVE_INFINITY): boolean {
  const from = ingested.alerts.length + ingested.again.length + ingested.rejects.length
  const to = Math.min(batch.size, from + most)
  for (let index = from; index < to; index++) {
    const alert = batch.read(index)
    if ('kept' in alert) ingested.again.push(alert)
    else if ('reason' in alert) ingested.rejects.push({ index, ...alert })
    else {
      ingested.alerts.push(alert)
      ingested.texts.push(batch.textOf?.(index))
    }
  }
  return to < batch.size
}

/** What nothing has been read of yet. */
export function unread({ truncated }: Batch): Ingested {
  return { alerts: [], texts: [], again: [], rejects: [], truncated }
}

/** What Tocsin has to say itself. */
export function own(alerts: Alert[]): Ingested {
  return { alerts, texts: [], again: [], rejects: [], truncated: 0 }
}

/** The batch to read instead, where an alert is in it twice: then their order matters. */
export function insteadOf(batch: Batch, { alerts, again }: Ingested): Batch | undefined {
  if (again.length === 0) return undefined
  const fingerprints = new Set(again.map(({ kept }) => kept.fingerprint))
  for (const { fingerprint } of alerts) fingerprints.add(fingerprint)
  return fingerprints.size < alerts.length + again.length ? batch.anew?.() : undefined
}

/** All of it. */
export function readAll(batch: Batch): Ingested {
  const ingested = unread(batch)
  readOn(batch, ingested)
  const instead = insteadOf(batch, ingested)
  return instead ? readAll(instead) : ingested
}

/** Throws IngestError where a request holds more alerts than may be. */
export function checkCount(list: readonly unknown[], { alertsPerRequest }: Limits): void {
  if (list.length <= alertsPerRequest) return
  throw new IngestError(
    `the request holds ${list.length} alerts, at most ${alertsPerRequest} are taken at once ` +
      `(limits.${limitKeys.alertsPerRequest}); send them in several`,
    'too many alerts',
  )
}

export function withinLimits(raw: RawAlert | Fault, limits: Limits): RawAlert | Fault {
  return 'reason' in raw ? raw : (beyondLimits(raw, limits) ?? raw)
}
