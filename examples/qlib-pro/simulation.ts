import type { Metrics } from './metrics.ts'
import type { Misbehaviour } from './misbehaviours.ts'

const symbols = [
  { symbol: 'BHP', exchange: 'ASX' },
  { symbol: 'CBA', exchange: 'ASX' },
  { symbol: 'CSL', exchange: 'ASX' },
  { symbol: 'AAPL', exchange: 'NASDAQ' },
]
const models = ['lightgbm', 'lstm', 'transformer']
const signalTypes = ['BUY', 'HOLD', 'SELL']
const tiers = [
  { tier: 'free', users: 5200, worth: 18e6, revenue: 0 },
  { tier: 'pro', users: 2100, worth: 96e6, revenue: 0.6 }, // AUD a second
  { tier: 'institutional', users: 140, worth: 840e6, revenue: 1.9 },
]
// Real users would make a histogram each: these twenty stand for all, so that the metric stays small.
const users = Array.from({ length: 20 }, (_, nth) => `user_${nth + 1}`)
const strategies = ['momentum', 'mean_reversion']
const endpoints = [
  { method: 'GET', endpoint: '/api/v1/signals', rate: 14 },
  { method: 'GET', endpoint: '/api/v1/portfolios/:id', rate: 9 },
  { method: 'POST', endpoint: '/api/v1/orders', rate: 4 },
]
const pools = [
  { database: 'trading', pool: 'api', usual: 41, exhausted: 70 },
  { database: 'trading', pool: 'worker', usual: 17, exhausted: 26 },
  { database: 'analytics', pool: 'reports', usual: 12, exhausted: 12 },
]
const poolSizes = { trading: 100, analytics: 40 }
const GiB = 1024 ** 3

/** A number about `usual`, up to `share` of it away; over a minute it goes up and down. */
const about = (usual: number, share: number, at: number) =>
  usual * (1 + share * (0.6 * Math.sin((at * 2 * Math.PI) / 60) + 0.4 * (2 * Math.random() - 1)))

/** A whole number of events, on average `expected`. */
const events = (expected: number) => Math.floor(expected + Math.random())

const anyOf = <T>(values: readonly [T, ...T[]]): T => values[Math.floor(Math.random() * values.length)] ?? values[0]

/** Lets the platform live for so many seconds, until `at` (Unix seconds), and do wrong what it is told to. */
export function live(metrics: Metrics, wrongs: ReadonlySet<Misbehaviour>, seconds: number, at: number): void {
  trade(metrics, wrongs, seconds, at)
  receiveMarketData(metrics, wrongs, seconds, at)
  meetUsers(metrics, wrongs, seconds, at)
  serveRequests(metrics, wrongs, seconds)
  useMachine(metrics, wrongs, seconds, at)
}

function trade(metrics: Metrics, wrongs: ReadonlySet<Misbehaviour>, seconds: number, at: number): void {
  for (const model of models) {
    for (const { symbol } of symbols) {
      for (const signal_type of signalTypes) metrics.signals.inc({ symbol, model, signal_type }, events(0.3 * seconds))
      metrics.prediction.observe({ model_id: model, symbol }, about(0.03, 0.5, at))
    }
    const isPoor = model === 'lightgbm' && wrongs.has('trading-signal-accuracy-drop')
    for (const timeframe of ['1h', '1d'])
      metrics.accuracy.set({ model, timeframe }, isPoor ? 0.41 : about(0.78, 0.04, at))
    if (Math.random() < seconds / 30)
      metrics.training.observe({ model_type: model, dataset_size: 'large' }, about(1500, 0.4, at))
  }
  for (const { tier, worth } of tiers) {
    for (const portfolio_type of ['equities', 'derivatives'])
      metrics.portfolio.set({ user_tier: tier, portfolio_type }, about(worth / 2, 0.02, at))
  }
  for (const user_id of users) {
    for (const strategy of strategies) metrics.pnl.observe({ user_id, strategy }, about(120, 8, at))
  }
}

function receiveMarketData(metrics: Metrics, wrongs: ReadonlySet<Misbehaviour>, seconds: number, at: number): void {
  const isStale = wrongs.has('market-data-stale')
  for (const { symbol, exchange } of symbols) {
    metrics.marketLastUpdate.set({ symbol }, isStale ? at - 600 : at)
    if (isStale) continue
    metrics.marketUpdates.inc({ symbol, exchange }, events(5 * seconds))
    metrics.marketLatency.observe({ symbol, source: 'alpha_vantage' }, about(0.08, 0.7, at))
  }
}

function meetUsers(metrics: Metrics, wrongs: ReadonlySet<Misbehaviour>, seconds: number, at: number): void {
  for (const { tier, users: usual, revenue } of tiers) {
    for (const [user_type, share] of [
      ['trader', 0.8],
      ['analyst', 0.2],
    ] as const)
      metrics.activeUsers.set({ user_type, subscription_tier: tier }, Math.round(about(usual * share, 0.1, at)))
    metrics.revenue.inc({ subscription_tier: tier }, revenue * seconds)
    for (const feature_name of ['signals', 'backtest', 'portfolio'])
      metrics.features.inc({ feature_name, user_tier: tier }, events((usual / 1000) * seconds))
  }
  const crowd = wrongs.has('unusual-user-activity') ? 60 : 1
  for (const [source, device_type] of [
    ['web', 'desktop'],
    ['app', 'mobile'],
  ] as const) {
    for (const country of ['AU', 'NZ'])
      metrics.sessions.inc({ source, country, device_type }, events(2 * crowd * seconds))
  }
  metrics.sockets.set(Math.round(about(3100, 0.1, at)))
  for (const message_type of ['price', 'signal']) metrics.socketMessages.inc({ message_type }, events(40 * seconds))
}

function serveRequests(metrics: Metrics, wrongs: ReadonlySet<Misbehaviour>, seconds: number): void {
  const failing = wrongs.has('high-error-rate') ? 0.25 : 0.004
  const slowness = wrongs.has('high-api-latency') ? 60 : 1
  for (const { method, endpoint, rate } of endpoints) {
    for (let left = events(rate * seconds); left > 0; left--) {
      metrics.requests.inc({ method, endpoint, status: statusOf(failing) })
      metrics.requestDuration.observe({ method, endpoint }, slowness * (0.02 + 0.06 * Math.random()))
    }
  }
}

function statusOf(failing: number): string {
  const luck = Math.random()
  if (luck < failing) return anyOf(['500', '503'])
  return luck < failing + 0.02 ? anyOf(['400', '404']) : '200'
}

function useMachine(metrics: Metrics, wrongs: ReadonlySet<Misbehaviour>, seconds: number, at: number): void {
  const isExhausted = wrongs.has('database-connection-exhaustion')
  for (const { database, pool, usual, exhausted } of pools)
    metrics.connections.set({ database, pool }, isExhausted ? exhausted : Math.round(about(usual, 0.2, at)))
  for (const [database, size] of Object.entries(poolSizes)) metrics.poolSize.set({ database }, size)
  for (const table of ['orders', 'prices']) {
    for (const query_type of ['select', 'insert']) {
      for (let left = events(5 * seconds); left > 0; left--)
        metrics.queryDuration.observe({ query_type, table }, about(0.02, 0.8, at))
    }
  }
  metrics.cpu.set(wrongs.has('high-cpu-usage') ? 93 : about(38, 0.3, at))
  metrics.memory.set(wrongs.has('high-memory-usage') ? 7.6 * GiB : about(5.1 * GiB, 0.06, at))
  metrics.disk.set({ mount_point: '/' }, 61)
  metrics.disk.set({ mount_point: '/data' }, wrongs.has('disk-space-low') ? 91 : 72)
}

/** Every status of every endpoint once from zero, so that rates see the first failure, too. */
export function begin(metrics: Metrics): void {
  for (const { method, endpoint } of endpoints) {
    for (const status of ['200', '400', '404', '500', '503']) metrics.requests.inc({ method, endpoint, status }, 0)
  }
  for (const model_type of models) metrics.training.zero({ model_type, dataset_size: 'large' })
}
