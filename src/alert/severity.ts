import type { Alert } from './alert.ts'

/** The words that nearly everybody uses, gravest first: what holds where the routing file has no table. */
const usual = ['critical', 'error', 'warning', 'info']

/** How grave severities are: the table's words, and what an unknown or missing one is taken for. */
export interface SeverityScale {
  severities: readonly string[] // gravest first; [] without a table
  defaultSeverity: string
}

/** The gravest severity among the alerts; '' where none of them has one and there is no default. */
export function gravest(alerts: readonly Alert[], scale: SeverityScale): string {
  let found = scale.defaultSeverity
  let foundRank = Number.POSITIVE_INFINITY
  for (const alert of alerts) {
    const given = alert.labels.get('severity') ?? ''
    const rank = rankOf(given, scale)
    if (rank >= foundRank) continue
    foundRank = rank
    found = scale.severities.length > 0 && !scale.severities.includes(given) ? scale.defaultSeverity : given
  }
  return found
}

/** 0 for the gravest. A severity that is not in the table counts as the default. */
export function rankOf(severity: string, { severities, defaultSeverity }: SeverityScale): number {
  const words = severities.length > 0 ? severities : usual
  const at = words.indexOf(severity)
  if (at !== -1) return at
  const fallback = words.indexOf(defaultSeverity)
  return fallback === -1 ? words.length : fallback
}
