import { execFile, spawnSync } from 'node:child_process'
import { Writable } from 'node:stream'
import fc from 'fast-check'
import type { MatcherMode } from '../../src/match/mode.ts'
import { toText } from '../../src/model/bytes.ts'

/** The amtool that Tocsin is held against: Debian's, or the one that AMTOOL names. */
const binary = process.env['AMTOOL'] ?? 'amtool'
const [, minor] = /version 0\.(\d+)\./.exec(spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout ?? '') ?? []
if (minor === undefined)
  throw new Error(`${binary} is no amtool 0.x; script/setup test installs one, or AMTOOL names it`)

/** The 25 of 0.25.0. */
export const amtoolVersion = Number(minor)

/** How it reads matchers: what is older than 0.27 knows the classic grammar only. */
export const amtoolMode: MatcherMode = amtoolVersion < 27 ? 'classic-mode' : 'fallback'

/** A test's patience where it starts hundreds of processes, on however busy a machine. ms */
export const DIFFERENTIAL = 5 * 60_000

export interface Answer {
  ok: boolean
  stdout: string
}

/** Before 0.28 or so, trees were drawn with no-break spaces. */
const noBreak = '│\u00a0\u00a0 '

/** Newer ones log on stdout. */
const warning = /time=\S+ level=WARN .*\n/g

/** One run of it; what it says on stderr is left, for the words of an error are each program's own. */
export function amtool(...args: string[]): Promise<Answer> {
  return new Promise((done) => {
    execFile(binary, args, { encoding: 'buffer', maxBuffer: 2 ** 26 }, (error, stdout) =>
      done({ ok: error === null, stdout: toText(stdout).replace(warning, '').replaceAll(noBreak, '│   ') }),
    )
  })
}

/** Takes what a command of ours prints. */
export function collect(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => toText(Buffer.concat(chunks)) }
}

/** Where two texts begin to differ. */
export function difference(ours: string, theirs: string): string {
  let at = 0
  while (at < ours.length && ours[at] === theirs[at]) at++
  const shown = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 30), at + 60))
  return `ours ${shown(ours)}, theirs ${shown(theirs)}`
}

/** Any of the texts of these lists. */
export function oneOf(...lists: readonly string[][]): fc.Arbitrary<string> {
  return fc.constantFrom(...lists.flat())
}

const AT_ONCE = 4

/** Runs for each item, a few at a time: a process takes longer to start than to answer. */
export async function forEach<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items].reverse()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = queue.pop(); item !== undefined; item = queue.pop()) await run(item)
    }),
  )
}

/**
 * Cases that a binary older than 0.33 cannot decide, so that the specification's samples alone do. They are
 * printed, so that a run says what it did not hold against anything.
 */
export class LeftOut {
  readonly #names = new Map<string, string[]>()

  add(why: string, name: string): void {
    this.#names.set(why, [...(this.#names.get(why) ?? []), name])
  }

  get count(): number {
    return [...this.#names.values()].reduce((sum, names) => sum + names.length, 0)
  }

  print(what: string): void {
    if (this.count === 0) return
    const lines = [...this.#names].map(
      ([why, names]) =>
        `  ${why}: ${names.length}\n${names.map((name) => `    ${JSON.stringify(name).slice(0, 100)}\n`).join('')}`,
    )
    process.stdout.write(`${what}: amtool 0.${amtoolVersion} does not decide ${this.count} cases\n${lines.join('')}`)
  }
}
