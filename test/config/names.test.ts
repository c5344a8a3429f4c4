import { describe, expect, test } from 'vitest'
import { matchRoutes } from '../../src/route/tree.ts'
import { load, problemsOf } from '../helpers/config.ts'

// Names that are the user's own, and mean something to JavaScript.

const receivers = 'receivers: [{ name: rest }, { name: odd }]\n'

describe('a label may be called __proto__', () => {
  test.each([
    ['match', 'match: { __proto__: x }'],
    ['match_re', 'match_re: { __proto__: x|y }'],
    ['matchers', 'matchers: ["__proto__=x"]'],
  ])('a route asks for it by %s', (_how, matcher) => {
    const { route } = load(`route: { receiver: rest, routes: [{ receiver: odd, ${matcher} }] }\n${receivers}`)
    const receiversOf = (labels: [string, string][]) => matchRoutes(route, new Map(labels)).map((one) => one.receiver)
    expect(receiversOf([['__proto__', 'x']])).toEqual(['odd'])
    expect(receiversOf([['a', 'b']])).toEqual(['rest'])
  })

  test('a route carries it', () => {
    const { route } = load(`route: { receiver: rest, labels: { __proto__: x } }\n${receivers}`)
    expect([...route.labels]).toEqual([['__proto__', 'x']])
  })

  test.each([
    ['match: { __proto__: [x] }', 'route.routes.0.match.__proto__: must be a text, not a list'],
    ['labels: { __proto__: [x] }', 'route.routes.0.labels.__proto__: must be a text, not a list'],
  ])('and is checked: %s', (rest, wanted) => {
    expect(problemsOf(`route: { receiver: rest, routes: [{ ${rest} }] }\n${receivers}`).join('\n')).toContain(wanted)
  })
})

test.each(['webhook_configs', 'slack_configs', 'opsgenie_configs'])('no entry of %s is filled by __proto__', (kind) => {
  const entry = '{ __proto__: { url: http://x, api_url: http://x, api_key: x } }'
  const found = problemsOf(`route: { receiver: a }\nreceivers: [{ name: a, ${kind}: [${entry}] }]\n`)
  expect(found.join('\n')).toContain(`receivers.0.${kind}.0.__proto__: unknown key "__proto__"`)
})

test.each([
  ['numbers', '{ 5: *s, 4: *s, 1: *s }', ['5', '4', '1']],
  ['numbers among words', '{ page: *s, 2: *s, info: *s, 1: *s }', ['page', '2', 'info', '1']],
  ['merged ones', '{ <<: { 9: *s }, 3: *s, 1: *s }', ['9', '3', '1']],
])('severities are in the order of the file, gravest first: %s', (_what, severities, wanted) => {
  const table = load(`
severities: ${severities.replaceAll('*s', '{ notify: [slack], incident: yes }')}
teams: { a: { slack: http://x } }
`)
  expect(table.severities).toEqual(wanted)
  expect(wanted.map((name) => table.policy(name, 'a').priority)).toEqual(
    wanted.map((_, i) => (i === 0 ? 'high' : 'normal')),
  )
})
