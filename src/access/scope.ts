import type { Matcher } from '../match/matcher.ts'
import type { Labels } from '../model/labels.ts'
import type { Principal } from './principal.ts'

/** Whether what belongs to a team is somebody's to see and to change. */
export function isTheirs({ teams }: Pick<Principal, 'teams'>, team: string): boolean {
  return teams === undefined || teams.includes(team)
}

/** Whether an alert is: one without a team is the default team's. */
export function isTheirAlert(principal: Pick<Principal, 'teams'>, labels: Labels, defaultTeam: string): boolean {
  return isTheirs(principal, labels.get('team') || defaultTeam)
}

/** Whether a silence is: one of its matchers says that the team is one of theirs, so that it reaches nobody else's alerts. */
export function isTheirSilence(principal: Pick<Principal, 'teams'>, matchers: readonly Matcher[]): boolean {
  if (principal.teams === undefined) return true
  return matchers.some(
    ({ name, value, isRegex, isEqual }) => name === 'team' && isEqual && !isRegex && isTheirs(principal, value),
  )
}

/** The team of a receiver of the table, which is called team/severity. */
export function teamOfReceiver(receiver: string): string {
  return /^(.*)\/[^/]*$/.exec(receiver)?.[1] ?? ''
}
