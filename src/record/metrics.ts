import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/**
 * Tocsin's own metrics: Alertmanager's names where it has one for the thing, `tocsin_` else. Clients decide by
 * Alertmanager's build info what they may ask of its API; `alertmanager` is the version that this is.
 */
export function openMetrics(alertmanager: string, version: string) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'alertmanager_build_info',
    aggregator: 'first',
    help: 'The version of Alertmanager whose API this is; always 1.',
    labelNames: ['version', 'goversion', 'revision', 'branch', 'goos', 'goarch', 'tags'],
    registers,
  }).set(
    {
      version: alertmanager,
      goversion: process.version,
      revision: `tocsin-${version}`,
      branch: 'tocsin',
      goos: process.platform,
      goarch: process.arch,
      tags: '',
    },
    1,
  )
  new Gauge({
    name: 'tocsin_build_info',
    aggregator: 'first',
    help: 'The version that runs; always 1.',
    labelNames: ['version', 'nodeversion'],
    registers,
  }).set({ version, nodeversion: process.version }, 1)

  return {
    registry,
    received: new Counter({
      name: 'alertmanager_alerts_received_total',
      help: 'Alerts received.',
      labelNames: ['status', 'version'],
      registers,
    }),
    invalid: new Counter({
      name: 'alertmanager_alerts_invalid_total',
      help: 'Alerts received that were invalid.',
      labelNames: ['version'],
      registers,
    }),
    truncated: new Counter({
      name: 'tocsin_alerts_truncated_total',
      help: 'Alerts that a sending Alertmanager left out of its webhooks.',
      registers,
    }),
    refused: new Counter({
      name: 'tocsin_refused_total',
      help: 'Requests with alerts that were refused as a whole.',
      labelNames: ['reason'],
      registers,
    }),
    grouped: new Counter({
      name: 'tocsin_alerts_grouped_total',
      help: 'Memberships of alerts in aggregation groups that were made.',
      registers,
    }),
    late: new Counter({
      name: 'tocsin_alerts_late_total',
      help: 'Late copies of occurrences that had been resolved, dropped.',
      registers,
    }),
    groups: new Counter({
      name: 'tocsin_groups_created_total',
      help: 'Aggregation groups that were made.',
      registers,
    }),
    flushes: new Counter({ name: 'tocsin_flushes_total', help: 'Flushes of aggregation groups.', registers }),
    flushLag: new Histogram({
      name: 'tocsin_flush_lag_seconds',
      help: 'From when a group was due to its flush.',
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60],
      registers,
    }),
    suppressed: new Counter({
      name: 'tocsin_notifications_suppressed_total',
      help: 'Decisions not to notify an integration about a group, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    alertsSuppressed: new Counter({
      name: 'alertmanager_notifications_suppressed_total',
      help: 'Alerts that were not told of because of a silence, an inhibition or a time interval.',
      labelNames: ['reason'],
      registers,
    }),
    notified: new Counter({
      name: 'alertmanager_notifications_total',
      help: 'Notifications attempted or delivered, one for each that was owed and due.',
      labelNames: ['integration'],
      registers,
    }),
    failed: new Counter({
      name: 'alertmanager_notifications_failed_total',
      help: 'Notifications that were given up.',
      labelNames: ['integration', 'reason'],
      registers,
    }),
    requests: new Counter({
      name: 'alertmanager_notification_requests_total',
      help: 'Attempts to hand over a notification.',
      labelNames: ['integration'],
      registers,
    }),
    requestsFailed: new Counter({
      name: 'alertmanager_notification_requests_failed_total',
      help: 'Attempts to hand over a notification that failed.',
      labelNames: ['integration'],
      registers,
    }),
    latency: new Histogram({
      name: 'alertmanager_notification_latency_seconds',
      help: 'How long an attempt to hand over a notification took.',
      buckets: [1, 5, 10, 15, 20],
      labelNames: ['integration'],
      registers,
    }),
    delivery: new Histogram({
      name: 'tocsin_delivery_seconds',
      help: 'From when a notification was owed to when it was delivered.',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 1800],
      labelNames: ['integration'],
      registers,
    }),
    startDelay: new Histogram({
      name: 'tocsin_notification_start_delay_seconds',
      help: 'From when a notification was owed to its first attempt, the waits for its destination included.',
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300],
      labelNames: ['integration'],
      registers,
    }),
    repeats: new Counter({
      name: 'tocsin_possible_repeats_total',
      help: 'Notifications sent again because the fate of the attempt before was unknown.',
      labelNames: ['integration'],
      registers,
    }),
    templateErrors: new Counter({
      name: 'tocsin_template_errors_total',
      help: 'Notifications of which a template failed; they go out in plain words.',
      labelNames: ['integration'],
      registers,
    }),
    waits: new Counter({
      name: 'tocsin_delivery_waits_total',
      help: 'Times that a message had to wait: for the budget of its destination, its breaker, what it asked for, or others in flight.',
      labelNames: ['channel', 'reason'],
      registers,
    }),
    breakerOpened: new Counter({
      name: 'tocsin_breaker_opened_total',
      help: 'Times that a destination failed so often in a row that what goes there has to wait.',
      labelNames: ['channel'],
      registers,
    }),
    quarantined: new Counter({
      name: 'tocsin_quarantined_total',
      help: 'Notifications over which engines have died, sent in the plainest words.',
      labelNames: ['channel'],
      registers,
    }),
    digests: new Counter({
      name: 'tocsin_digested_total',
      help: 'Notifications that were told together with others in a digest.',
      labelNames: ['channel'],
      registers,
    }),
    deadLetters: new Gauge({
      name: 'tocsin_dead_letters',
      aggregator: 'max',
      help: 'Notifications in the dead letter.',
      registers,
    }),
    auditMissing: new Gauge({
      name: 'tocsin_audit_missing',
      aggregator: 'max',
      help: 'What the last audit missed: alerts and notifications that are in no named state.',
      registers,
    }),
    incidents: new Counter({
      name: 'tocsin_incidents_total',
      help: 'Incidents that were opened, reopened or resolved by their group.',
      labelNames: ['event'],
      registers,
    }),
    queueJobs: new Gauge({
      name: 'tocsin_queue_jobs',
      aggregator: 'max',
      help: 'Jobs that wait or run, by channel.',
      labelNames: ['channel'],
      registers,
    }),
    owed: new Gauge({ name: 'tocsin_outbox_owed', aggregator: 'max', help: 'Notifications that are owed.', registers }),
    owedOldest: new Gauge({
      name: 'tocsin_outbox_oldest_seconds',
      aggregator: 'max',
      help: 'How long the oldest notification that is owed has been so, by channel.',
      labelNames: ['channel'],
      registers,
    }),
    heartbeatMissing: new Gauge({
      name: 'tocsin_heartbeat_missing',
      aggregator: 'max',
      help: 'Whether a heartbeat that is awaited was not seen for its timeout.',
      labelNames: ['heartbeat'],
      registers,
    }),
    canaryArrived: new Gauge({
      name: 'tocsin_canary_arrived_timestamp_seconds',
      aggregator: 'max',
      help: "When Tocsin's own alert last went the whole way, over all replicas.",
      registers,
    }),
    heartbeatSent: new Gauge({
      name: 'tocsin_heartbeat_sent_timestamp_seconds',
      aggregator: 'max',
      help: 'When the heartbeat service was last called with success, over all replicas.',
      registers,
    }),
    http: new Histogram({
      name: 'alertmanager_http_request_duration_seconds',
      help: 'How long HTTP requests took.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      labelNames: ['handler', 'method', 'code'],
      registers,
    }),
    reloadSuccessful: new Gauge({
      name: 'alertmanager_config_last_reload_successful',
      aggregator: 'min',
      help: 'Whether the last attempt to load the configuration succeeded.',
      registers,
    }),
    reloadedAt: new Gauge({
      name: 'alertmanager_config_last_reload_success_timestamp_seconds',
      aggregator: 'min',
      help: 'When the configuration was last loaded with success.',
      registers,
    }),
    durability: new Gauge({
      name: 'tocsin_redis_durability',
      aggregator: 'max',
      help: 'What of an accepted alert survives a power cut, by Redis setting; 1 for the one in force.',
      labelNames: ['level'],
      registers,
    }),
    stateLost: new Counter({
      name: 'tocsin_state_lost_total',
      help: 'How often Redis was found without the data that it had.',
      registers,
    }),
    clockSkew: new Gauge({
      name: 'tocsin_clock_skew_seconds',
      aggregator: 'max',
      help: "How far the clock of this machine is before Redis'.",
      registers,
    }),
    bodiesInFlight: new Gauge({
      name: 'tocsin_http_bodies_in_flight_bytes',
      help: 'Bytes of requests with alerts that are read or worked at.',
      registers,
    }),
    redisUsed: new Gauge({
      name: 'tocsin_redis_memory_used_bytes',
      aggregator: 'max',
      help: 'Memory that Redis uses.',
      registers,
    }),
    redisMax: new Gauge({
      name: 'tocsin_redis_memory_max_bytes',
      aggregator: 'max',
      help: "Redis' maxmemory; 0 where it has none.",
      registers,
    }),
    kept: new Gauge({
      name: 'tocsin_kept',
      aggregator: 'max',
      help: 'How many alerts and groups are kept, and how many groups are late.',
      labelNames: ['what'],
      registers,
    }),
    workerProgress: new Gauge({
      name: 'tocsin_worker_progress_timestamp_seconds',
      aggregator: 'min',
      help: 'When a delivery worker last took a job, or had none to take.',
      labelNames: ['channel'],
      registers,
    }),
  }
}

export type Metrics = ReturnType<typeof openMetrics>
