import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { showRoutes, testRoutes } from '../../src/command/routes.ts'
import { loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'
import {
  DIFFERENTIAL,
  LeftOut,
  amtool,
  amtoolMode,
  amtoolVersion,
  collect,
  difference,
  forEach,
  oneOf,
} from '../helpers/amtool.ts'

// Generated trees and label sets: `amtool config routes` must say of each what ours says.

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-routes-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

interface Route {
  receiver?: string
  continue?: boolean
  group_by?: readonly string[]
  matchers?: string[]
  match?: Record<string, string>
  match_re?: Record<string, string>
  routes?: Route[]
}

const receivers = ['ops', 'db', 'web', 'audit', 'ops/pager']
const classicNames = ['team', 'severity', 'service', '_a1']
const newNames = [...classicNames, 'odd name', 'größe', 'a.b', '日本']
const values = oneOf(
  ['', 'db', 'web', 'critical', 'warning', 'db-1', 'DB', 'dbx', 'a b', ' padded ', 'é', '日本', '😀', 'K', '12'],
  ['a\nb', '\n', 'a,b', '{x}', "it's", 'say "x"', 'back\\slash', '\\n', 'k=v', 'a|b', 'd.*', 'ab', 'a-1', 'éa'],
)
const patterns = oneOf(
  ['db|web', 'd.*', '.*', '.+', '', '^db$', 'db$|^web', '[a-z]+', '[^b]*', '(?i)DB', '\\d+', '(?s).*', '(?s).+'],
  ['a.b', 'a\\nb', 'a\nb', '\\w+-\\d', '(a|b)?', 'é|日本', '\\p{Han}+', '[[:upper:]]+', '(crit|warn).*'],
  ['(?m)^a$', '\\Qa,b\\E', '[é-日]+', 'db(?:-\\d+)?', '(?U)d.+', '\\bdb\\b', '\\x{65E5}本', '|db', 'db|', '()'],
  ['(?i)É', '(?i)k', '\\s', '\\s*\\S+\\s*', '^.$', '\\pL{2}', '\\PL+', 'a{1,2}b', '[^\\n]*', '.*"x"'],
  ['back\\\\slash', 'critical|warning|', 'db.*|we.+', '(?P<n>d)b', '[\\d-]+', 'db\\z', '\\Adb', '\\{x\\}'],
  ['(?i:dB)x?', '.{3}'],
)
const { regex } = fc.letrec<{ regex: string; piece: string }>((tie) => ({
  regex: fc.oneof(
    { depthSize: 'small' },
    tie('piece'),
    fc.tuple(tie('piece'), tie('regex')).map(([a, b]) => a + b),
    fc.tuple(tie('piece'), tie('regex')).map(([a, b]) => `${a}|${b}`),
  ),
  piece: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'b', 'é', '-', '1', '.', '[ab]', '[^a]', '\\w', '\\W', '\\n', '^', '$'),
    tie('regex').map((inner) => `(${inner})`),
    fc
      .tuple(fc.constantFrom('a', '.', '[a-é]', '(?:b|-)'), fc.constantFrom('?', '*', '+', '{2}', '*?'))
      .map((p) => p.join('')),
  ),
}))
const anyPattern = fc.oneof({ weight: 3, arbitrary: patterns }, regex)
const anyValue = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('db', 'web', 'critical') },
  { weight: 3, arbitrary: values },
  fc.string({ unit: fc.constantFrom('a', 'b', 'é', '-', '1', '\n'), maxLength: 3 }),
)

const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
const isBare = (text: string) => /^[\w.*+|$^()[\]/?:-]+$/.test(text)

/** One matcher's text, in the ways to write one that both grammars read the same. */
function matcherOf(names: readonly string[]): fc.Arbitrary<string> {
  const name = fc.constantFrom(...names).map((text) => (names === classicNames || isBare(text) ? text : quoted(text)))
  const claim = fc.oneof(
    fc.tuple(fc.constantFrom('=', '!='), anyValue),
    fc.tuple(fc.constantFrom('=~', '!~'), anyPattern),
  )
  const style = fc.record({ bare: fc.boolean(), space: fc.constantFrom('', '', ' ', '\t') })
  return fc
    .tuple(name, claim, style)
    .map(([left, [operator, right], { bare, space }]) =>
      [left, operator, bare && isBare(right) ? right : quoted(right)].join(space),
    )
}

function treeOf(names: readonly string[]): fc.Arbitrary<Route> {
  const one = matcherOf(names)
  const list = fc.oneof(
    { weight: 4, arbitrary: one },
    fc.tuple(one, one, fc.constantFrom(',', ', ', ' , ')).map(([a, b, comma]) => a + comma + b),
    one.map((text) => `{${text}}`),
    fc.constantFrom('', '{}'),
  )
  const options = {
    receiver: fc.constantFrom(...receivers),
    continue: fc.boolean(),
    group_by: fc.constantFrom(['...'], ['team'], ['team', 'severity']),
  }
  const only = fc.oneof(
    fc.record({ matchers: fc.array(list, { minLength: 1, maxLength: 2 }) }),
    fc.record({ match: fc.dictionary(fc.constantFrom(...classicNames), anyValue, { maxKeys: 2 }) }),
    fc.record({ match_re: fc.dictionary(fc.constantFrom(...classicNames), anyPattern, { minKeys: 1, maxKeys: 2 }) }),
  )
  const level = (depth: number): fc.Arbitrary<Route> =>
    fc
      .tuple(
        fc.record(options, { requiredKeys: [] }),
        fc.oneof(
          { weight: 4, arbitrary: only },
          fc.tuple(only, only).map(([a, b]) => ({ ...a, ...b })),
        ),
        depth === 0
          ? fc.constant({})
          : fc.record({ routes: fc.array(level(depth - 1), { maxLength: 4, size: 'max' }) }),
      )
      .map(([rest, matchers, routes]) => ({ ...rest, ...matchers, ...routes }))
  return fc.array(level(2), { minLength: 2, maxLength: 5, size: 'max' }).map((routes) => ({ receiver: 'ops', routes }))
}

/** Labels as arguments: quoted, bare, with a newline as it is; some that are no labels, or stand twice. */
function labelsOf(names: readonly string[]): fc.Arbitrary<readonly string[]> {
  const label = fc
    .tuple(
      fc.constantFrom(...names),
      anyValue,
      fc.constantFrom(quoted, (text: string) => (/^[^"\\{}]*$/.test(text) ? text : quoted(text))),
    )
    .map(([name, value, write]) => `${names === classicNames || isBare(name) ? name : quoted(name)}=${write(value)}`)
  const odd = fc.constantFrom('team', 'team=~db', 'team!=db', 'team="db', '=x', '', 'team==x')
  return fc.oneof(
    { weight: 40, arbitrary: fc.array(label, { minLength: 1, maxLength: 5, size: 'max' }) },
    fc.tuple(label, odd),
    fc.constant([]),
  )
}

interface Story {
  route: Route
  labelSets: (readonly string[])[]
}
const storyOf = (names: readonly string[]): fc.Arbitrary<Story> =>
  fc.record({ route: treeOf(names), labelSets: fc.array(labelsOf(names), { minLength: 8, maxLength: 8 }) })

/** Trees of a run are few, so that no test is long: each has its seed. */
const TREES = 32
const runs = [
  ...Array.from({ length: 8 }, (_, i) => ({ grammar: 'classic', names: classicNames, seed: 25 + i })),
  ...Array.from({ length: 2 }, (_, i) => ({ grammar: 'UTF-8', names: newNames, seed: 33 + i })),
].map((run) => ({ ...run, stories: fc.sample(storyOf(run.names), { seed: run.seed, numRuns: TREES }) }))

const leftOut = new LeftOut()
const held = runs.filter(({ grammar, seed, stories }) => {
  const isHeld = grammar === 'classic' || amtoolMode !== 'classic-mode'
  if (!isHeld) leftOut.add('label names of 0.27', `${stories.length} trees of seed ${seed}`)
  return isHeld
})
const receiversMet = new Set<string>()

test.each(held)(
  `amtool 0.${amtoolVersion} draws and decides as we do: $grammar, seed $seed`,
  async ({ seed, stories: given }) => {
    const disagreements: string[] = []
    const stories = given.map((story, i) => ({ ...story, name: `${seed}.${i}`, file: join(dir, `${seed}.${i}.yml`) }))

    await forEach(stories, async ({ route, labelSets, name, file }) => {
      writeFileSync(file, JSON.stringify({ route, receivers: receivers.map((receiver) => ({ name: receiver })) }))
      const flag = `--config.file=${file}`
      const { route: root } = loadConfig(file, { env: {}, sandbox: false, channels, matcherMode: amtoolMode })
      const shown = collect()
      showRoutes(root, shown.stream)
      const theirTree = await amtool('config', 'routes', 'show', flag)
      if (theirTree.stdout !== shown.text())
        disagreements.push(`tree ${name}: ${difference(shown.text(), theirTree.stdout)}`)

      for (const labels of labelSets) {
        const [stdout, stderr] = [collect(), collect()]
        const code = testRoutes({
          route: root,
          mode: amtoolMode,
          labels,
          verifyReceivers: '',
          tree: true,
          stdout: stdout.stream,
          stderr: stderr.stream,
        })
        const ours = { ok: code === 0, stdout: stdout.text() }
        const theirs = await amtool('config', 'routes', 'test', flag, '--tree', '--', ...labels)
        receiversMet.add(theirs.stdout.split('\n').at(-2) ?? '')
        if (theirs.ok !== ours.ok || (ours.ok && theirs.stdout !== ours.stdout))
          disagreements.push(
            `tree ${name}, ${JSON.stringify(labels)}: ${difference(stderr.text() + ours.stdout, theirs.stdout)}`,
          )
      }
    })
    expect(disagreements).toEqual([])
  },
  DIFFERENTIAL,
)

test('the trees tell label sets apart, and little is left out', () => {
  leftOut.print('routes')
  expect(
    held.reduce((sum, { stories }) => sum + stories.flatMap(({ labelSets }) => labelSets).length, 0),
  ).toBeGreaterThanOrEqual(2000)
  expect(receiversMet.size).toBeGreaterThan(50) // `db,web,db` and the like
  expect(leftOut.count).toBeLessThanOrEqual(2)
})
