import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Engine, eventually, startEngine, webhookPayload } from '../helpers/engine.ts'
import { openRedis } from '../helpers/redis.ts'

const shipped = join(import.meta.dirname, '../../routing/tocsin.yml')

/** One reader of a replica's stream of events. */
async function listen(engine: Engine, after?: string) {
  const stop = new AbortController()
  const answer = await fetch(`${engine.url}/api/tocsin/v1/events`, {
    headers: { ...(after && { 'Last-Event-ID': after }) },
    signal: stop.signal,
  })
  const events: { kind: string; data: string; at: number }[] = []
  let last = ''
  let text = ''
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  void (async () => {
    for (;;) {
      const part = await reader?.read()
      if (!part || part.done) return
      text += part.value
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        last = /^id: (.*)$/m.exec(block)?.[1] ?? last
        const kind = /^event: (.*)$/m.exec(block)?.[1]
        if (kind) events.push({ kind, data: /^data: (.*)$/m.exec(block)?.[1] ?? '', at: performance.now() })
      }
    }
  })().catch(() => {}) // it was stopped
  const hears = (kind: string, words: string) =>
    eventually(
      async () => events.find((event) => event.kind === kind && event.data.includes(words)),
      (found) => found !== undefined,
    )
  await hears('hello', '')
  return { events, hears, place: () => last, stop: () => stop.abort() }
}

test('every replica’s readers hear what happens at any, and who comes back to another misses nothing', async () => {
  await using server = await openRedis()
  const start = () => startEngine({ config: shipped, redis: server.socket, args: ['--sandbox'] })
  await using one = await start()
  await using other = await start()
  const first = await listen(one)
  const second = await listen(other)

  const startsAt = new Date().toISOString()
  const alert = (alertname: string) => ({ labels: { alertname, severity: 'critical', team: 'quant' }, startsAt })
  const posted = performance.now()
  await one.post('/webhook', webhookPayload(alert('A')))
  for (const { hears } of [first, second]) {
    const told = await hears('alerts', '"alertname":"A"')
    expect((told?.at ?? Infinity) - posted).toBeLessThan(2000) // a second, on a machine that does nothing else
    await hears('incident', '"event":"opened"')
    await hears('delivery', 'quant/critical/pagerduty/0')
    await hears('inbox', 'quant/critical/pagerduty/0')
  }
  const [incident] = await one.get<{ id: string }[]>('/api/tocsin/v1/incidents')
  await one.post(`/api/tocsin/v1/incidents/${incident?.id}/ack`, { by: 'alice' })
  await second.hears('incident', '"event":"acknowledged"')

  const place = first.place()
  first.stop()
  await other.post(`/api/tocsin/v1/incidents/${incident?.id}/notes`, { by: 'bob', text: 'on it' })
  await second.hears('incident', '"event":"noted"')
  const back = await listen(other, place)
  expect(back.events.filter(({ kind }) => kind === 'incident').map(({ data }) => data)).toContain(
    `{"id":"${incident?.id}","event":"noted"}`,
  )
  expect(back.events.find(({ kind }) => kind === 'hello')?.data).toBe('{"missed":false}')
  const afresh = await listen(one, '1-1,1-1')
  expect(afresh.events.find(({ kind }) => kind === 'hello')?.data).toBe('{"missed":true}')
  for (const { stop } of [second, back, afresh]) stop()
}, 60_000)
