import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { startAlertmanager, startPrometheus } from '../helpers/prometheus.ts'
import { openWorld } from '../helpers/world.ts'

const shipped = join(import.meta.dirname, '../../routing/tocsin.yml')

// The shipped routing: a critical alert of quant goes to PagerDuty, quant's Slack and a phone.
test.each([
  ['by way of a real Alertmanager', true],
  ['straight from a real Prometheus', false],
])(
  'a rule that fires becomes a page, a Slack message and a text, each once, and so does its end: %s',
  async (_way, chained) => {
    await using world = await openWorld()
    using dir = tempDir()
    await using engine = await startEngine({ config: shipped, dir: dir.path, env: world.env })
    await using alertmanager = chained ? await startAlertmanager(dir.path, `${engine.url}/webhook`) : undefined
    await using prometheus = await startPrometheus(dir.path, alertmanager?.url ?? engine.url)
    const told = () => ({
      slack: world.slack.requests.length,
      pagerduty: world.pagerduty.requests.length,
      sms: world.twilio.requests.length,
    })

    await prometheus.setFiring(true)
    await eventually(
      async () => told(),
      ({ slack, pagerduty, sms }) => slack > 0 && pagerduty > 0 && sms > 0,
      30_000,
    )
    const [slack] = world.slack.requests
    expect(slack?.path).toBe('/services/quant')
    expect(JSON.parse(slack?.body ?? '')).toMatchObject({
      attachments: [
        { title: 'Model drifts', text: 'Accuracy is 100%', color: '#ff0000', footer: 'Qlib Pro Monitoring' },
      ],
    })
    expect(JSON.parse(world.pagerduty.requests[0]?.body ?? '')).toMatchObject({
      event_action: 'trigger',
      payload: { summary: 'Model drifts' },
    })
    expect(new URLSearchParams(world.twilio.requests[0]?.body).get('To')).toBe('+61400000000')
    expect(await engine.get('/api/tocsin/v1/incidents')).toMatchObject([
      { state: 'open', team: 'quant', title: 'Model drifts' },
    ])

    await prometheus.setFiring(false)
    await eventually(
      async () => told(),
      ({ slack: s, pagerduty: p, sms: t }) => s > 1 && p > 1 && t > 1,
      40_000,
    )
    expect(told()).toEqual({ slack: 2, pagerduty: 2, sms: 2 })
    expect(world.smtp.mails).toHaveLength(0)
    expect(JSON.parse(world.pagerduty.requests[1]?.body ?? '')).toMatchObject({ event_action: 'resolve' })
    expect(await engine.get('/api/tocsin/v1/incidents')).toMatchObject([{ state: 'resolved' }])
  },
  120_000,
)
