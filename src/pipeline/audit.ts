import type { Ledger } from '../store/ledger.ts'
import type { Group } from '../store/groups.ts'
import type { Store } from '../store/store.ts'
import { ABSENCE } from './absence.ts'
import type { Deps } from './deps.ts'
import { raise } from './own-alert.ts'

/** A group that should have been flushed so long ago is missed, in its intervals. */
const MISSED_INTERVALS = 2
/** However short its interval, a group is not missed sooner than twice this. ms */
const SHORTEST = 30_000
/** A row that should have been looked at so long ago has neither a job nor a sweep. ms */
const MISSED_ROW = 60_000
/** Looked at in each minute's audit: it goes round all groups in time. */
const SLICE = 500

/** Something that is in no named state, and where. */
export interface Missing {
  groupKey: string
  integration: string // '' where it is the group as a whole
  why: string
}

/** Whether a ledger adds up; what does not, in words. */
export function whyNotBalanced({ joined, left, live, owed, ended, open }: Ledger): string[] {
  const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0)
  const faults: string[] = []
  const memberships = sum(left) + live
  if (joined !== memberships)
    faults.push(`${joined} alerts joined groups, but ${memberships} are in them or were let go of`)
  const notifications = sum(ended) + open
  if (owed !== notifications)
    faults.push(`${owed} notifications were owed, but ${notifications} came to an end or are owed still`)
  return faults
}

/**
 * What of a group is in no named state: it was not flushed when it should have been, or an integration was owed something
 * that neither came to an end nor is owed still.
 */
export function missingOf(group: Group, dueAt: number, at: number): Missing[] {
  const of = (integration: string, why: string) => ({ groupKey: group.key, integration, why })
  // one that is taken again and again, and never flushed, is due anew each time
  const since = Math.min(dueAt, group.dueSince ?? dueAt)
  if (since < at - MISSED_INTERVALS * Math.max(group.interval, SHORTEST))
    return [of('', 'it was due and nobody has looked at it')]
  return [...group.verdicts]
    .filter(([integration, { word }]) => word === 'owed' && !group.owed.has(integration))
    .map(([integration]) => of(integration, 'it was owed, is owed no more, and how it ended is not known'))
}

/** What of one group is missing; one that cannot be read is, whatever else is to be looked at. */
async function look(store: Store, id: string, dueAt: number, at: number): Promise<Missing[]> {
  try {
    const group = await store.groups.load(id)
    return group ? missingOf(group, dueAt, at) : []
  } catch (error) {
    const why = `it cannot be read: ${error instanceof Error ? error.message : String(error)}`
    return [{ groupKey: id, integration: '', why }]
  }
}

/** Looks at all groups; for `tocsin audit`. */
export async function auditAll(store: Store, at: number): Promise<Missing[]> {
  const missing: Missing[] = []
  for (const { id, dueAt } of await store.groups.dues(0, -1)) {
    missing.push(...(await look(store, id, dueAt, at)))
  }
  const late = (await store.outbox.overdue(at - MISSED_ROW, 1000)).map(({ id }) => id)
  const rows = (await store.outbox.rows(late)).map(({ group, integration }) => ({
    groupKey: group,
    integration,
    why: 'it is owed, and nobody looks after it',
  }))
  return [...missing, ...rows]
}

/** How long Tocsin's own alert stands once nothing is missing any more, ms. */
const STANDS = 10 * 60_000

/**
 * Looks at some groups in each call, one replica at a time, makes due at once what was missed, and tells that it was. Returns
 * how much that is.
 */
export async function audit(deps: Deps): Promise<number> {
  const { store, clock, metrics, log } = deps
  const at = clock.now()
  const from = await store.groups.takeSlice(SLICE, at)
  if (from === undefined) return 0 // another replica has just done it
  const lastAlive = await store.peers.lastAlive()
  // after an absence much is due, and about to be looked at
  const isCatchingUp = at < deps.calmUntil || lastAlive === undefined || at - lastAlive > ABSENCE
  const missing: Missing[] = []
  for (const { id, dueAt } of await store.groups.dues(from, from + SLICE - 1)) {
    const found = (await look(store, id, dueAt, at)).filter(({ integration }) => !isCatchingUp || integration !== '')
    if (found.length > 0 && dueAt > at) await store.groups.hurry(id, at)
    missing.push(...found)
  }
  const faults = whyNotBalanced(await store.ledger.read())
  const count = missing.length + faults.length
  metrics.auditMissing.set(count)
  if (count === 0) return 0
  log.error({ missing: missing.slice(0, 20), faults }, 'the audit misses something; it is looked at again now')
  const [first] = missing
  await raise(
    {
      alertname: 'TocsinAuditMissing',
      summary: `Tocsin misses ${count} ${count === 1 ? 'thing' : 'things'} that it had accepted`,
      description: `${first ? `${first.groupKey} ${first.integration}: ${first.why}` : faults.join('; ')}. Run tocsin audit, and see its log.`,
      severity: 'critical',
      stands: STANDS,
    },
    deps,
  )
  return count
}
