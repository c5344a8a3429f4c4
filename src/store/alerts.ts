import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Alert, EndedBy } from '../alert/alert.ts'
import type { Again, Content, Kept } from '../alert/again.ts'
import { canary } from '../alert/canary.ts'
import type { Labels } from '../model/labels.ts'
import type { Limits } from '../model/limits.ts'
import { type Keys, canaryGroup } from './keys.ts'
import { script, scriptReloads } from './script.ts'

/** A group that an alert belongs to, as the store needs to know it. */
export interface GroupSeed {
  id: string
  groupWait: number // ms
  routeId: string
  groupKey: string
  labels: string // the group labels as JSON, a list of pairs
  receiver: string
}

export interface Arrival {
  alert: Alert
  /** What of it rarely changes; made by store/content.ts. */
  content: Content
  groups: readonly GroupSeed[]
  places: readonly string[] // where it inhibits others
  isGravest: boolean // its groups are flushed before others that are due
}

/** How alerts are put into groups. */
export interface Manner {
  /** By what config: who is in its groups by it already is looked at no more. */
  routing: string
  /** Resolved alerts make and join groups as others do, as in Alertmanager; else nobody is told of what they never heard. */
  exact: boolean
  /** An old alert's group waits its group_wait like any other, since what would inhibit it may still be on its way. */
  calm: boolean
  /** They came before, and only their groups are new: they are not as if just updated. */
  regroups: boolean
  /** They may be older than what is known: what has resolved since does not fire again by them. */
  late: boolean
  /** How many alerts, groups, and alerts in a group there may be; any number where it is not said. */
  most?: Pick<Limits, 'alerts' | 'groups' | 'alertsPerGroup'>
}

/** What became of the alerts of a request. */
export interface Accepted {
  fresh: number
  seen: number // known before: changed or repeated
  late: number // copies of an occurrence that has been resolved, dropped
  joined: number // memberships made
  groups: number // groups made
  soonest: number // when the first of those is due, epoch ms; -1 for none
  rules: string // the version of the inhibitions
  full: ReadonlyMap<Full, number> // not taken: what there are too many of → how many alerts
}

/** What there are too many of. */
export type Full = 'alerts' | 'groups' | 'alertsPerGroup'
const fulls = ['alerts', 'groups', 'alertsPerGroup'] as const satisfies readonly Full[]

/** Fingerprints of what came, changed or went. */
export interface Changes {
  last: string // where to go on from
  moved: ReadonlySet<string> // in its times only
  changed: ReadonlySet<string> // new, or in what it says
  gone: ReadonlySet<string>
}

/** Within what `unpack` takes and what one script may hold up Redis for: alerts, and groups and places of theirs. */
const CHUNK = 500
const CHUNK_WORK = 5000

const accept = script(
  'accept',
  z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number(), z.string()]).rest(z.number()),
)
const repeatReply = z.tuple([z.string()]).rest(z.number())
const repeatScript = script('repeat', repeatReply)
const repeatTold = script('repeat-told', repeatReply)
/** An end that is nearer may have been seen as one that has come, ms: whoever did had another clock. */
const NEAR = 5000
const endedBys: Record<EndedBy, string> = { sender: 's', timeout: 't', resolve: 'r' }

/**
 * `keepResolved`: how long a resolved alert can still be merged with, ms. What is accepted goes over a connection of its
 * own, `accepting`, and is answered once `replicated` resolves.
 */
export function alertStore(
  redis: Redis,
  keys: Keys,
  keepResolved: number,
  { accepting, replicated }: { accepting: Redis; replicated: () => Promise<void> },
) {
  return {
    /**
     * Merges alerts with what is known and puts them into their groups; when this resolves, Redis has
     * them. Calls for many alerts leave in one go. Rejects where Redis does not answer.
     */
    async accept(arrivals: readonly Arrival[], at: number, manner: Manner): Promise<Accepted> {
      const reloads = scriptReloads()
      const calls: Promise<Awaited<ReturnType<typeof acceptChunk>>>[] = []
      for (const chunk of chunksOf(arrivals, ({ groups, places }) => groups.length + places.length)) {
        if (calls.length > 0) await setImmediate() // a long request is no reason for others to wait
        const call = acceptChunk(chunk, at, manner)
        call.catch(() => {}) // it is awaited below, and may fail before
        calls.push(call)
      }
      const onReplicas = replicated() // sent right behind the calls: it costs no trip of its own
      onReplicas.catch(() => {})
      const full = new Map<Full, number>()
      const total: Accepted = { fresh: 0, seen: 0, late: 0, joined: 0, groups: 0, soonest: -1, rules: '', full }
      for (const [fresh, seen, late, joined, groups, soonest, rules, ...refused] of await Promise.all(calls)) {
        total.fresh += fresh
        total.seen += seen
        total.late += late
        total.joined += joined
        total.groups += groups
        if (soonest !== -1 && (total.soonest === -1 || soonest < total.soonest)) total.soonest = soonest
        total.rules = rules
        for (const [i, what] of fulls.entries()) {
          const count = refused[i] ?? 0
          if (count > 0) full.set(what, (full.get(what) ?? 0) + count)
        }
      }
      await onReplicas
      if (scriptReloads() !== reloads) await replicated()
      return total
    },

    /**
     * Takes alerts again of which only the end moves, each once; when this resolves, Redis has them. Resolves with the version
     * of the inhibitions and with those for `accept`. Rejects where Redis does not answer.
     */
    async repeat<T extends Again>(again: readonly T[], at: number): Promise<{ rules: string; others: T[] }> {
      const now = Math.floor(at)
      const writer = nextWriter()
      const isSure = ({ kept, endsAt }: T) => kept.endsAt > now + NEAR && endsAt >= kept.endsAt
      const sure = again.filter(isSure)
      const unsure = sure.length === again.length ? [] : again.filter((one) => !isSure(one))
      const first = await inChunks(sure, (some) =>
        repeatScript(
          accepting,
          [keys.times, keys.changes, keys.versions, keys.references],
          untouched(some, now, writer),
        ),
      )
      const rest = [...first.others, ...unsure]
      if (rest.length === 0) return first
      return inChunks(rest, (some) =>
        repeatTold(
          accepting,
          [keys.times, keys.changes, keys.versions, keys.references, keys.digests],
          [
            now + NEAR,
            ...some.flatMap(({ kept, endsAt, endsText }) => {
              const { fingerprint, startsAt, said } = kept
              return [fingerprint, said, `${startsAt}${rewritten(kept, { endsAt, endsText }, now, writer)}`]
            }),
          ],
        ),
      )
    },

    /** All alerts that are kept, some at a time; one that changes meanwhile may come twice or as it was. */
    async *scan(): AsyncGenerator<Alert[]> {
      let cursor = '0'
      do {
        const [next, flat] = await redis.hscan(keys.alerts, cursor, 'COUNT', 500)
        cursor = next
        const fingerprints = flat.filter((_text, i) => i % 2 === 0)
        if (fingerprints.length === 0) continue
        const times = await redis.hmget(keys.times, ...fingerprints)
        const found = fingerprints.map((fingerprint, i) => toAlert(fingerprint, flat[2 * i + 1] ?? '', times[i] ?? ''))
        yield found.filter((alert) => alert !== undefined)
      } while (cursor !== '0')
    },

    /** The alerts of these fingerprints, as far as they are kept. */
    async load(fingerprints: readonly string[]): Promise<Alert[]> {
      const found: Alert[] = []
      for (let from = 0; from < fingerprints.length; from += CHUNK) {
        const some = fingerprints.slice(from, from + CHUNK)
        const [bodies, times] = await Promise.all([redis.hmget(keys.alerts, ...some), redis.hmget(keys.times, ...some)])
        for (const [i, fingerprint] of some.entries()) {
          const alert = toAlert(fingerprint, bodies[i] ?? '', times[i] ?? '')
          if (alert) found.push(alert)
        }
      }
      return found
    },

    /** The times of alerts, which change more often than what they say; those that are not kept are left out. */
    async times(fingerprints: readonly string[]): Promise<Map<string, AlertTimes>> {
      const found = new Map<string, AlertTimes>()
      for (let from = 0; from < fingerprints.length; from += CHUNK) {
        const some = fingerprints.slice(from, from + CHUNK)
        const texts = await redis.hmget(keys.times, ...some)
        for (const [i, fingerprint] of some.entries()) {
          const times = toTimes(texts[i] ?? '')
          if (times) found.set(fingerprint, times)
        }
      }
      return found
    },

    /**
     * What changed after a point; undefined where that is too long ago to tell, or from another data set: then all has
     * to be read anew, from `newest` on.
     */
    async changesSince(last: string): Promise<Changes | undefined> {
      const entries = await redis.xrange(keys.changes, last, '+')
      if (entries[0]?.[0] !== last) return undefined
      const moved = new Set<string>()
      const changed = new Set<string>()
      const gone = new Set<string>()
      for (const [, fields] of entries.slice(1)) {
        const [, movedText, , changedText, , goneText] = fields
        for (const fingerprint of words(movedText)) moved.add(fingerprint)
        for (const fingerprint of words(changedText)) {
          changed.add(fingerprint)
          gone.delete(fingerprint)
        }
        for (const fingerprint of words(goneText)) gone.add(fingerprint)
      }
      return { last: entries.at(-1)?.[0] ?? last, moved, changed, gone }
    },

    /** The point after all that has changed so far. */
    async newest(): Promise<string> {
      return (await redis.xrevrange(keys.changes, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0'
    },

    /** Forgets resolved alerts that no group holds and whose time has come. Returns how many. */
    async collect(at: number): Promise<number> {
      let forgotten = 0
      for (;;) {
        const due = await redis.zrangebyscore(keys.collectable, '-inf', at, 'LIMIT', 0, CHUNK)
        if (due.length === 0) return forgotten
        forgotten += await forget(
          redis,
          [
            keys.alerts,
            keys.times,
            keys.references,
            keys.collectable,
            keys.indexed,
            keys.changes,
            keys.sourced,
            keys.digests,
          ],
          [at, keepResolved, keys.placePrefix, keys.occupiedPrefix, ...due],
        )
      }
    },

    /** Gives alerts whose end came after `since` until `until` another one, `ends`; see extend-ends.lua. Returns how many. */
    async extendEnds(fingerprints: readonly string[], since: number, until: number, ends: number): Promise<number> {
      return extendEnds(
        redis,
        [keys.times, keys.indexed, keys.changes],
        [since, until, ends, keys.placePrefix, ...fingerprints],
      )
    },
  }

  /** Calls a script that returns which of the alerts, from 1, it did not take. */
  async function inChunks<T>(
    all: readonly T[],
    call: (some: readonly T[]) => Promise<[rules: string, ...others: number[]]>,
  ): Promise<{ rules: string; others: T[] }> {
    if (all.length === 0) return { rules: '', others: [] }
    const reloads = scriptReloads()
    const chunks = chunksOf(all, () => 0)
    const answers = chunks.map(call)
    for (const answer of answers) answer.catch(() => {}) // it is awaited below, and may fail before
    const onReplicas = replicated() // sent right behind the calls: it costs no trip of its own
    onReplicas.catch(() => {})
    let rules = ''
    const others: T[] = []
    for (const [i, answer] of answers.entries()) {
      const [version, ...numbers] = await answer
      rules = version
      for (const number of numbers) {
        const one = chunks[i]?.[number - 1]
        if (one) others.push(one)
      }
    }
    await onReplicas
    if (scriptReloads() !== reloads) await replicated()
    return { rules, others }
  }

  function acceptChunk(
    arrivals: readonly Arrival[],
    at: number,
    { routing, exact, calm, regroups, late, most }: Manner,
  ) {
    const now = Math.floor(at)
    const writer = nextWriter()
    const groupNumbers = new Map<string, number>() // by id, from 1
    const groupParts = openParts()
    const alertParts = openParts()
    for (const { alert, content, groups, places, isGravest } of arrivals) {
      const { startsAt, endsAt, endedBy, startsText = '-', endsText = '-' } = alert
      const times = `${startsAt} ${endsAt} ${now} ${endedBys[endedBy]} ${startsText} ${endsText} ${writer}`
      let membership = String(groups.length)
      for (const group of groups) {
        let number = groupNumbers.get(group.id)
        if (number === undefined) {
          groupNumbers.set(group.id, (number = groupNumbers.size + 1))
          const { id, groupWait, routeId, groupKey, labels, receiver } = group
          groupParts.ascii(id)
          groupParts.ascii(String(groupWait))
          groupParts.text(routeId)
          groupParts.text(groupKey)
          groupParts.text(labels)
          groupParts.text(receiver)
        }
        membership += ` ${number}`
      }
      membership += ` ${places.length} ${places.join(' ')}`
      const said = `${content.digest} ${routing}`
      const over = endsAt !== 0 && endsAt <= at ? '1' : '0'
      alertParts.ascii(alert.fingerprint)
      alertParts.ascii(said)
      alertParts.ascii(times)
      alertParts.flags(over, isGravest ? '1' : '0')
      alertParts.text(content.body)
      alertParts.text(membership)
    }
    return accept(
      accepting,
      [
        keys.alerts,
        keys.times,
        keys.references,
        keys.collectable,
        keys.due,
        keys.indexed,
        keys.changes,
        keys.versions,
        keys.sourced,
        keys.ledgerOf(groupNumbers.size === 1 ? ([...groupNumbers.keys()][0] ?? '') : ''),
        keys.digests,
        keys.grave,
      ],
      [
        at,
        at + keepResolved,
        exact ? 1 : 0,
        calm ? 1 : 0,
        regroups ? 1 : 0,
        keys.placePrefix,
        keys.occupiedPrefix,
        keys.groupPrefix,
        keys.membersPrefix,
        most?.alerts ?? 0,
        most?.groups ?? 0,
        most?.alertsPerGroup ?? 0,
        canary.fingerprint,
        canaryGroup,
        writer,
        late ? 1 : 0,
        groupNumbers.size,
        groupParts.lengths,
        groupParts.whole(),
        arrivals.length,
        alertParts.lengths,
        alertParts.whole(),
      ],
    )
  }
}

/** Which call wrote an alert's times: no two are called the same. */
function nextWriter(): string {
  writes += 1
  return `${replica}${writes.toString(36)}`
}
const replica = randomBytes(6).toString('base64url')
let writes = 0

type Flag = '0' | '1'

/** Parts as one argument, of which Redis is told where each ends: thousands of short ones cost more than what they say. */
function openParts() {
  const ascii = /^[\0-\x7f]*$/
  let whole = ''
  let lengths = ''
  let isAscii = true
  return {
    ascii(part: string) {
      lengths += `${part.length} `
      whole += part
    },
    text(part: string) {
      if (isAscii && !ascii.test(part)) isAscii = false
      lengths += `${isAscii ? part.length : Buffer.byteLength(part)} `
      whole += part
    },
    /** Each of one character: where they end need not be told. */
    flags(a: Flag, b: Flag) {
      whole += a + b
    },
    get lengths() {
      return lengths
    },
    whole: () => Buffer.from(whole, isAscii ? 'latin1' : 'utf8'),
  }
}

/** What is to stand behind the start in an alert's times, which is noted. */
function rewritten(
  kept: Kept,
  { endsAt, endsText = '-' }: Pick<Again, 'endsAt' | 'endsText'>,
  at: number,
  writer: string,
): string {
  kept.written = ` ${endsAt} ${at} s ${kept.startsText} ${endsText} ${writer}`
  kept.endsAt = endsAt
  return kept.written
}

/** The arguments of repeat.lua: most alerts of a request were written together and end together. */
function untouched(some: readonly Again[], at: number, writer: string): (string | number)[] {
  const numbers = new Map<string, Map<string, number>>() // by what is expected, by what is to be, from 1
  const texts: string[] = []
  let alerts = ''
  for (const { kept, endsAt, endsText } of some) {
    const before = kept.written
    const after = rewritten(kept, { endsAt, endsText }, at, writer)
    let afters = numbers.get(before)
    if (!afters) numbers.set(before, (afters = new Map()))
    let number = afters.get(after)
    if (number === undefined) {
      texts.push(before, after)
      afters.set(after, (number = texts.length / 2))
    }
    alerts += `${kept.fingerprint}${kept.startsAt}${number < 10 ? '00' : number < 100 ? '0' : ''}${number}`
  }
  return [texts.length / 2, ...texts, alerts]
}

/** Parts that one script each may deal with; one empty part for nothing. */
export function chunksOf<T>(items: readonly T[], workOf: (item: T) => number): T[][] {
  const chunks: T[][] = [[]]
  let work = 0
  for (const item of items) {
    const last = chunks.at(-1) ?? []
    work += 1 + workOf(item)
    if (last.length < CHUNK && (work <= CHUNK_WORK || last.length === 0)) last.push(item)
    else {
      chunks.push([item])
      work = 1 + workOf(item)
    }
  }
  return chunks
}

const forget = script('forget', z.number())
const extendEnds = script('extend-ends', z.number())

function words(text: string | undefined): string[] {
  return text ? text.split(' ') : []
}

/** What of an alert moves with each repeat. */
export type AlertTimes = Pick<Alert, 'startsAt' | 'endsAt' | 'endedBy' | 'updatedAt' | 'startsText' | 'endsText'>

const times = /^(\d+|-\d+) (\d+|-\d+) (\d+) ([str]) (\S+) (\S+)/

function toTimes(text: string): AlertTimes | undefined {
  const found = times.exec(text)
  if (!found) return undefined
  const [, starts = '', ends = '', updated = '', by = '', startsText = '-', endsText = '-'] = found
  const read: AlertTimes = {
    startsAt: Number(starts),
    endsAt: Number(ends),
    endedBy: by === 's' ? 'sender' : by === 't' ? 'timeout' : 'resolve',
    updatedAt: Number(updated),
  }
  if (startsText !== '-') read.startsText = startsText
  if (endsText !== '-') read.endsText = endsText
  return read
}

/** An alert from what `accept` wrote; undefined where a part is missing. */
export function toAlert(fingerprint: string, bodyText: string, timeText: string): Alert | undefined {
  const read = toTimes(timeText)
  if (!read || bodyText === '') return undefined
  const [labels, annotations, generatorURL] = fromBody(bodyText)
  return { fingerprint, labels, annotations, generatorURL, ...read }
}

/** By hand and not by a schema, which would lose a label called `__proto__`. */
function fromBody(text: string): [labels: Labels, annotations: Labels, generatorURL: string] {
  const parsed: unknown = JSON.parse(text)
  if (!Array.isArray(parsed)) throw new Error('an alert in Redis is not as Tocsin writes it')
  const [labels, annotations, generatorURL] = parsed.map((part: unknown) => part)
  return [toMap(labels), toMap(annotations), String(generatorURL)]
}

function toMap(value: unknown): Labels {
  return new Map(Object.entries(value ?? {}).map(([name, text]) => [name, String(text)]))
}
