import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, eventually, startEngine, webhookPayload } from '../helpers/engine.ts'
import { type HttpSink, openHttpSink } from '../helpers/http-sink.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'

const configOf = (sink: HttpSink, limits: string) => `
route: { receiver: sink, group_wait: 0s, group_by: [name] }
receivers: [{ name: sink, webhook_configs: [{ url: '${sink.url}' }] }]
limits: ${limits}
`

describe('limits as they come', () => {
  let sink: HttpSink
  let engine: Engine
  beforeAll(async () => {
    sink = await openHttpSink()
    engine = await startEngine({ config: configOf(sink, '{ alerts_per_request: 12000 }') })
  })
  afterAll(async () => {
    await engine[Symbol.asyncDispose]()
    await sink[Symbol.asyncDispose]()
  })

  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`l${n}`, 'x']))

  test('one alert with 10,000 labels is refused by the name of the limit, its neighbours are kept', async () => {
    const before = await metric(engine, 'alertmanager_alerts_invalid_total{version="webhook"}')
    const answer = await engine.post('/webhook', {
      version: '4',
      alerts: [
        { status: 'firing', labels: { name: 'before' } },
        { status: 'firing', labels: many(10_000) },
        { status: 'firing', labels: { name: 'after' } },
      ],
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      message: 'alerts[1].labels: there are 10000 labels, at most 1000 are taken (limits.labels_per_alert)',
    })
    expect(await metric(engine, 'alertmanager_alerts_invalid_total{version="webhook"}')).toBe(before + 1)
    const kept = await engine.get<{ labels: Record<string, string> }[]>('/api/v2/alerts')
    expect(new Set(kept.map(({ labels }) => labels['name']))).toEqual(new Set(['after', 'before']))
  })

  test('the same by the API, in its own form', async () => {
    const answer = await engine.post('/api/v2/alerts', [{ labels: many(10_000) }])
    expect([answer.status, await answer.json()]).toEqual([
      400,
      'labels: there are 10000 labels, at most 1000 are taken (limits.labels_per_alert)',
    ])
  })

  test('an annotation of 1 MB is kept whole', async () => {
    const description = 'é'.repeat(500_000)
    const answer = await engine.post('/api/v2/alerts', [{ labels: { name: 'long' }, annotations: { description } }])
    expect(answer.status).toBe(200)
    const [kept] = await engine.get<{ annotations: Record<string, string> }[]>('/api/v2/alerts?filter=name=long')
    expect(kept?.annotations['description']).toBe(description)
  })

  test('more alerts in a request than may be: refused by the name of the limit, and counted', async () => {
    const answer = await engine.post(
      '/api/v2/alerts',
      Array.from({ length: 12_001 }, () => ({ labels: { name: 'many' } })),
    )
    expect(answer.status).toBe(400)
    expect(JSON.stringify(await answer.json())).toContain(
      'the request holds 12001 alerts, at most 12000 are taken at once (limits.alerts_per_request)',
    )
    expect(await metric(engine, 'tocsin_refused_total{reason="too many alerts"}')).toBe(1)
  })

  test('a request of 10,000 alerts holds up nobody', async () => {
    await metric(engine, 'nodejs_eventloop_lag_max_seconds') // looked at, it begins anew
    const alerts = Array.from({ length: 10_000 }, (_, n) => ({ labels: { name: 'all', n: String(n) } }))
    expect((await engine.post('/api/v2/alerts', alerts)).status).toBe(200)
    expect(await metric(engine, 'nodejs_eventloop_lag_max_seconds')).toBeLessThan(1) // 0.05 to 0.15 on an idle machine
  })

  test.each(['/webhook', '/api/v2/alerts', '/api/v2/silences', '/api/tocsin/v1/incidents/1/ack'])(
    'JSON that nests 3,000 deep is 400 on %s',
    async (path) => {
      const answer = await engine.post(path, `{"by":${'['.repeat(3000)}${']'.repeat(3000)}}`)
      expect(answer.status).toBe(400)
      expect(JSON.stringify(await answer.json())).toContain('nests deeper than 100 levels')
    },
  )

  const texts: [string, Record<string, string>][] = [
    ['__proto__, constructor, toString', JSON.parse('{"__proto__":"p","constructor":"c","toString":"t"}')],
    ['NUL and other control characters', { nul: 'a\u0000b', esc: '\u001b[31m', del: '\u007f', lines: 'a\r\nb\tc' }],
    ['right-to-left overrides and what cannot be seen', { rtl: '\u202egnp.exe', zero: 'a\u200bb', bom: '\ufeffx' }],
    ['composed and decomposed', { nfc: '\u00e9', nfd: 'e\u0301' }],
    ['emoji and the end of the planes', { emoji: '👩‍👩‍👧‍👦🏴', last: '\u{10ffff}', none: '\uffff' }],
    ['names that are no identifiers', { 'a b': '1', é: '2', '😀': '3', '"': '4', '{': '5' }],
    ['quotes, brackets and what templates use', { q: '"\'`\\', t: '{{ . }}', html: '<script>&amp;', url: '%00%2e' }],
    ['spaces around', { s: ' a ', nbsp: '\u00a0' }],
  ]
  test.each(texts)('%s come back and go out as they came', async (name, labels) => {
    const given: Record<string, string> = Object.assign(Object.create(null), labels, { name })
    const answer = await engine.post('/webhook', webhookPayload({ labels: given, annotations: given }))
    expect(answer.status).toBe(200)
    const seen = await engine.get<{ labels: unknown; annotations: unknown }[]>('/api/v2/alerts?active=true')
    const kept = seen.find((one) => JSON.stringify(one.labels).includes(JSON.stringify(name)))
    const told = await eventually(
      async () => {
        const bodies = sink.requests.map(({ body }): { alerts: typeof seen } => JSON.parse(body))
        return bodies.flatMap(({ alerts }) => alerts).find(({ labels: l }) => namesOf(l).get('name') === name)
      },
      (found) => found !== undefined,
    )
    for (const one of [kept, told])
      for (const map of [one?.labels, one?.annotations]) expect(namesOf(map)).toEqual(namesOf(given))
  })

  test.each([
    ['half a surrogate pair in a value', '{"labels":{"a":"\\ud800"}}', 'invalid label set: invalid value'],
    ['half a surrogate pair in a name', '{"labels":{"\\udc00":"a"}}', 'invalid label set: invalid name'],
    [
      'half a surrogate pair in an annotation',
      '{"labels":{"a":"b"},"annotations":{"x":"\\udfff"}}',
      'invalid annotations',
    ],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'the body is not valid UTF-8'],
    ['an overlong slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'the body is not valid UTF-8'],
  ])('%s is refused, never changed', async (_what, alert, message) => {
    const body = Buffer.concat([Buffer.from('['), Buffer.from(alert), Buffer.from(']')])
    const answer = await fetch(`${engine.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    })
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain(message)
  })
})

describe('limits of what is kept', () => {
  let sink: HttpSink
  let redis: TestRedis
  let engine: Engine
  beforeAll(async () => {
    sink = await openHttpSink()
    redis = await openRedis()
    engine = await startEngine({
      config: configOf(sink, '{ alerts: 6, groups: 3, alerts_per_group: 2, body_bytes: 5000, redis_memory: 0.5 }'),
      redis: redis.socket,
    })
  })
  afterAll(async () => {
    await engine[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
    await sink[Symbol.asyncDispose]()
  })

  const post = async (...alerts: Record<string, string>[]) => {
    const answer = await engine.post(
      '/api/v2/alerts',
      alerts.map((labels) => ({ labels })),
    )
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text: await answer.text() }
  }

  test('a body beyond the limit is 413 by its size', async () => {
    const answer = await engine.post('/api/v2/alerts', [{ labels: { name: 'x'.repeat(6000) } }])
    expect([answer.status, await answer.json()]).toEqual([
      413,
      { code: 413, message: 'the body is larger than 5000 bytes (limits.body_bytes)' },
    ])
  })

  test('503 with Retry-After and the name of the limit, never 429; what there is room for is taken', async () => {
    expect(await post({ name: 'a', n: '1' }, { name: 'a', n: '2' })).toMatchObject({ status: 200 })
    const third = await post({ name: 'a', n: '3' }, { name: 'b' })
    expect(third).toMatchObject({ status: 503, retryAfter: '10' })
    expect(third.text).toContain(
      '1 alert was not taken, since their group has as many as may be, 2 (limits.alerts_per_group)',
    )
    expect((await post({ name: 'c' }, { name: 'd' })).text).toContain('(limits.groups)')
    expect((await engine.get<unknown[]>('/api/v2/alerts')).length).toBe(4) // a1 a2 b c
    expect(await metric(engine, 'tocsin_refused_total{reason="groups"}')).toBe(1)
    expect(await post({ name: 'a', n: '1' })).toMatchObject({ status: 200 }) // known ones go on
  })

  test('Redis nearly full: refused before it is, and taken again by itself', async () => {
    const used = Number(/used_memory:(\d+)/.exec(await redis.redis.info('memory'))?.[1])
    await redis.redis.config('SET', 'maxmemory', String(Math.floor(used * 1.7)))
    const refused = await eventually(
      () => post({ name: 'a', n: '1' }),
      ({ status }) => status === 503,
    )
    expect(refused).toMatchObject({ retryAfter: '5' })
    expect(refused.text).toMatch(/Redis uses \d+ of \d+ bytes, .*\(limits\.redis_memory\)/)
    await redis.redis.config('SET', 'maxmemory', '0')
    await eventually(
      () => post({ name: 'a', n: '1' }),
      ({ status }) => status === 200,
    )
    expect(await metric(engine, 'tocsin_refused_total{reason="memory"}')).toBeGreaterThan(0)
  })
})

test('groups that are late, and notifications that are owed, stop the intake until they are fewer', async () => {
  await using sink = await openHttpSink({ fault: 'hang' })
  await using redis = await openRedis()
  await using engine = await startEngine({ config: configOf(sink, '{ owed: 2, due_groups: 2 }'), redis: redis.socket })
  const post = async (name: string) => (await engine.post('/api/v2/alerts', [{ labels: { name } }])).status
  for (const name of ['a', 'b', 'c']) expect(await post(name)).toBe(200)
  await eventually(
    () => post('a'),
    (status) => status === 503,
  )
  expect(await metric(engine, 'tocsin_refused_total{reason="owed"}')).toBeGreaterThan(0)
  sink.answer = () => ({ status: 200 })
  await eventually(
    () => post('a'),
    (status) => status === 200,
    40_000,
  )
})

function namesOf(map: unknown): Map<string, unknown> {
  return new Map(Object.entries(map ?? {}))
}

async function metric(engine: Engine, name: string): Promise<number> {
  const text = await (await fetch(`${engine.url}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}
