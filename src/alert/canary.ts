import type { Alert } from './alert.ts'

/**
 * Tocsin's own alert, which goes the whole way of an alert to show that there is one. Its fingerprint is none that labels
 * come to, so that nobody can send it; it has no labels, so that no silence can fit it.
 */
export const canary = {
  fingerprint: 'canary',
  route: 'canary', // id: those of a file begin with their matchers
  receiver: 'tocsin/canary', // a file may have none of this name
  integration: 'canary', // id: those of a file have their receiver's name and a slash in front
  channel: 'canary',
} as const

export function isCanary({ fingerprint }: Pick<Alert, 'fingerprint'>): boolean {
  return fingerprint === canary.fingerprint
}
