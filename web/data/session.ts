import { createContext, use } from 'react'
import type { Role } from '../../src/access/principal.ts'

/** Who reads the page. */
export interface Session {
  name: string // '' where nobody has to say
  role: Role
  teams?: readonly string[]
  by: 'nobody' | 'password' | 'token' | 'certificate' | 'session'
  sandbox: boolean
}

export const SessionContext = createContext<Session>({ name: '', role: 'view', by: 'nobody', sandbox: false })

export function useSession(): Session & { mayRespond: boolean; isAdmin: boolean } {
  const session = use(SessionContext)
  const { role } = session
  return { ...session, mayRespond: role === 'respond' || role === 'admin', isAdmin: role === 'admin' }
}
