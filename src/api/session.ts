import { Router, json } from 'express'
import { z } from 'zod'
import { formatInstant } from '../model/instant.ts'
import type { ApiDeps } from './deps.ts'
import { COOKIE, SESSION } from './authenticate.ts'
import { refuseDeep } from './body.ts'
import { HttpError, cannotRead } from './error.ts'
import { jsonOnly } from './json-only.ts'
import { cameFrom, principalOf } from './principals.ts'

const login = z.object({ user: z.string().min(1).max(200), password: z.string().max(1000) })

/** A browser logs in, asks who it is, and logs out. Other clients send name and password, or a token, with each request. */
export function session({ deps, web, authenticator, routePrefix, sandbox }: ApiDeps): Router {
  const { store, clock, log } = deps
  const router = Router()

  router.post('/session', jsonOnly, json({ limit: '10kb', verify: refuseDeep }), async (request, response) => {
    if (web().users.size === 0) throw new HttpError(404, 'there are no users to log in: basic_auth_users is empty')
    const given = login.safeParse(request.body)
    if (!given.success) throw new HttpError(400, 'the body must be {"user": "…", "password": "…"}')
    const { from, client } = cameFrom(request)
    const principal = await authenticator.check(given.data, from)
    if (!principal) {
      log.warn({ user: given.data.user, from }, 'a login failed')
      throw new HttpError(401, 'the user or the password is wrong')
    }
    const id = await authenticator.begin(principal.name)
    // nobody has its cookie yet: who is not written down is not let in
    const line = { at: formatInstant(clock.now()), event: 'logged in', by: principal.name, from, client } as const
    await store.audit.add(line).catch(cannotRead)
    log.info({ by: principal.name, from, client }, 'logged in')
    response.set('Set-Cookie', cookieText(id, SESSION / 1000, request.socket)).set('Cache-Control', 'no-store')
    response.json({ name: principal.name, role: principal.role, teams: principal.teams })
  })

  router.get('/session', (request, response) => {
    const { name, role, teams, by } = principalOf(request)
    response.set('Cache-Control', 'no-store').json({ name, role, teams, by, sandbox })
  })

  router.delete('/session', async (request, response) => {
    const by = await authenticator.end(request)
    if (by !== undefined) {
      const { from, client } = cameFrom(request)
      log.info({ by, from, client }, 'logged out')
      // the session is over, whatever is written of it
      const line = { at: formatInstant(clock.now()), event: 'logged out', by, from, client } as const
      await store.audit.add(line).catch((err: unknown) => log.warn({ err }, 'the audit log does not have it'))
    }
    response
      .set('Set-Cookie', cookieText('', 0, request.socket))
      .status(204)
      .end()
  })

  function cookieText(value: string, age: number, socket: object): string {
    const secure = 'encrypted' in socket || deps.externalURL.startsWith('https://')
    const flags = `Path=${routePrefix || '/'}; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
    return `${COOKIE}=${value}; ${flags}`
  }

  return router
}
