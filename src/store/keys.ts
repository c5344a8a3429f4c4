import { createHash } from 'node:crypto'
import { canary } from '../alert/canary.ts'

/**
 * Every key of ours in Redis. All carry one hash tag, so that a script may touch any of them on a
 * Redis Cluster too.
 */
export function keysFor(prefix: string) {
  const tag = `{${prefix}}`
  return {
    alerts: `${tag}:alerts`, // hash: fingerprint → body (labels, annotations, generator URL as JSON)
    times: `${tag}:times`, // hash: fingerprint → start, end, update, who ended it, both texts, which call wrote it
    digests: `${tag}:digests`, // hash: fingerprint → digest of the body, the routing by which it is in its groups
    references: `${tag}:references`, // hash: fingerprint → in how many groups
    collectable: `${tag}:collectable`, // zset: fingerprint → when it may be forgotten
    due: `${tag}:due`, // zset: group id → next flush, or the end of a lease
    grave: `${tag}:grave`, // zset: group id that the gravest alerts have joined since its last flush → when to look at it
    group: (id: string) => `${tag}:group:${id}`, // hash: what `groups.ts` says
    groupPrefix: `${tag}:group:`,
    membersPrefix: `${tag}:members:`,
    members: (id: string) => `${tag}:members:${id}`, // set: fingerprints
    nflog: (id: string) => `${tag}:nflog:${id}`, // hash: integration → last told; dead:<integration> → given up
    outbox: (id: string) => `${tag}:outbox:${id}`, // set: integrations of a group that are owed something
    owed: `${tag}:owed`, // zset: outbox row → when it is due, or the end of a lease
    row: (id: string) => `${tag}:row:${id}`, // hash: what `outbox.ts` says
    rowPrefix: `${tag}:row:`,
    suspect: `${tag}:suspect`, // the row that may kill engines and runs alone; gone with its lease
    destination: (name: string) => `${tag}:destination:${name}`, // hash: what `begin-attempt.lua` says
    destinationPrefix: `${tag}:destination:`,
    linePrefix: `${tag}:line:`,
    flightPrefix: `${tag}:flight:`,
    line: (name: string) => `${tag}:line:${name}`, // zset: rows that wait for the destination → their place
    flight: (name: string) => `${tag}:flight:${name}`, // zset: rows that are being sent there → end of the lease
    ledger: `${tag}:ledger`, // hash: what was ever taken and what became of it → how often
    /** The ledger that a group counts in: the canary is nobody's alert, and has one of its own. */
    ledgerOf: (group: string) => (group === canaryGroup ? `${tag}:canary-ledger` : `${tag}:ledger`),
    audited: `${tag}:audited`, // when the last audit was; gone when another may be
    dead: `${tag}:dead`, // zset: outbox row → when it was given up
    deadLetter: (id: string) => `${tag}:dead:${id}`, // JSON
    deliveries: `${tag}:deliveries`, // stream: every attempt
    live: `${tag}:live`, // stream: what pages are told of, as JSON
    incidents: `${tag}:incidents`, // zset: incident id → when it was opened
    incidentPrefix: `${tag}:incident:`, // hash <id>, list <id>:timeline, counter `last`
    incidentOf: (group: string) => `${tag}:incident-of:${group}`, // incident id
    groupOfDedup: (key: string) => `${tag}:group-of-dedup:${key}`, // id of the group with an incident; as long as that is kept
    changes: `${tag}:changes`, // stream: fingerprints that came, changed or went
    versions: `${tag}:versions`, // hash: epoch (of this data set), silences, rules
    silences: `${tag}:silences`, // hash: id → what `silences.ts` says
    silenceChanges: `${tag}:silence-changes`, // zset: id → the version that wrote it
    silenceEnds: `${tag}:silence-ends`, // zset: id → its end
    inhibitRules: `${tag}:inhibit-rules`, // hash: rule id → its matchers and labels as JSON
    completeRules: `${tag}:complete-rules`, // set: ids of rules whose places hold every alert
    place: (place: string) => `${tag}:place:${place}`, // zset: source → its end
    placePrefix: `${tag}:place:`,
    sourced: `${tag}:sourced`, // hash: rule → how many sources stand in its places; none where there are none
    occupied: (rule: string) => `${tag}:occupied:${rule}`, // set: places of the rule in which a source stands
    occupiedPrefix: `${tag}:occupied:`,
    indexed: `${tag}:indexed`, // hash: fingerprint → the places where it stands
    peers: `${tag}:peers`, // set: names of replicas
    peer: (name: string) => `${tag}:peer:${name}`, // JSON; gone when the replica is
    peerSeen: (name: string) => `${tag}:peer-seen:${name}`, // its address; outlives it where it ended without taking leave
    audit: `${tag}:audit`, // stream: who did what
    session: (hash: string) => `${tag}:session:${hash}`, // JSON; gone when it ends
    callback: (id: string) => `${tag}:callback:${id}`, // a callback that was taken; gone after its replay time
    smsReference: (id: string) => `${tag}:sms-reference:${id}`, // incident of the page with this reference, '' for none
    smsAwaited: `${tag}:sms-awaited`, // zset: id of a message → until when its arrival is to be heard of
    smsStatus: (sid: string) => `${tag}:sms-status:${sid}`, // hash: status, rank, at, error
    inbox: `${tag}:inbox`, // list: JSON, newest first
    heartbeats: `${tag}:heartbeats`, // hash: heartbeat → from when its time counts
    heartbeatsSeen: `${tag}:heartbeats-seen`, // hash: heartbeat → when it was last seen
    heartbeatsRaised: `${tag}:heartbeats-raised`, // hash: heartbeat → the alert that says that it is missing, JSON
    self: `${tag}:self`, // hash: how Tocsin watches itself; what `heartbeats.ts` says
    engine: `${tag}:engine`, // hash: configHash, configFile, aliveAt, talliedSince
    tally: (grain: string, at: number) => `${tag}:tally:${grain}:${at}`, // hash: what `tallies.ts` says
    caught: (hour: number) => `${tag}:caught:${hour}`, // hash: route → how many alerts it caught within an hour
    messages: `${tag}:messages`, // hash: what was told, by notification and integration, deflated
    messageOrder: `${tag}:message-order`, // list: ids of these, the oldest first
    messageBytes: `${tag}:message-bytes`, // what they take
    trace: (id: string) => `${tag}:trace:${id}`, // list: where what a group or a row is about came in; what `traces.ts` says
    included: `${tag}:included`, // hash: included file → its text that was last in force
    bullmq: tag,
  }
}

export type Keys = ReturnType<typeof keysFor>

/** A group's id: what its key and its place in the tree come to, short enough to be part of other keys. */
export function groupId(routeId: string, groupKey: string): string {
  return digestOf(`${routeId}\n${groupKey}`)
}

/** The canary's group and the row of what it is owed. */
export const canaryGroup = groupId(canary.route, `${canary.route}:{}`)
export const canaryRow = rowId(canaryGroup, canary.integration)

/** The outbox row of one integration for one group. */
export function rowId(group: string, integration: string): string {
  return digestOf(`${group}\n${integration}`)
}

/** A short name for a text: the same for the same. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
