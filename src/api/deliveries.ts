import { Router } from 'express'
import { canary } from '../alert/canary.ts'
import { cureOf, resend } from '../pipeline/dead-letters.ts'
import { waiting } from '../pipeline/settle.ts'
import { whyNotBalanced } from '../pipeline/audit.ts'
import type { DeadLetter } from '../store/dead-letters.ts'
import type { Owed } from '../store/outbox.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError } from './error.ts'

const LISTED = 1000

/** What is owed and waits, what was given up and can be sent again, and whether the ledger adds up. */
export function deliveries({ deps }: ApiDeps): Router {
  const { store, clock } = deps
  const router = Router()

  router.get('/deadletters', async (_request, response) => {
    response.json((await store.deadLetters.list(LISTED)).map(toJson))
  })

  router.get('/deadletters/:id', async (request, response) => {
    response.json(toJson(await letter(request.params.id)))
  })

  router.post('/deadletters/:id/retry', async (request, response) => {
    const found = await letter(request.params.id)
    const came = await resend(found, deps)
    if (came === 'none') throw unknown(found.id) // another was quicker
    if (came === 'gone') throw new HttpError(409, 'nothing is left to tell: its alerts have resolved and are gone')
    response.status(202).json({ id: found.id, state: came })
  })

  router.post('/deadletters/retry', async (_request, response) => {
    const came = { owed: 0, waiting: 0, gone: 0, none: 0 }
    for (;;) {
      // those of which nothing is left to tell stay where they are
      const letters = await store.deadLetters.list(LISTED, came.gone)
      const before = came.gone
      for (const one of letters) came[await resend(one, deps)] += 1
      if (letters.length === 0 || (came.gone === before && letters.length < LISTED)) break
    }
    response.status(202).json({ retried: came.owed + came.waiting, nothingLeftToTell: came.gone })
  })

  router.get('/notifications', async (_request, response) => {
    const at = clock.now()
    const owed = (await store.outbox.list(LISTED)).filter(({ channel }) => channel !== canary.channel)
    response.json(owed.map((one) => toOwed(one, at)))
  })

  router.get('/ledger', async (_request, response) => {
    const ledger = await store.ledger.read()
    const { left, ended, ...counts } = ledger
    const faults = whyNotBalanced(ledger)
    response.json({
      ...counts,
      left: Object.fromEntries(left),
      ended: Object.fromEntries(ended),
      balanced: faults.length === 0,
      faults,
    })
  })

  async function letter(id: string): Promise<DeadLetter> {
    const found = await store.deadLetters.get(id)
    if (!found) throw unknown(id)
    return found
  }

  return router
}

function unknown(id: string): HttpError {
  return new HttpError(404, `there is no dead letter ${JSON.stringify(id.slice(0, 40))}; it may have been sent again`)
}

function toJson(letter: DeadLetter) {
  return { ...letter, at: new Date(letter.at).toISOString(), cure: cureOf(letter) }
}

function toOwed({ owedAt, dueAt, waitsFor, ...owed }: Owed, at: number) {
  const inSeconds = Math.max(0, Math.ceil((dueAt - at) / 1000))
  return {
    ...owed,
    owedAt: new Date(owedAt).toISOString(),
    ...(owed.state === 'owed' && { dueAt: new Date(dueAt).toISOString() }),
    ...(waitsFor && { waitsFor, wait: `leaves in ${inSeconds} s: ${waiting[waitsFor]}` }),
  }
}
