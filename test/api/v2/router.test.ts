import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { join } from 'node:path'
import express, { type Response } from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sendJson, sendList } from '../../../src/api/v2/answer.ts'
import { type Engine, startEngine } from '../../helpers/engine.ts'

const vectors = join(import.meta.dirname, '../../vectors')

let engine: Engine
beforeAll(async () => {
  engine = await startEngine({ config: join(vectors, 'api-config.yml') })
})
afterAll(() => engine[Symbol.asyncDispose]())

interface Vector {
  note: string
  method: string
  path: string
  requestBody?: string
  requestHeaders?: Record<string, string>
  status: number
  contentType: string | null
  body: string
  allow?: string
}
const captured: Vector[] = JSON.parse(readFileSync(join(vectors, 'api-errors.json'), 'utf8'))
// this one is about a silence that the captured server had
const vectorsOfRequests = captured.filter(({ note }) => note !== 'empty expired silence: delete again is 200')

test.each(vectorsOfRequests.map((vector) => ({ ...vector, name: `${vector.note}: ${vector.method} ${vector.path}` })))(
  'as captured: $name',
  async ({ method, path, requestBody, requestHeaders = {}, status, contentType, body, allow }) => {
    const init: RequestInit = { method, headers: requestHeaders }
    if (requestBody !== undefined) init.body = requestBody
    const answer = await fetch(engine.url + path, init)
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      status,
      contentType,
      body,
    ])
    if (allow) expect(answer.headers.get('allow')?.split(',').sort()).toEqual(allow.split(',').sort())
  },
)

test.each([
  // seen from 0.33.1 too
  [
    'alerts',
    '[{"labels":1}]',
    400,
    'json: cannot unmarshal number into Go struct field Alert.labels of type models.LabelSet',
  ],
  [
    'alerts',
    '[{"labels":{"a":"b"},"annotations":{"x":true}}]',
    400,
    'json: cannot unmarshal bool into Go struct field .annotations.x of type string',
  ],
  [
    'alerts',
    '[{"labels":{"a":"b"},"generatorURL":5}]',
    400,
    'json: cannot unmarshal number into Go value of type string',
  ],
  [
    'alerts',
    '[{"labels":{"a":"b"}},{},{"labels":{"a":1}}]',
    400,
    'json: cannot unmarshal number into Go struct field Alert.labels.a of type string',
  ],
  ['alerts', '[{"labels":{"a":"b"}},{}]', 422, '1.labels in body is required'],
  ['alerts', '[{"labels":{"a":"b"},"generatorURL":"foo"}]', 422, '0.generatorURL in body must be of type uri: "foo"'],
  ['alerts', '[{"labels":{"a":"b"},"generatorURL":"/x"}]', 200, ''],
  ['alerts', '[{"labels":{"a":"b"},"generatorURL":"mailto:x@y"}]', 200, ''],
  ['alerts', '[{"labels":{"a":null}}]', 400, 'at least one label pair required'],
  ['alerts', '[{"labels":{"a":"b"},"annotations":{"":"x"}}]', 400, 'invalid annotations: invalid name \\"\\"'],
  ['silences', '', 422, 'silence in body is required'],
  ['silences', 'null', 422, 'comment in body is required'],
  [
    'silences',
    '{"matchers":5}',
    400,
    'json: cannot unmarshal number into Go struct field Silence.matchers of type models.Matchers',
  ],
  ['silences', '{"id":5}', 400, 'json: cannot unmarshal number into Go struct field .id of type string'],
])('POST /%s %s is %i', async (path, body, status, says) => {
  const answer = await engine.post(`/api/v2/${path}`, body)
  expect(answer.status).toBe(status)
  expect((await answer.text()).replaceAll('\\"', '"')).toContain(says.replaceAll('\\"', '"'))
})

describe('headers', () => {
  const ask = (path: string, init: RequestInit) => fetch(engine.url + path, init)

  test('no answer is kept by a cache, and pages of other origins may read', async () => {
    const answer = await ask('/api/v2/alerts', { headers: { Origin: 'http://x' } })
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      vary: 'Origin, Accept-Encoding',
      'access-control-allow-origin': '*',
      'content-type': 'application/json',
    })
    expect((await ask('/api/v2/nope', {})).headers.get('cache-control')).toBe('no-store')
    expect((await ask('/-/healthy', { headers: { Origin: 'http://x' } })).headers.get('vary')).toBe(null)
  })

  test.each([
    ['GET', '/api/v2/alerts', '*', 'GET'],
    ['POST', '/api/v2/silences', '*', 'POST'],
    ['DELETE', '/api/v2/silence/x', null, null],
  ])('preflight for %s %s', async (method, path, origin, methods) => {
    const headers = {
      Origin: 'http://x',
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': 'content-type',
    }
    const answer = await ask(path, { method: 'OPTIONS', headers })
    expect([
      answer.status,
      answer.headers.get('access-control-allow-origin'),
      answer.headers.get('access-control-allow-methods'),
      answer.headers.get('access-control-allow-headers'),
    ]).toEqual([204, origin, methods, methods && 'content-type'])
  })

  test('OPTIONS that ask for nothing are 405', async () => {
    expect((await ask('/api/v2/alerts', { method: 'OPTIONS' })).status).toBe(405)
  })
})

describe('paths', () => {
  test.each([
    ['GET', '/api/v2/alerts/', 200, '[]\n'],
    ['GET', '/api/v2/', 404, '{"code":404,"message":"path /api/v2/ was not found"}'],
    ['GET', '/api/v2/silence/', 404, '{"code":404,"message":"path /api/v2/silence/ was not found"}'],
    ['GET', '/api/v2', 301, undefined],
    ['GET', '/api/v1/alerts', 410, undefined],
    ['POST', '/api/v1/alerts', 410, undefined],
    ['DELETE', '/api/v1/silence/x', 410, undefined],
    ['GET', '/api/v1/nope', 404, '404 page not found\n'],
    ['GET', '/nope', 404, '404 page not found\n'],
    ['GET', '/-/healthy', 200, 'OK'],
    ['HEAD', '/-/healthy', 200, ''],
    ['HEAD', '/-/ready', 200, ''],
    ['GET', '/-/reload', 405, 'Method Not Allowed\n'],
    ['PUT', '/-/reload', 405, 'Method Not Allowed\n'],
    ['POST', '/-/reload', 200, ''],
  ])('%s %s is %i', async (method, path, status, body) => {
    const url = path === '/api/v2/alerts/' ? `${path}?filter=nobody%3Dhas` : path
    const answer = await fetch(engine.url + url, { method, redirect: 'manual' })
    expect(answer.status).toBe(status)
    if (body !== undefined) expect(await answer.text()).toBe(body)
    if (status === 301) expect(answer.headers.get('location')).toBe('/api/v2/')
    if (status === 410) expect(await answer.json()).toMatchObject({ status: 'deprecated' })
  })
})

test('all paths move under the route prefix, which is the external URL’s path unless told otherwise', async () => {
  const config = join(vectors, 'api-config.yml')
  await using prefixed = await startEngine({ config, args: ['--web.external-url=http://x.example/am/'] })
  const { origin } = new URL(prefixed.url)
  expect(prefixed.url).toBe(`${origin}/am`)
  const ask = async (path: string) => {
    const { status, headers } = await fetch(origin + path, { redirect: 'manual' })
    return [status, headers.get('location')]
  }
  expect(await ask('/')).toEqual([302, '/am'])
  expect(await ask('/am')).toEqual([301, '/am/'])
  expect(await ask('/am/api/v2/status')).toEqual([200, null])
  expect(await ask('/am/-/ready')).toEqual([200, null])
  expect(await ask('/am/metrics')).toEqual([200, null])
  expect(await ask('/api/v2/status')).toEqual([404, null])
  expect(await ask('/-/ready')).toEqual([404, null])
  const metrics = await (await fetch(`${origin}/am/metrics`)).text()
  expect(metrics).toContain('handler="/api/v2/status",method="get",code="200"')

  await using plain = await startEngine({
    config,
    args: ['--web.external-url=http://x.example/am/', '--web.route-prefix=/'],
  })
  expect((await fetch(`${plain.url}/api/v2/status`)).status).toBe(200)
})

describe('a reader', () => {
  const large = '"'.padEnd(1_000_000, 'x') + '"'
  const PATIENCE = 200 // ms

  /** Answers once as told; the answer, and where to ask for it. */
  async function answering(send: (response: Response) => void) {
    const app = express()
    const answered = new Promise<Response>((done) => {
      app.get('/', (_request, response) => {
        send(response)
        done(response)
      })
    })
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { port, answered, [Symbol.dispose]: () => void server.close() }
  }

  test.each([
    ['an endless list', (response: Response) => void sendList(response, endless(), PATIENCE)],
    ['all but the end of a list', (response: Response) => void sendList(response, Array(60).fill(large), PATIENCE)],
    ['one long text', (response: Response) => sendJson(response, large.repeat(60), PATIENCE)],
  ])('that does not read %s is given up, and holds no place for ever', async (_name, send) => {
    using server = await answering(send)
    const socket = connect(server.port, '127.0.0.1').on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const response = await server.answered
    if (!response.closed) await once(response, 'close')
    expect(response.req.socket.destroyed).toBe(true)
    socket.destroy()
  })

  test('that reads gets all of it', async () => {
    using server = await answering((response) => void sendList(response, Array(20).fill(large), 60_000))
    const answer = await fetch(`http://127.0.0.1:${server.port}/`)
    expect(await answer.json()).toHaveLength(20)
  })

  function* endless() {
    for (;;) yield large
  }
})
