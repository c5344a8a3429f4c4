import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { SettingError } from '../../src/notify/notifier.ts'
import { exemptions, proxyFinder } from '../../src/notify/proxy.ts'
import { webhook } from '../../src/notify/webhook.ts'
import { openHttpProxy } from '../helpers/http-proxy.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { certificate } from '../helpers/rude-server.ts'
import { attempt, open } from './contract.ts'

// As golang.org/x/net/http/httpproxy has it; `-` is a URL that goes through the proxy all the same.
test.each([
  // no_proxy                    goes around it                                          does not
  ['', 'http://localhost http://127.0.0.1:1 http://[::1]/ http://127.8.9.1', 'http://a.example http://10.0.0.1'],
  [
    'a.example',
    'http://a.example https://a.example:8443/x http://b.a.example',
    'http://ba.example http://a.example.org',
  ],
  ['A.Example', 'http://a.EXAMPLE', '-'],
  ['.a.example', 'http://b.a.example http://c.b.a.example', 'http://a.example'],
  ['*.a.example', 'http://b.a.example', 'http://a.example'],
  ['a.example:80', 'http://a.example', 'https://a.example http://a.example:8080'],
  ['.a.example:443', 'https://b.a.example', 'http://b.a.example'],
  ['10.0.0.0/8', 'http://10.1.2.3 http://[::ffff:10.1.2.3]', 'http://11.0.0.1 http://ten.example'],
  ['fd00::/8', 'http://[fd12::1]', 'http://[fe12::1] http://10.0.0.1'],
  ['10.0.0.1', 'http://10.0.0.1 http://10.0.0.1:81', 'http://10.0.0.2'],
  ['10.0.0.1:81', 'http://10.0.0.1:81', 'http://10.0.0.1'],
  ['[fd00::1]:81, fd00::2', 'http://[fd00::1]:81 http://[fd00::2]', 'http://[fd00::1]'],
  ['*', 'http://a.example http://10.0.0.1', '-'],
  ['b.example , a.example', 'http://a.example http://b.example', 'http://c.example'],
  [':80, ,', '-', 'http://a.example'],
  ['münchen.example', 'http://münchen.example http://xn--mnchen-3ya.example', 'http://munchen.example'],
])('no_proxy: %j', (list, around, through) => {
  const isExempt = exemptions(list)
  const urls = (text: string) => text.split(' ').filter((one) => one !== '-')
  expect(urls(around).filter((url) => !isExempt(new URL(url)))).toEqual([])
  expect(urls(through).filter((url) => isExempt(new URL(url)))).toEqual([])
})

test.each([
  ['nothing', {}, 'http://a.example', undefined],
  ['its variable', { HTTP_PROXY: 'http://p:1' }, 'http://a.example', 'http://p:1/'],
  ['that of the other scheme', { HTTP_PROXY: 'http://p:1' }, 'https://a.example', undefined],
  ['in lower case', { https_proxy: 'p:1' }, 'https://a.example', 'http://p:1/'],
  ['both cases', { HTTPS_PROXY: 'big:1', https_proxy: 'small:1' }, 'https://a.example', 'http://big:1/'],
  ['an exemption', { HTTP_PROXY: 'p:1', no_proxy: 'a.example' }, 'http://a.example', undefined],
  ['this machine', { HTTP_PROXY: 'p:1' }, 'http://localhost', undefined],
  ['one for all', { ALL_PROXY: 'p:1' }, 'http://a.example', undefined], // nor does Go look at it
])('of the environment: %s', (_what, env, url, wanted) => {
  expect(proxyFinder({ proxy_from_environment: true }, env)(new URL(url))?.href).toBe(wanted)
  expect(proxyFinder({}, env)(new URL(url))).toBe(undefined)
})

test.each([
  ['without a list this machine is no exemption', { proxy_url: 'http://p:1' }, 'http://localhost', 'http://p:1/'],
  ['with one it is', { proxy_url: 'http://p:1', no_proxy: 'b.example' }, 'http://localhost', undefined],
  ['an empty one is none', { proxy_url: '', no_proxy: 'b.example' }, 'http://a.example', undefined],
  ['a scheme may be missing', { proxy_url: 'p.example:3128' }, 'http://a.example', 'http://p.example:3128/'],
])('of the file: %s', (_what, config, url, wanted) => {
  expect(proxyFinder(config)(new URL(url))?.href).toBe(wanted)
})

test.each(['ftp://me:s3cret@p:1', 'http://me:s3cret@:x', 'http://'])('%s is no proxy', (proxy_url) => {
  let said = ''
  try {
    proxyFinder({ proxy_url })
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    said = error.message
  }
  expect(said).toMatch(/^proxy_url/)
  expect(said).not.toContain('s3cret')
})

test('what no_proxy takes out goes there directly', async () => {
  await using sink = await openHttpSink()
  await using proxy = await openHttpProxy()
  const http_config = { proxy_url: proxy.url, no_proxy: '127.0.0.0/8' }
  expect(await attempt(open(webhook, { url: sink.url, http_config }))).toEqual({ state: 'delivered' })
  expect([proxy.asked.length, sink.requests.length]).toEqual([0, 1])
})

test('the proxy of the file is one of the file: private, where egress allows it', async () => {
  await using sink = await openHttpSink()
  await using proxy = await openHttpProxy({ to: '127.0.0.1' })
  const to = (allowPrivate: boolean) => {
    const http_config = { proxy_url: proxy.url }
    const url = `http://a.example:${sink.port}/`
    return attempt(open(webhook, { url, http_config }, { egress: { allowPrivate } }))
  }
  expect(await to(false)).toEqual({
    state: 'failed',
    reason: 'configuration',
    detail: 'the proxy: nothing was sent: the address is private, and egress.allow_private does not hold it',
  })
  expect(await to(true)).toEqual({ state: 'delivered' })
})

test('a private address that a label names is not asked for of a proxy', async () => {
  await using proxy = await openHttpProxy()
  const http_config = { proxy_url: proxy.url }
  const notifier = open(webhook, { url: 'http://{{ len .Alerts }}0.0.0.1/', http_config })
  expect(await attempt(notifier)).toMatchObject({ detail: expect.stringContaining('comes from a template') })
  expect(proxy.asked).toHaveLength(0)
})

test('messages through a proxy share a connection', async () => {
  const { ca, ...pair } = certificate('good')
  await using sink = await openHttpSink({}, pair)
  await using proxy = await openHttpProxy()
  const notifier = open(webhook, { url: sink.url, http_config: { proxy_url: proxy.url, tls_config: { ca_file: ca } } })
  const close = notifier.close?.bind(notifier)
  delete notifier.close
  for (let i = 0; i < 3; i++) expect(await attempt(notifier)).toEqual({ state: 'delivered' })
  close?.()
  expect(proxy.asked.length).toBeLessThan(3)
})

test('a proxy that says something else than HTTP: nothing was sent', async () => {
  await using proxy = await openSocksProxy()
  const outcome = await attempt(
    open(webhook, { url: 'https://a.example', http_config: { proxy_url: proxy.url('http') } }),
  )
  expect(outcome).toMatchObject({ state: 'failed', reason: 'network', detail: expect.stringMatching(/^the proxy: /) })
})

/** A real SOCKS 5 proxy, which takes every name to this host. */
async function openSocksProxy({ login = '', reply = 0 } = {}) {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const step = async () => {
      const [, methods = 0] = await read(2)
      const offered = [...(await read(methods))]
      const method = login ? 2 : 0
      if (!offered.includes(method)) return socket.end(Buffer.from([5, 0xff]))
      socket.write(Buffer.from([5, method]))
      if (login) {
        await read(1)
        const user = String(await read((await read(1))[0] ?? 0))
        const password = String(await read((await read(1))[0] ?? 0))
        const isRight = `${user}:${password}` === login
        socket.write(Buffer.from([1, isRight ? 0 : 1]))
        if (!isRight) return socket.end()
      }
      const [, , , kind = 0] = await read(4)
      const host =
        kind === 3 ? String(await read((await read(1))[0] ?? 0)) : [...(await read(kind === 1 ? 4 : 16))].join('.')
      const port = (await read(2)).readUInt16BE()
      asked.push(`${host}:${port}`)
      socket.write(Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
      if (reply) return socket.end()
      const onward = connect(port, '127.0.0.1')
      onward.on('error', () => socket.destroy())
      socket.off('data', keep).pipe(onward).pipe(socket)
    }
    let held = Buffer.alloc(0)
    let wake = () => {}
    const keep = (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      wake()
    }
    socket.on('data', keep)
    const read = async (count: number): Promise<Buffer> => {
      while (held.length < count) await new Promise<void>((done) => (wake = done))
      const bytes = held.subarray(0, count)
      held = held.subarray(count)
      return bytes
    }
    void step()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    asked,
    url: (scheme: string, user = '') => `${scheme}://${user && `${user}@`}127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

test.each(['http', 'https'])('by SOCKS to an %s URL', async (protocol) => {
  const { ca, ...pair } = certificate('good')
  await using sink = await openHttpSink({}, protocol === 'https' ? pair : undefined)
  await using proxy = await openSocksProxy({ login: 'me:s3cret' })
  const http_config = { proxy_url: proxy.url('socks5', 'me:s3cret'), tls_config: { ca_file: ca } }
  const url = `${protocol}://localhost:${sink.port}/`
  expect(await attempt(open(webhook, { url, http_config }))).toEqual({ state: 'delivered' })
  expect(proxy.asked).toEqual([`localhost:${sink.port}`])
})

test.each([
  ['http://192.0.2.1/', '192.0.2.1:80'],
  ['http://[2001:db8::1]/', '32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1:80'],
])('by SOCKS to %s', async (url, asked) => {
  await using proxy = await openSocksProxy({ reply: 5 })
  expect(await attempt(open(webhook, { url, http_config: { proxy_url: proxy.url('socks5h') } }))).toEqual({
    state: 'failed',
    reason: 'network',
    detail: 'the proxy makes no connection there: the connection was refused',
  })
  expect(proxy.asked).toEqual([asked])
})

test.each([
  ['no login', '', 'the proxy wants another login'],
  ['another login', 'me:s3cret', 'the proxy refuses the login'],
])('by SOCKS with %s', async (_what, user, detail) => {
  await using proxy = await openSocksProxy({ login: 'somebody:else' })
  const http_config = { proxy_url: proxy.url('socks5', user) }
  expect(await attempt(open(webhook, { url: 'http://a.example', http_config }))).toEqual({
    state: 'failed',
    reason: 'configuration',
    detail,
  })
})
