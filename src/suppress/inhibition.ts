import { type Matcher, formatMatchers, matchesAll } from '../match/matcher.ts'
import { hashTexts } from '../model/fingerprint.ts'
import type { Labels } from '../model/labels.ts'

/** While a source fires, targets with the same `equal` labels are not told. */
export interface InhibitRule {
  id: string // 16 hex digits of what it says: two rules that say the same are one
  source: readonly Matcher[]
  target: readonly Matcher[]
  equal: readonly string[]
}

export function inhibitRule({ source, target, equal }: Omit<InhibitRule, 'id'>): InhibitRule {
  return { id: hashTexts([formatMatchers(source), formatMatchers(target), ...equal]), source, target, equal }
}

/**
 * What an alert is to the rules. A place is a rule's id, a kind of source and a hash of the values of `equal`
 * (`<16 digits>:only:<16 digits>`): sources stand in theirs, and whoever asks for a target looks into few places instead of at
 * all alerts.
 */
export interface Roles {
  sources: readonly string[] // places that it stands in
  targets: readonly (readonly string[])[] // for each rule that may inhibit it, in their order: places to look into
}

const none: Roles = { sources: [], targets: [] }

/**
 * The places of an alert. A source that is a target of the same rule too does not inhibit another such alert, so that
 * no alert inhibits itself and no two each other (inhibit.go, hasEqual with excludeTwoSidedMatch). For `equal` an absent
 * label is an empty one.
 */
export function rolesOf(rules: readonly InhibitRule[], labels: Labels): Roles {
  if (rules.length === 0) return none
  const sources: string[] = []
  const targets: string[][] = []
  for (const rule of rules) {
    const isSource = matchesAll(rule.source, labels)
    const isTarget = matchesAll(rule.target, labels)
    if (!isSource && !isTarget) continue
    const values = hashTexts(rule.equal.map((name) => labels.get(name) ?? ''))
    const only = `${rule.id}:only:${values}`
    const both = `${rule.id}:both:${values}`
    if (isSource) sources.push(isTarget ? both : only)
    if (isTarget) targets.push(isSource ? [only] : [only, both])
  }
  return sources.length === 0 && targets.length === 0 ? none : { sources, targets }
}

/** The id of a place's rule. */
export function ruleOf(place: string): string {
  return place.slice(0, place.indexOf(':'))
}

/** The source of a place that ends last. */
export interface Source {
  fingerprint: string
  endsAt: number // epoch ms; Infinity where no end is known
}

/** The fingerprint of the alert that inhibits one with these roles at an instant, by the first rule that does. */
export function inhibitorOf(
  { targets }: Roles,
  lastSource: (place: string) => Source | undefined,
  at: number,
): string | undefined {
  for (const places of targets) {
    for (const place of places) {
      const source = lastSource(place)
      if (source && source.endsAt > at) return source.fingerprint
    }
  }
  return undefined
}
