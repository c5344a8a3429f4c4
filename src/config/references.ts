import { suggest } from './nearest.ts'
import { type Path, type Source, type Yaml, isMap } from './source.ts'
import { string } from '../model/settings.ts'

/**
 * That receivers and time intervals which routes name are there; looks at the file as it is, so that what is
 * wrong elsewhere in a route does not hide it. Names that are no texts are for the schema to find.
 */
export function checkReferences(source: Source, receivers: readonly string[]): void {
  if (!isMap(source.value)) return
  const { route, time_intervals, mute_time_intervals } = source.value
  const intervals = [...namesIn(time_intervals), ...namesIn(mute_time_intervals)]

  const walk = (given: Yaml | undefined, path: Path) => {
    if (given === undefined || !isMap(given)) return
    refer(given['receiver'], receivers, 'receiver', [...path, 'receiver'])
    for (const key of ['mute_time_intervals', 'active_time_intervals']) {
      for (const [i, name] of listOf(given[key]).entries()) refer(name, intervals, 'time interval', [...path, key, i])
    }
    for (const [i, child] of listOf(given['routes']).entries()) walk(child, [...path, 'routes', i])
  }
  const refer = (given: Yaml | undefined, known: readonly string[], what: string, path: Path) => {
    const name = string.safeParse(given).data
    if (!name || known.includes(name)) return
    source.problems.push(source.problem(path, `there is no ${what} "${name}"${suggest(name, known)}`))
  }
  walk(route, ['route'])
}

/** The names of a list's items. */
export function namesIn(list: Yaml | undefined): string[] {
  return listOf(list).flatMap((item) => string.safeParse(isMap(item) ? item['name'] : undefined).data ?? [])
}

function listOf(given: Yaml | undefined): Yaml[] {
  return Array.isArray(given) ? given : []
}
