import { expect, test } from 'vitest'
import { parseMatchers } from '../../src/match/parse.ts'
import { type RouteSpec, buildTree, plainRoute, matchRoutes, routesById } from '../../src/route/tree.ts'

interface Given extends Omit<Partial<RouteSpec>, 'matchers' | 'routes'> {
  on?: string
  routes?: Given[]
}

function spec({ on = '', routes = [], ...rest }: Given): RouteSpec {
  return {
    ...plainRoute,
    ...rest,
    matchers: parseMatchers(on).matchers,
    routes: routes.map(spec),
  }
}

const tree = buildTree({
  ...spec({
    groupBy: ['alertname'],
    groupWait: 1,
    muteTimeIntervals: ['night'],
    routes: [
      { on: 'team="db"', receiver: 'audit', continue: true },
      { on: 'team="db"', receiver: 'db', groupWait: 2, routes: [{ on: 'severity="critical"', receiver: 'db-pager' }] },
      { on: 'team=~"web|shop"', receiver: 'web', groupBy: 'all', routes: [{ on: 'quiet="yes"', groupBy: [] }] },
      { on: 'team="web"', receiver: 'never' },
    ],
  }),
  receiver: 'root',
})

test.each([
  [{}, ['root']],
  [{ team: 'db' }, ['audit', 'db']],
  [{ team: 'db', severity: 'critical' }, ['audit', 'db-pager']],
  [{ team: 'web' }, ['web']],
  [{ team: 'webshop' }, ['root']],
])('%j goes to %j', (labels, receivers) => {
  expect(matchRoutes(tree, new Map(Object.entries(labels))).map((route) => route.receiver)).toEqual(receivers)
})

test('grouping and times are inherited, intervals and continue are not', () => {
  const [, db] = tree.routes
  expect(db?.routes[0]).toMatchObject({ groupBy: ['alertname'], groupWait: 2, continue: false, muteTimeIntervals: [] })
  expect(tree.routes[2]?.routes[0]).toMatchObject({ groupBy: [], receiver: 'web' })
})

test('siblings with the same matchers have the same path and ids of their own', () => {
  expect(tree.routes.slice(0, 2).map(({ path, id }) => [path, id])).toEqual([
    ['{}/{team="db"}', '{}/{team="db"}'],
    ['{}/{team="db"}', '{}/{team="db"}#2'],
  ])
  expect(routesById(tree).size).toBe(7)
})

test('labels of a route stand over those of its parent', () => {
  const labelled = buildTree({
    ...spec({
      labels: new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
      routes: [{ labels: new Map([['b', '3']]) }, {}],
    }),
    receiver: 'r',
  })
  expect(labelled.routes.map(({ labels }) => Object.fromEntries(labels))).toEqual([
    { a: '1', b: '3' },
    { a: '1', b: '2' },
  ])
})
