import { createServer } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import { callHeartbeat } from '../../src/notify/heartbeat.ts'
import { type Answer, openHttpSink } from '../helpers/http-sink.ts'

const dir = mkdtempSync(join(tmpdir(), 'tocsin-heartbeat-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const at = (url: string) => ({ url: new Secret(url), urlFile: undefined })
const never = () => new AbortController().signal

test.each<[string, Answer, string | undefined]>([
  ['taken', { status: 200, body: 'OK' }, undefined],
  ['taken without a word', { status: 204 }, undefined],
  ['sent elsewhere, which is not followed', { status: 302, headers: { Location: '/other' } }, 'HTTP 302'],
  ['unknown there', { status: 404, body: 'not found' }, 'HTTP 404'],
  ['too often', { status: 429 }, 'HTTP 429'],
  ['broken', { status: 500 }, 'HTTP 500'],
  ['cut off', { fault: 'reset' }, 'no answer: UND_ERR_SOCKET'],
])('%s', async (_what, answer, why) => {
  await using sink = await openHttpSink(answer)
  const said = await callHeartbeat(at(`${sink.url}/s3cret?key=s3cret`), never())
  expect(said?.replace('ECONNRESET', 'UND_ERR_SOCKET')).toBe(why)
  expect(sink.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /s3cret?key=s3cret'])
})

test('one that does not answer is waited for no longer than the signal says', async () => {
  await using sink = await openHttpSink({ fault: 'hang' })
  const deadline = new AbortController()
  void sink.receives(1).then(() => deadline.abort())
  expect(await callHeartbeat(at(sink.url), deadline.signal)).toBe('no answer within the deadline')
})

test('what goes wrong before anything is sent is told without the URL', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  const port = typeof address === 'object' ? address?.port : 0
  expect(await callHeartbeat(at(`http://127.0.0.1:${port}/s3cret`), never())).toBe('ECONNREFUSED')
  expect(await callHeartbeat(at('s3cret'), never())).toBe('its URL is empty or no URL')
  expect(await callHeartbeat({ url: undefined, urlFile: join(dir, 'none') }, never())).toBe(
    `cannot read ${join(dir, 'none')}: ENOENT`,
  )
})

test('the URL may stand in a file, which is read at each call', async () => {
  await using sink = await openHttpSink()
  const file = join(dir, 'url')
  for (const path of ['/one', '/two']) {
    writeFileSync(file, `${sink.url}${path}\n`)
    expect(await callHeartbeat({ url: undefined, urlFile: file }, never())).toBeUndefined()
  }
  expect(sink.requests.map(({ path }) => path)).toEqual(['/one', '/two'])
})

test('where requests may not go no heartbeat goes', async () => {
  await using sink = await openHttpSink()
  expect(await callHeartbeat({ ...at(sink.url), egress: { allowPrivate: false } }, never())).toContain('allow_private')
  expect(await callHeartbeat(at('http://169.254.169.254/'), never())).toContain('link-local')
  expect(sink.requests).toHaveLength(0)
})
