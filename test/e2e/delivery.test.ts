import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, eventually, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'
import { openWorld } from '../helpers/world.ts'

const critical = { alertname: 'ModelDrift', severity: 'critical', team: 'platform' }
const annotations = { summary: 'Model drifts', description: 'Accuracy fell to 41%' }

interface Incident {
  id: string
  state: string
  title: string
  timeline: { event: string; channel?: string; by?: string }[]
}

/** How many of each channel's requests there have been. */
const counts = (world: Awaited<ReturnType<typeof openWorld>>) => ({
  slack: world.slack.requests.length,
  pagerduty: world.pagerduty.requests.length,
  sms: world.twilio.requests.length,
  email: world.smtp.mails.length,
})
const each = (count: number) => ({ slack: count, pagerduty: count, sms: count, email: count })

test('a webhook becomes a Slack message, a page, a mail and a text, each once, and one incident; its resolve one more', async () => {
  await using world = await openWorld()
  await using engine = await startEngine({ config: world.config() })
  const firing = webhookPayload({ labels: critical, annotations })

  // two senders repeat themselves 500 times each, as two Alertmanagers of a pair and a nervous one would
  const answers = await Promise.all(
    Array.from({ length: 2 }, async () => {
      const statuses: number[] = []
      for (let i = 0; i < 500; i++) statuses.push((await engine.post('/webhook', firing)).status)
      return statuses
    }),
  )
  expect(new Set(answers.flat())).toEqual(new Set([200]))
  await eventually(
    async () => counts(world),
    (now) => now.email >= 1 && now.sms >= 1,
  )
  await eventually(
    () => metric(engine, 'tocsin_flushes_total'),
    (flushes) => flushes >= 3,
  ) // there was time to repeat
  expect(counts(world)).toEqual(each(1))
  expect(await engine.get('/api/tocsin/v1/incidents')).toMatchObject([
    {
      state: 'open',
      title: 'Model drifts',
      description: 'Accuracy fell to 41%',
      priority: 'high',
      team: 'platform',
      severity: 'critical',
    },
  ])

  expect(JSON.parse(world.slack.requests[0]?.body ?? '')).toMatchObject({
    attachments: [{ title: 'Model drifts', color: '#ff0000' }],
  })
  expect(JSON.parse(world.pagerduty.requests[0]?.body ?? '')).toMatchObject({
    event_action: 'trigger',
    payload: { severity: 'critical' },
  })
  expect(new URLSearchParams(world.twilio.requests[0]?.body).get('Body')).toContain('Model drifts')
  expect(world.smtp.mails[0]?.mail.subject).toBe('[CRITICAL] Model drifts')

  const resolved = webhookPayload({
    labels: critical,
    annotations,
    status: 'resolved',
    endsAt: new Date().toISOString(),
  })
  await Promise.all([engine.post('/webhook', resolved), engine.post('/webhook', resolved)])
  await eventually(
    async () => counts(world),
    (now) => Object.values(now).every((count) => count >= 2),
  )
  await engine.post('/webhook', resolved) // a late repeat of the resolve
  // the group is gone: in more than a group_interval there is no flush any more
  const flushed = async () => {
    const before = await metric(engine, 'tocsin_flushes_total')
    await new Promise((pass) => setTimeout(pass, 1500))
    return (await metric(engine, 'tocsin_flushes_total')) - before
  }
  await eventually(flushed, (count) => count === 0)
  expect(counts(world)).toEqual(each(2))
  const dedupKeys = world.pagerduty.requests.map(({ body }) => JSON.parse(body).dedup_key)
  expect(new Set(dedupKeys).size).toBe(1)
  const [incident] = await engine.get<Incident[]>('/api/tocsin/v1/incidents')
  expect(incident).toMatchObject({ state: 'resolved' })
  expect(incident?.timeline.map(({ event }) => event).sort()).toEqual([
    'notified',
    'notified',
    'notified',
    'notified',
    'notified',
    'notified',
    'notified',
    'notified',
    'opened',
    'resolved',
  ])
})

test('what Prometheus sends by the API becomes the same, and ends by itself', async () => {
  await using world = await openWorld()
  await using engine = await startEngine({ config: world.config() })
  const endsAt = new Date(Date.now() + 2500).toISOString()
  expect(
    (
      await engine.post('/api/v2/alerts', [
        { labels: critical, annotations, endsAt, startsAt: new Date().toISOString() },
      ])
    ).status,
  ).toBe(200)
  await world.slack.receives(2)
  expect(world.slack.requests.map(({ body }) => JSON.parse(body).attachments[0].title)).toEqual([
    'Model drifts',
    'Resolved: Model drifts',
  ])
})

describe('the engine is killed', () => {
  test('between accepting and delivering: everything owed is sent, and nothing twice', async () => {
    await using world = await openWorld()
    using dir = tempDir()
    const config = world.config(`
  critical: { notify: [slack, pagerduty, email, sms], incident: true, group_wait: 5s, group_interval: 1s }`)
    const first = await startEngine({ config, dir: dir.path })
    for (let n = 0; n < 20; n++) {
      expect(
        (
          await first.post(
            '/webhook',
            webhookPayload({ labels: { ...critical, alertname: `A${n}` }, startsAt: new Date().toISOString() }),
          )
        ).status,
      ).toBe(200)
    }
    await first.kill('SIGKILL')
    expect(counts(world)).toEqual(each(0))

    await using second = await startEngine({ config, dir: dir.path })
    expect(await second.says(/embedded Redis is up/)).toMatchObject({ adopted: true })
    await eventually(
      async () => counts(world),
      (now) => Object.values(now).every((count) => count >= 20),
      60_000, // Slack and Twilio take one a second
    )
    await eventually(
      () => metric(second, 'tocsin_outbox_owed'),
      (owed) => owed === 0,
    )
    expect(counts(world)).toEqual(each(20))
    expect(await second.get<Incident[]>('/api/tocsin/v1/incidents')).toHaveLength(20)
  })

  test('between sending and writing it down: sent again, and said so', async () => {
    await using world = await openWorld()
    using dir = tempDir()
    const config = world.config(`
  critical: { notify: [slack], group_wait: 0s, group_interval: 1s }`)
    const first = await startEngine({ config, dir: dir.path })
    world.slack.answer = () => ({ fault: 'hang' }) // taken, and the engine dies before it hears so
    await first.post('/webhook', webhookPayload({ labels: critical, annotations }))
    await world.slack.receives(1)
    await first.kill('SIGKILL')
    world.slack.answer = () => ({ status: 200, body: 'ok' })

    await using second = await startEngine({ config, dir: dir.path })
    await world.slack.receives(2)
    await second.says(/^notification delivered/)
    expect(world.slack.requests.map(({ body }) => JSON.parse(body).attachments[0].title)).toEqual([
      'Model drifts',
      '(possible repeat) Model drifts',
    ])
  }, 40_000)
})

test('a stop gives back what is in the air within 10 s, and the next start goes on', async () => {
  await using world = await openWorld()
  using dir = tempDir()
  const config = world.config(`
  critical: { notify: [slack], group_wait: 0s, group_interval: 1s }`)
  const first = await startEngine({ config, dir: dir.path })
  world.slack.answer = () => ({ fault: 'hang' })
  await first.post('/webhook', webhookPayload({ labels: critical, annotations }))
  await world.slack.receives(1)
  const asked = Date.now()
  expect(await first.kill('SIGTERM')).toBe(0)
  expect(Date.now() - asked).toBeLessThan(10_000)
  world.slack.answer = () => ({ status: 200, body: 'ok' })

  await using second = await startEngine({ config, dir: dir.path })
  await second.says(/^notification delivered/)
  expect(world.slack.requests).toHaveLength(2)
}, 40_000)

test('one channel that fails holds up no other, is tried again, and what may not be retried is kept', async () => {
  await using world = await openWorld()
  world.slack.answer = (_request, nth) => (nth < 3 ? { status: 500, body: 'oops' } : { status: 200, body: 'ok' })
  world.pagerduty.answer = () => ({
    status: 400,
    headers: { 'Content-Type': 'application/json' },
    body: '{"message":"bad","errors":["no"]}',
  })
  await using engine = await startEngine({ config: world.config() })
  await engine.post('/webhook', webhookPayload({ labels: critical, annotations }))
  await world.slack.receives(3)
  await eventually(
    async () => counts(world),
    (now) => now.sms === 1 && now.email === 1,
  )
  const letters = await eventually(
    () => engine.get<Record<string, unknown>[]>('/api/tocsin/v1/deadletters'),
    (all) => all.length > 0,
  )
  expect(letters).toMatchObject([
    { channel: 'pagerduty', reason: 'client error', detail: 'HTTP 400: bad: no', attempts: 1, title: 'Model drifts' },
  ])
  const flushes = await metric(engine, 'tocsin_flushes_total')
  await eventually(
    () => metric(engine, 'tocsin_flushes_total'),
    (now) => now >= flushes + 2,
  )
  expect(world.pagerduty.requests).toHaveLength(1) // the dead letter is not sent again without news
  expect(world.slack.requests).toHaveLength(3)
}, 40_000)

describe('incidents', () => {
  let world: Awaited<ReturnType<typeof openWorld>>
  let engine: Engine
  beforeAll(async () => {
    world = await openWorld()
    engine = await startEngine({ config: world.config() })
  })
  afterAll(async () => {
    await engine[Symbol.asyncDispose]()
    await world[Symbol.asyncDispose]()
  })
  const list = () => engine.get<Incident[]>('/api/tocsin/v1/incidents')
  const fire = (name: string) =>
    engine.post(
      '/webhook',
      webhookPayload({ labels: { ...critical, alertname: name }, annotations, startsAt: new Date().toISOString() }),
    )
  const resolve = (name: string) =>
    engine.post(
      '/webhook',
      webhookPayload({
        labels: { ...critical, alertname: name },
        annotations,
        status: 'resolved',
        startsAt: new Date(Date.now() - 1000).toISOString(),
        endsAt: new Date().toISOString(),
      }),
    )
  const find = async (title: string) => (await list()).find((incident) => incident.title === title)

  test('an incident is acknowledged and resolved by whoever says so, once', async () => {
    await fire('Ack')
    const [opened] = await eventually(list, (all) => all.length === 1)
    const ack = (by: string) => engine.post(`/api/tocsin/v1/incidents/${opened?.id}/ack`, { by })
    expect(await (await ack('alice')).json()).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'alice' })
    expect(await (await ack('bob')).json()).toMatchObject({ acknowledgedBy: 'alice' })
    const resolved = await engine.post(`/api/tocsin/v1/incidents/${opened?.id}/resolve`, { by: 'carol' })
    expect(await resolved.json()).toMatchObject({ state: 'resolved' })
    expect((await ack('dave')).status).toBe(409)
    const { timeline } = await engine.get<Incident>(`/api/tocsin/v1/incidents/${opened?.id}`)
    expect(timeline.filter(({ event }) => event !== 'notified').map(({ event, by }) => [event, by])).toEqual([
      ['opened', 'tocsin'],
      ['acknowledged', 'alice'],
      ['resolved', 'carol'],
    ])
    expect((await engine.post('/api/tocsin/v1/incidents/999/ack', {})).status).toBe(404)
    expect((await engine.post(`/api/tocsin/v1/incidents/${opened?.id}/ack`, { by: 7 })).status).toBe(400)
  })

  test('one that fires again soon is reopened, not doubled', async () => {
    const before = (await list()).length
    await fire('Flap')
    await eventually(list, (all) => all.length === before + 1)
    await resolve('Flap')
    await eventually(list, (all) => all.length === before + 1 && all[0]?.state === 'resolved')
    await fire('Flap')
    const [again] = await eventually(list, (all) => all[0]?.state === 'open')
    expect(await list()).toHaveLength(before + 1)
    expect(again?.timeline.map(({ event }) => event)).toContain('reopened')
    expect(await find('nobody')).toBeUndefined()
  })
})

test('what goes on is seen from outside, and no secret is', async () => {
  await using world = await openWorld()
  await using engine = await startEngine({ config: world.config() })
  await engine.post('/webhook', webhookPayload({ labels: critical, annotations }))
  await eventually(
    async () => counts(world),
    (now) => Object.values(now).every((count) => count === 1),
  )
  await eventually(
    () => metric(engine, 'tocsin_incidents_total{event="opened"}'),
    (opened) => opened === 1,
  )
  const metrics = await (await fetch(`${engine.url}/metrics`)).text()
  for (const name of [
    'alertmanager_alerts_received_total{status="firing",version="webhook"} 1',
    'alertmanager_alerts_invalid_total{version="webhook"} 0',
    'tocsin_alerts_grouped_total 1',
    'alertmanager_notifications_total{integration="slack"} 1',
    '# TYPE alertmanager_notifications_failed_total counter',
    '# TYPE tocsin_notifications_suppressed_total counter',
    'alertmanager_notification_latency_seconds_count{integration="sms"} 1',
    '# TYPE tocsin_queue_jobs gauge',
    'alertmanager_http_request_duration_seconds_count{handler="/webhook",method="post",code="200"} 1',
  ]) {
    expect(metrics).toContain(name)
  }
  const seen = JSON.stringify([
    engine.log,
    metrics,
    await engine.get('/api/tocsin/v1/incidents'),
    await engine.get('/api/tocsin/v1/deadletters'),
  ])
  for (const secret of ['R0UT1NG', '/services/platform', 'Basic ']) expect(seen).not.toContain(secret)
})

async function metric(engine: Engine, name: string): Promise<number> {
  const text = await (await fetch(`${engine.url}/metrics`)).text()
  return Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1])
}

test('a template that fails does not eat the page', async () => {
  await using world = await openWorld()
  await using engine = await startEngine({
    config: `
route: { receiver: ops, group_by: [alertname], group_wait: 0s }
receivers: [{ name: ops, slack_configs: [{ api_url: '${world.slack.url}', title: '{{ .Nope }}', text: 'all {{ len .Alerts }}' }] }]
`,
  })
  await engine.post('/webhook', webhookPayload({ labels: critical, annotations }))
  const [request] = await world.slack.receives(1)
  const [attachment] = JSON.parse(request?.body ?? '').attachments
  expect(attachment.title).toMatch(/^\[firing:1\] Model drifts \(a template failed: .*can't evaluate field Nope/)
  expect(attachment.text).toBe('all 1')
})

test("a secret's file that is missing is tried again, and found when it is there", async () => {
  await using world = await openWorld()
  using dir = tempDir()
  const file = join(dir.path, 'slack')
  await using engine = await startEngine({
    config: `
route: { receiver: ops, group_by: [alertname], group_wait: 0s }
receivers: [{ name: ops, slack_configs: [{ api_url_file: '${file}' }] }]
`,
  })
  await engine.post('/webhook', webhookPayload({ labels: critical, annotations }))
  expect(await engine.says(/^notification failed; it is tried again/)).toMatchObject({
    outcome: { reason: 'configuration', detail: `cannot read ${file}: ENOENT` },
  })
  writeFileSync(file, `${world.slack.url}/services/here\n`)
  const [request] = await world.slack.receives(1)
  expect(request?.path).toBe('/services/here')
})
