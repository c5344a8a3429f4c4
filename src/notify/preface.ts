import type { Notification } from './notifier.ts'

/** What people read first of a message that may be a repeat, or that another receiver should have had; '' for most. */
export function prefaceOf({ possibleRepeat, insteadOf }: Pick<Notification, 'possibleRepeat' | 'insteadOf'>): string {
  return (possibleRepeat ? '(possible repeat) ' : '') + (insteadOf && `(instead of ${insteadOf}) `)
}
