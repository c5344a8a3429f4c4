import { regroup } from './accept.ts'
import { CALM } from './absence.ts'
import type { Deps } from './deps.ts'
import { raise } from './own-alert.ts'

/** How long Tocsin's own alert stands, ms: nobody resolves it. */
const STANDS = 60 * 60_000

/** Redis has lost what it kept for Tocsin: said where operators look. */
export function sayStateLost({ log, metrics }: Pick<Deps, 'log' | 'metrics'>): void {
  metrics.stateLost.inc()
  log.error(
    'Redis has lost all that it kept for Tocsin: alerts, silences, incidents, what was told and what is owed. Senders send ' +
      'alerts that fire again; silences have to be made anew. Look at why its data went',
  )
}

/**
 * Goes on with what senders send again, and has the default team told of the loss, as of any critical alert. Repeatable; each
 * replica that notices may do so: it is one alert.
 */
export async function goOnWithoutState(deps: Deps): Promise<void> {
  const { routing, store, clock } = deps
  const now = clock.now()
  deps.calmUntil = now + CALM // what inhibits the alerts that come again may come after them
  await deps.inhibition.catchUp((await store.versions()).rules, [], routing)
  await regroup(deps)
  await raise(
    {
      alertname: 'TocsinStateLost',
      summary: 'Tocsin has lost its state: silences, incidents and what was owed are gone',
      description:
        'Redis came back without what it kept for Tocsin. Alerts that fire are sent again and may page once more; ' +
        'resolves of alerts that nobody sends again will not come. Make silences anew, look at the open incidents by hand, ' +
        'and find out why the data went: a deleted volume, FLUSHALL, an empty replica that was promoted.',
      severity: 'critical',
      stands: STANDS,
    },
    deps,
  )
}
