import { once } from 'node:events'
import { type IncomingMessage, get } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { startEngine } from '../helpers/engine.ts'
import { openRedis } from '../helpers/redis.ts'

const config = `
route: { receiver: nobody }
receivers: [{ name: nobody }]
`

async function read(url: string, encoding?: string): Promise<{ encoding: string | undefined; body: Buffer }> {
  const request = get(url, { headers: encoding === undefined ? {} : { 'Accept-Encoding': encoding } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { encoding: response.headers['content-encoding'], body: await buffer(response) }
}

test('what is read is compressed where it is asked for and long enough; events leave as they are', async () => {
  await using redis = await openRedis()
  await using engine = await startEngine({ config, redis: redis.socket })
  const short = await read(`${engine.url}/api/v2/alerts`, 'gzip')
  expect(short).toEqual({ encoding: undefined, body: Buffer.from('[]\n') })

  const alerts = Array.from({ length: 3000 }, (_none, n) => ({ labels: { alertname: 'Many', n: String(n) } }))
  expect((await engine.post('/api/v2/alerts', alerts)).status).toBe(200)
  for (const path of ['/api/v2/alerts', '/api/v2/alerts/groups', '/metrics']) {
    const plain = await read(engine.url + path)
    const packed = await read(engine.url + path, 'gzip, br;q=0.1')
    expect([path, plain.encoding, packed.encoding]).toEqual([path, undefined, 'gzip'])
    expect(packed.body.length).toBeLessThan(plain.body.length / 3)
    if (path !== '/metrics') expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
  }

  const request = get(`${engine.url}/api/tocsin/v1/events`, { headers: { 'Accept-Encoding': 'gzip' } })
  const [events] = (await once(request, 'response')) as [IncomingMessage]
  const [first] = (await once(events, 'data')) as [Buffer]
  request.destroy()
  expect(events.headers['content-encoding']).toBeUndefined()
  expect(first.toString()).toContain('retry: 1000')
})
