import { describe, expect, test } from 'vitest'
import { type Bucket, type Counts, addUp } from '../../src/insight/counts.ts'
import { type KpiName, kpisOf } from '../../src/insight/kpis.ts'
import { bounds, bucketOf, quantile } from '../../src/insight/latency.ts'
import { patternsOf } from '../../src/insight/patterns.ts'
import { spikeOf, spikesIn, thresholdOf } from '../../src/insight/spikes.ts'
import { windowOf } from '../../src/insight/window.ts'

const HOUR = 3_600_000
const noon = Date.UTC(2026, 10, 26, 12)

function counts(
  counters: Record<string, number> = {},
  named: Record<string, Record<string, number>> = {},
  seconds: readonly number[] = [],
): Counts {
  const latencies = Array.from({ length: bounds.length + 1 }, () => 0)
  for (const one of seconds) latencies[bucketOf(one)] = (latencies[bucketOf(one)] ?? 0) + 1
  return {
    counters: new Map(Object.entries(counters)),
    named: new Map(Object.entries(named).map(([family, names]) => [family, new Map(Object.entries(names))])),
    latencies,
  }
}

describe('spikes', () => {
  const quiet = Array.from({ length: 60 }, () => 5)
  const uneven = Array.from({ length: 60 }, (_none, i) => (i % 2 === 0 ? 10 : 30)) // mean 20, σ 10

  test.each<[what: string, before: number[], floor: number, threshold: number]>([
    ['nothing before: the floor', [], 50, 50],
    ['all the same: the floor, where that is more', quiet, 10, 10],
    ['all the same: the mean, where that is more', quiet, 3, 5],
    ['mean and two sigma', uneven, 10, 40],
  ])('the threshold: %s', (_what, before, floor, threshold) => {
    expect(thresholdOf(before, floor)).toBeCloseTo(threshold, 9)
  })

  test.each<[what: string, before: number[], count: number, spikes: boolean]>([
    ['as many as the threshold', uneven, 40, false],
    ['one more', uneven, 41, true],
    ['tiny numbers', quiet, 10, false],
    ['a start: nothing to compare with', [0, 0, 0], 100_000, false],
    ['ten quiet minutes are enough', Array.from({ length: 10 }, () => 0), 11, true],
  ])('a minute: %s', (_what, before, count, spikes) => {
    expect(spikeOf(before, { at: noon, count }, 10) !== undefined).toBe(spikes)
  })

  test('of an hour, those that stand out', () => {
    const minutes = quiet.map((count, i) => ({ at: noon + i * 60_000, count: i === 30 ? 100 : count }))
    const [spike, ...others] = spikesIn(minutes, 10)
    expect(others).toEqual([])
    expect(spike?.at).toBe(noon + 30 * 60_000)
    // mean (59 · 5 + 100) / 60 = 6.583, σ² = (59 · 1.583² + 93.417²) / 60
    expect(spike?.threshold).toBeCloseTo(6.5833 + 2 * Math.sqrt((59 * 1.58333 ** 2 + 93.41667 ** 2) / 60), 2)
  })
})

describe('latency', () => {
  const of = (seconds: readonly number[]) => counts({}, {}, seconds).latencies
  test.each<[what: string, seconds: number[], share: number, value: number | undefined]>([
    ['nothing', [], 0.5, undefined],
    ['one, in the middle of its bucket', [0.12], 0.5, 0.125],
    [
      'half of them fast',
      [...Array.from({ length: 50 }, () => 0.08), ...Array.from({ length: 50 }, () => 4)],
      0.5,
      0.1,
    ],
    ['the slow half', [...Array.from({ length: 50 }, () => 0.08), ...Array.from({ length: 50 }, () => 4)], 0.75, 4],
    ['beyond all bounds', [100_000], 0.99, 3600],
  ])('%s', (_what, seconds, share, value) => {
    const got = quantile(of(seconds), share)
    if (value === undefined) expect(got).toBe(undefined)
    else expect(got).toBeCloseTo(value, 9)
  })
})

describe('patterns', () => {
  const buckets: Bucket[] = [
    {
      at: noon - 2 * HOUR,
      counts: counts(
        { alerts: 3, attempts: 10, errors: 2 },
        {
          'alert type': { HighErrorRate: 2, ModelDrift: 1 },
          'alert service': { api: 3 },
          'error type': { timeout: 2 },
          'error service': { api: 2 },
        },
      ),
    },
    {
      at: noon,
      counts: counts(
        { alerts: 4, attempts: 5, errors: 3 },
        {
          'alert type': { ModelDrift: 4 },
          'alert service': { quant: 4 },
          'error type': { 'server error': 3 },
          'error service': { api: 3 },
        },
      ),
    },
  ]
  const minutes = Array.from({ length: 60 }, (_none, i) => ({
    at: noon - HOUR + i * 60_000,
    counts: counts({ alerts: 1, errors: i === 20 ? 40 : 0 }),
  }))

  test('totals, types, services and hours, of what came in and of what failed', () => {
    const found = patternsOf(buckets, { from: noon - 2 * HOUR, to: noon + 1000 }, minutes)
    const hours = ['2026-11-26T10:00:00Z', '2026-11-26T11:00:00Z', '2026-11-26T12:00:00Z']
    expect(found).toMatchObject({
      from: hours[0],
      alerts: {
        total: 7,
        types: [
          { name: 'ModelDrift', count: 5 },
          { name: 'HighErrorRate', count: 2 },
        ],
        affectedServices: [
          { name: 'quant', count: 4 },
          { name: 'api', count: 3 },
        ],
        hourlyDistribution: [3, 0, 4].map((count, i) => ({ hour: hours[i], count })),
      },
      deliveries: {
        attempts: 15,
        total: 5,
        types: [
          { name: 'server error', count: 3 },
          { name: 'timeout', count: 2 },
        ],
        affectedServices: [{ name: 'api', count: 5 }],
        hourlyDistribution: [2, 0, 3].map((count, i) => ({ hour: hours[i], count })),
      },
    })
    expect(found.anomalies).toEqual([
      { type: 'error_spike', timestamp: '2026-11-26T11:20:00Z', count: 40, threshold: 10.91 },
    ])
  })

  test('of many names those that are most frequent, the rest together', () => {
    const names = Object.fromEntries(Array.from({ length: 300 }, (_none, i) => [`A${i}`, 300 - i]))
    const many: Bucket = { at: noon, counts: counts({}, { 'alert type': { ...names, other: 7 } }) }
    const { types } = patternsOf([many], { from: noon, to: noon + 1 }, []).alerts
    expect(types).toHaveLength(101)
    expect(types[0]).toEqual({ name: 'A0', count: 300 })
    expect(types.at(-1)).toEqual({ name: 'other', count: 7 + (200 * 201) / 2 })
  })

  test.each<[length: number, grain: string, buckets: number, from: number]>([
    [HOUR, 'minute', 61, noon - HOUR],
    [24 * HOUR, 'hour', 25, noon - 24 * HOUR],
    [90 * 60_000, 'minute', 91, noon - 90 * 60_000],
  ])('a window of %d ms is put together of whole %ss', (length, grain, size, from) => {
    const window = windowOf(length, noon + 59_000)
    expect(window).toMatchObject({ grain, from, to: noon + 59_000 })
    expect(window.starts).toHaveLength(size)
  })
})

describe('KPIs', () => {
  const history = addUp([
    counts(
      {
        'requests taken': 999,
        'requests refused': 1,
        delivered: 90,
        considered: 80,
        'repeats suppressed': 60,
        acknowledged: 1,
        'acknowledged ms': 60_000,
        resolved: 10,
        'resolved ms': 10 * 1200_000,
        noisy: 1,
      },
      { 'routed service': { api: 3, quant: 1 }, 'default service': { api: 1, batch: 4 } },
      Array.from({ length: 100 }, (_none, i) => (i < 95 ? 0.12 : 2.5)),
    ),
    counts({
      delivered: 5,
      dead: 5,
      acknowledged: 3,
      'acknowledged ms': 180_000,
      resolved: 10,
      'resolved ms': 10 * 3600_000,
      noisy: 1,
    }),
  ])

  test.each<[name: KpiName, value: number, of: number, met: boolean | null]>([
    ['accept_availability', 0.999, 1000, true],
    ['delivery_availability', 0.95, 100, false],
    ['notification_latency_p50', 0.1 + 0.05 * (50 / 95), 100, true],
    ['notification_latency_p95', 0.15, 100, true],
    ['notification_latency_p99', 2 + 1 * (4 / 5), 100, false],
    ['mtta', 60, 4, true],
    ['mttr', 2400, 20, false],
    ['noise_ratio', 0.1, 20, false],
    ['repeats_suppressed_ratio', 0.75, 80, null],
    ['coverage', 2 / 3, 3, false],
  ])('%s', (name, value, of, met) => {
    const kpi = kpisOf(history).find((one) => one.name === name)
    expect(kpi?.value).toBeCloseTo(value, 6)
    expect(kpi).toMatchObject({ of, met })
  })

  test('nothing happened: nothing is claimed', () => {
    for (const { value, met } of kpisOf(addUp([]))) expect([value, met]).toEqual([null, null])
  })
})
