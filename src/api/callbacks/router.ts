import { readFileSync } from 'node:fs'
import { type Request, type RequestHandler, Router } from 'express'
import type { SecretSource } from '../../config/callbacks.ts'
import { parseJson, rawBodyOf } from '../body.ts'
import type { ApiDeps } from '../deps.ts'
import { HttpError, cannotRead, cannotStore } from '../error.ts'
import { openOtherShelf } from '../other-bodies.ts'
import { pagerdutyEvent } from './pagerduty.ts'
import { isOfPagerDuty, isOfSlack, isOfTwilio } from './signatures.ts'
import { slackInteraction } from './slack.ts'
import { smsAnswer, smsStatus } from './twilio.ts'

/** More than any of them sends, bytes. */
const LARGEST = 1024 * 1024

/**
 * What vendors tell us: somebody pressed a button, a text message arrived. Each is verified by its signature over the raw
 * body before anything of it is read, and done once however often it comes. A vendor without a secret is not listened to.
 */
export function callbacks({ deps }: ApiDeps): Router {
  const { store, clock } = deps
  const router = Router()
  const bytes = rawBodyOf(LARGEST, openOtherShelf(deps))
  const slackSecrets = () => secretsOf(deps.routing.config.callbacks.slack, 'slack')
  const pagerdutySecrets = () => secretsOf(deps.routing.config.callbacks.pagerduty, 'pagerduty')
  const twilioTokens = () => secretsOf(deps.routing.config.callbacks.twilio?.token, 'twilio')

  router.post('/slack', onlyWith(slackSecrets), bytes, async (request, response) => {
    const secrets = slackSecrets()
    const signature = request.get('x-slack-signature') ?? ''
    const timestamp = request.get('x-slack-request-timestamp') ?? ''
    const body = bodyOf(request)
    if (!isOfSlack(secrets, body, { timestamp, signature }, clock.now())) throw forged('slack', request)
    const says = await once('slack', signature, () => slackInteraction(body, deps))
    if (says === undefined) response.end()
    else response.json({ response_type: 'ephemeral', replace_original: false, text: says })
  })

  router.post('/pagerduty', onlyWith(pagerdutySecrets), bytes, async (request, response) => {
    const secrets = pagerdutySecrets()
    const body = bodyOf(request)
    if (!isOfPagerDuty(secrets, body, request.get('x-pagerduty-signature') ?? '')) throw forged('pagerduty', request)
    const event = pagerdutyEvent(body)
    if (event) await once('pagerduty', event.id, () => event.apply(deps))
    response.end()
  })

  router.post('/twilio/status', onlyWith(twilioTokens), bytes, async (request, response) => {
    const form = fromTwilio(request, '/callbacks/twilio/status')
    await smsStatus(form, deps)
    response.status(204).end()
  })

  router.post('/twilio/sms', onlyWith(twilioTokens), bytes, async (request, response) => {
    const form = fromTwilio(request, '/callbacks/twilio/sms')
    const says = await once('twilio', form.get('MessageSid') ?? '', () => smsAnswer(form, deps))
    response.type('text/xml').send(says ?? '<Response/>')
  })

  /** The fields of a request that Twilio has signed. */
  function fromTwilio(request: Request, path: string): ReadonlyMap<string, string> {
    const { twilio } = deps.routing.config.callbacks
    if (!twilio) throw notListening('twilio')
    const tokens = twilioTokens()
    const body = bodyOf(request)
    const url = twilio.url + path + (/\?.*$/.exec(request.url)?.[0] ?? '')
    const isForm = request.is('application/x-www-form-urlencoded') !== false
    const signature = request.get('x-twilio-signature') ?? ''
    if (!URL.canParse(url) || !isOfTwilio(tokens, url, body, { isForm, signature })) throw forged('twilio', request)
    return isForm ? new Map(new URLSearchParams(body.toString())) : fieldsOf(body)
  }

  /** Does it unless it was done in the last ten minutes; what fails may come again. */
  async function once<T>(vendor: string, id: string, work: () => Promise<T>): Promise<T | undefined> {
    if (await store.callbacks.isDone(vendor, id).catch(cannotRead)) return undefined
    const result = await work()
    await store.callbacks.done(vendor, id).catch(cannotStore)
    return result
  }

  function forged(vendor: string, request: Request): HttpError {
    deps.log.warn({ vendor, from: request.socket.remoteAddress }, 'a callback was refused: its signature does not fit')
    return new HttpError(403, 'the signature does not fit')
  }

  return router
}

/** Refuses what comes from a vendor without secrets before its body is read: anyone may ask, and nobody would read it. */
function onlyWith(secrets: () => string[]): RequestHandler {
  return (_request, _response, next) => {
    secrets()
    next()
  }
}

/** The secrets as they are now. Throws 404 where there are none. */
function secretsOf(source: SecretSource | undefined, vendor: string): string[] {
  if (!source) throw notListening(vendor)
  if ('values' in source) return source.values.map((one) => one.reveal())
  let text: string
  try {
    text = readFileSync(source.file, 'utf8')
  } catch (cause) {
    throw new HttpError(503, 'the secret of this callback cannot be read now', { retryAfter: 30, cause })
  }
  const secrets = text.split('\n').flatMap((line) => line.trim() || [])
  if (secrets.length === 0) throw notListening(vendor) // an empty secret is one that everybody knows
  return secrets
}

function notListening(vendor: string): HttpError {
  return new HttpError(404, `callbacks of ${vendor} are not set up; see callbacks: in docs/security.md`)
}

function bodyOf({ body }: Parameters<RequestHandler>[0]): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

function fieldsOf(body: Buffer): ReadonlyMap<string, string> {
  const value = parseJson(body)
  if (typeof value !== 'object' || value === null) return new Map()
  return new Map(Object.entries(value).map(([name, field]) => [name, typeof field === 'string' ? field : '']))
}
