/** Alertmanager's words for why notifications fail. */
export const failureReasons = [
  'authError',
  'clientError',
  'contextCanceled',
  'contextDeadlineExceeded',
  'other',
  'rateLimited',
  'serverError',
] as const

const words: ReadonlyMap<string, (typeof failureReasons)[number]> = new Map([
  ['client error', 'clientError'],
  ['rejected', 'clientError'],
  ['server error', 'serverError'],
  ['timeout', 'contextDeadlineExceeded'],
  ['deadline', 'contextDeadlineExceeded'],
  ['unauthorised', 'authError'],
  ['rate limited', 'rateLimited'],
])

/** What Alertmanager would call the reason of a dead letter. */
export function failureReason(reason: string): (typeof failureReasons)[number] {
  return words.get(reason) ?? 'other'
}
