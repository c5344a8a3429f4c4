import { gzipSync } from 'node:zlib'
import { request } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, eventually, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'

const config = `
route: { receiver: nobody, group_wait: 0s, group_by: [alertname] }
receivers: [{ name: nobody }]
`
const good = { labels: { alertname: 'Good' } }

describe('what bad input gets', () => {
  let engine: Engine
  beforeAll(async () => void (engine = await startEngine({ config })))
  afterAll(() => engine[Symbol.asyncDispose]())

  const send = (
    path: string,
    body: RequestInit['body'],
    headers: Record<string, string> = { 'Content-Type': 'application/json' },
  ) => fetch(engine.url + path, { method: 'POST', headers, body: body ?? null })

  test('a bad alert among good ones: 400 that names it, and the good ones are kept', async () => {
    const before = await grouped(engine)
    const names = ['One', 'Two'].map((alertname) => ({
      status: 'firing',
      labels: { alertname: alertname + Date.now() },
    }))
    const answer = await send(
      '/webhook',
      JSON.stringify({ version: '4', alerts: [names[0], { status: 'firing', labels: { a: 1 } }, names[1]] }),
    )
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({
      code: 400,
      message: 'alerts[1].labels.a: must be a string, not 1',
      errors: [{ index: 1, field: 'labels.a', reason: 'must be a string, not 1' }],
    })
    expect(await grouped(engine)).toBe(before + 2)

    const api = await send('/api/v2/alerts', JSON.stringify([good, { labels: {} }]))
    expect(api.status).toBe(400)
    expect(await api.json()).toBe('at least one label pair required') // Alertmanager's words; the log has the place
    expect(await engine.says(/alerts were rejected/)).toBeDefined()
  })

  test.each([
    ['text/plain', '/webhook', 415],
    ['application/x-www-form-urlencoded', '/api/v2/alerts', 415],
    ['application/jsonp', '/webhook', 415],
    ['application/json; charset=utf-8', '/api/v2/alerts', 200],
  ])('content type %s on %s is %i', async (type, path, status) => {
    expect((await send(path, '[]', { 'Content-Type': type })).status).toBe(status)
  })

  test.each([
    ['no JSON', '[{', 'the body is not valid JSON'],
    ['nothing', '', 'the body is empty'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'the body is not valid UTF-8'],
    ['no webhook', '[]', 'the body must be an Alertmanager webhook object, not a list'],
    [
      'deep nesting',
      `{"version":"4","alerts":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'the body nests deeper than 100 levels',
    ],
  ])('%s is 400', async (_name, body, message) => {
    const answer = await send('/webhook', body)
    expect(answer.status).toBe(400)
    expect(JSON.stringify(await answer.json())).toContain(message)
  })

  test('a webhook that is none is 400', async () => {
    const answer = await send('/webhook', '{"version":"4"}')
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { code: 400, message: 'alerts: must be a list of alerts, not nothing' },
    ])
  })

  test('a body of more than 10 MiB is 413, compressed or not', async () => {
    const large = JSON.stringify([{ labels: { a: 'b' }, annotations: { x: 'y'.repeat(10 * 1024 * 1024) } }])
    expect((await send('/api/v2/alerts', large)).status).toBe(413)
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }
    expect((await send('/api/v2/alerts', gzipSync(large), headers)).status).toBe(413)
    expect((await send('/api/v2/alerts', gzipSync(JSON.stringify([good])), headers)).status).toBe(200)
    expect((await send('/api/v2/alerts', '[]', { ...headers, 'Content-Encoding': 'zip' })).status).toBe(415)
  })

  test('10,000 alerts in one request are taken whole', async () => {
    const before = await grouped(engine)
    const many = Array.from({ length: 10_000 }, (_, n) => ({ labels: { alertname: 'Many', n: String(n) } }))
    expect((await send('/api/v2/alerts', JSON.stringify(many))).status).toBe(200)
    expect(await grouped(engine)).toBe(before + 10_000)
  })

  test('a sender that stops in the middle holds up nobody', async () => {
    const slow = request(`${engine.url}/webhook`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Length': '1000' },
    })
    slow.on('error', () => {})
    slow.write('{')
    expect((await send('/api/v2/alerts', JSON.stringify([good]))).status).toBe(200)
    slow.destroy()
    expect((await send('/api/v2/alerts', JSON.stringify([good]))).status).toBe(200)
  })

  test('what there is not is 404, and nothing tells of the inside', async () => {
    expect((await fetch(`${engine.url}/nope`)).status).toBe(404)
    expect((await fetch(`${engine.url}/assets/../../package.json`)).status).toBe(404)
    expect((await fetch(`${engine.url}/assets/%2e%2e/index.html`)).status).toBe(404)
    expect((await fetch(`${engine.url}/%E0%A4%A`)).status).toBeLessThan(500)
  })
})

describe('Redis', () => {
  let redis: TestRedis
  let engine: Engine
  beforeAll(async () => {
    redis = await openRedis('--appendonly', 'yes', '--appendfsync', 'always')
    engine = await startEngine({ config, redis: redis.socket })
  })
  afterAll(async () => {
    await engine[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  async function post() {
    const asked = Date.now()
    const answer = await engine.post('/api/v2/alerts', [good])
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), took: Date.now() - asked }
  }
  const readiness = async () => (await fetch(`${engine.url}/-/ready`)).status

  test('frozen: 503 with Retry-After soon, never a request that hangs; then all is well again', async () => {
    expect(await readiness()).toBe(200)
    redis.process.kill('SIGSTOP')
    const refused = await post()
    expect(refused).toMatchObject({ status: 503, retryAfter: '5' })
    expect(refused.took).toBeLessThan(5000)
    expect(await readiness()).toBe(503)
    expect((await fetch(`${engine.url}/-/healthy`)).status).toBe(200)
    redis.process.kill('SIGCONT')
    await eventually(post, ({ status }) => status === 200)
    expect(await readiness()).toBe(200)
  }, 30_000)

  test('full: 503, and what was there stays', async () => {
    await redis.redis.config('SET', 'maxmemory', '1mb')
    expect(await post()).toMatchObject({ status: 503 })
    await redis.redis.config('SET', 'maxmemory', '0')
    await eventually(post, ({ status }) => status === 200)
  })

  test('read-only: 503', async () => {
    await redis.redis.replicaof('127.0.0.1', '1')
    expect(await post()).toMatchObject({ status: 503 })
    await redis.redis.replicaof('NO', 'ONE')
    await eventually(post, ({ status }) => status === 200)
  })

  test('gone: 503 at once', async () => {
    redis.process.kill('SIGKILL')
    const refused = await eventually(post, ({ status, took }) => status === 503 && took < 1000)
    expect(refused.retryAfter).toBe('5')
  })
})

describe('reload', () => {
  test('a new file is taken, a bad one is not and says why; SIGHUP does the same', async () => {
    using dir = tempDir()
    await using engine = await startEngine({ config, dir: dir.path })
    const file = join(dir.path, 'tocsin.yml')
    const reload = () => fetch(`${engine.url}/-/reload`, { method: 'POST' })
    writeFileSync(file, config.replaceAll('nobody', 'somebody'))
    expect((await reload()).status).toBe(200)

    writeFileSync(file, config.replace('group_wait', 'group_wiat'))
    const answer = await reload()
    expect(answer.status).toBe(500)
    expect(await answer.text()).toContain(
      `${file}:2:28: route.group_wiat: unknown key "group_wiat"; did you mean "group_wait"?`,
    )
    expect(await (await fetch(`${engine.url}/metrics`)).text()).toContain(
      'alertmanager_config_last_reload_successful 0',
    )
    expect((await engine.post('/webhook', webhookPayload(good))).status).toBe(200)

    writeFileSync(file, config)
    engine.process.kill('SIGHUP')
    await eventually(
      async () => (await fetch(`${engine.url}/metrics`)).text(),
      (text) => text.includes('last_reload_successful 1'),
    )
  })
})

async function grouped(engine: Engine): Promise<number> {
  const text = await (await fetch(`${engine.url}/metrics`)).text()
  return Number(/^tocsin_alerts_grouped_total (\S+)$/m.exec(text)?.[1])
}
