import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, startEngine } from '../helpers/engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startEngine({ config: join(import.meta.dirname, '../../routing/tocsin.yml'), args: ['--sandbox'] })
}, 60_000)
afterAll(() => engine[Symbol.asyncDispose]())

const post = (path: string, headers: Record<string, string>, body = '{}', method = 'POST') =>
  fetch(engine.url + path, { method, headers, ...(method === 'POST' && { body }) })
const json = { 'Content-Type': 'application/json' }

test.each([
  '/',
  '/inbox',
  '/assets/none.js',
  '/api/v2/status',
  '/api/v2/nope',
  '/nope',
  '/-/healthy',
  '/metrics',
  '/api/tocsin/v1/inbox',
  '/%',
])('every answer tells browsers what it may do: %s', async (path) => {
  const { headers } = await fetch(engine.url + path, { redirect: 'manual' })
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'self'; frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
  )
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
  expect(headers.get('strict-transport-security')).toBe(null) // only over TLS does it mean anything
  expect(headers.get('x-powered-by')).toBe(null)
})

describe('a page of another site changes nothing, though nobody has to log in here', () => {
  const changes: [method: string, path: string][] = [
    ['POST', '/api/v2/silences'],
    ['DELETE', '/api/v2/silence/00000000-0000-4000-8000-000000000000'],
    ['POST', '/api/v2/alerts'],
    ['POST', '/webhook'],
    ['POST', '/-/reload'],
    ['POST', '/api/tocsin/v1/incidents/1/ack'],
    ['POST', '/api/tocsin/v1/incidents/1/resolve'],
  ]
  const foreign: [why: string, headers: Record<string, string>][] = [
    ['of another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['of another origin', { Origin: 'https://evil.example' }],
    ['of a name that was pointed here', { Origin: 'http://evil.example:9093', Host: 'evil.example:9093' }],
    ['with a token that nobody looks at', { 'Sec-Fetch-Site': 'cross-site', Authorization: 'Bearer x' }],
    [
      'of such a name with such a token',
      { Origin: 'http://evil.example:9093', Host: 'evil.example:9093', Authorization: 'Bearer x' },
    ],
  ]
  test.each(changes.flatMap(([method, path]) => foreign.map(([why, headers]) => ({ method, path, why, headers }))))(
    '$method $path from a page $why',
    async ({ method, path, headers }) => {
      expect((await raw(method, path, { ...json, ...headers })).status).toBe(403)
    },
  )

  test('our own page does, and so does what is no browser', async () => {
    const { origin } = new URL(engine.url)
    expect((await post('/-/reload', { 'Sec-Fetch-Site': 'same-origin', Origin: origin })).status).toBe(200)
    expect((await post('/-/reload', {})).status).toBe(200)
    expect((await post('/api/v2/alerts', json, '[]')).status).toBe(200)
  })

  test('reading is open to pages of other origins, as in Alertmanager', async () => {
    const answer = await fetch(`${engine.url}/api/v2/alerts`, {
      headers: { Origin: 'http://x', 'Sec-Fetch-Site': 'cross-site' },
    })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  })
})

test('an incident is changed by JSON only, for a form needs no leave to be sent', async () => {
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']
  const answers = await Promise.all(
    types.map((type) => post('/api/tocsin/v1/incidents/1/ack', { 'Content-Type': type })),
  )
  expect(answers.map(({ status }) => status)).toEqual([415, 415, 415])
})

test('a query is no more than its texts: brackets make neither lists nor objects', async () => {
  const ask = async (query: string) => (await fetch(`${engine.url}/api/v2/alerts?${query}`)).status
  expect(await ask('filter[a]=b&filter[__proto__][x]=1&filter%5B%5D=%7B')).toBe(200) // names that nothing asks for
  expect(await ask('filter=a%3Db&filter=c%3Dd')).toBe(200)
  expect(await ask('filter=a%3Db&filter=c')).toBe(400)
})

test('the metrics of requests are by method and route, whatever is asked for', async () => {
  await Promise.all(
    ['/a', '/b?x=1', '/api/v2/silence/abc', '/ack/../x', '/inbox/zzz'].map((path) => fetch(engine.url + path)),
  )
  await raw('PROPFIND', '/metrics', {})
  const text = await (await fetch(`${engine.url}/metrics`)).text()
  const values = (name: string) =>
    new Set([...text.matchAll(new RegExp(`[{,]${name}="([^"]*)"`, 'g'))].map(([, value]) => value))
  for (const handler of values('handler')) expect(handler).toMatch(/^(?:other|\/[\w/{}:.*-]*)$/)
  expect([...values('handler')].filter((handler) => /abc|zzz|\/a$|\/b$/.test(handler ?? ''))).toEqual([])
  for (const method of values('method'))
    expect(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'other']).toContain(method)
})

/** With a Host of its own, which fetch does not send. */
async function raw(method: string, path: string, headers: Record<string, string>): Promise<{ status: number }> {
  const { request } = await import('node:http')
  return new Promise((done, fail) => {
    const asked = request(engine.url + path, { method, headers }, (answer) => {
      answer.resume().on('end', () => done({ status: answer.statusCode ?? 0 }))
    })
    asked.on('error', fail)
    asked.end(method === 'POST' ? '{}' : undefined)
  })
}
