import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const config = `
route: { receiver: ops, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 1h }
receivers: [{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }]
`

/** How many were told, and how long those took all together, s. */
async function endToEnd({ deps }: Story): Promise<{ count: number; sum: number }> {
  const { values } = await deps.metrics.endToEnd.get()
  const of = (suffix: string) => values.find(({ metricName }) => metricName?.endsWith(suffix))?.value ?? 0
  return { count: of('_count'), sum: of('_sum') }
}

const api = (instance: string) => ({ labels: { alertname: 'A', instance } })

test('from accepted to delivered, each piece of news from when it came in', async () => {
  await using story = await tell(server, config)
  await story.post(api('a'))
  await story.advance('30s')
  expect(await endToEnd(story)).toEqual({ count: 1, sum: 30 })
  await story.advance('1m')
  await story.post(api('b')) // told 5 min after the flush before: in another 4 min
  await story.advance('2m')
  await story.post(api('c')) // along with it
  await story.advance('2m')
  expect(await endToEnd(story)).toEqual({ count: 2, sum: 30 + 240 })
})

test('an attempt that fails is not one of them, and counts in the one that does not', async () => {
  await using story = await tell(server, config)
  story.answers.push({ state: 'failed', reason: 'server error', detail: 'HTTP 500' })
  await story.post(api('a'))
  await story.advance('30s')
  expect(await endToEnd(story)).toEqual({ count: 0, sum: 0 })
  await story.advance('1m')
  const { count, sum } = await endToEnd(story)
  expect(count).toBe(1)
  expect(sum).toBeGreaterThan(30)
  expect(sum).toBeLessThan(90)
})

test('what was silenced is not late when it is told, nor is a repeat', async () => {
  await using story = await tell(server, config)
  const silence = await story.silence('alertname="A"', '2h')
  await story.post({ ...api('a'), endsAt: '2026-11-24T10:00:00Z' })
  await story.advance('10m')
  await story.expire(silence)
  await story.advance('10m')
  expect(story.lines).toHaveLength(1)
  await story.advance('2h')
  expect(story.lines.length).toBeGreaterThan(1)
  expect(await endToEnd(story)).toEqual({ count: 0, sum: 0 })
})
