import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, startEngine } from '../helpers/engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startEngine({
    config: `
route: { receiver: a }
receivers: [{ name: a }]
callbacks: { slack: { signing_secret: s } }
limits: { bodies_in_flight: 100000 }
`,
  })
}, 60_000)
afterAll(() => engine[Symbol.asyncDispose]())

const SIZE = 90_000

/** A request that has sent so much of its body. */
function begun(path: string, bytes: number): { asked: ClientRequest; answer: Promise<IncomingMessage> } {
  const asked = request(engine.url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Content-Length': SIZE },
  })
  const answer = once(asked, 'response').then(([one]: IncomingMessage[]) => {
    if (!one) throw new Error('no answer')
    return one.resume()
  })
  answer.catch(() => {}) // of one that is cut off nobody waits for the answer
  asked.on('error', () => {})
  if (bytes > 0) asked.write(' '.repeat(bytes))
  else asked.flushHeaders()
  return { asked, answer }
}

test.each(['/callbacks/pagerduty', '/callbacks/twilio/status', '/callbacks/twilio/sms'])(
  'of a vendor that is not set up no body is waited for: %s',
  async (path) => {
    const { asked, answer } = begun(path, 0)
    expect((await answer).statusCode).toBe(404)
    asked.destroy()
  },
)

test.each([
  ['/callbacks/slack', 403],
  ['/api/v2/silences', 400],
  ['/api/v2/alerts', 400],
])(
  'bodies take no more memory together than they may, and whoever came first is read to the end: %s',
  async (path, status) => {
    const both = [begun(path, SIZE - 1000), begun(path, SIZE - 1000)]
    const refused = await Promise.race(both.map(async ({ answer }) => answer))
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1'])
    for (const { asked } of both) asked.end(' '.repeat(1000))
    const answers = await Promise.all(both.map(async ({ answer }) => (await answer).statusCode))
    expect(new Set(answers)).toEqual(new Set([status, 503]))
  },
)

test('what is no alert does not keep alerts out', async () => {
  const { asked } = begun('/callbacks/slack', SIZE - 1000)
  const answer = await fetch(`${engine.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: `[]${' '.repeat(SIZE)}`,
  })
  expect(answer.status).toBe(200)
  asked.destroy()
})
