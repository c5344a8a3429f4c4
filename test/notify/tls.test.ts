import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { SettingError } from '../../src/notify/notifier.ts'
import { webhook } from '../../src/notify/webhook.ts'
import { openAuthority } from '../helpers/certificates.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { notificationOf } from '../helpers/notification.ts'
import { attempt, open } from './contract.ts'

const dir = mkdtempSync(join(tmpdir(), 'tocsin-tls-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const authority = openAuthority(dir, 'ours')
const other = openAuthority(dir, 'theirs')
const server = authority.sign('server', 'DNS:hooks.example,IP:127.0.0.1')
const inDir = (name: string) => join(dir, name)
authority.sign('client', 'DNS:client.example')
other.sign('stranger', 'DNS:client.example')

const over = (url: string, tls_config: Record<string, unknown>, around = {}) =>
  open(webhook, { url, http_config: { tls_config } }, around)
const untrusted = { state: 'failed', reason: 'configuration' }

test.each([
  [{ ca_file: inDir('ours.crt') }, true],
  [{ ca: authority.cert }, true],
  [{ ca_file: inDir('theirs.crt') }, false],
  [{ ca_file: inDir('ours.crt'), server_name: 'hooks.example' }, true],
  [{ ca_file: inDir('ours.crt'), server_name: '127.0.0.1' }, true],
  [{ ca_file: inDir('ours.crt'), server_name: 'other.example' }, false],
  [{ server_name: 'hooks.example' }, false],
  [{ ca_file: inDir('theirs.crt'), server_name: 'other.example', insecure_skip_verify: true }, true],
])('a server by %j: %s', async (tls_config, isTrusted) => {
  await using sink = await openHttpSink({}, server)
  const outcome = await attempt(over(sink.url, tls_config))
  expect(outcome).toMatchObject(isTrusted ? { state: 'delivered' } : untrusted)
  expect(sink.requests).toHaveLength(isTrusted ? 1 : 0)
})

test('a server is asked for by server_name', async () => {
  const asked: string[] = []
  const SNICallback = (name: string, done: (error: null) => void) => {
    asked.push(name)
    done(null)
  }
  await using sink = await openHttpSink({}, { ...server, SNICallback })
  await attempt(over(sink.url, { ca: authority.cert, server_name: 'hooks.example' }))
  expect(asked).toEqual(['hooks.example'])
})

test.each([
  // the server has at most   at least   the file says                                    agree
  ['TLSv1.2', 'TLSv1.2', { min_version: 'TLS13' }, false],
  ['TLSv1.2', 'TLSv1.2', { min_version: 'TLS12' }, true],
  ['TLSv1.3', 'TLSv1.3', { max_version: 'TLS12' }, false],
  ['TLSv1.3', 'TLSv1.3', { min_version: 'TLS13', max_version: 'TLS13' }, true],
  ['TLSv1.1', 'TLSv1.1', {}, false],
  ['TLSv1.1', 'TLSv1.1', { min_version: 'TLS10' }, true],
  ['TLSv1.3', 'TLSv1', { max_version: 'TLS11' }, false],
] as const)('a server of %s down to %s and %j: %s', async (maxVersion, minVersion, versions, agree) => {
  await using sink = await openHttpSink({}, { ...server, minVersion, maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' })
  const outcome = await attempt(over(sink.url, { ca: authority.cert, ...versions }))
  expect(outcome).toMatchObject(agree ? { state: 'delivered' } : untrusted)
})

const wanting = { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true }
const client = { cert_file: inDir('client.crt'), key_file: inDir('client.key') }

test('a certificate of another authority is none to who wants one', async () => {
  await using sink = await openHttpSink({}, wanting)
  const stranger = { ca: authority.cert, cert_file: inDir('stranger.crt'), key_file: inDir('stranger.key') }
  expect((await attempt(over(sink.url, stranger))).state).not.toBe('delivered')
  expect(await attempt(over(sink.url, { ca: authority.cert, ...client }))).toEqual({ state: 'delivered' })
  const text = (name: string) => readFileSync(inDir(name), 'utf8')
  const inline = { ca: authority.cert, cert: text('client.crt'), key: text('client.key') }
  expect(await attempt(over(sink.url, inline))).toEqual({ state: 'delivered' })
})

test('files are of the folder of the file that names them', async () => {
  await using sink = await openHttpSink({}, wanting)
  const tls_config = { ca_file: 'ours.crt', cert_file: 'client.crt', key_file: 'client.key' }
  expect(await attempt(over(sink.url, tls_config, { folder: dir }))).toEqual({ state: 'delivered' })
})

test('a certificate that was renewed is taken, with new connections', async () => {
  await using sink = await openHttpSink({}, wanting)
  const ours = { cert_file: inDir('mine.crt'), key_file: inDir('mine.key') }
  const take = (name: string) => {
    copyFileSync(inDir(`${name}.crt`), ours.cert_file)
    copyFileSync(inDir(`${name}.key`), ours.key_file)
  }
  const notifier = over(sink.url, { ca: authority.cert, ...ours })
  const send = () => notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(20_000))
  take('client')
  expect(await send()).toEqual({ state: 'delivered' })
  take('stranger')
  expect((await send()).state).not.toBe('delivered')
  take('client')
  expect(await send()).toEqual({ state: 'delivered' })
  notifier.close?.()
})

test('what is closed, or has other files since, keeps no connection', async () => {
  await using sink = await openHttpSink({}, server)
  const ca_file = inDir('changing.crt')
  copyFileSync(inDir('ours.crt'), ca_file)
  const notifier = over(sink.url, { ca_file })
  const send = () => notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(20_000))
  expect([await send(), await send()]).toEqual([{ state: 'delivered' }, { state: 'delivered' }])
  writeFileSync(ca_file, `${authority.cert}\n${other.cert}`)
  expect(await Promise.all([send(), send()])).toEqual([{ state: 'delivered' }, { state: 'delivered' }])
  await vi.waitFor(async () => expect(await sink.connections()).toBeLessThanOrEqual(2), 10_000)
  notifier.close?.()
  await vi.waitFor(async () => expect(await sink.connections()).toBe(0), 10_000)
})

test('integrations with other settings share no connection', async () => {
  await using sink = await openHttpSink({}, { ...wanting, rejectUnauthorized: false })
  const authorized: unknown[] = []
  sink.answer = ({ isAuthorized }) => {
    authorized.push(isAuthorized)
    return {}
  }
  const notifiers = [{}, client, {}].map((mine) => over(sink.url, { ca: authority.cert, ...mine }))
  for (const notifier of notifiers) await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(20_000))
  for (const notifier of notifiers) notifier.close?.()
  expect(authorized).toEqual([false, true, false])
})

test('whose host comes from a label is shown no certificate of ours', async () => {
  // no public address can be had here: what is looked at is what connections would be made with
  await using sink = await openHttpSink({}, wanting)
  const tls_config = { ca: authority.cert, cert_file: inDir('none.crt'), key_file: inDir('none.key') }
  const url = `https://{{ "${sink.url.slice('https://'.length)}" }}/`
  const outcome = await attempt(over(url, tls_config))
  // and not that the file cannot be read
  expect(outcome).toMatchObject({ detail: expect.stringContaining('comes from a template') })
})

test.each([
  [{ ca_file: inDir('none.crt') }, `tls_config.ca_file: cannot read ${inDir('none.crt')}: ENOENT`],
  [{ ...client, cert_file: 'none' }, 'tls_config.cert_file: cannot read none: ENOENT'],
  [{ ...client, key_file: dir }, `tls_config.key_file: cannot read ${dir}: EISDIR`],
  [{ ca: 'garbage s3cret' }, /^tls_config: a certificate or its key cannot be used: ERR_/],
  [{ cert: 'garbage s3cret', key: 's3cret' }, /^tls_config: a certificate or its key cannot be used: ERR_/],
  [{ ...client, key_file: inDir('server.key') }, /^tls_config: a certificate or its key cannot be used: ERR_/],
  [{ min_version: 'TLS13', max_version: 'TLS12' }, 'tls_config.max_version: it is lower than min_version'],
])('%j cannot be used, and tells nothing of what is in it', async (tls_config, why) => {
  const error: unknown = await attempt(over('https://127.0.0.1:1/', tls_config)).catch((one: unknown) => one)
  expect(error).toBeInstanceOf(SettingError)
  const { message } = error as SettingError
  expect(message).toMatch(why)
  expect(message).not.toContain('s3cret')
})
