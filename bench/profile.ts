import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { tempDir } from '../test/helpers/engine.ts'

/** Of engine and Redis the first so many are told. */
const TOLD = 12

const written = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: z.object({ functionName: z.string(), url: z.string() }) })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()), // µs
})

/** Where a row's processor time goes: of the engine by package or file of ours, of Redis by command. */
export interface Profile {
  /** What Node is to be started with, to write what it did when it ends. */
  flags: readonly string[]
  /** Notes what Redis says of its commands, before it ends. */
  redis(commandstats: string): void
  /** Both in a few lines of Markdown. To be asked when the engines have ended. */
  told(): string[]
  [Symbol.dispose](): void
}

export function openProfile(): Profile {
  const dir = tempDir()
  const commands = new Map<string, number>() // ms
  return {
    flags: ['--cpu-prof', `--cpu-prof-dir=${dir.path}`, '--cpu-prof-interval=500'],
    redis(commandstats) {
      for (const [, name = '', usec] of commandstats.matchAll(/cmdstat_(\S+?):calls=\d+,usec=(\d+)/g))
        commands.set(name, (commands.get(name) ?? 0) + Number(usec) / 1000)
    },
    told() {
      const places = new Map<string, number>() // ms
      for (const file of readdirSync(dir.path))
        for (const [at, ms] of timesOf(readFileSync(join(dir.path, file), 'utf8')))
          places.set(at, (places.get(at) ?? 0) + ms)
      return [
        `- the engine: ${shares(places)}`,
        `- Redis (\`evalsha\` holds what its scripts call): ${shares(commands)}`,
      ]
    },
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  }
}

/** Of a profile of V8's, ms by place; its start is in it, waiting is not. */
function timesOf(text: string): Map<string, number> {
  const { nodes, samples, timeDeltas } = written.parse(JSON.parse(text))
  const placeOf = new Map(nodes.map(({ id, callFrame: { functionName, url } }) => [id, place(functionName, url)]))
  const times = new Map<string, number>()
  for (const [i, id] of samples.entries()) {
    const at = placeOf.get(id) ?? ''
    if (at !== '(idle)') times.set(at, (times.get(at) ?? 0) + (timeDeltas[i] ?? 0) / 1000)
  }
  return times
}

function place(functionName: string, url: string): string {
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
  if (name !== undefined) return name
  const [, own] = /\/dist\/(.*)$/.exec(url) ?? []
  if (own !== undefined) return own
  if (/^node:internal\/(modules|bootstrap)/.test(url) || functionName === 'compileFunctionForCJSLoader')
    return '(start)'
  return url === '' ? `(${functionName.replace(/^\(|\)$/g, '') || 'native'})` : url
}

function shares(times: ReadonlyMap<string, number>): string {
  const total = [...times.values()].reduce((sum, ms) => sum + ms, 0)
  return [...times]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, TOLD)
    .map(([name, ms]) => `${name} ${((100 * ms) / total).toFixed(1)} %`)
    .join(', ')
}
