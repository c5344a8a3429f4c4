import { once } from 'node:events'
import { type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { type Engine, eventually, startEngine, webhookPayload } from '../helpers/engine.ts'
import { openRedis } from '../helpers/redis.ts'

interface Told {
  id: string
  status: string
}

/** A webhook that reads at once, and answers when told to. */
async function openSlowSink() {
  const told: Told[] = []
  const unanswered: ServerResponse[] = []
  const handle = async (request: AsyncIterable<Buffer>, id: string, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    unanswered.push(response)
    const { status }: { status: string } = JSON.parse(Buffer.concat(chunks).toString())
    told.push({ id, status })
  }
  const server = createServer(
    (request, response) => void handle(request, String(request.headers['webhook-id']), response),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const hears = (status: string) =>
    eventually(
      async () => told,
      (all) => all.some((one) => one.status === status),
      30_000,
    )
  return {
    told,
    hears,
    config: `
route: { receiver: sink, group_by: [alertname], group_wait: 0s, group_interval: 1s }
receivers: [{ name: sink, webhook_configs: [{ url: 'http://127.0.0.1:${port}' }] }]
`,
    answer: () => unanswered.splice(0).forEach((response) => response.end('ok')),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const startsAt = new Date().toISOString()
const alert = { labels: { alertname: 'Slow' }, startsAt }
const ended = () => webhookPayload({ ...alert, status: 'resolved', endsAt: new Date().toISOString() })

const flushesOf = async (engine: Engine) =>
  Number(/^tocsin_flushes_total (\d+)$/m.exec(await (await fetch(`${engine.url}/metrics`)).text())?.[1])

// A receiver may have heard of an alert before we know that it has. It must hear of its end all the same.

test('an alert ends, and its group is flushed, before the receiver has answered to its beginning', async () => {
  await using sink = await openSlowSink()
  await using engine = await startEngine({ config: sink.config })
  await engine.post('/webhook', webhookPayload(alert))
  await sink.hears('firing')
  await engine.post('/webhook', ended())
  const before = await flushesOf(engine)
  await eventually(
    () => flushesOf(engine),
    (count) => count > before + 1,
  )
  sink.answer()
  await sink.hears('resolved')
  sink.answer()
  expect(sink.told.map(({ status }) => status)).toEqual(['firing', 'resolved'])
  expect(new Set(sink.told.map(({ id }) => id)).size).toBe(2) // each another notification
}, 60_000)

test('an alert ends after the engine that told its beginning was killed before the answer', async () => {
  await using sink = await openSlowSink()
  await using redis = await openRedis()
  const first = await startEngine({ config: sink.config, redis: redis.socket })
  await first.post('/webhook', webhookPayload(alert))
  await sink.hears('firing')
  await first.kill('SIGKILL')
  await using second = await startEngine({ config: sink.config, redis: redis.socket })
  await second.post('/webhook', ended())
  await sink.hears('resolved') // once the lease of the dead has ended
  sink.answer()
  const [one, ...others] = [...sink.told].reverse()
  expect(one?.status).toBe('resolved')
  expect(others.map(({ id }) => id)).not.toContain(one?.id)
}, 60_000)
