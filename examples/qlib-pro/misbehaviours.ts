/** What the platform does wrong on command, by the alert rule of monitoring/alert-rules.yml that is to notice it. */
export const misbehaviours = {
  'high-error-rate': { rule: 'HighErrorRate', does: 'answers a quarter of all requests with 500 or 503' },
  'database-connection-exhaustion': {
    rule: 'DatabaseConnectionExhaustion',
    does: 'holds 96 of the 100 connections of the database "trading", over both its pools',
  },
  'high-api-latency': { rule: 'HighAPILatency', does: 'answers sixty times slower' },
  'trading-signal-accuracy-drop': {
    rule: 'TradingSignalAccuracyDrop',
    does: 'has the model "lightgbm" right in 41 % of its signals only',
  },
  'market-data-stale': { rule: 'MarketDataStale', does: 'has had no market data of any symbol for ten minutes' },
  'unusual-user-activity': { rule: 'UnusualUserActivity', does: 'opens sixty times as many sessions' },
  'high-cpu-usage': { rule: 'HighCPUUsage', does: 'uses 93 % of its CPU' },
  'high-memory-usage': { rule: 'HighMemoryUsage', does: 'uses 7.6 GiB of memory' },
  'disk-space-low': { rule: 'DiskSpaceLow', does: 'has filled 91 % of the disk at /data' },
} as const

export type Misbehaviour = keyof typeof misbehaviours

export const isMisbehaviour = (name: string): name is Misbehaviour => Object.hasOwn(misbehaviours, name)
