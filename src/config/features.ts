import type { MatcherMode } from '../match/mode.ts'

/** What of Alertmanager's --enable-feature is known here and changes nothing. */
const inert = [
  'alert-names-in-metrics',
  'receiver-name-in-metrics',
  'group-key-in-metrics',
  'event-recorder',
  'auto-gomemlimit',
]

/** What features change. */
export interface Features {
  matcherMode: MatcherMode
  exact: boolean // Alertmanager's decisions to the letter, where Tocsin knows better too
}

/** What `--enable-feature=a,b` asks for. Throws where it is no feature, or two that exclude each other. */
export function parseFeatures(text: string): Features {
  const given = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  const modes = new Set<MatcherMode>()
  let exact = false
  for (const name of given) {
    if (name === 'classic-mode' || name === 'utf8-strict-mode') modes.add(name)
    else if (name === 'alertmanager-exact') exact = true
    else if (!inert.includes(name))
      throw new Error(
        `--enable-feature: there is no feature "${name}"; known are classic-mode, utf8-strict-mode, alertmanager-exact, ${inert.join(', ')}`,
      )
  }
  if (modes.size > 1) throw new Error('--enable-feature: classic-mode and utf8-strict-mode exclude each other')
  return { matcherMode: [...modes][0] ?? 'fallback', exact }
}
