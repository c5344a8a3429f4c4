import type { Alert } from '../alert/alert.ts'

/** What keeps an alert from being told. */
export type Suppression = { by: 'inhibition'; source: string } | { by: 'silence'; silences: readonly string[] }

/** What keeps a whole group from being told: the time intervals of its route, by name. */
export interface Muting {
  by: 'active_time_interval' | 'mute_time_interval'
  intervals: readonly string[]
}

/** A group's alerts, parted by whether they may be told. */
export interface Heard {
  audible: readonly Alert[] // in the order given
  suppressed: ReadonlyMap<Alert, Suppression>
  muting: Muting | undefined // then no alert may be told, the audible ones neither
}

/**
 * Parts alerts in the order of Alertmanager's pipeline: inhibition, then the route's time intervals, then silences.
 * Resolved alerts are suppressed as firing ones are.
 */
export function suppress(
  alerts: readonly Alert[],
  inhibitorOf: (alert: Alert) => string | undefined,
  muting: Muting | undefined,
  silencesOf: (alert: Alert) => readonly string[],
): Heard {
  const suppressed = new Map<Alert, Suppression>()
  const audible = alerts.filter((alert) => {
    const source = inhibitorOf(alert)
    if (source !== undefined) {
      suppressed.set(alert, { by: 'inhibition', source })
      return false
    }
    const silences = muting ? [] : silencesOf(alert)
    if (silences.length > 0) suppressed.set(alert, { by: 'silence', silences })
    return silences.length === 0
  })
  return { audible, suppressed, muting }
}

/**
 * Whether the time intervals of a route keep it quiet: outside all of its active ones, or else within some of its muting
 * ones (notify.go, TimeActiveStage before TimeMuteStage).
 */
export function mutingOf(
  route: { activeTimeIntervals: readonly string[]; muteTimeIntervals: readonly string[] },
  isWithin: (interval: string) => boolean,
): Muting | undefined {
  const { activeTimeIntervals, muteTimeIntervals } = route
  if (activeTimeIntervals.length > 0 && !activeTimeIntervals.some(isWithin))
    return { by: 'active_time_interval', intervals: activeTimeIntervals }
  const within = muteTimeIntervals.filter(isWithin)
  return within.length > 0 ? { by: 'mute_time_interval', intervals: within } : undefined
}
