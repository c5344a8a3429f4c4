/** What somebody may do: `respond` may all that `view` may, `admin` everything; `ingest` only posts alerts. */
export const roles = ['ingest', 'view', 'respond', 'admin'] as const
export type Role = (typeof roles)[number]

/** What is granted to a name. */
export interface Grant {
  role: Role
  teams: readonly string[] | undefined // undefined: all
}

/** Who asks. */
export interface Principal extends Grant {
  name: string // '' where nobody has to say who they are
  by: 'nobody' | 'password' | 'token' | 'certificate' | 'session'
}

/** Who asks where no authentication is set up: may do all, as in Alertmanager. */
export const anybody: Principal = { name: '', role: 'admin', teams: undefined, by: 'nobody' }

const including: Record<Role, readonly Role[]> = {
  ingest: ['ingest', 'admin'],
  view: ['view', 'respond', 'admin'],
  respond: ['respond', 'admin'],
  admin: ['admin'],
}

/** Whether a role may do what another is needed for. */
export function suffices(role: Role, needed: Role): boolean {
  return including[needed].includes(role)
}
