import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Alert } from '../../src/alert/alert.ts'
import { loadConfig } from '../../src/config/load.ts'
import { groupKey, groupLabels } from '../../src/group/key.ts'
import { fingerprint } from '../../src/model/fingerprint.ts'
import type { Labels } from '../../src/model/labels.ts'
import { channels } from '../../src/notify/index.ts'
import { openRouting } from '../../src/pipeline/routing.ts'
import { matchRoutes } from '../../src/route/tree.ts'
import { groupId } from '../../src/store/keys.ts'
import { alertOf } from '../helpers/alerts.ts'

function open(route: unknown) {
  const text = JSON.stringify({ route, receivers: ['r', 's', 't'].map((name) => ({ name })) })
  const config = loadConfig('tocsin.yml', { text, env: {}, sandbox: false, channels })
  return openRouting(config, [], (_id, notifier) => notifier)
}

const alertWith = (labels: Labels): Alert => ({ ...alertOf({}), labels, fingerprint: fingerprint(labels) })

/** Where the walk of the tree takes an alert, without a memory. */
function walked({ config }: ReturnType<typeof open>, labels: Labels) {
  return matchRoutes(config.route, labels).map((route) => {
    const grouped = groupLabels(route, labels)
    const key = groupKey(route, grouped)
    const { id: routeId, receiver, groupWait } = route
    return { id: groupId(routeId, key), routeId, groupKey: key, receiver, groupWait, labels: inOrder([...grouped]) }
  })
}
const inOrder = (pairs: [string, string][]) => pairs.sort(([a], [b]) => (a < b ? -1 : 1))
const remembered = (routing: ReturnType<typeof open>, labels: Labels) =>
  routing.groupsOf(alertWith(labels)).map((seed) => ({ ...seed, labels: inOrder(JSON.parse(seed.labels)) }))

// a name and a value that run into each other, cases, Unicode's two ways to write é, what JSON escapes
const name = fc.constantFrom('a', 'ab', 'abc', 'b', 'A', 'é', 'e\u0301', '__proto__', 'constructor')
const value = fc.constantFrom(
  'c',
  'bc',
  'abc',
  'b',
  'C',
  'é',
  'e\u0301',
  'ÿ',
  '\u0000',
  'b\u0000c',
  '"',
  '\\',
  'c=b',
  'c,b',
  '',
)
const labelSet = fc.array(fc.tuple(name, value), { maxLength: 3 }).map((pairs) => new Map(pairs))

const quoted = (text: string) => JSON.stringify(text)
const matcher = fc.oneof(
  fc
    .tuple(name, fc.constantFrom('=', '!='), value)
    .map(([left, operator, right]) => quoted(left) + operator + quoted(right)),
  fc
    .tuple(name, fc.constantFrom('=~', '!~'), fc.constantFrom('b|c', '.*c', '[^b]+', '', '(?i)c'))
    .map(([left, operator, right]) => quoted(left) + operator + quoted(right)),
)
const options = {
  receiver: fc.constantFrom('r', 's', 't'),
  continue: fc.boolean(),
  matchers: fc.array(matcher, { maxLength: 1 }),
  group_by: fc.constantFrom(['...'], [], ['a'], ['ab', 'é'], ['__proto__']),
}
const leaf = fc.record(options, { requiredKeys: [] })
const branch = fc.record({ ...options, routes: fc.array(leaf, { maxLength: 3 }) }, { requiredKeys: [] })
const tree = fc.array(branch, { maxLength: 4 }).map((routes) => ({ receiver: 'r', routes }))

test('what is remembered of an alert is where the walk takes it, however alike others are', () => {
  fc.assert(
    fc.property(tree, fc.array(labelSet, { minLength: 2, maxLength: 20 }), (route, sets) => {
      const routing = open(route)
      for (const labels of [...sets, ...sets]) expect(remembered(routing, labels)).toEqual(walked(routing, labels))
    }),
    { numRuns: 300 },
  )
})

test('the same labels in another order are the same alert', () => {
  fc.assert(
    fc.property(tree, labelSet, (route, labels) => {
      const routing = open(route)
      const seeds = routing.groupsOf(alertWith(labels))
      expect(routing.groupsOf(alertWith(new Map([...labels].reverse())))).toBe(seeds)
    }),
  )
})

test('what is forgotten is decided again, the same', () => {
  const routing = open({ receiver: 'r', routes: [{ matchers: ['n=~".*[02468]"'], group_by: ['n'], receiver: 's' }] })
  const labelsOf = (n: number) => new Map([['n', String(n)]])
  const first = routing.groupsOf(alertWith(labelsOf(0)))
  expect(routing.groupsOf(alertWith(labelsOf(0)))).toBe(first)

  for (let n = 1; n <= 120_000; n++) routing.groupsOf(alertWith(labelsOf(n)))

  expect(routing.groupsOf(alertWith(labelsOf(0)))).not.toBe(first)
  const wrong = Array.from({ length: 1200 }, (_, i) => i * 100 + (i % 2)).filter((n) => {
    const [seed, ...more] = routing.groupsOf(alertWith(labelsOf(n)))
    return more.length > 0 || seed?.receiver !== (n % 2 === 0 ? 's' : 'r')
  })
  expect(wrong).toEqual([])
})

test('an alert that comes again is remembered, whoever else comes', () => {
  const routing = open({ receiver: 'r' })
  const again = alertWith(new Map([['n', 'again']]))
  const seeds = routing.groupsOf(again)
  for (let n = 0; n < 150_000; n++) {
    routing.groupsOf(alertWith(new Map([['n', String(n)]])))
    if (n % 40_000 === 0) expect(routing.groupsOf(again)).toBe(seeds)
  }
})
