import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { openHttpSink } from '../helpers/http-sink.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { tell } from '../helpers/story.ts'

// reliability.md P5: whatever the tree, a receiver hears of all alerts that are routed to it and of no others, at its own
// address and with its own credentials.

const TREES = process.env['CHAOS'] === 'long' ? 10_000 : 150
const RECEIVERS = [0, 1, 2, 3]

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

interface Matcher {
  name: string
  operator: '=' | '!=' | '=~' | '!~'
  values: string[]
}

interface Node {
  receiver: number | undefined
  matchers: Matcher[]
  continue: boolean
  group_by: string[] | undefined
  routes: Node[]
}

type Labels = Record<string, string>

const name = fc.constantFrom('a', 'b', 'c')
const value = fc.constantFrom('x', 'y', 'z')
const matcher: fc.Arbitrary<Matcher> = fc.record({
  name,
  operator: fc.constantFrom('=', '!=', '=~', '!~'),
  values: fc.uniqueArray(fc.oneof(value, fc.constant('')), { minLength: 1, maxLength: 2 }),
})
const nodeOf = fc.memo((depth): fc.Arbitrary<Node> =>
  fc.record({
    receiver: fc.option(fc.constantFrom(...RECEIVERS), { nil: undefined }),
    matchers: fc.array(matcher, { maxLength: 2 }),
    continue: fc.boolean(),
    group_by: fc.option(fc.constantFrom<string[]>([], ['a'], ['b', 'c'], ['...']), { nil: undefined }),
    routes: depth > 1 ? fc.array(nodeOf(), { maxLength: 3 }) : fc.constant<Node[]>([]),
  }),
)
const labels: fc.Arbitrary<Labels> = fc.dictionary(name, value, { maxKeys: 3 })

/** Anchored, an absent label is empty; several values are alternatives, of which equality only looks at the first. */
function holds({ name: label, operator, values }: Matcher, of: Labels): boolean {
  const given = of[label] ?? ''
  const isIn = operator.endsWith('~') ? values.includes(given) : values[0] === given
  return operator.startsWith('!') ? !isIn : isIn
}

/** Who is to hear of an alert, by the rules as anybody would tell them. */
function whoHears(route: Node, inherited: number, of: Labels): number[] {
  const receiver = route.receiver ?? inherited
  const heard: number[] = []
  for (const child of route.routes) {
    if (!child.matchers.every((one) => holds(one, of))) continue
    heard.push(...whoHears(child, receiver, of))
    if (!child.continue) break
  }
  return route.routes.some((child) => child.matchers.every((one) => holds(one, of))) ? heard : [receiver]
}

function toRoute({ receiver, matchers, group_by, routes, ...rest }: Node): Record<string, unknown> {
  return {
    ...(receiver !== undefined && { receiver: `team${receiver}` }),
    ...(matchers.length > 0 && {
      matchers: matchers.map(
        (one) => `${one.name}${one.operator}"${one.operator.endsWith('~') ? one.values.join('|') : one.values[0]}"`,
      ),
    }),
    ...(group_by && { group_by }),
    continue: rest.continue,
    ...(routes.length > 0 && { routes: routes.map(toRoute) }),
  }
}

test(`in ${TREES} random trees no team hears of another's alerts, nor with its credentials`, async () => {
  await using sink = await openHttpSink()
  const configOf = (root: Node) => {
    const { continue: _none, matchers: _all, ...route } = toRoute(root)
    return stringify({
      route: { ...route, receiver: 'team0', group_wait: '0s', group_interval: '1m' },
      receivers: RECEIVERS.map((n) => ({
        name: `team${n}`,
        webhook_configs: Array.from({ length: 1 + (n % 2) }, (_, i) => ({
          url: `${sink.url}/team${n}/${i}`,
          http_config: { authorization: { credentials: `secret-of-team${n}` } },
        })),
      })),
    })
  }
  let told = 0
  await fc.assert(
    fc.asyncProperty(nodeOf(4), fc.array(labels, { minLength: 1, maxLength: 6 }), async (tree, sets) => {
      const root: Node = { ...tree, receiver: 0, matchers: [], continue: false }
      const alerts = sets.map((set, n) => ({ ...set, alertname: 'A', id: `alert-${n}-` }))
      sink.requests.length = 0
      await using story = await tell(server, configOf(root), { deliverBy: 'channels' })
      await story.post(...alerts.map((one) => ({ labels: one, annotations: { note: `canary of ${one.id}` } })))
      await story.advance('1s')

      const heard = new Map<string, Set<string>>()
      for (const { path: url, headers, body } of sink.requests) {
        const team = Number(/^\/team(\d)\//.exec(url)?.[1])
        expect(headers['authorization']).toBe(`Bearer secret-of-team${team}`)
        const known = heard.get(url) ?? new Set<string>()
        heard.set(url, known)
        for (const one of alerts) {
          if (!body.includes(one.id)) continue
          known.add(one.id)
          expect(whoHears(root, 0, one), `${url} heard of ${JSON.stringify(one)}`).toContain(team)
        }
        told += 1
      }
      for (const team of RECEIVERS) {
        const own = alerts.filter((one) => whoHears(root, 0, one).includes(team)).map(({ id }) => id)
        for (let i = 0; i < 1 + (team % 2); i++)
          expect(heard.get(`/team${team}/${i}`) ?? new Set()).toEqual(new Set(own))
      }
    }),
    { numRuns: TREES },
  )
  expect(told).toBeGreaterThan(TREES)
}, 3_600_000)
