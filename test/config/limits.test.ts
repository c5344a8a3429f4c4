import { expect, test } from 'vitest'
import { printConfig } from '../../src/config/show/print.ts'
import { defaultLimits } from '../../src/model/limits.ts'
import { load, problemsOf } from '../helpers/config.ts'

const plain = 'route: { receiver: r }\nreceivers: [{ name: r }]\n'

test.each([
  ['', {}],
  ['limits:', {}],
  ['limits: { labels_per_alert: 64, redis_memory: 0.5 }', { labelsPerAlert: 64, redisMemory: 0.5 }],
  ['limits: { alerts: 5000000 }', { alerts: 5_000_000 }],
])('%s: what it does not say keeps its default', (yaml, said) => {
  expect(load(`${plain}${yaml}`).limits).toEqual({ ...defaultLimits, ...said })
})

test.each([
  ['labels_per_alrt: 5', 'unknown key "labels_per_alrt"; did you mean "labels_per_alert"?'],
  ['alerts: 0', 'limits.alerts: must be at least 1'],
  ['groups: many', 'limits.groups: must be a number, without quotes'],
  ['redis_memory: 90', 'limits.redis_memory: must be a share of maxmemory, above 0 and at most 1'],
])('limits: { %s }', (yaml, message) => {
  expect(problemsOf(`${plain}limits: { ${yaml} }`).join('\n')).toContain(message)
})

test('Alertmanager is not shown them, Tocsin is', () => {
  const { printable } = load(`${plain}limits: { labels_per_alert: 64, redis_memory: 0.5 }`)
  expect(printConfig(printable, 'Alertmanager')).not.toContain('limits')
  expect(load(printConfig(printable, 'Tocsin')).limits).toMatchObject({ labelsPerAlert: 64, redisMemory: 0.5 })
})
