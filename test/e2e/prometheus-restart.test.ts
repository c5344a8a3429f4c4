import { expect, test } from 'vitest'
import { z } from 'zod'
import { eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { startPrometheus } from '../helpers/prometheus.ts'

interface Alert {
  startsAt: string
  endsAt: string
  fingerprint: string
  labels: Record<string, string>
}

/** An instant of 220 ms is `.220Z` to the API and `.22Z` to webhooks: read, they compare. */
const instant = z.string().transform((text) => Date.parse(text))
const payload = z.object({
  status: z.string(),
  alerts: z.array(z.object({ status: z.string(), startsAt: instant })),
})

// Prometheus says of an alert that it holds for four resend delays, so it has twenty seconds to come back.
test('an alert lives through a restart of its Prometheus: told once, and once that it is over', async () => {
  await using sink = await openHttpSink()
  using dir = tempDir()
  await using engine = await startEngine({
    config: `
route: { receiver: sink, group_by: [alertname], group_wait: 0s, group_interval: 1s }
receivers: [{ name: sink, webhook_configs: [{ url: '${sink.url}' }] }]
`,
  })
  await using prometheus = await startPrometheus(dir.path, engine.url, { resendDelay: '5s' })
  const alerts = () => engine.get<Alert[]>('/api/v2/alerts')
  const told = () => sink.requests.map(({ body }) => payload.parse(JSON.parse(body)))
  const endOf = ([alert]: Alert[]) => Date.parse(alert?.endsAt ?? '')

  await prometheus.setFiring(true)
  const first = await eventually(alerts, (found) => found.length === 1, 30_000)
  expect(first).toMatchObject([{ labels: { alertname: 'ModelDrift', severity: 'critical', team: 'quant' } }])
  await sink.receives(1)
  const startsAt = Date.parse(first[0]?.startsAt ?? '')
  const kept = await eventually(alerts, (found) => endOf(found) > endOf(first), 30_000)

  await prometheus.kill()
  await prometheus.startAgain()
  const later = await eventually(alerts, (found) => endOf(found) > endOf(kept), 30_000)
  expect(later).toMatchObject([{ fingerprint: first[0]?.fingerprint, startsAt: first[0]?.startsAt }])
  // A whole life of what was said before the restart passes, and nothing comes of it.
  await eventually(
    async () => Date.now(),
    (now) => now > endOf(kept),
    30_000,
  )
  expect(await alerts()).toMatchObject([{ startsAt: first[0]?.startsAt }])
  expect(told()).toMatchObject([{ status: 'firing', alerts: [{ startsAt }] }])

  await prometheus.setFiring(false)
  await sink.receives(2)
  expect(await alerts()).toEqual([])
  await eventually(
    () => engine.get<unknown[]>('/api/v2/alerts/groups'),
    (groups) => groups.length === 0,
  )
  expect(told()).toMatchObject([
    { status: 'firing' },
    { status: 'resolved', alerts: [{ status: 'resolved', startsAt }] },
  ])
}, 180_000)
