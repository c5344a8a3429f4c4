import { z } from 'zod'
import { duration } from '../model/settings.ts'
import { check } from './check.ts'
import type { ChannelReader } from './receivers.ts'
import { foreignGlobals, maybe } from './schema.ts'
import { type Source, isMap, present } from './source.ts'

const RESOLVE_TIMEOUT = 5 * 60_000

/** The `global` block as it stands; what is wrong with it is among the source's problems. */
export function readGlobal<N>(
  source: Source,
  channels: readonly ChannelReader<N>[],
): Readonly<Record<string, unknown>> {
  const value = isMap(source.value) ? source.value['global'] : undefined
  if (value === undefined || value === null) return {}
  const inherited = channels.flatMap(({ inherits }) => Object.values(inherits))
  const texts = Object.fromEntries([...inherited, ...foreignGlobals].map((key) => [key, z.unknown().optional()]))
  const own = Object.assign({}, ...channels.map(({ globals }) => globals.shape))
  const shape = { ...texts, ...own, resolve_timeout: maybe(duration), http_config: z.unknown().optional() }
  const schema = z.strictObject(shape)
  check(schema, value, source, ['global'], () => Object.keys(shape))
  const given = isMap(value) ? value : {}
  for (const key of Object.keys(given)) {
    if (key.endsWith('_file') && present(given[key]) && present(given[key.slice(0, -'_file'.length)])) {
      source.problems.push(
        source.problem(
          ['global', key],
          `cannot stand beside ${key.slice(0, -'_file'.length)}; keep one of them`,
          'key',
        ),
      )
    }
  }
  return given
}

/** How long an alert without an end lives, ms. */
export function resolveTimeout(global: Readonly<Record<string, unknown>>): number {
  const parsed = duration.safeParse(global['resolve_timeout'])
  return parsed.success ? parsed.data : RESOLVE_TIMEOUT
}
