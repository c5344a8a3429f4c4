import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Alert } from '../../src/alert/alert.ts'
import { isResolved } from '../../src/alert/alert.ts'
import { type Matcher, matchesAll } from '../../src/match/matcher.ts'
import { parseMatchers } from '../../src/match/parse.ts'
import { type InhibitRule, type Source, inhibitRule, inhibitorOf, rolesOf } from '../../src/suppress/inhibition.ts'
import { alertOf } from '../helpers/alerts.ts'

const NOW = 1000
const matchers = (text: string): Matcher[] => parseMatchers(text).matchers

/** Alertmanager's rules over all alerts, by a walk (spec, section 6): the first rule with a source that counts. */
function isInhibited(target: Alert, rules: readonly InhibitRule[], alerts: readonly Alert[]): boolean {
  return rules.some(
    ({ source, target: side, equal }) =>
      matchesAll(side, target.labels) &&
      alerts.some(
        (one) =>
          !isResolved(one, NOW) &&
          matchesAll(source, one.labels) &&
          equal.every((name) => (one.labels.get(name) ?? '') === (target.labels.get(name) ?? '')) &&
          !(matchesAll(source, target.labels) && matchesAll(side, one.labels)),
      ),
  )
}

const side = fc.constantFrom('', 'a="1"', 'a=~"1|2"', 'a!="1"', 'b="1"', 'a="1",b!="2"', 'a=""').map(matchers)
const rule = fc
  .record({ source: side, target: side, equal: fc.subarray(['a', 'b', 'c']) })
  .map((sides) => inhibitRule(sides))
const value = fc.constantFrom('1', '2', '3')
const alert = fc
  .record({ a: value, b: value, c: value, n: fc.nat(9).map(String) }, { requiredKeys: ['n'] })
  .chain((labels) => fc.constantFrom(0, 500, 1000, 1001, 5000).map((endsAt) => alertOf({ ...labels }, { endsAt })))

test('what is found in few places is what a walk over all alerts finds', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), fc.array(alert, { maxLength: 12 }), (rules, given) => {
      const alerts = [...new Map(given.map((one) => [one.fingerprint, one])).values()]
      const places = new Map<string, Source>()
      for (const { labels, fingerprint, endsAt: end } of alerts) {
        const endsAt = end || Number.POSITIVE_INFINITY
        for (const place of rolesOf(rules, labels).sources)
          if ((places.get(place)?.endsAt ?? -1) < endsAt) places.set(place, { fingerprint, endsAt })
      }
      for (const one of alerts) {
        const inhibitor = inhibitorOf(rolesOf(rules, one.labels), (place) => places.get(place), NOW)
        expect(inhibitor !== undefined).toBe(isInhibited(one, rules, alerts))
        expect(inhibitor).not.toBe(one.fingerprint)
      }
    }),
    { numRuns: 2000 },
  )
})

test('how many places a target looks into does not depend on how many alerts there are, nor on how long their labels are', () => {
  const rules = Array.from({ length: 100 }, (_, n) =>
    inhibitRule({
      source: matchers(`severity="critical",rule="${n}"`),
      target: matchers('severity="warning"'),
      equal: ['cluster'],
    }),
  )
  const { targets } = rolesOf(
    rules,
    new Map([
      ['severity', 'warning'],
      ['cluster', 'a'],
    ]),
  )
  expect(targets.flat()).toHaveLength(200)
  expect(
    rolesOf(
      rules,
      new Map([
        ['severity', 'critical'],
        ['rule', '7'],
      ]),
    ).sources,
  ).toHaveLength(1)
  expect(rolesOf(rules, new Map([['severity', 'info']]))).toEqual({ sources: [], targets: [] })
})
