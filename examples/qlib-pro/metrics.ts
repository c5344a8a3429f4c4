import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Qlib Pro's business and technical metrics, under the names and labels that its dashboards and alert rules read. */
export function openMetrics() {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,

    signals: new Counter({
      name: 'trading_signals_total',
      help: 'Total trading signals generated',
      labelNames: ['symbol', 'model', 'signal_type'],
      registers,
    }),
    accuracy: new Gauge({
      name: 'trading_signal_accuracy',
      help: 'Trading signal prediction accuracy',
      labelNames: ['model', 'timeframe'],
      registers,
    }),
    portfolio: new Gauge({
      name: 'portfolio_value_total_aud',
      help: 'Total portfolio value in AUD',
      labelNames: ['user_tier', 'portfolio_type'],
      registers,
    }),
    pnl: new Histogram({
      name: 'daily_pnl_aud',
      help: 'Daily profit and loss in AUD',
      labelNames: ['user_id', 'strategy'],
      buckets: [-5000, -1000, -500, -100, 0, 100, 500, 1000, 5000],
      registers,
    }),
    revenue: new Counter({
      name: 'subscription_revenue_aud',
      help: 'Subscription revenue in AUD',
      labelNames: ['subscription_tier'],
      registers,
    }),
    activeUsers: new Gauge({
      name: 'active_users_current',
      help: 'Currently active users',
      labelNames: ['user_type', 'subscription_tier'],
      registers,
    }),
    sessions: new Counter({
      name: 'user_sessions_total',
      help: 'Total user sessions',
      labelNames: ['source', 'country', 'device_type'],
      registers,
    }),
    features: new Counter({
      name: 'feature_usage_total',
      help: 'Feature usage tracking',
      labelNames: ['feature_name', 'user_tier'],
      registers,
    }),
    marketLatency: new Histogram({
      name: 'market_data_latency_seconds',
      help: 'Market data update latency',
      labelNames: ['symbol', 'source'],
      registers,
    }),
    marketUpdates: new Counter({
      name: 'market_data_updates_total',
      help: 'Market data updates received',
      labelNames: ['symbol', 'exchange'],
      registers,
    }),
    marketLastUpdate: new Gauge({
      name: 'market_data_last_update',
      help: 'When market data of a symbol was last received, in Unix seconds',
      labelNames: ['symbol'],
      registers,
    }),

    requests: new Counter({
      name: 'http_requests_total',
      help: 'Total HTTP requests',
      labelNames: ['method', 'endpoint', 'status'],
      registers,
    }),
    requestDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'HTTP request duration',
      labelNames: ['method', 'endpoint'],
      registers,
    }),
    connections: new Gauge({
      name: 'database_connections_active',
      help: 'Active database connections',
      labelNames: ['database', 'pool'],
      registers,
    }),
    queryDuration: new Histogram({
      name: 'database_query_duration_seconds',
      help: 'Database query execution time',
      labelNames: ['query_type', 'table'],
      registers,
    }),
    poolSize: new Gauge({
      name: 'database_pool_size',
      help: 'Database connection pool size',
      labelNames: ['database'],
      registers,
    }),
    cpu: new Gauge({ name: 'cpu_usage_percent', help: 'CPU usage percentage', registers }),
    memory: new Gauge({ name: 'memory_usage_bytes', help: 'Memory usage in bytes', registers }),
    disk: new Gauge({
      name: 'disk_usage_percent',
      help: 'Disk usage percentage',
      labelNames: ['mount_point'],
      registers,
    }),
    training: new Histogram({
      name: 'ml_model_training_duration_seconds',
      help: 'ML model training duration',
      labelNames: ['model_type', 'dataset_size'],
      buckets: [60, 300, 600, 1800, 3600, 7200],
      registers,
    }),
    prediction: new Histogram({
      name: 'ml_prediction_latency_seconds',
      help: 'ML model prediction latency',
      labelNames: ['model_id', 'symbol'],
      registers,
    }),
    sockets: new Gauge({ name: 'websocket_connections_active', help: 'Active WebSocket connections', registers }),
    socketMessages: new Counter({
      name: 'websocket_messages_sent_total',
      help: 'WebSocket messages sent',
      labelNames: ['message_type'],
      registers,
    }),
  }
}

export type Metrics = ReturnType<typeof openMetrics>
