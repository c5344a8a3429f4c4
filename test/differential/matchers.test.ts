import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { showRoutes } from '../../src/command/routes.ts'
import { ConfigError } from '../../src/config/error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'
import {
  DIFFERENTIAL,
  amtool,
  amtoolMode,
  amtoolVersion,
  collect,
  difference,
  forEach,
  oneOf,
} from '../helpers/amtool.ts'

// A text under `matchers:`: the tree that `amtool config routes show` draws tells what was read, a failure that
// nothing was. A binary older than 0.27 has the classic grammar only, and is held against that mode of ours.

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-matchers-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const file = new URL('../vectors/matcher-vectors.json', import.meta.url)
const { vectors } = z
  .object({ vectors: z.array(z.object({ input: z.string() })) })
  .parse(JSON.parse(readFileSync(file, 'utf8')))

/** Half of them nearly matchers, half whatever the grammars' own characters make. */
const name = oneOf(['foo', 'a_1', 'a:b', '_', 'a.b', 'größe', '1a', '"foo"', '"a b"', '日本', '', "'a'", '`a`', 'a-b'])
const operator = fc.constantFrom('=', '!=', '=~', '!~', '==', '=!', '~=', '!', '~', ' = ', '\t=~ ', '=\n', '!= ')
const value = oneOf(
  ['bar', '"bar"', '', '""', '"a b"', 'a b', '"a\\"b"', '"a\\\\b"', 'a\\b', '"a\\b"', '"\\d+"', '\\d+'],
  ['"a\nb"', '"\\n"', '"\\t"', '"\\x41"', '"\\u00e9"', '"\\q"', '"a', 'a"', '"a"b', 'a,b', '"a,b"', '{x}'],
  ['"{x}"', 'a{2,3}', 'x|y', '(', '"("', '[a', '.*', '.+', "'a'", '`a`', '"é"', 'é', '\u{1f600}', '"\u00a0"'],
  ['\u00a0x', 'x\u2003', '"\\\\"', '\\"', '"\\', '=x', '~x', '!'],
)
const nearly = fc.tuple(name, operator, value).map((parts) => parts.join(''))
const joined = fc
  .tuple(
    fc.constantFrom('', '', '{', ' {', '{ ', ','),
    nearly,
    fc.constantFrom(',', ', ', ' ,', ',,', ' '),
    nearly,
    fc.constantFrom('', '', '}', '} ', ',', ', ', ',}', '}}'),
  )
  .map((parts) => parts.join(''))
const piece = oneOf(
  ['a', 'foo', '=', '!', '~', '"', '\\', '{', '}', ',', ' ', '\n', '\t', 'é', '.', "'", '`'],
  ['\\"', '=~', 'x="y"', '\u00a0', '\f', '\u0085'],
)
const soup = fc.array(piece, { maxLength: 9, size: 'max' }).map((parts) => parts.join(''))
const generated = fc.sample(fc.oneof(nearly, joined, soup), { seed: 27, numRuns: 400 })
const texts = [...new Set([...vectors.map(({ input }) => input), ...generated])]

test(
  `amtool 0.${amtoolVersion} reads ${texts.length} texts as we do, ${amtoolMode}`,
  async () => {
    expect(texts.length).toBeGreaterThanOrEqual(300)
    const disagreements: string[] = []
    let accepted = 0

    await forEach(
      texts.map((text, i) => ({ text, path: join(dir, `${i}.yml`) })),
      async ({ text, path }) => {
        writeFileSync(
          path,
          JSON.stringify({ route: { receiver: 'r', routes: [{ matchers: [text] }] }, receivers: [{ name: 'r' }] }),
        )
        const ours = read(path)
        const theirs = await amtool('config', 'routes', 'show', `--config.file=${path}`)
        if (theirs.ok) accepted++
        if (ours.ok !== theirs.ok)
          disagreements.push(
            `${JSON.stringify(text)}: ours ${ours.ok}, theirs ${theirs.ok}, ${JSON.stringify(ours.text)}`,
          )
        else if (ours.ok && ours.text !== theirs.stdout)
          disagreements.push(`${JSON.stringify(text)}: ${difference(ours.text, theirs.stdout)}`)
      },
    )
    expect(disagreements).toEqual([])
    expect(accepted).toBeGreaterThan(texts.length / 5)
    expect(accepted).toBeLessThan((texts.length * 3) / 4)
  },
  DIFFERENTIAL,
)

/** The tree, or the mistake. */
function read(path: string): { ok: boolean; text: string } {
  try {
    const { route } = loadConfig(path, { env: {}, sandbox: false, channels, matcherMode: amtoolMode })
    const shown = collect()
    showRoutes(route, shown.stream)
    return { ok: true, text: shown.text() }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { ok: false, text: error.message }
  }
}
