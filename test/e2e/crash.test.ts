import { expect, test } from 'vitest'
import { eventually, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'

const KILLS = 4
const SENDERS = 6
const IN_FLIGHT = 32 // per channel

test('killed under load, again and again: nothing acknowledged is lost, and every repeat says that it is one', async () => {
  await using sink = await openHttpSink()
  using dir = tempDir()
  const config = `
route: { receiver: sink, group_by: [alertname], group_wait: 0s }
receivers: [{ name: sink, webhook_configs: [{ url: '${sink.url}' }] }]
`
  const acknowledged = new Set<string>()
  let sent = 0
  for (let round = 0; round < KILLS; round++) {
    const engine = await startEngine({ config, dir: dir.path })
    let alive = true
    const senders = Array.from({ length: SENDERS }, async () => {
      while (alive) {
        const alertname = `Alert${(sent += 1)}`
        const payload = webhookPayload({ labels: { alertname }, startsAt: new Date().toISOString() })
        const answer = await engine.post('/webhook', payload).catch(() => undefined) // killed meanwhile: not known
        if (answer?.ok) acknowledged.add(alertname)
      }
    })
    await new Promise((pass) => setTimeout(pass, 300 + round * 250))
    await eventually(
      async () => acknowledged.size,
      (size) => size > 20 * (round + 1),
    )
    await engine.kill('SIGKILL')
    alive = false
    await Promise.all(senders)
  }

  await using engine = await startEngine({ config, dir: dir.path })
  const told = () =>
    new Set(
      sink.requests.flatMap(({ body }) => [...body.matchAll(/"alertname":"(Alert\d+)"/g)].map(([, name]) => name)),
    )
  const missing = await eventually(
    async () => {
      const known = told()
      return [...acknowledged].filter((name) => !known.has(name))
    },
    (names) => names.length === 0,
    60_000,
  )
  expect(missing).toEqual([])

  const owed = async () =>
    Number(/^tocsin_outbox_owed (\d+)$/m.exec(await (await fetch(`${engine.url}/metrics`)).text())?.[1])
  await eventually(owed, (count) => count === 0, 60_000)
  const attempts = sink.requests.map(
    ({ headers }) => `${String(headers['webhook-id'])} ${String(headers['webhook-attempt'])}`,
  )
  expect(new Set(attempts).size).toBe(attempts.length) // a repeat is another attempt at the same notification
  const notifications = new Set(sink.requests.map(({ headers }) => headers['webhook-id']))
  expect(attempts.length - notifications.size).toBeLessThanOrEqual(KILLS * IN_FLIGHT)
}, 180_000)
