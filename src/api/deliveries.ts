import { type Request, Router } from 'express'
import { z } from 'zod'
import { canary } from '../alert/canary.ts'
import { formatInstant } from '../model/instant.ts'
import { cureOf, resend } from '../pipeline/dead-letters.ts'
import { waiting } from '../pipeline/settle.ts'
import { whyNotBalanced } from '../pipeline/audit.ts'
import type { DeadLetter } from '../store/dead-letters.ts'
import type { Delivery } from '../store/deliveries.ts'
import type { Owed } from '../store/outbox.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError } from './error.ts'
import { isTheirs, teamOfReceiver } from '../access/scope.ts'
import { actor, principalOf } from './principals.ts'

const LISTED = 1000
const PAGE = 500
/** Turns of the delivery log that one answer has at the most, and that are looked at for it. */
const TURNS = 200
const TURNS_LOOKED_AT = 20_000

const asked = z.object({
  team: z.string().optional(),
  channel: z.string().optional(),
  receiver: z.string().optional(),
  state: z.enum(['told', 'retry', 'dead', 'dropped']).optional(),
  alert: z.string().optional(), // a fingerprint
  group: z.string().optional(), // its key
  text: z.string().optional(), // in what was told, or answered; or the id of a dead letter
  before: z
    .string()
    .regex(/^\d+-\d+$/)
    .optional(), // an id: older ones only
})

/** What is owed and waits, what was given up and can be sent again, what was delivered, and whether the ledger adds up. */
export function deliveries({ deps }: ApiDeps): Router {
  const { store, clock } = deps
  const router = Router()

  router.get('/deadletters', async (request, response) => {
    response.json((await theirs(request, LISTED)).map(toJson))
  })

  router.get('/deadletters/:id', async (request, response) => {
    response.json(toJson(await letter(request)))
  })

  router.post('/deadletters/:id/retry', async (request, response) => {
    const found = await letter(request)
    const came = await again(found, request)
    if (came === 'none') throw unknown(found.id) // another was quicker
    if (came === 'gone') throw new HttpError(409, 'nothing is left to tell: its alerts have resolved and are gone')
    response.status(202).json({ id: found.id, state: came })
  })

  router.post('/deadletters/retry', async (request, response) => {
    const came = { owed: 0, waiting: 0, gone: 0, none: 0 }
    for (const one of await theirs(request, Number.POSITIVE_INFINITY)) came[await again(one, request)] += 1
    response.status(202).json({ retried: came.owed + came.waiting, nothingLeftToTell: came.gone })
  })

  router.get('/notifications', async (request, response) => {
    const at = clock.now()
    const owed = (await store.outbox.list(LISTED)).filter(({ channel, integration }) => {
      const receiver = deps.routing.config.integrations.get(integration)?.receiver ?? ''
      return channel !== canary.channel && isTheirs(principalOf(request), teamOfReceiver(receiver))
    })
    response.json(owed.map((one) => toOwed(one, at)))
  })

  router.get('/deliveries', async (request, response) => {
    const wanted = asked.safeParse(request.query)
    if (!wanted.success)
      throw new HttpError(
        400,
        'state: must be told, retry, dead or dropped; before: an id; the others texts, each once',
      )
    const { before = '' } = wanted.data
    const fits = fitting(wanted.data)
    const principal = principalOf(request)
    const found: Delivery[] = []
    let from = before
    let seen = 0
    do {
      const { deliveries: page, last } = await store.deliveries.before(from, PAGE)
      found.push(...page.filter((one) => isTheirs(principal, teamOfReceiver(receiverOf(one))) && fits(one)))
      seen += PAGE
      from = last
    } while (from !== '' && found.length < TURNS && seen < TURNS_LOOKED_AT)
    const shown = found.slice(0, TURNS)
    const next = found.length > TURNS ? (shown.at(-1)?.id ?? '') : from
    response.json({ deliveries: shown.map((one) => ({ ...one, receiver: receiverOf(one) })), next })
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

  /** Newest first. */
  async function theirs(request: Request, limit: number): Promise<DeadLetter[]> {
    const found: DeadLetter[] = []
    for (let offset = 0; found.length < limit; offset += PAGE) {
      const page = await store.deadLetters.list(PAGE, offset)
      found.push(...page.filter((one) => isTheirs(principalOf(request), teamOf(one))))
      if (page.length === 0) break
    }
    return found.slice(0, limit)
  }

  async function letter(request: Request): Promise<DeadLetter> {
    const id = String(request.params['id'])
    const found = await store.deadLetters.get(id)
    if (!found || !isTheirs(principalOf(request), teamOf(found))) throw unknown(id)
    return found
  }

  async function again(one: DeadLetter, request: Request) {
    const came = await resend(one, deps)
    const by = actor(principalOf(request), 'anonymous')
    if (came === 'owed') {
      deps.log.info({ letter: one.id, integration: one.integration, by }, 'a dead letter is sent again')
      const from = request.socket.remoteAddress ?? ''
      await store.audit.add({
        at: formatInstant(clock.now()),
        event: 'dead letter sent again',
        letter: one.id,
        by,
        from,
      })
    }
    return came
  }

  return router
}

/** The receiver of an integration, by the id that it has: receiver, channel, position. */
export function receiverOf({ integration }: Pick<Delivery, 'integration'>): string {
  return integration.replace(/\/[^/]*\/[^/]*$/, '')
}

function fitting({ team, channel, receiver, state, alert, group, text = '' }: z.infer<typeof asked>) {
  const words = text.trim().toLowerCase()
  return (one: Delivery): boolean =>
    (team === undefined || teamOfReceiver(receiverOf(one)) === team) &&
    (channel === undefined || one.channel === channel) &&
    (receiver === undefined || receiverOf(one) === receiver) &&
    (state === undefined || one.how === state) &&
    (group === undefined || one.groupKey === group) &&
    (alert === undefined || (one.alerts?.includes(alert) ?? false)) &&
    (words === '' || one.row === words || textOf(one).includes(words))
}

function textOf({ integration, groupKey = '', message, outcome, word = '' }: Delivery): string {
  const { to, title, text } = message ?? { to: '', title: '', text: '' }
  return [integration, groupKey, to, title, text, outcome?.detail ?? '', word].join('\n').toLowerCase()
}

/** One whose alerts have no team in common is its receiver's. */
function teamOf({ team, receiver }: DeadLetter): string {
  return team || teamOfReceiver(receiver)
}

function unknown(id: string): HttpError {
  return new HttpError(404, `there is no dead letter ${JSON.stringify(id.slice(0, 40))}; it may have been sent again`)
}

function toJson(letter: DeadLetter) {
  return { ...letter, at: new Date(letter.at).toISOString(), cure: cureOf(letter) }
}

function toOwed({ owedAt, dueAt, waitsFor, said, ...owed }: Owed, at: number) {
  const inSeconds = Math.max(0, Math.ceil((dueAt - at) / 1000))
  const last = said && `; the last attempt: ${said}`
  const isWaiting = owed.state === 'owed' && (waitsFor !== undefined || owed.attempt > 0)
  return {
    ...owed,
    owedAt: new Date(owedAt).toISOString(),
    ...(owed.state === 'owed' && { dueAt: new Date(dueAt).toISOString() }),
    ...(isWaiting && {
      waitsFor: waitsFor ?? 'retry',
      wait: `leaves in ${inSeconds} s: ${waitsFor ? waiting[waitsFor] : 'it is tried again'}${last}`,
    }),
  }
}
