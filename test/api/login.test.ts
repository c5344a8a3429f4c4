import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { as, bcrypt, sha256 } from '../helpers/access.ts'
import { type Engine, eventually, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'

const routing = join(import.meta.dirname, '../../routing/tocsin.yml')
const silence = (team: string) => ({
  matchers: [{ name: 'team', value: team, isRegex: false, isEqual: true }],
  startsAt: '2020-01-01T00:00:00Z',
  endsAt: '2099-01-01T00:00:00Z',
  createdBy: 'somebody else',
  comment: 'c',
})

const dir = tempDir()
const file = join(dir.path, 'web.yml')
const users = (bob: string) => `
basic_auth_users:
  bob: '${bcrypt(bob)}'
  vera: '${bcrypt('vera', 5)}'
users:
  vera: { role: view }
bearer_tokens:
  - { name: prometheus, sha256: ${sha256('token-prometheus')}, role: ingest }
`
let engine: Engine
beforeAll(async () => {
  writeFileSync(file, users('pass word:ü'))
  engine = await startEngine({ config: routing, args: ['--sandbox', `--web.config.file=${file}`] })
}, 60_000)
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  dir[Symbol.dispose]()
})

const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})
const ask = (path: string, init: RequestInit = {}) => fetch(engine.url + path, { redirect: 'manual', ...init })
const post = (path: string, headers: Record<string, string>, body: unknown = {}) =>
  ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) })

describe('basic authentication', () => {
  // captured from prometheus-alertmanager 0.25 with the same basic_auth_users
  test.each([
    ['nothing', {}],
    ['an unknown user', basic('eve', 'x')],
    ['a user without a password', basic('bob', '')],
    ['no base64', { Authorization: 'Basic ????' }],
    ['no colon', { Authorization: `Basic ${Buffer.from('bob').toString('base64')}` }],
    ['another scheme', { Authorization: 'Digest username="bob"' }],
    ['an unknown token', as('nobody')],
    ['a token that is empty', { Authorization: 'Bearer ' }],
  ])('%s is answered as Alertmanager does', async (_name, headers) => {
    const answer = await ask('/api/v2/status', { headers })
    expect([answer.status, await answer.text()]).toEqual([401, 'Unauthorized\n'])
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'www-authenticate': 'Basic',
      'x-content-type-options': 'nosniff',
    })
  })

  test('a preflight needs it too, as there', async () => {
    const headers = { Origin: 'http://x', 'Access-Control-Request-Method': 'GET' }
    expect((await ask('/api/v2/status', { method: 'OPTIONS', headers })).status).toBe(401)
  })

  test('the right password, with a colon and an umlaut in it, may do all where nothing else is said', async () => {
    expect((await ask('/api/v2/status', { headers: basic('bob', 'pass word:ü') })).status).toBe(200)
    expect((await post('/-/reload', basic('bob', 'pass word:ü'))).status).toBe(200)
    expect(await engine.says(/^a reload is asked for/)).toMatchObject({ by: 'bob', from: '127.0.0.1' })
  })

  test('a user with a role may do what it allows', async () => {
    expect((await ask('/metrics', { headers: basic('vera', 'vera') })).status).toBe(200)
    const refused = await post('/-/reload', basic('vera', 'vera'))
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { code: 403, message: 'the role view does not allow this; it takes admin' },
    ])
  })

  test('probes need nothing', async () => {
    expect((await ask('/-/healthy')).status).toBe(200)
    expect((await ask('/-/ready')).status).toBe(200)
  })
})

/** Logs in; returns the cookie as a browser would send it. */
async function login(user: string, password: string): Promise<{ cookie: string; set: string }> {
  const answer = await post('/api/tocsin/v1/session', {}, { user, password })
  expect(answer.status).toBe(200)
  const set = answer.headers.get('set-cookie') ?? ''
  return { cookie: set.split(';')[0] ?? '', set }
}
const sameSite = () => ({ 'Sec-Fetch-Site': 'same-origin', Origin: new URL(engine.url).origin })

const auditAs = async (headers: Record<string, string>) =>
  (await (await ask('/api/tocsin/v1/audit', { headers })).json()) as Record<string, string>[]

describe('a session', () => {
  test('is a cookie that no script reads and no other site sends along', async () => {
    const { set, cookie } = await login('bob', 'pass word:ü')
    expect(set).toMatch(/^tocsin_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax$/)
    const answer = await ask('/api/tocsin/v1/session', { headers: { Cookie: `a=b; ${cookie}; c=d` } })
    expect(await answer.json()).toEqual({ name: 'bob', role: 'admin', by: 'session', sandbox: true })
  })

  test('changes things for its own pages only', async () => {
    const { cookie } = await login('bob', 'pass word:ü')
    const made = await post('/api/v2/silences', { Cookie: cookie, ...sameSite() }, silence('platform'))
    expect(made.status).toBe(200)
    for (const from of [
      { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
      { 'Sec-Fetch-Site': 'same-site', Origin: 'http://127.0.0.1:80' },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
    ] as Record<string, string>[]) {
      const refused = await post('/api/v2/silences', { Cookie: cookie, ...from }, silence('platform'))
      expect(refused.status, JSON.stringify(from)).toBe(403)
    }
  })

  test('ends with the logout, whatever is kept of its cookie', async () => {
    const { cookie } = await login('vera', 'vera')
    const out = await ask('/api/tocsin/v1/session', { method: 'DELETE', headers: { Cookie: cookie, ...sameSite() } })
    expect([out.status, out.headers.get('set-cookie')]).toEqual([
      204,
      'tocsin_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax',
    ])
    expect((await ask('/api/v2/status', { headers: { Cookie: cookie } })).status).toBe(401)
  })

  test.each([
    ['a wrong password', { user: 'bob', password: 'x' }, 401],
    ['an unknown user', { user: 'x', password: 'x' }, 401],
    ['no password', { user: 'bob' }, 400],
    ['a list', [], 400],
  ])('is not for %s', async (_name, body, status) => {
    expect((await post('/api/tocsin/v1/session', {}, body)).status).toBe(status)
  })

  test('is not opened by a form, nor by another site', async () => {
    const form = await ask('/api/tocsin/v1/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'user=vera&password=vera',
    })
    expect(form.status).toBe(415)
    const foreign = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }
    // there no token is looked at, so none makes up for it
    for (const more of [{}, { Authorization: 'Bearer x' }])
      expect(
        (await post('/api/tocsin/v1/session', { ...foreign, ...more }, { user: 'vera', password: 'vera' })).status,
      ).toBe(403)
  })

  test.each(['tocsin_session=', `tocsin_session=${'A'.repeat(43)}`, 'tocsin_session=../x', 'session=x'])(
    'cannot be guessed: %s',
    async (Cookie) => {
      expect((await ask('/api/v2/status', { headers: { Cookie } })).status).toBe(401)
    },
  )
})

test('no GET changes anything: an acknowledge link asks, and its button posts', async () => {
  await post(
    '/webhook',
    as('prometheus'),
    webhookPayload({ labels: { alertname: '<b>A&"', severity: 'critical', team: 'quant' } }),
  )
  const { cookie } = await login('bob', 'pass word:ü')
  const headers = { Cookie: cookie }
  const [incident] = await eventually(
    async () => (await (await ask('/api/tocsin/v1/incidents', { headers })).json()) as { id: string; state: string }[],
    (all) => all.length > 0,
  )
  const id = incident?.id ?? ''
  const page = await ask(`/ack/${id}`, { headers })
  const html = await page.text()
  expect(html).toContain('&lt;b&gt;A&amp;&quot;')
  expect(html).not.toContain('<b>')
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/) // nothing inline: the policy would not run it
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
  expect((await ask('/ack.js', { headers })).headers.get('content-type')).toContain('javascript')
  const stateOf = async () =>
    ((await (await ask(`/api/tocsin/v1/incidents/${id}`, { headers })).json()) as { state: string }).state
  expect(await stateOf()).toBe('open')

  const ack = `/api/tocsin/v1/incidents/${id}/ack`
  expect((await post(ack, { ...headers, 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
  expect(
    (await ask(ack, { method: 'POST', headers: { ...headers, 'Content-Type': 'text/plain' }, body: '{}' })).status,
  ).toBe(415)
  expect((await post(ack, basic('vera', 'vera'))).status).toBe(403)
  expect(await stateOf()).toBe('open')
  const done = await post(ack, { ...headers, ...sameSite() }, { by: 'somebody else' })
  expect(await done.json()).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'bob' })
  expect(await engine.says(/^incident acknowledged/)).toMatchObject({ incident: id, by: 'bob', from: '127.0.0.1' })
})

test('what is written down is who was logged in, whoever the silence says made it', async () => {
  const made = await post('/api/v2/silences', basic('bob', 'pass word:ü'), silence('data'))
  const { silenceID } = (await made.json()) as { silenceID: string }
  await ask(`/api/v2/silence/${silenceID}`, { method: 'DELETE', headers: basic('bob', 'pass word:ü') })
  const entries = await auditAs(basic('bob', 'pass word:ü'))
  expect(entries.filter((entry) => entry['silence'] === silenceID).map(({ event, by }) => [event, by])).toEqual([
    ['silence expired', 'bob'],
    ['silence created', 'bob'],
  ])
})

test('who logs a browser in or out is in the log and in the audit log, once each; a failed login is in the log only', async () => {
  const session = '/api/tocsin/v1/session'
  const client = { 'User-Agent': `Browser ${'x'.repeat(300)}` }
  const audit = () => auditAs(basic('bob', 'pass word:ü'))
  const before = (await audit()).length
  const opened = await post(session, client, { user: 'vera', password: 'vera' })
  const Cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? ''
  expect((await post(session, client, { user: 'vera', password: 'not hers' })).status).toBe(401)
  const out = (cookie?: string) =>
    ask(session, { method: 'DELETE', headers: { ...client, ...sameSite(), ...(cookie && { Cookie: cookie }) } })
  // at once, from two windows; again; with a cookie that was never one; without
  const left = await Promise.all([out(Cookie), out(Cookie)])
  left.push(await out(Cookie), await out(`tocsin_session=${'A'.repeat(43)}`), await out())
  expect(left.map(({ status }) => status)).toEqual(Array(5).fill(204))
  const lines = await audit()
  const who = { by: 'vera', from: '127.0.0.1', client: client['User-Agent'].slice(0, 200) }
  const at = expect.stringMatching(/^\d{4}-.*Z$/)
  expect(lines.slice(0, lines.length - before)).toEqual([
    { at, event: 'logged out', ...who },
    { at, event: 'logged in', ...who },
  ])
  const said = await eventually(
    async () => engine.log.filter(({ client: from }) => from === who.client),
    ({ length }) => length >= 2,
  )
  expect(said).toMatchObject([
    { message: 'logged in', ...who },
    { message: 'logged out', ...who },
  ])
  const failed = engine.log.filter(({ message, user }) => message === 'a login failed' && user === 'vera')
  expect(failed).toMatchObject([{ from: '127.0.0.1' }])
  expect(JSON.stringify(lines)).not.toContain('failed')
})

test('another password ends the sessions of the old one, without a restart; a broken file changes nothing', async () => {
  const { cookie } = await login('bob', 'pass word:ü')
  writeFileSync(file, 'basic_auth_users: [')
  expect(await engine.says(/web config file was not loaded/)).toMatchObject({ level: 'error' })
  expect((await ask('/api/v2/status', { headers: { Cookie: cookie } })).status).toBe(200)
  writeFileSync(file, users('another'))
  await engine.says(/web config file was loaded/)
  expect((await ask('/api/v2/status', { headers: { Cookie: cookie } })).status).toBe(401)
  await ask('/api/tocsin/v1/session', { method: 'DELETE', headers: { Cookie: cookie, ...sameSite() } })
  expect((await ask('/api/v2/status', { headers: basic('bob', 'pass word:ü') })).status).toBe(401)
  await eventually(
    async () => (await ask('/api/v2/status', { headers: basic('bob', 'another') })).status,
    (status) => status === 200, // there were wrong passwords before
  )
  const left = (await auditAs(basic('bob', 'another'))).filter(
    ({ event, by }) => event === 'logged out' && by === 'bob',
  )
  expect(left).toEqual([]) // nobody was logged in any more
})

test('after five wrong passwords none from there is looked at for a while; who was let in before still is, and alerts never hear 429', async () => {
  await using other = await startEngine({ config: routing, args: ['--sandbox', `--web.config.file=${file}`] })
  const status = async (path: string, headers: Record<string, string>, method = 'GET') => {
    const body = method === 'POST' ? { body: '[]' } : {}
    const answer = await fetch(other.url + path, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...body,
    })
    return [answer.status, answer.headers.get('retry-after') !== null]
  }
  expect(await status('/metrics', basic('vera', 'vera'))).toEqual([200, false])
  let guesses = 0
  const guess = (...more: [path: string, method?: string]) => {
    guesses += 1
    return status(more[0], basic(`user${guesses}`, 'x'), more[1])
  }
  // each one that is looked at makes the next wait longer, so that however slow the machine one is refused
  await eventually(
    () => guess('/metrics'),
    ([code, isLater]) => code === 429 && isLater === true,
  )
  expect(guesses).toBeGreaterThan(5)
  expect(await status('/metrics', basic('user1', 'x'))).toEqual([401, false]) // is known to be wrong
  await eventually(
    () => guess('/api/v2/alerts', 'POST'),
    ([code, isLater]) => code === 503 && isLater === true,
  )
  // a sender that was not seen since the start is looked at all the same
  expect(await status('/api/v2/alerts', basic('bob', 'another'), 'POST')).toEqual([200, false])
  expect(await status('/metrics', basic('vera', 'vera'))).toEqual([200, false])
  expect(await status('/api/v2/alerts', as('prometheus'), 'POST')).toEqual([200, false])
})

test('under an https URL the cookie is for https alone, and its pages count as ours', async () => {
  const external = '--web.external-url=https://tocsin.example.com/am'
  await using other = await startEngine({ config: routing, args: ['--sandbox', `--web.config.file=${file}`, external] })
  const send = (path: string, headers: Record<string, string>, body: unknown) =>
    fetch(other.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin', ...headers },
      body: JSON.stringify(body),
    })
  const ours = { Origin: 'https://tocsin.example.com' }
  const answer = await send('/api/tocsin/v1/session', ours, { user: 'bob', password: 'another' })
  const set = answer.headers.get('set-cookie') ?? ''
  expect(set).toMatch(/; Path=\/am; Max-Age=43200; HttpOnly; SameSite=Lax; Secure$/)
  const Cookie = set.split(';')[0] ?? ''
  expect((await send('/api/v2/silences', { ...ours, Cookie }, silence('platform'))).status).toBe(200)
  expect(
    (
      await send(
        '/api/v2/silences',
        { Origin: 'https://other.example.com', 'Sec-Fetch-Site': 'same-site', Cookie },
        silence('platform'),
      )
    ).status,
  ).toBe(403)
})

test('logging in is limited by address', async () => {
  await using other = await startEngine({ config: routing, args: ['--sandbox', `--web.config.file=${file}`] })
  const answers: number[] = []
  for (let i = 0; i < 22; i++) answers.push((await other.post('/api/tocsin/v1/session', '{}')).status)
  expect(answers.slice(0, 20)).toEqual(Array(20).fill(400))
  expect(answers.at(-1)).toBe(429)
})

test('nothing of a password, a hash or a token stands in the log', () => {
  const all = JSON.stringify(engine.log)
  for (const secret of ['$2b$', '$2y$', 'pass word', 'token-prometheus', sha256('token-prometheus'), 'tocsin_session'])
    expect(all).not.toContain(secret)
})
