import { afterAll, beforeAll, expect, test } from 'vitest'
import { openInhibition } from '../../src/pipeline/inhibition.ts'
import { forgetRules } from '../../src/pipeline/presence.ts'
import { alertOf } from '../helpers/alerts.ts'
import { type TestRedis, openRedis } from '../helpers/redis.ts'
import { type Story, tell } from '../helpers/story.ts'

let server: TestRedis
beforeAll(async () => void (server = await openRedis()))
afterAll(() => server[Symbol.asyncDispose]())

const config = (rules = '') => `
route: { receiver: ops, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 4h }
receivers: [{ name: ops, webhook_configs: [{ url: 'http://x.invalid' }] }]
inhibit_rules: [${rules}]
`
const rule = '{ source_matchers: [kind=source], target_matchers: [kind=target], equal: [cluster] }'
const alert = (alertname: string, kind: string) => ({
  labels: { alertname, kind, cluster: 'a' },
  startsAt: '2026-11-23T10:00:00Z',
  endsAt: '2026-11-24T10:00:00Z',
})
const told = ({ lines }: Story) => lines.map((line) => line.split(': ')[1])

test('another replica that has not the rule places the sources that it takes', async () => {
  await using story = await tell(server, config())
  const { deps } = story
  await story.post(alert('Before', 'other'))
  // one with the rule starts beside it, on the same store
  const other = { ...deps, inhibition: openInhibition(deps.store, deps.newId) }
  await story.reload(config(rule))
  const withRule = deps.routing
  await other.inhibition.prepare(withRule)
  await story.reload(config())

  await story.post(alert('Source', 'source'))
  expect(
    (await deps.store.inhibition.lastSources(withRule.rolesOf(alertOf(alert('Source', 'source').labels)).sources)).size,
  ).toBe(1)
})

test('rules that no replica has are let go of; a replica that was taken for gone has its own again at its next flush', async () => {
  await using story = await tell(server, config(rule))
  const { deps } = story
  await story.post(alert('Source', 'source'))
  await deps.store.inhibition.unregister(deps.routing.config.inhibitRules.map(({ id }) => id))
  expect((await deps.store.inhibition.registered()).rules).toEqual([])
  await story.post(alert('Target', 'target'))
  await story.advance('1h')
  expect(told(story)).toEqual(['Source'])
  expect((await deps.store.inhibition.registered()).rules).toHaveLength(1)

  await forgetRules(deps)
  expect((await deps.store.inhibition.registered()).rules).toHaveLength(1)
  await story.reload(config())
  await forgetRules(deps)
  expect((await deps.store.inhibition.registered()).rules).toEqual([])
})

test('with the data of Redis lost, rules are there again with the first alerts', async () => {
  await using story = await tell(server, config(rule))
  await server.redis.flushall()
  await story.post(alert('Target', 'target'))
  await story.post(alert('Source', 'source'))
  await story.advance('1h')
  expect(told(story)).toEqual(['Source'])
})

test('what is forgotten leaves no trace', async () => {
  await using story = await tell(server, config(rule))
  await story.post(alert('Source', 'source'))
  await story.advance('25h')
  await story.deps.store.alerts.collect(story.deps.clock.now() + 3_600_000)
  const prefix = story.deps.store.queuePrefix
  const left = (await server.redis.keys(`${prefix}:*`)).map((key) => key.slice(prefix.length + 1)).sort()
  expect(
    left.filter((key) => /place|indexed|sourced|alerts|times|references|collectable|group|members/.test(key)),
  ).toEqual([])
})
