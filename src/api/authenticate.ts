import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { Backoff, clientNetwork } from '../access/backoff.ts'
import { Buckets } from '../access/bucket.ts'
import { type Principal, anybody } from '../access/principal.ts'
import type { WebConfig } from '../config/web/load.ts'
import { authenticates } from '../config/web/load.ts'
import type { Secret } from '../model/secret.ts'
import type { Session } from '../store/sessions.ts'
import type { Store } from '../store/store.ts'
import { HttpError, cannotRead } from './error.ts'
import type { Passwords } from './passwords.ts'
import { namesOf } from './tls.ts'

/** How long a browser stays logged in, ms. */
export const SESSION = 12 * 3600_000
export const COOKIE = 'tocsin_session'

export interface Credentials {
  user: string
  password: string
}

export interface Authenticator {
  /** Who asks; undefined where they do not say, or say it wrongly. `ingest`: never answer 429. */
  identify(request: IncomingMessage, ingest: boolean): Promise<Principal | undefined>
  /** Whose name and password these are; undefined where they are wrong. Rejects with 429 while the address has to wait. */
  check(given: Credentials, address: string, ingest?: boolean): Promise<Principal | undefined>
  /** A session for who has just logged in; returns what its cookie holds. */
  begin(user: string): Promise<string>
  /** Ends a request's session; returns whose it was, undefined where there was none that let anybody in. */
  end(request: IncomingMessage): Promise<string | undefined>
  /** What a browser or a client is to log in with. */
  challenge(): string
}

/** Finds out who asks, by what the web config that is in force now says. */
export function authenticator(
  current: () => WebConfig,
  { store, passwords }: { store: Pick<Store, 'sessions'>; passwords: Passwords },
): Authenticator {
  const backoff = new Backoff()
  // after a start no sender is known yet, and a guesser at the same proxy must not keep its alerts out
  const senders = new Buckets({ burst: 1, every: 1000 })

  async function check(given: Credentials, address: string, ingest = false): Promise<Principal | undefined> {
    const { users, grant } = current()
    const hash = users.get(given.user)
    const principal: Principal = { name: given.user, by: 'password', ...grant(given.user) }
    const known = passwords.known(given.user, given.password, hash)
    // the same wrong password again is no guess: a sender with an old one must not lock its neighbours out
    if (known !== undefined) return (await known) ? principal : undefined
    const network = clientNetwork(address)
    const at = performance.now()
    const wait = backoff.wait(network, at)
    const isSender = ingest && hash !== undefined
    if (wait > 0 && !(isSender && senders.take(`${network} ${given.user}`, at) === 0)) {
      const message = 'too many wrong passwords came from this address; wait before the next'
      throw new HttpError(ingest ? 503 : 429, message, { retryAfter: Math.ceil(wait / 1000) })
    }
    const settle = backoff.begin(network, at)
    let isRight = true // what could not be looked at is no guess
    try {
      isRight = await passwords.isRight(given.user, given.password, hash, users.values())
    } finally {
      settle(isRight ? 'right' : 'wrong')
    }
    return isRight ? principal : undefined
  }

  async function identify(request: IncomingMessage, ingest: boolean): Promise<Principal | undefined> {
    const web = current()
    if (!authenticates(web)) return anybody
    const { authorization } = request.headers
    const address = request.socket.remoteAddress ?? ''
    const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(authorization ?? '') ?? []
    if (scheme.toLowerCase() === 'bearer') return byToken(web, value)
    if (scheme.toLowerCase() === 'basic') {
      const given = credentialsOf(value)
      return given && check(given, address, ingest)
    }
    if (authorization !== undefined) return undefined
    if (web.users.size > 0) {
      const session = await bySession(web, request)
      if (session) return session
    }
    if (web.users.size > 0 || web.tokens.length > 0) return undefined
    const found = web.certificate(request.socket instanceof TLSSocket ? namesOf(request.socket) : [])
    return found && { ...found, by: 'certificate' }
  }

  async function bySession({ users, grant }: WebConfig, request: IncomingMessage): Promise<Principal | undefined> {
    const id = cookieOf(request)
    if (id === undefined) return undefined
    const found = await store.sessions.get(id).catch(cannotRead)
    return found && isOpen(found, users) ? { name: found.user, by: 'session', ...grant(found.user) } : undefined
  }

  return {
    identify,
    check,
    async begin(user) {
      const hash = current().users.get(user)
      if (!hash) throw new HttpError(401, 'this user is gone')
      const id = randomBytes(32).toString('base64url')
      await store.sessions.add(id, { user, stamp: stampOf(hash) }, SESSION).catch(cannotRead)
      return id
    },
    async end(request) {
      const id = cookieOf(request)
      const found = id === undefined ? undefined : await store.sessions.take(id).catch(cannotRead)
      return found && isOpen(found, current().users) ? found.user : undefined
    },
    challenge: () => (current().users.size > 0 ? 'Basic' : 'Bearer'),
  }
}

/** All are looked at, so that the time taken says nothing; hashes are compared, so that neither does where they differ. */
function byToken({ tokens }: WebConfig, given: string): Principal | undefined {
  const hash = createHash('sha256').update(given).digest()
  let found: Principal | undefined
  for (const { name, role, teams, sha256 } of tokens) {
    if (timingSafeEqual(hash, Buffer.from(sha256.reveal(), 'hex'))) found = { name, role, teams, by: 'token' }
  }
  return found
}

function credentialsOf(base64: string): Credentials | undefined {
  const [, user, password] = /^([^:]*):([^]*)$/.exec(Buffer.from(base64, 'base64').toString()) ?? []
  return user === undefined || password === undefined ? undefined : { user, password }
}

function cookieOf(request: IncomingMessage): string | undefined {
  const found = /(?:^|;) *tocsin_session=([\w-]{43})(?:;|$)/.exec(request.headers.cookie ?? '')
  return found?.[1]
}

/** Whether its user is still there, with the password that it was opened with. */
function isOpen({ user, stamp }: Session, users: WebConfig['users']): boolean {
  const hash = users.get(user)
  return hash !== undefined && stamp === stampOf(hash)
}

/** Which password it was: of its hash's hash, for it is kept in Redis. */
function stampOf(hash: Secret): string {
  return createHash('sha256').update(hash.reveal()).digest('hex').slice(0, 32)
}
