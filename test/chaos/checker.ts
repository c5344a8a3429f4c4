import type { Findings } from './findings.ts'
import type { Kind, Sent, SentAlert } from './ledger.ts'
import type { Telling } from './telling.ts'

/** What ended without being told, as Tocsin's API has it. */
export interface Letter {
  kind: Kind
  team: string
  group: string
}

/** One end of an attempt, as Tocsin's own delivery log has it. */
export interface Ended {
  row: string
  notification: string
  integration: string
  channel: string
  attempt: number
  how: string // told, retry, dead …
  isDelivered: boolean
}

/** A place where a secret must not show: a log, an answer, a dump. */
export interface Captured {
  where: string
  text: string
}

export interface Evidence {
  sent: readonly Sent[]
  told: readonly Telling[]
  letters: readonly Letter[]
  ended: readonly Ended[] // in the order in which they were written down
  owed: number // what the outbox still owes
  faults: readonly string[] // where Tocsin's own ledger does not add up
  captured: readonly Captured[]
}

/** What should have come of it. */
export interface Expected {
  /** The channels that an alert is to be told on, with its team's address. */
  reach(alert: SentAlert): readonly Kind[]
  /** Channels that are not told of ends. */
  firingOnly: ReadonlySet<Kind>
  tokens: ReadonlyMap<string, string> // team → the canary that its alerts carry
  credentials: ReadonlyMap<Kind, ReadonlyMap<string, string>> // channel → team → what must be shown there
  secrets: readonly string[]
  mostRepeats: number // labelled ones: what was in flight, times the kills
  grace: number // ms from an accepted resolve to when nothing may announce the alert
  /** Where a fault took what was accepted before an instant: it is counted and told, and no more of it than this may be gone. */
  loss: { before: number; most: number; since?: number }
  /** A request that its sender gave up on lay in a frozen engine's socket, and may have been read after the end was accepted. */
  lateCopies: boolean
  /** Whether a webhook's repeat must have the id of what it repeats. */
  oneId: boolean
}

interface Life extends SentAlert {
  ackedAt: number | undefined // when its beginning was first accepted
  endAckedAt: number | undefined
  mayHaveEnded: boolean // its end was at least posted
  hasCopies: boolean // its beginning was posted without an answer
}

const keyOf = (kind: string, team: string) => `${team}/${kind}`

/**
 * Holds what senders posted against what channels heard and what Tocsin wrote down: P1 to P5 and P17. Every fact is counted;
 * what does not hold is told with the alert, the group and the channel.
 */
export function check(evidence: Evidence, expected: Expected, findings: Findings): void {
  const lives = livesOf(evidence.sent)
  const lines = linesOf(evidence.told)
  everyAlertEnds(lives, lines, evidence, expected, findings)
  nothingTwice(lines, evidence.told, lives, expected, findings)
  inOrder(lives, lines, expected, findings)
  noLeak(evidence.told, lives, expected, findings)
  ownLog(evidence, findings)
  for (const { where, text } of evidence.captured)
    for (const [i, secret] of expected.secrets.entries())
      findings.holds('P17', !text.includes(secret), () => `secret ${i} stands in ${where}`)
}

function livesOf(sent: readonly Sent[]): Map<string, Life> {
  const lives = new Map<string, Life>()
  for (const { alerts, result, doneAt } of sent) {
    for (const alert of alerts) {
      const life = lives.get(alert.id) ?? {
        ...alert,
        ackedAt: undefined,
        endAckedAt: undefined,
        mayHaveEnded: false,
        hasCopies: false,
      }
      lives.set(alert.id, life)
      if (alert.state === 'resolved') life.mayHaveEnded = true
      else if (result === 'unknown') life.hasCopies = true
      if (result !== 'acked') continue
      if (alert.state === 'firing') life.ackedAt ??= doneAt
      else life.endAckedAt ??= doneAt
    }
  }
  return lives
}

/** Tellings by team's channel and group, in the order in which they were read. */
function linesOf(told: readonly Telling[]): Map<string, Map<string, Telling[]>> {
  const lines = new Map<string, Map<string, Telling[]>>()
  for (const telling of [...told].sort((a, b) => a.n - b.n)) {
    const key = keyOf(telling.kind, telling.team)
    const groups = lines.get(key) ?? new Map<string, Telling[]>()
    lines.set(key, groups)
    groups.set(telling.group, [...(groups.get(telling.group) ?? []), telling])
  }
  return lines
}

/** P1, P2: what was accepted comes to a named end on each channel that it is for. */
function everyAlertEnds(
  lives: ReadonlyMap<string, Life>,
  lines: ReturnType<typeof linesOf>,
  { letters, owed, faults }: Evidence,
  { reach, firingOnly, loss, lateCopies }: Expected,
  findings: Findings,
): void {
  const givenUp = new Set(letters.map(({ kind, team, group }) => `${keyOf(kind, team)} ${group}`))
  let lost = 0
  let left = 0 // told, and not told that it is over
  for (const life of lives.values()) {
    if (life.ackedAt === undefined) continue
    for (const kind of reach(life)) {
      const key = keyOf(kind, life.team)
      const about = (lines.get(key)?.get(life.group) ?? []).flatMap(({ alerts, at }) =>
        alerts.filter(({ id }) => id === life.id).map(({ state }) => ({ state, at })),
      )
      const isDead = givenUp.has(`${key} ${life.group}`)
      const wasTold = about.some(({ state }) => state === 'firing')
      const hasEnd = wasTold || isDead || life.mayHaveEnded
      const mayBeGone = life.ackedAt < loss.before
      if (!hasEnd && mayBeGone) lost += 1
      else findings.holds('P1', hasEnd, () => `${life.id} was accepted, and ${key} never heard of it`)
      if (!wasTold || life.endAckedAt === undefined || firingOnly.has(kind)) continue
      const isClosed = about.at(-1)?.state === 'resolved' || isDead
      // what it was told before the loss is forgotten, and its end with it
      const wasForgotten = about.every(({ state, at }) => state !== 'firing' || at < loss.before)
      if (!isClosed && (mayBeGone || wasForgotten || (lateCopies && life.hasCopies))) left += 1
      else findings.holds('P2', isClosed, () => `${life.id} is over, and ${key} was not told last that it is`)
    }
  }
  findings.holds('P2', owed === 0, () => `${owed} notifications are still owed at the end`)
  findings.holds('P2', faults.length === 0, () => `the ledger does not add up: ${faults.join('; ')}`)
  if (loss.before > 0) {
    findings.holds('P1', lost <= loss.most, () => `${lost} of what was accepted is gone, and ${loss.most} may be`)
    findings.notes.push(`${lost} of what was accepted gone, ${left} ends of what was told before untold`)
  }
}

/** P3: a repeat says that it is one, and there are no more than were in flight. */
function nothingTwice(
  lines: ReturnType<typeof linesOf>,
  told: readonly Telling[],
  lives: ReadonlyMap<string, Life>,
  { mostRepeats, oneId, loss, lateCopies }: Expected,
  findings: Findings,
): void {
  const withCopies = new Set([...lives.values()].filter(({ hasCopies }) => hasCopies).map(({ group }) => group))
  let repeats = 0
  for (const [key, groups] of lines) {
    for (const [group, tellings] of groups) {
      if (key.endsWith('/pagerduty')) {
        // what was told before a loss is forgotten: an incident, or its end
        const isBefore = ({ at }: Telling) => at < loss.before
        const opened = Math.max(
          incidentsOf(tellings.filter(isBefore)),
          incidentsOf(tellings.filter((telling) => !isBefore(telling))),
        )
        const most = lateCopies && withCopies.has(group) ? 2 : 1 // a beginning that is read after the end is another incident
        findings.holds('P3', opened <= most, () => `${group} opened ${opened} incidents at ${key}`)
        continue
      }
      const seen = new Map<string, number>() // attempt → when
      const wasLost = (at: number | undefined, now: number) =>
        at !== undefined && at >= (loss.since ?? 0) && at < loss.before && now >= loss.before
      let before: Telling | undefined
      for (const telling of tellings) {
        const attempt = `${telling.notification} ${telling.attempt}`
        const earlier = seen.get(attempt)
        // what was told before a loss is forgotten, and told once more
        const isSameAttempt = telling.attempt > 0 && earlier !== undefined && !wasLost(earlier, telling.at)
        seen.set(attempt, telling.at)
        const isForgotten = wasLost(before?.at, telling.at)
        const isSame = before !== undefined && !isForgotten && contentOf(before) === contentOf(telling)
        if (isSame || isSameAttempt) repeats += 1
        findings.holds(
          'P3',
          !isSameAttempt && (!isSame || telling.isLabelled),
          () =>
            `${key} was told twice about ${group} without being told that it is a repeat, ` +
            `${telling.at - (before?.at ?? telling.at)} ms after: ${contentOf(telling)}${sinceLoss(telling.at, loss)}`,
        )
        // who knows a notification by its id takes another attempt for the same
        if (isSame && oneId && telling.kind === 'webhook')
          findings.holds(
            'P3',
            before?.notification === telling.notification,
            () =>
              `${key} was told the same about ${group} under two ids: ${before?.notification} (attempt ${before?.attempt}), ` +
              `${telling.notification} (attempt ${telling.attempt})`,
          )
        before = telling
      }
    }
  }
  if (told.length > 0)
    findings.holds(
      'P3',
      repeats <= mostRepeats,
      () => `${repeats} repeats, and ${mostRepeats} could have been in flight`,
    )
  if (repeats > 0) findings.notes.push(`${repeats} labelled repeats`)
}

function sinceLoss(at: number, { before }: Expected['loss']): string {
  return before > 0 ? ` (${at - before} ms after the loss)` : ''
}

function contentOf({ alerts }: Telling): string {
  return alerts
    .map(({ id, state }) => `${state} ${id}`)
    .sort()
    .join(', ')
}

/** How many incidents a service opens that goes by the key. */
function incidentsOf(tellings: readonly Telling[]): number {
  let opened = 0
  let isOpen = false
  for (const { isOver } of tellings) {
    if (!isOver && !isOpen) opened += 1
    isOpen = !isOver
  }
  return opened
}

/** P4: states come in order, no beginning is announced after its end, and no end of what never began. */
function inOrder(
  lives: ReadonlyMap<string, Life>,
  lines: ReturnType<typeof linesOf>,
  { grace, loss, lateCopies }: Expected,
  findings: Findings,
): void {
  for (const [key, groups] of lines) {
    for (const [group, tellings] of groups) {
      let ended = new Set<string>()
      let last = 0
      let wasAnnounced = false
      for (const { alerts, at, isOver, isLabelled } of tellings) {
        if (last < loss.before && at >= loss.before) ended = new Set() // forgotten
        last = at
        // whose beginning may have been heard is told of its end, with the word that it may be a repeat
        if (isOver)
          findings.holds(
            'P4',
            wasAnnounced || isLabelled,
            () => `${key} got an all-clear for ${group}, which it never heard of`,
          )
        else wasAnnounced = true
        for (const { id, state } of alerts) {
          if (state === 'resolved') {
            ended.add(id)
            continue
          }
          findings.holds(
            'P4',
            !ended.has(id) || (lateCopies && lives.get(id)?.hasCopies === true),
            () => `${key} was told that ${id} fires after it was told that it does not`,
          )
          const endedAt = lives.get(id)?.endAckedAt
          findings.holds(
            'P4',
            endedAt === undefined || at - endedAt <= grace,
            () => `${key} was told that ${id} fires ${at - (endedAt ?? 0)} ms after its end was accepted`,
          )
        }
      }
    }
  }
}

/** P5: a team hears of its own alerts only, by its own credentials, and of nothing that nobody sent. */
function noLeak(
  told: readonly Telling[],
  lives: ReadonlyMap<string, Life>,
  { tokens, credentials }: Expected,
  findings: Findings,
): void {
  for (const { team, kind, alerts, credential, group } of told) {
    const wanted = credentials.get(kind)?.get(team)
    if (wanted !== undefined)
      findings.holds(
        'P5',
        credential === wanted,
        () => `${team}'s ${kind} was shown another's credentials about ${group}`,
      )
    findings.holds('P5', alerts.length > 0, () => `${team}'s ${kind} was told nothing about ${group || 'nothing'}`)
    for (const alert of alerts) {
      findings.holds(
        'P5',
        alert.team === team && alert.token === tokens.get(team),
        () => `${team}'s ${kind} was told ${alert.id} of ${alert.team}`,
      )
      findings.holds('P5', lives.has(alert.id), () => `${team}'s ${kind} was told ${alert.id}, which nobody sent`)
    }
  }
}

/** P3 as Tocsin wrote it down: one end to an attempt, none by one that was overtaken, and none that nobody heard of. */
function ownLog({ ended, told }: Evidence, findings: Findings): void {
  const last = new Map<string, Ended>()
  const heard = new Set<string>()
  for (const { kind, notification, attempt } of told)
    if (kind === 'webhook') heard.add(`${notification.split('.')[0] ?? ''} ${attempt}`)
  for (const end of ended) {
    const before = last.get(`${end.row} ${end.notification}`)
    last.set(`${end.row} ${end.notification}`, end)
    findings.holds(
      'P3',
      before === undefined || before.attempt <= end.attempt,
      () => `attempt ${end.attempt} of ${end.notification} was written down after attempt ${before?.attempt}`,
    )
    findings.holds(
      'P3',
      before === undefined || before.how === 'retry' || before.how === 'back',
      () => `${end.notification} ended twice: ${before?.how} and ${end.how}`,
    )
    if (end.isDelivered && end.channel === 'webhook')
      findings.holds(
        'P2',
        heard.has(`${end.notification} ${end.attempt}`),
        () =>
          `${end.integration} was written down as told (${end.notification}, attempt ${end.attempt}) and heard nothing`,
      )
  }
}
