import { type Matcher, literalsOf, matchesAll } from '../match/matcher.ts'
import type { Labels } from '../model/labels.ts'

/** Alerts that all its matchers fit are not told while it lasts. Instants in epoch ms. */
export interface Silence {
  id: string // UUID
  matchers: readonly Matcher[] // in the order given
  startsAt: number
  endsAt: number
  updatedAt: number
  createdBy: string
  comment: string
  annotations: Labels
}

export type SilenceState = 'active' | 'pending' | 'expired'

/** A silence as somebody asks for it; an id where it is to take the place of another. */
export type SilenceDraft = Omit<Silence, 'updatedAt'>

export function stateOf({ startsAt, endsAt }: Pick<Silence, 'startsAt' | 'endsAt'>, at: number): SilenceState {
  if (at < startsAt) return 'pending'
  return at < endsAt ? 'active' : 'expired'
}

/** What is to be written for a draft. */
export interface SilenceChange {
  silence: Silence // as it is from now on: its id is the one in force
  isNew: boolean // it has an id of its own
  expired: Silence | undefined // the one that it takes the place of, ended now
}

/**
 * A draft made a silence: under its id where the one that is there may still become it, else under `newId`
 * (silence.go, Set and canUpdate). `before` is the silence of the draft's id.
 */
export function planSilence(
  draft: SilenceDraft,
  before: Silence | undefined,
  at: number,
  newId: string,
): SilenceChange {
  if (before && mayBecome(before, draft, at))
    return { silence: { ...draft, updatedAt: at }, isNew: false, expired: undefined }
  const silence = { ...draft, id: newId, startsAt: Math.max(draft.startsAt, at), updatedAt: at }
  const isOver = !before || stateOf(before, at) === 'expired'
  return { silence, isNew: true, expired: isOver ? undefined : endSilence(before, at) }
}

/** The silence as it is when it is ended by hand; one that has ended stays as it is. */
export function endSilence(silence: Silence, at: number): Silence {
  const state = stateOf(silence, at)
  if (state === 'expired') return silence
  return { ...silence, endsAt: at, updatedAt: at, startsAt: state === 'pending' ? at : silence.startsAt }
}

function mayBecome(before: Silence, draft: SilenceDraft, at: number): boolean {
  if (!sameMatchers(before.matchers, draft.matchers)) return false
  const state = stateOf(before, at)
  if (state === 'expired') return false
  if (state === 'pending') return draft.startsAt >= at
  return secondOf(before.startsAt) === secondOf(draft.startsAt) && draft.endsAt >= at
}

const secondOf = (at: number) => Math.floor(at / 1000)

/** In their order, too. */
function sameMatchers(some: readonly Matcher[], others: readonly Matcher[]): boolean {
  return some.length === others.length && some.every((one, i) => sameMatcher(one, others[i]))
}

/** The same to the letter, not only in what it fits. */
export function sameMatcher(one: Matcher, other: Matcher | undefined): boolean {
  return (
    one.name === other?.name &&
    one.value === other.value &&
    one.isRegex === other.isRegex &&
    one.isEqual === other.isEqual
  )
}

/** Alertmanager's order for lists: active by end, then pending by start, then expired by end, the latest first. */
export function compareSilences(at: number): (a: Silence, b: Silence) => number {
  const ranks: Record<SilenceState, number> = { active: 0, pending: 1, expired: 2 }
  return (a, b) => {
    const [x, y] = [stateOf(a, at), stateOf(b, at)]
    if (x !== y) return ranks[x] - ranks[y]
    if (x === 'pending') return a.startsAt - b.startsAt
    return x === 'active' ? a.endsAt - b.endsAt : b.endsAt - a.endsAt
  }
}

/** Silences arranged so that an alert is held against few of them. */
export interface SilenceIndex {
  /** Those whose matchers all fit, in whatever state, ordered by id. */
  matching(labels: Labels): readonly Silence[]
}

const nothing: readonly Silence[] = []

/**
 * Each silence is kept under the values that one of its matchers names, the rarest of them: only an alert with such a
 * label can fit. What names no value (a wide regex, a negation) is held against every alert.
 */
export function indexSilences(silences: Iterable<Silence>): SilenceIndex {
  const byLabel = new Map<string, Silence[]>()
  const others: Silence[] = []
  const listOf = (key: string) => {
    let list = byLabel.get(key)
    if (!list) byLabel.set(key, (list = []))
    return list
  }
  for (const silence of silences) {
    const naming = silence.matchers
      .map(keysOf)
      .filter((keys) => keys !== undefined)
      .sort((a, b) => crowd(a) - crowd(b))
    for (const key of naming[0] ?? []) listOf(key).push(silence)
    if (!naming[0]) others.push(silence)
  }
  function crowd(keys: readonly string[]): number {
    return keys.reduce((sum, key) => sum + (byLabel.get(key)?.length ?? 0), keys.length)
  }

  return {
    matching(labels) {
      let found: Silence[] | undefined
      const look = (list: readonly Silence[]) => {
        for (const silence of list) if (matchesAll(silence.matchers, labels)) (found ??= []).push(silence)
      }
      look(others)
      if (byLabel.size > 0) {
        for (const [name, value] of labels) {
          const list = byLabel.get(keyOf(name, value))
          if (list) look(list)
        }
      }
      return found?.sort((a, b) => (a.id < b.id ? -1 : 1)) ?? nothing
    },
  }
}

/** The labels of which an alert must have one to fit; undefined where there are no such. */
function keysOf(matcher: Matcher): string[] | undefined {
  const values = literalsOf(matcher)
  if (!values || values.includes('')) return undefined
  return [...new Set(values)].map((value) => keyOf(matcher.name, value))
}

function keyOf(name: string, value: string): string {
  return `${name}\u0000${value}`
}
