import type { Receiver } from './config.ts'
import { suggest } from './nearest.ts'
import type { Path, Source } from './read/source.ts'

/**
 * Checks that each receiver's fallback is there and is another; what is wrong is a problem of the receiver's source.
 * `isWhole`: no receiver is missing for another mistake.
 */
export function checkFallbacks(
  receivers: ReadonlyMap<string, Receiver<unknown>>,
  places: ReadonlyMap<string, { source: Source; path: Path }>,
  isWhole: boolean,
): void {
  for (const { name, fallback } of receivers.values()) {
    const place = places.get(name)
    if (fallback === '' || !place) continue
    const { source } = place
    const path = [...place.path, 'fallback']
    if (fallback === name) source.problems.push(source.problem(path, 'a receiver cannot be its own fallback'))
    else if (!receivers.has(fallback) && isWhole)
      source.problems.push(
        source.problem(path, `there is no receiver "${fallback}"${suggest(fallback, [...receivers.keys()])}`),
      )
  }
}
