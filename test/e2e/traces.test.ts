import { expect, test } from 'vitest'
import { z } from 'zod'
import { eventually, startEngine } from '../helpers/engine.ts'
import { type HttpSink, openHttpSink } from '../helpers/http-sink.ts'

const spanId = z.string().regex(/^[0-9a-f]{16}$/)
const traceId = z.string().regex(/^[0-9a-f]{32}$/)
const span = z.object({
  traceId,
  spanId,
  parentSpanId: spanId.optional(),
  name: z.string(),
  kind: z.number(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes: z.array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) })),
  links: z.array(z.object({ traceId, spanId })).default([]),
  status: z.object({ code: z.number(), message: z.string().optional() }),
})
type Span = z.infer<typeof span>
const exported = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({
        attributes: z.array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) })),
      }),
      scopeSpans: z.array(z.object({ spans: z.array(span) })),
    }),
  ),
})

const spansOf = (receiver: HttpSink): Span[] =>
  receiver.requests
    .filter(({ path }) => path === '/v1/traces')
    .flatMap(({ body }) => exported.parse(JSON.parse(body)).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
const attribute = ({ attributes }: Span, name: string) =>
  Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0]

const configFor = (url: string) => `
route: { receiver: sink, group_by: [cluster], group_wait: 500ms, group_interval: 1s, repeat_interval: 4h }
receivers: [{ name: sink, webhook_configs: [{ url: '${url}/s3cret-path' }] }]
`
const collecting = () =>
  openHttpSink(() => ({ status: 200, headers: { 'Content-Type': 'application/json' }, body: '{}' }))

test('an alert’s whole way is one trace, from the caller’s to what is sent, over a flush that merges others', async () => {
  await using receiver = await collecting()
  await using sink = await openHttpSink()
  await using engine = await startEngine({
    config: configFor(sink.url),
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    },
    args: ['--log.level=debug'],
  })
  const post = (alertname: string, traceparent?: string) =>
    fetch(`${engine.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(traceparent !== undefined && { traceparent }) },
      body: JSON.stringify([{ labels: { alertname, cluster: 'a' }, annotations: { password: 'hidden-text' } }]),
    })
  const caller = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
  expect((await post('First', `00-${caller.traceId}-${caller.spanId}-01`)).status).toBe(200)
  expect((await post('Second')).status).toBe(200)
  await sink.receives(1)

  const spans = await eventually(
    async () => spansOf(receiver),
    (all) => all.some(({ name }) => name === 'deliver notification'),
  )
  const trace = spans.filter((one) => one.traceId === caller.traceId)
  const only = (name: string) => {
    const [found, ...others] = trace.filter((one) => one.name === name)
    expect(others, name).toEqual([])
    if (!found) throw new Error(`no span ${name} in ${trace.map((one) => one.name).join(', ')}`)
    return found
  }
  // each is the child of the one before
  const way: [name: string, kind: number][] = [
    ['POST /api/v2/alerts', 2],
    ['accept alerts', 1],
    ['flush group', 1],
    ['queue notification', 4],
    ['deliver notification', 5],
    ['send webhook', 3],
  ]
  let parent = caller.spanId
  for (const [name, kind] of way) {
    const found = only(name)
    expect([name, found.kind, found.parentSpanId, found.status.code]).toEqual([name, kind, parent, 1])
    expect(BigInt(found.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(found.startTimeUnixNano))
    parent = found.spanId
  }
  // the other request has a trace of its own, which the flush is linked with
  const second = spans.find((one) => one.name === 'accept alerts' && one.traceId !== caller.traceId)
  expect(only('flush group').links).toMatchObject([{ traceId: second?.traceId, spanId: second?.spanId }])
  expect(attribute(only('deliver notification'), 'outcome')).toBe('delivered')
  expect(attribute(only('POST /api/v2/alerts'), 'status')).toBe(200)

  const [first] = receiver.requests.map(({ body }) => exported.parse(JSON.parse(body)).resourceSpans[0]?.resource)
  const resource = new Map(first?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
  expect(resource.get('service.name')).toBe('tocsin')
  expect(resource.get('deployment.environment')).toBe('test')
  const all = receiver.requests.map(({ body }) => body).join('')
  for (const secret of ['s3cret-path', 'hidden-text', 'First']) expect(all).not.toContain(secret)
  // the log says which trace it was
  expect(engine.log.find(({ message }) => message === 'notification delivered')).toMatchObject({
    trace_id: caller.traceId,
  })
  const metrics = await fetch(`${engine.url}/metrics`, { headers: { Accept: 'application/openmetrics-text' } })
  expect(await metrics.text()).toMatch(
    new RegExp(`^tocsin_end_to_end_seconds_bucket\\{.*\\} 1 # \\{trace_id="${caller.traceId}"\\} \\S+ \\S+$`, 'm'),
  )
})

test('whichever worker takes, flushes and delivers, each trace is whole', async () => {
  await using receiver = await collecting()
  await using sink = await openHttpSink()
  await using engine = await startEngine({
    config: configFor(sink.url).replace('[cluster]', '[alertname]'),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
    args: ['--workers=2'],
  })
  await eventually(
    async () => engine.log.filter(({ message }) => message === 'Tocsin is up').length,
    (up) => up === 2,
  )
  const traces = Array.from({ length: 12 }, (_none, i) => `4bf92f3577b34da6a3ce929d0e0e47${10 + i}`)
  for (const [i, id] of traces.entries()) {
    const answer = await fetch(`${engine.url}/api/v2/alerts`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Connection: 'close', // so that another worker may answer
        traceparent: `00-${id}-00f067aa0ba902b7-01`,
      },
      body: JSON.stringify([{ labels: { alertname: `A${i}` } }]),
    })
    expect(answer.status).toBe(200)
  }
  const spans = await eventually(
    async () => spansOf(receiver),
    // each worker sends its own when it likes
    (all) =>
      traces.every((id) => {
        const names = new Set(all.filter((one) => one.traceId === id).map(({ name }) => name))
        return ['accept alerts', 'flush group', 'send webhook', 'deliver notification'].every((name) => names.has(name))
      }),
  )
  for (const id of traces) {
    const own = spans.filter((one) => one.traceId === id)
    const ids = new Set([...own.map((one) => one.spanId), '00f067aa0ba902b7'])
    expect(own.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? '')).map(({ name }) => name)).toEqual([])
  }
  // how long each took is known, whoever had a hand in it, and of which trace it was
  const metrics = await fetch(`${engine.url}/metrics`, { headers: { Accept: 'application/openmetrics-text' } })
  expect(metrics.headers.get('content-type')).toContain('application/openmetrics-text')
  const text = await metrics.text()
  expect(text).toMatch(/\n# EOF\n$/)
  expect(text).toMatch(/^tocsin_end_to_end_seconds_count\{integration="webhook"\} 12$/m)
  const exemplars = [...text.matchAll(/^tocsin_end_to_end_seconds_bucket\{.*\} \d+ # \{trace_id="(\w+)"\}/gm)]
  expect(exemplars.length).toBeGreaterThan(0)
  for (const [, id] of exemplars) expect(traces).toContain(id)
})

test('what fails says so in its span, by a word', async () => {
  await using receiver = await collecting()
  await using sink = await openHttpSink(() => ({ status: 404, body: 'gone' }))
  await using engine = await startEngine({
    config: configFor(sink.url),
    env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces`, OTEL_BSP_SCHEDULE_DELAY: '100' },
  })
  await engine.post('/api/v2/alerts', [{ labels: { alertname: 'A' } }])
  const failed = await eventually(
    async () => spansOf(receiver).filter(({ status }) => status.code === 2),
    ({ length }) => length >= 2,
  )
  expect(failed.map(({ name, status }) => `${name}: ${status.message}`).toSorted()).toEqual([
    'deliver notification: client error',
    'send webhook: client error',
  ])
})

test('a receiver that is away costs nothing but its spans, and is told of', async () => {
  await using sink = await openHttpSink()
  await using engine = await startEngine({
    config: configFor(sink.url),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_BSP_SCHEDULE_DELAY: '100' },
  })
  expect((await engine.post('/api/v2/alerts', [{ labels: { alertname: 'A' } }])).status).toBe(200)
  await sink.receives(1)
  await engine.says(/^what is traced cannot be sent/)
})

test('without an endpoint nothing of OpenTelemetry is loaded', async () => {
  await using engine = await startEngine({
    config: configFor('http://127.0.0.1:1'),
    env: { NODE_DEBUG: 'esm', NODE_OPTIONS: '' },
  })
  expect(engine.stderr()).not.toContain('@opentelemetry')
  expect(engine.stderr()).toContain('prom-client') // that it would be seen
})
