import { limitKeys } from '../model/limits.ts'
import type { Deps } from '../pipeline/deps.ts'
import { HttpError } from './error.ts'
import { type Shelf, openShelf } from './shelf.ts'

/**
 * Memory for bodies of one kind that are no alerts: as much as those of alerts may take, but of their own, for no flood of
 * them may keep alerts out.
 */
export function openOtherShelf(deps: Pick<Deps, 'routing'>): Shelf {
  const most = () => deps.routing.config.limits.bodiesInFlight
  const refused = () =>
    new HttpError(
      503,
      `too many requests are being read, at most ${most()} bytes at once (limits.${limitKeys.bodiesInFlight}); send it again`,
      { retryAfter: 1 },
    )
  return openShelf(most, refused, () => {})
}
