import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { type Surroundings, everywhere } from '../../src/model/egress.ts'
import { type Channel, type Notifier, type Outcome, retries } from '../../src/notify/notifier.ts'
import { openHttpProxy } from '../helpers/http-proxy.ts'
import { type Answer, openHttpSink } from '../helpers/http-sink.ts'
import { diskFull, notificationOf } from '../helpers/notification.ts'
import { type Rudeness, certificate, openBlackhole, openMuteTls, openRudeServer } from '../helpers/rude-server.ts'

export interface Case {
  name: string
  answer: Answer
  outcome: Partial<Outcome> & { reason?: string; retryAfter?: number }
}

/** How a channel differs from what holds for most. */
export interface Contract {
  /** An answer with which it is content. */
  content: Answer
  /** What an endless body behind a 2xx comes to: by its status, or by what it fails to say. */
  flood: 'delivered' | 'failed' | 'unknown'
  /** Where a 5xx leaves open what became of the message. */
  serverError?: 'unknown'
  /** What 429 without Retry-After waits for at least, ms. */
  floor?: number
}

/** An adapter for settings as a file gives them; what is wrong with them fails the test. */
export function open(
  channel: Channel,
  settings: Record<string, unknown>,
  around: Partial<Surroundings> = {},
): Notifier {
  const reading = channel.read(settings)
  if (!reading.ok) throw new Error(JSON.stringify(reading.issues))
  return reading.open({ egress: everywhere, ...around })
}

/** One attempt at the usual notification. */
export async function attempt(notifier: Notifier, signal: AbortSignal = AbortSignal.timeout(20_000)) {
  const message = notifier.compose(notificationOf())
  try {
    const outcome = await notifier.send(message, signal)
    expect(JSON.stringify([outcome, message])).not.toContain('s3cret')
    return outcome
  } finally {
    notifier.close?.()
  }
}

/** Whether an outcome is to be tried again; an unknown one is neither. */
function isTriedAgain(outcome: Outcome): boolean | undefined {
  return outcome.state === 'failed' ? retries[outcome.reason] : undefined
}

/** What every channel over HTTP must do; `settings` may hold `s3cret`, which must show nowhere. */
export function contract(
  channel: Channel,
  settings: (url: string) => Record<string, unknown>,
  cases: readonly Case[],
  { content, flood, serverError, floor }: Contract,
): void {
  const failed = (reason: string, rest = {}) => ({ state: 'failed', reason, ...rest })

  test.each(cases)('$name', async ({ answer, outcome }) => {
    await using sink = await openHttpSink(answer)
    const giveUp = new AbortController()
    if (answer.fault === 'hang') void sink.receives(1).then(() => giveUp.abort()) // taken, and never answered
    expect(await attempt(open(channel, settings(sink.url)), giveUp.signal)).toMatchObject(outcome)
    expect(sink.requests).toHaveLength(1) // to try again is the pipeline's business
  })

  // Alertmanager has no sms_configs whose settings to keep
  test.skipIf(channel.name === 'sms')('its timeout is obeyed', async () => {
    await using sink = await openHttpSink({ fault: 'hang' })
    const notifier = open(channel, { ...settings(sink.url), timeout: '50ms' })
    // whether anything was sent by then is for the machine to say
    expect((await attempt(notifier, new AbortController().signal)).state).not.toBe('delivered')
  })

  test('nobody listens: nothing was sent', async () => {
    const sink = await openHttpSink()
    await sink[Symbol.asyncDispose]()
    const outcome = await attempt(open(channel, settings(sink.url)))
    expect(outcome).toMatchObject(failed('network', { detail: 'ECONNREFUSED' }))
  })

  test('a name that nobody knows: nothing was sent', async () => {
    expect(await attempt(open(channel, settings('http://nowhere.invalid')))).toMatchObject(failed('network'))
  })

  test('a connection that does not come about: nothing was sent, and the deadline holds', async () => {
    await using hole = await openBlackhole()
    const notifier = open(channel, settings(`http://127.0.0.1:${hole.port}`))
    expect(await attempt(notifier, AbortSignal.timeout(300))).toMatchObject(failed('network'))
  })

  test.each<[Rudeness, object]>([
    ['silence', { state: 'unknown' }],
    ['drip head', { state: 'unknown' }],
    ['drip', { state: 'unknown' }],
  ])('%s ends with the deadline', async (how, outcome) => {
    await using rude = await openRudeServer(how)
    const notifier = open(channel, settings(`http://127.0.0.1:${rude.port}`))
    const deadline = new AbortController()
    void rude.begun.then(() => deadline.abort())
    expect(await attempt(notifier, deadline.signal)).toMatchObject(outcome)
    expect(rude.requests).toBe(1)
  })

  test.each<[Rudeness]>([['reset'], ['cut']])('%s: it may have arrived', async (how) => {
    await using rude = await openRudeServer(how)
    const notifier = open(channel, settings(`http://127.0.0.1:${rude.port}`))
    expect(await attempt(notifier)).toMatchObject({ state: 'unknown' })
    expect(rude.requests).toBe(1)
  })

  test.each([
    [channel.name === 'pagerduty' ? 202 : 200, flood],
    [500, serverError ?? 'failed'],
    [400, 'failed'],
  ])('200 MB behind a %d are not read, its status decides', async (status, state) => {
    await using rude = await openRudeServer('flood', status)
    const outcome = await attempt(open(channel, settings(`http://127.0.0.1:${rude.port}`)))
    expect(outcome.state).toBe(state)
    expect(rude.flooded).toBeLessThan(50 * 1024 * 1024) // what the system's buffers took
  })

  test.each([301, 302, 303, 307, 308])('%d to an inside host is not followed', async (status) => {
    await using inside = await openHttpSink(content)
    await using sink = await openHttpSink({ status, headers: { Location: inside.url } })
    expect(await attempt(open(channel, settings(sink.url)))).toMatchObject(failed('client error'))
    expect([sink.requests.length, inside.requests.length]).toEqual([1, 0])
  })

  test.each(['expired', 'wrong-host', 'self-signed'] as const)(
    'a certificate that is %s is not trusted',
    async (kind) => {
      await using sink = await openHttpSink(content, certificate(kind))
      expect(await attempt(open(channel, settings(sink.url)))).toMatchObject(failed('configuration'))
      expect(sink.requests).toHaveLength(0)
    },
  )

  test('a handshake without end: nothing was sent', async () => {
    await using mute = await openMuteTls()
    const notifier = open(channel, settings(`https://127.0.0.1:${mute.port}`))
    expect(await attempt(notifier, AbortSignal.timeout(300))).toMatchObject(failed('network'))
  })

  test.each([
    ['7', 7000],
    ['0', 0],
    ['999999', 900_000],
    [new Date(Date.now() + 3_600_000).toUTCString(), 900_000],
    [new Date(0).toUTCString(), 0],
    ['soon', floor],
    [undefined, floor],
  ])('429 with Retry-After %s waits as told, and is sent once', async (header, wait) => {
    await using sink = await openHttpSink({ status: 429, ...(header && { headers: { 'Retry-After': header } }) })
    const outcome = await attempt(open(channel, settings(sink.url)))
    expect(outcome).toMatchObject(failed('rate limited'))
    expect('retryAfter' in outcome ? outcome.retryAfter : undefined).toBe(wait)
    expect(sink.requests).toHaveLength(1)
  })

  test.each([500, 501, 502, 503, 504, 599])('%d may pass', async (status) => {
    await using sink = await openHttpSink({ status, body: 'no' })
    const outcome = await attempt(open(channel, settings(sink.url)))
    expect(outcome).toMatchObject(serverError ? { state: serverError } : failed('server error'))
    expect(sink.requests).toHaveLength(1)
  })

  test.each([400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 415, 422, 451])('%d will not pass', async (status) => {
    await using sink = await openHttpSink({ status, body: 'no' })
    expect(isTriedAgain(await attempt(open(channel, settings(sink.url))))).toBe(false)
    expect(sink.requests).toHaveLength(1)
  })

  test.each([408, 425])('%d may pass', async (status) => {
    await using sink = await openHttpSink({ status })
    expect(isTriedAgain(await attempt(open(channel, settings(sink.url))))).toBe(true)
  })

  test('413: what is smaller is sent once, and then no more', async () => {
    await using sink = await openHttpSink({ status: 413 })
    expect(isTriedAgain(await attempt(open(channel, settings(sink.url))))).toBe(false)
    expect(sink.requests.length).toBeLessThanOrEqual(2)
  })

  test('413, and what is smaller is taken', async () => {
    const largest = 3500
    await using sink = await openHttpSink(({ body }) => (body.length > largest ? { status: 413 } : content))
    const annotations = new Map([
      ['summary', 'word '.repeat(2000)],
      ['description', 'word '.repeat(2000)],
    ])
    const notifier = open(channel, settings(sink.url))
    const message = notifier.compose(notificationOf([{ ...diskFull, annotations }]))
    const outcome = await notifier.send(message, AbortSignal.timeout(20_000))
    expect(outcome).toMatchObject({ state: 'delivered' })
    expect(sink.requests.length).toBeLessThanOrEqual(2)
  })

  test('an address that the file does not allow is not connected to', async () => {
    await using sink = await openHttpSink(content)
    for (const url of [sink.url, `http://localhost:${sink.port}`]) {
      const notifier = open(channel, settings(url), { egress: { allowPrivate: false } })
      const outcome = await attempt(notifier)
      expect(outcome).toMatchObject(
        failed('configuration', { detail: expect.stringContaining('egress.allow_private') }),
      )
    }
    expect(sink.requests).toHaveLength(0)
  })

  test.each(['169.254.169.254', '[fd00:ec2::254]', '[::ffff:169.254.169.254]', '0.0.0.0', '2852039166', '0xa9fea9fe'])(
    'http://%s is nothing to connect to',
    async (host) => {
      const outcome = await attempt(open(channel, settings(`http://${host}`)))
      expect(outcome).toMatchObject(failed('configuration', { detail: expect.stringContaining('nothing was sent') }))
    },
  )

  test('a proxy of the environment is not asked', async () => {
    await using proxy = await openHttpSink(content)
    await using sink = await openHttpSink(content)
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'])
      vi.stubEnv(name, proxy.url)
    try {
      expect(await attempt(open(channel, settings(sink.url)))).toMatchObject({ state: 'delivered' })
    } finally {
      vi.unstubAllEnvs()
    }
    expect([sink.requests.length, proxy.requests.length]).toEqual([1, 0])
  })

  test('an answer that repeats the request tells no secret of it', async () => {
    await using sink = await openHttpSink(({ headers, path, body }) => ({
      status: 400,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ message: `${JSON.stringify(headers)} ${path} ${body}`, errors: [body], error: path }),
    }))
    await attempt(open(channel, settings(sink.url)))
  })

  test('five messages are five requests, over a connection that is kept', async () => {
    await using sink = await openHttpSink(content)
    const notifier = open(channel, settings(sink.url))
    for (let i = 0; i < 5; i++) {
      const result = await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(20_000))
      expect(result.state).toBe('delivered')
    }
    expect(sink.requests).toHaveLength(5)
    // undici opens a second one where the first is not yet known to be free
    expect(new Set(sink.requests.map(({ port }) => port)).size).toBeLessThan(3)
    notifier.close?.()
  })

  // Alertmanager has no sms_configs that could have an http_config
  describe.skipIf(channel.name === 'sms')('its http_config is obeyed', () => {
    const { ca, ...pair } = certificate('good')
    const under = (url: string, http_config: Record<string, unknown>) =>
      open(channel, { ...settings(url), http_config })
    const hasToken = 'app_token' in settings('')
    const bearer = hasToken ? {} : { authorization: { credentials: 's3cret' } }

    test.each(['http', 'https'])(
      'an http URL goes through an %s proxy as a whole, with its login',
      async (protocol) => {
        await using sink = await openHttpSink(content)
        const tls = protocol === 'https' ? pair : undefined
        await using proxy = await openHttpProxy({ login: 'me:s3cret/p', to: '127.0.0.1', ...(tls && { tls }) })
        const proxy_url = proxy.url.replace('//', '//me:s3cret%2Fp@')
        const url = `http://only-the-proxy-knows.example:${sink.port}`
        const notifier = under(url, { proxy_url, tls_config: { ca_file: ca }, ...bearer })
        expect(await attempt(notifier)).toMatchObject({ state: 'delivered' })
        expect(proxy.asked).toMatchObject([
          {
            method: 'POST',
            target: expect.stringContaining(`${url}/`),
            headers: { host: url.slice('http://'.length) },
          },
        ])
        expect(sink.requests[0]?.headers).not.toHaveProperty('proxy-authorization')
      },
    )

    test.each(['http', 'https'])('an https URL goes through a tunnel of an %s proxy', async (protocol) => {
      await using sink = await openHttpSink(content, pair)
      const tls = protocol === 'https' ? pair : undefined
      await using proxy = await openHttpProxy({ login: 'me:s3cret', ...(tls && { tls }) })
      const proxy_url = proxy.url.replace('//', '//me:s3cret@')
      const proxy_connect_header = { 'X-Team': ['a', 'b'] }
      const notifier = under(sink.url, { proxy_url, proxy_connect_header, tls_config: { ca_file: ca }, ...bearer })
      expect(await attempt(notifier)).toMatchObject({ state: 'delivered' })
      expect(proxy.asked).toMatchObject([
        { method: 'CONNECT', target: sink.url.slice('https://'.length), headers: { 'x-team': 'a, b' } },
      ])
      expect(proxy.asked[0]?.headers).not.toHaveProperty('authorization')
      expect(sink.requests[0]?.headers).not.toHaveProperty('x-team')
    })

    test.each(['http', 'https'])('a proxy that wants another login: nothing is sent to an %s URL', async (protocol) => {
      await using sink = await openHttpSink(content, protocol === 'https' ? pair : undefined)
      await using proxy = await openHttpProxy({ login: 'somebody:else' })
      const outcome = await attempt(under(sink.url, { proxy_url: proxy.url.replace('//', '//me:s3cret@'), ...bearer }))
      expect(outcome).toMatchObject(failed('configuration', { detail: expect.stringContaining('407') }))
      expect(JSON.stringify(outcome)).not.toContain(Buffer.from('me:s3cret').toString('base64')) // the proxy repeats it
      expect([proxy.asked.length, sink.requests.length]).toEqual([1, 0])
    })

    test('a proxy that makes no connection: nothing was sent', async () => {
      await using proxy = await openHttpProxy({ refuses: 503 })
      const outcome = await attempt(under('https://a.example', { proxy_url: proxy.url }))
      expect(outcome).toEqual(failed('network', { detail: 'the proxy makes no connection there: HTTP 503' }))
    })

    test('a proxy that is not there: nothing was sent', async () => {
      const proxy = await openHttpProxy()
      await proxy[Symbol.asyncDispose]()
      for (const url of ['http://a.example', 'https://a.example'])
        expect(await attempt(under(url, { proxy_url: proxy.url }))).toEqual(
          failed('network', { detail: 'the proxy: ECONNREFUSED' }),
        )
    })

    test('a proxy that says nothing ends with the deadline', async () => {
      await using proxy = await openHttpProxy({ hangs: true })
      const deadline = new AbortController()
      void proxy.begun.then(() => deadline.abort())
      const outcome = await attempt(under('https://a.example', { proxy_url: proxy.url }), deadline.signal)
      expect(outcome).toMatchObject(failed('network'))
    })

    test('nothing goes around the guard through a proxy, and no proxy is where nothing may be', async () => {
      await using proxy = await openHttpProxy()
      for (const url of ['http://169.254.169.254', 'https://[fd00:ec2::254]']) {
        const outcome = await attempt(under(url, { proxy_url: proxy.url }))
        expect(outcome).toMatchObject(failed('configuration', { detail: expect.stringContaining('link-local') }))
      }
      expect(proxy.asked).toHaveLength(0)
      for (const proxy_url of ['http://169.254.169.254:3128', 'http://[::ffff:169.254.169.254]:3128'])
        for (const url of ['http://a.example', 'https://a.example'])
          expect(await attempt(under(url, { proxy_url }))).toMatchObject(
            failed('configuration', { detail: expect.stringMatching(/the proxy.*link-local/) }),
          )
    })

    test('a proxy of the environment is asked where the file says so', async () => {
      await using sink = await openHttpSink(content)
      await using proxy = await openHttpProxy({ to: '127.0.0.1' })
      const env = { http_proxy: `127.0.0.1:${proxy.port}`, NO_PROXY: 'other.example' }
      const url = `http://a.example:${sink.port}`
      const given = { ...settings(url), http_config: { proxy_from_environment: true } }
      expect(await attempt(open(channel, given, { env }))).toMatchObject({ state: 'delivered' })
      expect([proxy.asked.length, sink.requests.length]).toEqual([1, 1])
    })

    test('an authority of the file is trusted, another is not', async () => {
      await using sink = await openHttpSink(content, pair)
      const trusting = await attempt(under(sink.url, { tls_config: { ca: readFileSync(ca, 'utf8') } }))
      expect(trusting).toMatchObject({ state: 'delivered' })
      const { cert } = certificate('self-signed')
      const outcome = await attempt(under(sink.url, { tls_config: { ca: /-----BEGIN CERT[^]*/.exec(cert)?.[0] } }))
      expect(outcome).toMatchObject(failed('configuration', { detail: expect.stringContaining('not trusted') }))
      expect(sink.requests).toHaveLength(1)
    })

    test('insecure_skip_verify takes any certificate', async () => {
      await using sink = await openHttpSink(content, certificate('self-signed'))
      const outcome = await attempt(under(sink.url, { tls_config: { insecure_skip_verify: true } }))
      expect(outcome).toMatchObject({ state: 'delivered' })
    })

    test('who wants a certificate of ours is shown one', async () => {
      const tls = { ...pair, ca: readFileSync(ca), requestCert: true, rejectUnauthorized: true }
      await using sink = await openHttpSink(content, tls)
      const without = await attempt(under(sink.url, { tls_config: { ca_file: ca } }))
      expect(without.state).not.toBe('delivered')
      const { pathname } = new URL('../helpers/certificates/good.pem', import.meta.url)
      const tls_config = { ca_file: ca, cert_file: pathname, key_file: pathname }
      expect(await attempt(under(sink.url, { tls_config }))).toMatchObject({ state: 'delivered' })
      expect(sink.requests).toHaveLength(1)
    })

    test.skipIf(hasToken)(
      'a token of an oauth2 goes along, and one that is not taken any more is asked for anew once',
      async () => {
        let issued = 0
        await using server = await openHttpSink(() => ({
          body: JSON.stringify({ access_token: `t0ken-s3cret-${++issued}`, token_type: 'bearer', expires_in: 3600 }),
        }))
        let refused = ''
        await using sink = await openHttpSink(({ headers }) =>
          headers.authorization?.endsWith(refused) ? { status: 401, body: `not ${headers.authorization}` } : content,
        )
        const oauth2 = { client_id: 'me', client_secret: 's3cret', token_url: `${server.url}/token` }
        const notifier = under(sink.url, { oauth2 })
        const send = () => notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(20_000))
        refused = 'nobody'
        expect([(await send()).state, (await send()).state, issued]).toEqual(['delivered', 'delivered', 1])
        refused = '-1'
        const outcome = await send()
        expect(outcome).toMatchObject(failed('configuration', { detail: expect.stringContaining('with a new token') }))
        expect(JSON.stringify(outcome)).not.toContain('s3cret')
        expect([(await send()).state, issued]).toEqual(['delivered', 2])
        notifier.close?.()
        expect(sink.requests.at(-1)?.headers.authorization).toBe('Bearer t0ken-s3cret-2')
      },
    )

    test('no token, no message: it is tried again', async () => {
      await using server = await openHttpSink({ status: 401, body: '{"error":"invalid_client"}' })
      await using sink = await openHttpSink(content)
      const oauth2 = { client_id: 'me', client_secret: 's3cret', token_url: server.url }
      const outcome = await attempt(under(sink.url, { oauth2 }))
      expect(outcome).toEqual(failed('configuration', { detail: 'no token: HTTP 401: invalid_client' }))
      expect(sink.requests).toHaveLength(0)
    })
  })
}
