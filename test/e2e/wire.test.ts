import { once } from 'node:events'
import { createConnection } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, startEngine } from '../helpers/engine.ts'

const config = `
route: { receiver: nobody, group_by: [alertname] }
receivers: [{ name: nobody }]
`
let engine: Engine
beforeAll(async () => void (engine = await startEngine({ config })))
afterAll(() => engine[Symbol.asyncDispose]())

/** Sends bytes as they are; resolves to all that comes back until the connection is closed. */
async function say(...texts: string[]): Promise<string> {
  const { hostname, port } = new URL(engine.url)
  const socket = createConnection({ host: hostname, port: Number(port) })
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  socket.on('error', () => {})
  for (const text of texts) socket.write(text)
  await once(socket, 'close')
  return answer
}
const statuses = (answer: string) => [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status)

const post = 'POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
const close = 'Connection: close\r\n'

test.each([
  ['two lengths', [`${post}${close}Content-Length: 2\r\nContent-Length: 4\r\n\r\n[]  `], ['400']],
  ['a length and chunks', [`${post}${close}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`], ['400']],
  ['a chunk that is none', [`${post}${close}Transfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n`], ['400']],
  ['no HTTP', ['hello\r\n\r\n'], ['400']],
  ['headers of 20 kB', [`${post}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`], ['431']],
  [
    'one request behind the other without waiting',
    [`${post}Content-Length: 2\r\n\r\n[]`, `${post}${close}Content-Length: 2\r\n\r\n[]`],
    ['200', '200'],
  ],
  [
    'chunks, one of them in the middle of a letter',
    [`${post}${close}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n`],
    ['200'],
  ],
  ['gzip that is none', [`${post}${close}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]`], ['400']],
  ['an encoding that is not known', [`${post}${close}Content-Encoding: zip\r\nContent-Length: 2\r\n\r\n[]`], ['415']],
  ['a body announced as larger than it may be', [`${post}Content-Length: 999999999\r\n\r\n[`], ['413']],
  ['headers that never end', ['POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\n'], ['408']],
])('%s', async (_what, texts, expected) => {
  expect(statuses(await say(...texts))).toEqual(expected)
  const after = await engine.post('/api/v2/alerts', [{ labels: { alertname: 'Good' } }])
  expect(after.status).toBe(200)
})

test('hundreds of connections that say nothing hold up nobody', async () => {
  const { hostname, port } = new URL(engine.url)
  const idle = Array.from({ length: 500 }, () => createConnection({ host: hostname, port: Number(port) }))
  for (const socket of idle) socket.on('error', () => {})
  await Promise.all(idle.map((socket) => once(socket, 'connect')))
  expect((await engine.post('/api/v2/alerts', [{ labels: { alertname: 'Good' } }])).status).toBe(200)
  for (const socket of idle) socket.destroy()
})
