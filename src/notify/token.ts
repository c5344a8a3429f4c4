import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import type { Surroundings } from '../model/egress.ts'
import { type OAuth2, jwtBearer } from '../model/http-config.ts'
import { Plain } from '../model/plain.ts'
import { basic, json, link, secretOf } from './fields.ts'
import { type Answer, NotSent, exchange, noAnswer, orAborted, reasonOf } from './http.ts'
import { SettingError } from './notifier.ts'
import { openPool } from './pool.ts'

/** So long before its end a token counts as over: it may take that long to arrive. ms */
const MARGIN = 10_000
/** How long one is waited for, whoever waits. ms */
const PATIENCE = 10_000
/** How long what is signed holds, s. */
const ASSERTION_LIFE = 600

/** What a token server may say is wrong (RFC 6749 §5.2); other words might be anything. */
const words = new Set(
  'invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope'.split(' '),
)

export interface Token {
  header: string // for `Authorization`
  expiresAt: number // Infinity where the server says nothing of it
}

/** Where tokens come from. */
export interface Tokens {
  /** The token that holds, or a new one; `isNew` where it was not there before. Throws SettingError and NotSent. */
  take(signal: AbortSignal): Promise<{ token: Token; isNew: boolean }>
  /** Somebody does not take it any more: the next one is asked for anew. */
  drop(token: Token): void
  close(): void
}

/** Tokens as an `oauth2` asks for them: kept until shortly before they end, and asked for by one at a time. */
export function openTokens(config: OAuth2, surroundings: Surroundings): Tokens {
  const pool = openPool(config, surroundings)
  const { folder = '' } = surroundings
  let held: { secret: string; token: Token } | undefined
  let pending: { secret: string; token: Promise<Token> } | undefined
  /** How the server wants to know who asks: found out by asking. */
  let style: Style | undefined

  async function ask(secret: string): Promise<Token> {
    const url = config.token_url ?? ''
    if (!link(url)) throw new SettingError('oauth2.token_url is no URL')
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), PATIENCE)
    const post = (how: Style) =>
      pool.use(true, (connections) => {
        const { headers, form } = requestOf(config, secret, how)
        return exchange({
          method: 'POST',
          url,
          headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json', ...headers },
          body: form.toString(),
          secrets: [secret],
          connections,
          signal: deadline.signal,
        })
      })
    try {
      let answer: Answer | undefined
      for (const how of style ? [style] : stylesOf(config)) {
        answer = await post(how)
        const token = tokenIn(answer)
        if (token) style = how
        if (token) return token
      }
      throw refused(answer)
    } catch (error) {
      if (error instanceof SettingError || error instanceof NotSent) throw error
      const outcome = noAnswer(error)
      throw new NotSent(outcome.state === 'failed' ? outcome.reason : 'timeout', `no token: ${outcome.detail ?? ''}`)
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    async take(signal) {
      const isSigned = config.grant_type === jwtBearer
      const secret = isSigned
        ? secretOf(config.client_certificate_key, config.client_certificate_key_file, {
            key: 'oauth2.client_certificate_key_file',
            folder,
          })
        : secretOf(config.client_secret, config.client_secret_file, { key: 'oauth2.client_secret_file', folder })
      if (held?.secret === secret && held.token.expiresAt - MARGIN > Date.now())
        return { token: held.token, isNew: false }
      if (pending?.secret !== secret) {
        const asked = ask(secret)
          .then((token) => {
            held = { secret, token }
            return token
          })
          .finally(() => {
            if (pending?.token === asked) pending = undefined
          })
        pending = { secret, token: asked }
      }
      const token = await orAborted(pending.token, signal).catch((error: unknown) => {
        throw signal.aborted ? new NotSent('timeout', 'no token in time') : error
      })
      return { token, isNew: true }
    },
    drop(token) {
      if (held?.token === token) held = undefined
    },
    close: () => pool.close(),
  }
}

/** As a header, or as two more fields of the form (RFC 6749 §2.3.1). */
type Style = 'header' | 'form'

function stylesOf({ grant_type }: OAuth2): readonly Style[] {
  return grant_type === jwtBearer ? ['form'] : ['header', 'form']
}

function requestOf(
  config: OAuth2,
  secret: string,
  style: Style,
): { headers: Record<string, string>; form: URLSearchParams } {
  const { client_id = '', scopes = [], endpoint_params = {}, grant_type } = config
  if (grant_type === jwtBearer)
    return {
      headers: {},
      form: new URLSearchParams({ ...endpoint_params, grant_type, assertion: assertionOf(config, secret) }),
    }
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...endpoint_params,
  })
  if (style === 'header') return { headers: { Authorization: basic(escaped(client_id), escaped(secret)) }, form }
  form.set('client_id', client_id)
  if (secret !== '') form.set('client_secret', secret)
  return { headers: {}, form }
}

/** As a form has it (RFC 6749 §2.3.1). */
function escaped(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

/** Who asks, signed (RFC 7523 §2.1). */
function assertionOf(config: OAuth2, key: string): string {
  const { client_id = '', client_certificate_key_id, signature_algorithm, iss, audience, scopes = [], claims } = config
  const algorithm = signature_algorithm || 'RS256'
  const now = Math.floor(Date.now() / 1000)
  const head = { alg: algorithm, typ: 'JWT', ...(client_certificate_key_id && { kid: client_certificate_key_id }) }
  const body = {
    iss: iss || client_id,
    sub: client_id,
    jti: randomUUID(),
    aud: audience || config.token_url,
    iat: now,
    exp: now + ASSERTION_LIFE,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...claims,
  }
  const signed = [head, body].map((part) => Buffer.from(JSON.stringify(part, typed)).toString('base64url')).join('.')
  try {
    const signature = sign(`sha${algorithm.slice(2)}`, Buffer.from(signed), createPrivateKey(key))
    return `${signed}.${signature.toString('base64url')}`
  } catch {
    // what OpenSSL says of a key may quote it
    throw new SettingError('oauth2.client_certificate_key is no private key that can sign')
  }
}

/** What an unquoted scalar of the file is in JSON. */
function typed(_name: string, value: unknown): unknown {
  return value instanceof Plain ? value.value : value
}

/** A token, where the answer holds one that a header can hold. */
function tokenIn({ status, body, whole }: Answer): Token | undefined {
  if (status < 200 || status > 299 || !whole) return undefined
  const said: Readonly<Record<string, unknown>> = json(body) ?? Object.fromEntries(new URLSearchParams(body))
  const { access_token: token, token_type: type, expires_in: life } = said
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return undefined
  const scheme = typeof type === 'string' && /^[\w-]+$/.test(type) && !/^bearer$/i.test(type) ? type : 'Bearer'
  const seconds = Number(life)
  return { header: `${scheme} ${token}`, expiresAt: seconds > 0 ? Date.now() + seconds * 1000 : Infinity }
}

function refused(answer: Answer | undefined): NotSent {
  const { status = 0, body = '' } = answer ?? {}
  if (status >= 200 && status < 300) return new NotSent('server error', 'no token: the answer holds none')
  const reason = reasonOf(status)
  const word = json(body)?.['error']
  const said = typeof word === 'string' && words.has(word) ? `: ${word}` : ''
  // whatever it is, somebody may mend it: nothing of the message was looked at
  const isOurs = reason === 'client error' || reason === 'unauthorised'
  return new NotSent(isOurs ? 'configuration' : reason, `no token: HTTP ${status}${said}`)
}
