import { Router } from 'express'
import { z } from 'zod'
import { levels } from '../record/log.ts'
import type { ApiDeps } from './deps.ts'
import { jsonBodyOf, parseJson } from './body.ts'
import { HttpError, cannotStore } from './error.ts'
import { openOtherShelf } from './other-bodies.ts'
import { actor, cameFrom, principalOf } from './principals.ts'

const asked = z.strictObject({ level: z.enum(levels) })
const MOST = 1000 // bytes

/** What is logged: asked for, and changed until the next start. Each change is in the audit log. */
export function logLevel({ deps, setLogLevel }: ApiDeps): Router {
  const { store, clock, log } = deps
  const router = Router()

  router.get('/log-level', (_request, response) => {
    response.json({ level: log.level })
  })

  router.put(
    '/log-level',
    jsonBodyOf(() => MOST, openOtherShelf(deps)),
    async (request, response) => {
      const given = asked.safeParse(parseJson(request.body))
      if (!given.success) throw new HttpError(400, `the body must be {"level":"…"} with one of ${levels.join(', ')}`)
      const { level } = given.data
      const by = actor(principalOf(request), '')
      const { from, client } = cameFrom(request)
      const at = new Date(clock.now()).toISOString()
      await store.audit.add({ at, event: 'log level changed', level, by, from, client }).catch(cannotStore)
      log.warn({ by, from, before: log.level, now: level }, 'the log level is changed')
      setLogLevel(level)
      response.json({ level })
    },
  )

  return router
}
