import { expect, test } from 'vitest'
import { matcher } from '../../src/match/matcher.ts'
import { type Asked, explainRoute } from '../../src/route/explain.ts'
import { buildTree, matchRoutes, plainRoute } from '../../src/route/tree.ts'

const is = (name: string, value: string) => matcher(name, value, { isRegex: false, isEqual: true })
const tree = buildTree({
  ...plainRoute,
  receiver: 'root',
  routes: [
    { ...plainRoute, receiver: 'audit', matchers: [is('severity', 'critical')], continue: true },
    {
      ...plainRoute,
      receiver: 'quant',
      matchers: [is('team', 'quant')],
      routes: [{ ...plainRoute, receiver: 'night', matchers: [is('severity', 'critical'), is('env', 'prod')] }],
    },
    { ...plainRoute, receiver: 'rest' },
  ],
})

const takers = (asked: Asked): string[] => [
  ...(asked.takes ? [asked.route.receiver] : []),
  ...asked.children.flatMap(takers),
]

test.each([
  [{ team: 'quant', severity: 'critical', env: 'prod' }, ['audit', 'night']],
  [{ team: 'quant', severity: 'critical' }, ['audit', 'quant']],
  [{ severity: 'critical' }, ['audit', 'rest']],
  [{}, ['rest']],
])('%j is taken by %j, as it is routed', (labels, receivers) => {
  const set = new Map(Object.entries(labels))
  expect(takers(explainRoute(tree, set)).sort()).toEqual(receivers)
  expect(
    matchRoutes(tree, set)
      .map(({ receiver }) => receiver)
      .sort(),
  ).toEqual(receivers)
})

test('it says which matchers held, the first that did not with what the label is, and who was not asked', () => {
  const asked = explainRoute(tree, new Map([['team', 'quant']]))
  const [audit, quant] = asked.children
  expect(audit).toMatchObject({ matches: false, tests: [{ matcher: 'severity="critical"', value: '', holds: false }] })
  expect(quant).toMatchObject({
    matches: true,
    takes: true,
    tests: [{ matcher: 'team="quant"', value: 'quant', holds: true }],
  })
  // matchers are sorted: env comes first, and severity is not looked at any more
  expect(quant?.children[0]?.tests).toEqual([{ matcher: 'env="prod"', value: '', holds: false }])
  expect(asked).toMatchObject({ takes: false, notAsked: 1 })
})
