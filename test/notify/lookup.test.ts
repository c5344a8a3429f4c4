import { expect, test } from 'vitest'
import { everywhere } from '../../src/model/egress.ts'
import { tlsConfig } from '../../src/model/http-config.ts'
import { openConnections } from '../../src/notify/connections.ts'
import { exchange, noAnswer } from '../../src/notify/http.ts'
import { type Resolve, openResolver } from '../../src/notify/lookup.ts'
import { contextOf, readTls } from '../../src/notify/tls.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { certificate, openBlackhole } from '../helpers/rude-server.ts'

const answering = (address: string) => [{ address, family: address.includes(':') ? 6 : 4 }]
const failing = (code: string): Resolve => {
  return () => Promise.reject(Object.assign(new Error(`secret.example ${code}`), { code }))
}

/** Posts once with names resolved by us. */
function post(url: string, resolve: Resolve, { egress = everywhere, literal = true, patience = 5000 } = {}) {
  const connections = openConnections({ egress, literal, resolve, patience })
  const signal = AbortSignal.timeout(20_000)
  return exchange({ method: 'POST', url, headers: {}, body: '{}', secrets: [], connections, signal }).catch(noAnswer)
}

test('a name that leads outside first and inside then is connected to neither time', async () => {
  await using inside = await openHttpSink()
  const asked: string[] = []
  const rebinding: Resolve = async (host) => {
    asked.push(host)
    return answering(asked.length === 1 ? '192.0.2.1' : '127.0.0.1')
  }
  const url = `http://rebinding.example:${inside.port}/`
  const options = { egress: { allowPrivate: false }, patience: 100 }
  const connections = openConnections({ ...options, literal: true, resolve: rebinding })
  for (let i = 0; i < 2; i++) {
    const signal = AbortSignal.timeout(20_000)
    const outcome = await exchange({
      method: 'POST',
      url,
      headers: {},
      body: '{}',
      secrets: [],
      connections,
      signal,
    }).catch(noAnswer)
    // what the address itself answers depends on the network of whoever runs this
    if (i === 1)
      expect(outcome).toEqual({
        state: 'failed',
        reason: 'configuration',
        detail: 'nothing was sent: the address is private, and egress.allow_private does not hold it',
      })
  }
  expect(asked).toHaveLength(2)
  expect(inside.requests).toHaveLength(0)
})

test('the address that was checked is the one that is connected to', async () => {
  await using sink = await openHttpSink()
  let asked = 0
  const answer = await post(`http://once.example:${sink.port}/`, async () =>
    answering(++asked === 1 ? '127.0.0.1' : '192.0.2.1'),
  )
  expect(answer).toMatchObject({ status: 200 })
  expect([asked, sink.requests.length]).toEqual([1, 1])
})

test('of several addresses those that may be are tried', async () => {
  await using sink = await openHttpSink()
  const mixed = async () => [...answering('169.254.169.254'), ...answering('fe80::1'), ...answering('127.0.0.1')]
  expect(await post(`http://mixed.example:${sink.port}/`, mixed)).toMatchObject({ status: 200 })
})

test.each([
  ['169.254.169.254', true, 'link-local'],
  ['::ffff:169.254.169.254', true, 'link-local'],
  ['64:ff9b::a9fe:a9fe', true, 'link-local'],
  ['2002:a9fe:a9fe::', true, 'link-local'],
  ['0.0.0.0', true, 'no single host'],
  ['127.0.0.1', false, 'template'],
  ['::1', false, 'template'],
  ['10.0.0.1', false, 'template'],
])('a name that leads to %s (literal: %s): %s', async (address, literal, why) => {
  const outcome = await post('http://somewhere.example/', async () => answering(address), { literal })
  expect(outcome).toMatchObject({ state: 'failed', reason: 'configuration', detail: expect.stringContaining(why) })
})

test.each(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL'])('%s may pass, and tells no name', async (code) => {
  expect(await post('http://gone.example/', failing(code))).toEqual({
    state: 'failed',
    reason: 'network',
    detail: code,
  })
})

test('the servername and the certificate are those of the name, not of the address', async () => {
  const { ca, ...pair } = certificate('good')
  await using sink = await openHttpSink({ status: 200, body: 'ok' }, pair)
  const settings = readTls(tlsConfig.parse({ ca_file: ca }))
  const resolve = async () => answering('127.0.0.1')
  const tls = { settings, context: contextOf(settings) }
  const connections = openConnections({ egress: everywhere, literal: true, resolve, tls })
  const postTo = (host: string) =>
    exchange({
      method: 'POST',
      url: `https://${host}:${sink.port}/`,
      headers: {},
      body: '{}',
      secrets: [],
      connections,
      signal: AbortSignal.timeout(20_000),
    }).catch(noAnswer)
  expect(await postTo('localhost')).toMatchObject({ status: 200 })
  expect(await postTo('other.example')).toMatchObject({
    detail: 'the connection is not trusted: ERR_TLS_CERT_ALTNAME_INVALID',
  })
})

test('a connection for a protocol of its own is guarded too, and does not wait for ever', async () => {
  await using hole = await openBlackhole()
  const to = (address: string) =>
    openConnections({ egress: everywhere, literal: true, resolve: async () => answering(address), patience: 100 })
  await expect(to('169.254.169.254').connect('mail.example', 25)).rejects.toMatchObject({ code: 'EGRESS' })
  await expect(to('x').connect('169.254.169.254', 25)).rejects.toMatchObject({ code: 'EGRESS' })
  await expect(to('127.0.0.1').connect('mail.example', hole.port)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
})

/** A name server that answers when told. */
function slowServer() {
  const asked: { host: string; answer: () => void }[] = []
  let pending = 0
  let most = 0
  const resolve: Resolve = (host) => {
    most = Math.max(most, ++pending)
    return new Promise((done) => {
      const answer = () => {
        pending -= 1
        done(answering('127.0.0.1'))
      }
      asked.push({ host, answer })
    })
  }
  return { asked, resolve, most: () => most }
}

const settled = () => new Promise((done) => setImmediate(done))

test('of many names four are asked for at a time, and of one once', async () => {
  const server = slowServer()
  const resolve = openResolver(server.resolve, { patience: 20_000 })
  const names = Array.from({ length: 20 }, (_, i) => `host-${i}.example`)
  const all = Promise.all([...names, ...names].map((name) => resolve(name)))
  for (let i = 0; i < names.length; i++) {
    await settled()
    expect(server.asked.length).toBeLessThanOrEqual(i + 4)
    server.asked[i]?.answer()
  }
  expect(await all).toHaveLength(40)
  expect(server.most()).toBe(4)
  expect(server.asked.map(({ host }) => host)).toEqual(names)
})

test('an answer that takes half a minute is not waited for, and who waits behind it does not ask any more', async () => {
  const server = slowServer()
  const resolve = openResolver(server.resolve, { patience: 50 })
  const names = Array.from({ length: 8 }, (_, i) => `host-${i}.example`)
  const outcomes = await Promise.allSettled(names.map((name) => resolve(name)))
  expect(outcomes).toEqual(
    names.map(() => ({ status: 'rejected', reason: expect.objectContaining({ code: 'ETIMEOUT' }) })),
  )
  for (const { answer } of server.asked) answer()
  await settled()
  expect(server.asked).toHaveLength(4)
  const again = resolve('host-9.example')
  await settled()
  server.asked.at(-1)?.answer()
  expect(await again).toEqual(answering('127.0.0.1'))
})
