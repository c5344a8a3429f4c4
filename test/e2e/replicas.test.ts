import { expect, test } from 'vitest'
import { eventually, startEngine, webhookPayload } from '../helpers/engine.ts'
import { openRedis } from '../helpers/redis.ts'
import { openWorld } from '../helpers/world.ts'

test('three senders and two replicas on one Redis make one of each notification, and one incident', async () => {
  await using world = await openWorld()
  await using redis = await openRedis()
  const config = world.config()
  await using one = await startEngine({ config, redis: redis.socket })
  await using two = await startEngine({ config, redis: redis.socket })
  const NAMES = Array.from({ length: 10 }, (_, n) => `Alert${n}`)
  const post = (status: 'firing' | 'resolved') =>
    Promise.all(
      [one, two, one].flatMap((engine) =>
        NAMES.map((alertname) =>
          engine.post(
            '/webhook',
            webhookPayload({
              labels: { alertname, severity: 'critical' },
              status,
              ...(status === 'resolved' && { endsAt: new Date().toISOString() }),
            }),
          ),
        ),
      ),
    )
  const counts = () => [
    world.slack.requests.length,
    world.pagerduty.requests.length,
    world.twilio.requests.length,
    world.smtp.mails.length,
  ]

  for (let i = 0; i < 5; i++) await post('firing')
  await eventually(
    async () => counts(),
    (all) => all.every((count) => count >= NAMES.length),
  )
  await post('resolved')
  await eventually(
    async () => counts(),
    (all) => all.every((count) => count >= 2 * NAMES.length),
  )
  await eventually(
    () => redis.redis.keys('{tocsin}:group:*'),
    (groups) => groups.length === 0,
  )
  expect(counts()).toEqual(counts().map(() => 2 * NAMES.length))
  expect(await two.get<unknown[]>('/api/tocsin/v1/incidents')).toHaveLength(NAMES.length)
}, 60_000)
