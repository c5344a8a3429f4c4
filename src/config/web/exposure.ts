import { type WebConfig, authenticates } from './load.ts'

/** Whether only this machine reaches an address. */
export function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i.test(host)
}

/** Off this machine everyone could read and silence all alerts: only who says so in so many words gets that. */
export function refuseToBeOpen(config: WebConfig, host: string | undefined, allowAnonymous: boolean): void {
  if (authenticates(config) || allowAnonymous || isLoopback(host)) return
  throw new Error(
    'anyone who reaches this port could silence alerts: set --web.config.file with basic_auth_users, ' +
      'or say --web.allow-anonymous, or listen on 127.0.0.1 (docs/security.md)',
  )
}

/** What cannot change, or should not change unseen, while the old one is in use. */
export function refuseToChange(next: WebConfig, before: WebConfig): void {
  if (next.tls?.clientAuth !== before.tls?.clientAuth)
    throw new Error('whether there is TLS, and its client_auth_type, change with the next start only')
  // a file that is being written may be empty just now
  if (authenticates(before) && !authenticates(next))
    throw new Error('it lets everybody in, which it did not before: that changes with the next start only')
}
