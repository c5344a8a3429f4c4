import { Plain } from '../../model/plain.ts'
import type { Path, Yaml } from './source.ts'

/** Maps whose keys are the user's own: in these, a key cannot be both written and merged. */
const free = new Set(
  [
    'match match_re source_match source_match_re target_match target_match_re labels details custom_fields',
    'headers http_headers proxy_connect_header endpoint_params claims attributes',
  ].flatMap((line) => line.split(' ')),
)
/** Maps that a second one replaces; others are filled up by it. */
const replaced = new Set(['global', 'http_config', 'http_headers', 'proxy_connect_header', 'sigv4', 'payload'])

/** Settings of no fixed form; the second is whether their own keys are texts, whatever they look like. */
const untyped: readonly (readonly [name: string, within: string, textKeys: boolean])[] = [
  ['payload', 'webhook_configs', false],
  ['fields', 'jira_configs', true],
  ['details', 'pagerduty_configs', true],
  ['claims', 'oauth2', true],
]

function isUntyped(path: Path): boolean {
  return untyped.some(([name, within]) => path.includes(within) && path.includes(name))
}

/** Whether a key that is no text (`5`, an unquoted `yes`) is left out of the map at a path, as it is in JSON. */
export function dropsTypedKeys(path: Path): boolean {
  return untyped.some(([name, within, textKeys]) => {
    const at = path.includes(within) ? path.indexOf(name) : -1
    return at >= 0 && path.length > at + (textKeys ? 1 : 0)
  })
}

/** Whether the map at a path has keys that no schema knows. */
export function isFreeMap(path: Path): boolean {
  const last = path.at(-1)
  return (typeof last === 'string' && free.has(last)) || isUntyped(path)
}

/**
 * What a key comes to that is given twice, once through `<<`: the later one counts, but it is read into
 * what the earlier one left, as Go's decoder does. So matchers of both hold, and a user's own key in both is a
 * clash.
 */
export function combine(
  earlier: Yaml | undefined,
  later: Yaml,
  path: Path,
  clash: (path: Path, key: string) => void,
): Yaml {
  const name = String(path.at(-1))
  if (earlier === undefined || later === null) return later
  if (Array.isArray(earlier) && Array.isArray(later)) return name.endsWith('matchers') ? [...earlier, ...later] : later
  if (!isWhole(earlier) || !isWhole(later) || replaced.has(name)) return later
  const whole: { [key: string]: Yaml } = Object.assign(Object.create(null), earlier)
  for (const [key, part] of Object.entries(later)) {
    if (key in whole && isFreeMap(path)) clash(path, key)
    whole[key] = combine(whole[key], part, [...path, key], clash)
  }
  return whole
}

function isWhole(value: Yaml): value is { [key: string]: Yaml } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Plain)
}
