import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { everywhere } from '../../src/model/egress.ts'
import { httpConfig, jwtBearer } from '../../src/model/http-config.ts'
import { noAnswer } from '../../src/notify/http.ts'
import { openTokens } from '../../src/notify/token.ts'
import { webhook } from '../../src/notify/webhook.ts'
import { openHttpProxy } from '../helpers/http-proxy.ts'
import { type Answer, openHttpSink } from '../helpers/http-sink.ts'
import { notificationOf } from '../helpers/notification.ts'
import { certificate } from '../helpers/rude-server.ts'
import { attempt, open } from './contract.ts'

const dir = mkdtempSync(join(tmpdir(), 'tocsin-token-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
afterEach(() => vi.useRealTimers())

/** A server that gives a new token each time. */
const openIssuer = (rest: object = { expires_in: 3600 }) =>
  openHttpSink((_request, nth) => ({
    body: JSON.stringify({ access_token: `t-${nth}`, token_type: 'Bearer', ...rest }),
  }))

function tokens(oauth2: Record<string, unknown>) {
  const config = httpConfig.parse({ oauth2: { client_id: 'me', client_secret: 's3cret', ...oauth2 } }).oauth2
  if (!config) throw new Error('there is no oauth2')
  return openTokens(config, { egress: everywhere })
}

const soon = () => AbortSignal.timeout(20_000)

test('a client is known by its login', async () => {
  await using server = await openIssuer()
  const all = tokens({
    client_id: 'm&:e',
    client_secret: 'p w+d/',
    token_url: `${server.url}/token?a=b`,
    scopes: ['read', 'write'],
    endpoint_params: { audience: 'hooks' },
  })
  expect(await all.take(soon())).toMatchObject({ token: { header: 'Bearer t-1' }, isNew: true })
  all.close()
  const [request] = server.requests
  expect(request).toMatchObject({
    method: 'POST',
    path: '/token?a=b',
    headers: {
      authorization: `Basic ${Buffer.from('m%26%3Ae:p+w%2Bd%2F').toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
  })
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
    grant_type: 'client_credentials',
    scope: 'read write',
    audience: 'hooks',
  })
})

test('a server that wants the login in the form gets it there, and from then on at once', async () => {
  await using server = await openHttpSink(({ body }, nth) =>
    body.includes('client_secret=s3cret') && body.includes('client_id=me')
      ? { body: `{"access_token":"t-${nth}","expires_in":1}` }
      : { status: 401, body: '{"error":"invalid_client"}' },
  )
  const all = tokens({ token_url: server.url })
  expect((await all.take(soon())).token.header).toBe('Bearer t-2')
  expect((await all.take(soon())).token.header).toBe('Bearer t-3')
  all.close()
  expect(server.requests).toHaveLength(3)
})

test.each<[string, Answer, string]>([
  ['a type of another case', { body: '{"access_token":"x","token_type":"bearer"}' }, 'Bearer x'],
  ['no type', { body: '{"access_token":"x"}' }, 'Bearer x'],
  ['another type', { body: '{"access_token":"x","token_type":"MAC"}' }, 'MAC x'],
  ['a form', { body: 'access_token=x%2F&token_type=bearer&expires_in=60' }, 'Bearer x/'],
])('%s', async (_what, answer, header) => {
  await using server = await openHttpSink(answer)
  const all = tokens({ token_url: server.url })
  expect((await all.take(soon())).token.header).toBe(header)
  all.close()
})

test('a token is used until shortly before its end', async () => {
  await using server = await openIssuer({ expires_in: 100 })
  vi.useFakeTimers({ toFake: ['Date'], now: 0 })
  const all = tokens({ token_url: server.url })
  for (const [at, header, isNew] of [
    [0, 'Bearer t-1', true],
    [89_000, 'Bearer t-1', false],
    [90_001, 'Bearer t-2', true],
  ] as const) {
    vi.setSystemTime(at)
    expect(await all.take(soon())).toMatchObject({ token: { header }, isNew })
  }
  all.close()
})

test('one of which nothing is said is used until it is refused', async () => {
  await using server = await openIssuer({})
  const all = tokens({ token_url: server.url })
  const { token } = await all.take(soon())
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1e9 })
  expect(await all.take(soon())).toEqual({ token, isNew: false })
  all.drop(token)
  const next = await all.take(soon())
  expect(next).toMatchObject({ token: { header: 'Bearer t-2' }, isNew: true })
  all.drop(token) // told late, and by then of another
  expect(await all.take(soon())).toEqual({ token: next.token, isNew: false })
  all.close()
})

test('messages that are sent at once ask for one token', async () => {
  await using server = await openIssuer()
  await using sink = await openHttpSink()
  const oauth2 = { client_id: 'me', client_secret: 's3cret', token_url: server.url }
  const notifier = open(webhook, { url: sink.url, http_config: { oauth2 } })
  const send = () => notifier.send(notifier.compose(notificationOf()), soon())
  const outcomes = await Promise.all(Array.from({ length: 8 }, send))
  notifier.close?.()
  expect(outcomes).toEqual(outcomes.map(() => ({ state: 'delivered' })))
  expect(server.requests).toHaveLength(1)
  expect(new Set(sink.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer t-1']))
})

test('a token that was new and is refused is refused for good', async () => {
  await using server = await openIssuer()
  await using sink = await openHttpSink({ status: 401 })
  const oauth2 = { client_id: 'me', client_secret: 's3cret', token_url: server.url }
  const outcome = await attempt(open(webhook, { url: sink.url, http_config: { oauth2 } }))
  expect(outcome).toEqual({ state: 'failed', reason: 'unauthorised', detail: 'HTTP 401' })
})

test.each<[string, Answer, object]>([
  ['503', { status: 503, body: 's3cret' }, { reason: 'server error', detail: 'no token: HTTP 503' }],
  ['429', { status: 429 }, { reason: 'rate limited', detail: 'no token: HTTP 429' }],
  [
    'a refusal',
    { status: 400, body: '{"error":"invalid_scope","error_description":"s3cret"}' },
    { reason: 'configuration', detail: 'no token: HTTP 400: invalid_scope' },
  ],
  [
    'another word',
    { status: 403, body: '{"error":"s3cret"}' },
    { reason: 'configuration', detail: 'no token: HTTP 403' },
  ],
  [
    'a redirect',
    { status: 307, headers: { Location: 'http://127.0.0.1:1/' } },
    { reason: 'configuration', detail: 'no token: HTTP 307' },
  ],
  ['no token in it', { body: '{}' }, { reason: 'server error', detail: 'no token: the answer holds none' }],
  ['no header in it', { body: '{"access_token":"a\\r\\nX: b"}' }, { reason: 'server error' }],
  ['no answer', { fault: 'reset' }, { reason: 'timeout' }],
])('a token server with %s: it is tried again', async (_what, answer, wanted) => {
  await using server = await openHttpSink(answer)
  const all = tokens({ token_url: server.url })
  const outcome = await all.take(soon()).catch(noAnswer)
  all.close()
  expect(outcome).toMatchObject({ state: 'failed', ...wanted })
  expect(JSON.stringify(outcome)).not.toContain('s3cret')
})

test('a token server that says nothing ends with the deadline of the attempt', async () => {
  await using server = await openHttpSink({ fault: 'hang' })
  await using sink = await openHttpSink()
  const oauth2 = { client_id: 'me', client_secret: 's3cret', token_url: server.url }
  const deadline = new AbortController()
  void server.receives(1).then(() => deadline.abort())
  const outcome = await attempt(open(webhook, { url: sink.url, http_config: { oauth2 } }), deadline.signal)
  expect(outcome).toEqual({ state: 'failed', reason: 'timeout', detail: 'no token in time' })
  expect(sink.requests).toHaveLength(0)
})

test('whom a label names gets no token', async () => {
  await using server = await openIssuer()
  const oauth2 = { client_id: 'me', client_secret: 's3cret', token_url: server.url }
  await attempt(open(webhook, { url: 'http://{{ len .Alerts }}0.0.0.1/', http_config: { oauth2 } }))
  expect(server.requests).toHaveLength(0)
})

test('a token server is where a request may go', async () => {
  await using server = await openIssuer()
  const config = httpConfig.parse({ oauth2: { client_id: 'me', token_url: server.url } }).oauth2
  const all = config && openTokens(config, { egress: { allowPrivate: false } })
  expect(await all?.take(soon()).catch(noAnswer)).toMatchObject({
    reason: 'configuration',
    detail: expect.stringContaining('egress.allow_private'),
  })
})

test('a token is asked for over a proxy and an authority of its own', async () => {
  const { ca, ...pair } = certificate('good')
  await using proxy = await openHttpProxy({ login: 'me:s3cret' })
  await using server = await openHttpSink({ body: '{"access_token":"t"}' }, pair)
  const proxy_url = proxy.url.replace('//', '//me:s3cret@')
  const all = tokens({ token_url: server.url, proxy_url, tls_config: { ca_file: ca } })
  expect((await all.take(soon())).token.header).toBe('Bearer t')
  all.close()
  expect(proxy.asked).toHaveLength(1)
})

test('a secret may stand in a file: another one brings another token', async () => {
  await using server = await openIssuer()
  const client_secret_file = join(dir, 'secret')
  const all = tokens({ client_secret: undefined, client_secret_file, token_url: server.url })
  expect(await all.take(soon()).catch((error: Error) => error.message)).toBe(
    `oauth2.client_secret_file: cannot read ${client_secret_file}: ENOENT`,
  )
  for (const secret of ['one', 'one', 'two']) {
    writeFileSync(client_secret_file, `${secret}\n`)
    await all.take(soon())
  }
  all.close()
  const logins = server.requests.map(({ headers }) => headers.authorization?.slice('Basic '.length))
  expect(logins.map((login) => Buffer.from(login ?? '', 'base64').toString())).toEqual(['me:one', 'me:two'])
})

test.each(['RS256', 'RS384', 'RS512'])('a client is known by what it signs with %s', async (signature_algorithm) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await using server = await openIssuer()
  const all = tokens({
    client_secret: undefined,
    grant_type: jwtBearer,
    client_certificate_key: key,
    client_certificate_key_id: 'k1',
    signature_algorithm,
    claims: { tenant: 'ops' },
    scopes: ['a', 'b'],
    token_url: `${server.url}/token`,
  })
  expect((await all.take(soon())).token.header).toBe('Bearer t-1')
  all.close()
  const form = new URLSearchParams(server.requests[0]?.body)
  expect(form.get('grant_type')).toBe(jwtBearer)
  const [head = '', body = '', signature = ''] = (form.get('assertion') ?? '').split('.')
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  expect(read(head)).toEqual({ alg: signature_algorithm, typ: 'JWT', kid: 'k1' })
  expect(read(body)).toMatchObject({
    iss: 'me',
    sub: 'me',
    aud: `${server.url}/token`,
    scope: 'a b',
    tenant: 'ops',
    jti: expect.any(String),
  })
  const [signed, by] = [Buffer.from(`${head}.${body}`), Buffer.from(signature, 'base64url')]
  expect(verify(`sha${signature_algorithm.slice(2)}`, signed, createPublicKey(privateKey), by)).toBe(true)
  expect(server.requests[0]?.headers).not.toHaveProperty('authorization')
})

test('a key that is none is told without it', async () => {
  const all = tokens({
    client_secret: undefined,
    grant_type: jwtBearer,
    client_certificate_key: 's3cret',
    token_url: 'http://127.0.0.1:1/',
  })
  expect(await all.take(soon()).catch((error: Error) => error.message)).toBe(
    'oauth2.client_certificate_key is no private key that can sign',
  )
})
