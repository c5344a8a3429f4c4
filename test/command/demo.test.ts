import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { demo } from '../../src/command/demo.ts'
import { webhookAlerts } from '../helpers/webhook-alerts.ts'
import { openHttpSink } from '../helpers/http-sink.ts'

function paper() {
  const written: string[] = []
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  return { stdout, text: () => written.join('') }
}

test("the story is the seed's nine alerts: all fire, some repeat, all resolve", async () => {
  await using sink = await openHttpSink()
  const { stdout, text } = paper()
  expect(await demo({ url: sink.url, pace: 0, stdout })).toBe(0)
  const payloads = sink.requests.map(({ body }) => JSON.parse(body))
  const alerts = payloads.flatMap((payload) => {
    const { alerts: read, rejects } = webhookAlerts(payload, Date.now())
    expect(rejects).toEqual([])
    for (const [i, alert] of read.entries()) expect(payload.alerts[i].fingerprint).toBe(alert.fingerprint)
    return read
  })
  const fired = new Set(alerts.filter(({ endsAt }) => endsAt === 0).map(({ fingerprint }) => fingerprint))
  const resolved = new Set(alerts.filter(({ endsAt }) => endsAt !== 0).map(({ fingerprint }) => fingerprint))
  expect(new Set(alerts.map(({ labels }) => labels.get('alertname'))).size).toBe(9)
  expect(resolved).toEqual(fired)
  expect(alerts.length).toBeGreaterThan(2 * fired.size) // some repeat
  expect(alerts.some(({ labels }) => labels.get('severity') === 'critical' && labels.get('team') === 'quant')).toBe(
    true,
  )
  expect(text()).toContain('/inbox')
})

test('without an engine it says so', async () => {
  const sink = await openHttpSink()
  await sink[Symbol.asyncDispose]()
  const { stdout, text } = paper()
  expect(await demo({ url: sink.url, pace: 0, stdout })).toBe(1)
  expect(text()).toContain('no engine answers')
})
