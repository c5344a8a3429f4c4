import { MatcherError, parseMatcher } from '../match/parse.ts'
import type { MatcherMode } from '../match/mode.ts'
import { RegexError } from '../match/regex.ts'
import type { Labels } from '../model/labels.ts'
import { drawMatching, drawTree } from '../route/draw.ts'
import type { Route } from '../route/route.ts'
import { matchRoutes } from '../route/tree.ts'
import { batch } from './batch.ts'

export interface RoutesTestOptions {
  route: Route // the root
  mode: MatcherMode
  labels: readonly string[] // `name=value` each
  verifyReceivers: string // comma separated; '' for none
  tree: boolean
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
}

/** Draws the routing tree, as `amtool config routes show` does. */
export function showRoutes(route: Route, stdout: NodeJS.WritableStream): void {
  stdout.write(`Routing tree:\n${drawTree(route)}\n`)
}

/**
 * Prints the receivers of a label set, comma separated in the tree's order, as `amtool config routes test`
 * does. Returns the exit code: 1 where the labels are none, or the receivers not those that were expected.
 */
export function testRoutes({ route, mode, labels, verifyReceivers, tree, stdout, stderr }: RoutesTestOptions): number {
  const set = parseLabels(labels, mode)
  if (typeof set === 'string') {
    stderr.write(`tocsin: error: ${set}\n`)
    return 1
  }
  if (tree) stdout.write(`Matching routes:\n${drawMatching(route, set)}\n\n`)
  const found = receiversOf(route, set)
  stdout.write(`${found}\n`)
  if (verifyReceivers === '' || verifyReceivers === found) return 0
  stdout.write('WARNING: Expected receivers did not match resolved receivers.\n')
  return 1
}

/** The same for a label set as a JSON map a line, with a line each. Resolves to the exit code: 1 where one is none. */
export async function testRoutesBatch(
  route: Route,
  stdin: NodeJS.ReadableStream,
  { stdout, stderr }: Pick<RoutesTestOptions, 'stdout' | 'stderr'>,
): Promise<number> {
  let exitCode = 0
  await batch(stdin, stdout, (value, line) => {
    const labels = toLabels(value)
    if (labels) return receiversOf(route, labels)
    stderr.write(`tocsin: error: line ${line} is no label set; write it as {"severity":"critical","team":"db"}\n`)
    exitCode = 1
    return ''
  })
  return exitCode
}

function receiversOf(route: Route, labels: Labels): string {
  return matchRoutes(route, labels)
    .map(({ receiver }) => receiver)
    .join(',')
}

function toLabels(value: unknown): Labels | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value)
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return texts.length === entries.length ? new Map(texts) : undefined
}

/** Labels of a command line; what is wrong with them where they are none. A later one replaces an earlier. */
function parseLabels(given: readonly string[], mode: MatcherMode): Labels | string {
  const labels = new Map<string, string>()
  for (const text of given) {
    try {
      const { name, value, isRegex, isEqual } = parseMatcher(text, mode).matcher
      if (isRegex || !isEqual) return `${text}: a label is written as name=value`
      labels.set(name, value)
    } catch (error) {
      if (!(error instanceof MatcherError) && !(error instanceof RegexError)) throw error
      return `failed to parse labels: ${error.message}`
    }
  }
  return labels
}
