import { cpus, freemem, totalmem } from 'node:os'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { SumAndCount } from './sum-and-count.ts'

/**
 * Tocsin's own metrics: Alertmanager's names where it has one for the thing, `tocsin_` else. Clients decide by
 * Alertmanager's build info what they may ask of its API; `alertmanager` is the version that this is.
 */
export function openMetrics(alertmanager: string, version: string) {
  const registry = new Registry()
  const registers = [registry]
  const measuring = openMeasuring()
  /** For gauges that are worked out when they are asked for, all of them together. */
  const collect = () => measuring.run()
  collectDefaultMetrics({ register: registry })
  const cpuUsed = openCpuUsed()
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

  const silenceCollection = new SumAndCount({
    name: 'alertmanager_silences_gc_duration_seconds',
    help: 'How long it took to forget expired silences.',
  })
  registry.registerMetric(silenceCollection)
  const http = new Histogram({
    name: HTTP,
    help: 'How long HTTP requests took.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    labelNames: ['handler', 'method', 'code'],
    registers,
  })
  const processing = new SumAndCount({
    name: 'alertmanager_dispatcher_alert_processing_duration_seconds',
    help: 'How long it took to route the alerts of a request and to put them into their groups.',
  })
  registry.registerMetric(processing)
  const endToEnd = new Histogram<'integration' | 'trace_id'>({
    name: 'tocsin_end_to_end_seconds',
    help: 'From when news of a group was accepted to when it was delivered, the waits of its route included.',
    buckets: [0.05, 0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 900, 3600],
    labelNames: ['integration'],
    enableExemplars: true,
    registers: [], // prom-client refuses exemplars in a registry whose own format has none
  })
  registry.registerMetric(endToEnd)

  return {
    registry,
    /** Says how the gauges are filled that are worked out at a scrape; one that takes long leaves them as they were. */
    measureBy: measuring.by,
    cpuUsage: new Gauge({
      name: 'cpu_usage_percent',
      aggregator: 'max',
      help: 'How busy the processors of this machine were since they were last asked about.',
      registers,
      collect() {
        this.set(cpuUsed())
      },
    }),
    memoryUsage: new Gauge({
      name: 'memory_usage_bytes',
      aggregator: 'max',
      help: 'Memory of this machine that is in use.',
      registers,
      collect() {
        this.set(totalmem() - freemem())
      },
    }),
    diskUsed: new Gauge({
      name: 'disk_usage_percent',
      aggregator: 'max',
      help: "How full the disk is that Tocsin's data is on.",
      labelNames: ['mount_point'],
      registers,
      collect,
    }),
    httpRequests: new Counter({
      name: 'http_requests_total',
      help: 'HTTP requests, by the pattern of their route.',
      labelNames: ['method', 'endpoint', 'status'],
      registers,
      // the same counts under another name: they need not be counted twice
      async collect() {
        this.reset()
        for (const { metricName, labels, value } of (await http.get()).values) {
          const { handler, method, code } = labels
          if (metricName !== `${HTTP}_count` || handler === undefined || code === undefined) continue
          this.inc({ method: String(method).toUpperCase(), endpoint: handler, status: code }, value)
        }
      },
    }),
    httpDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'How long HTTP requests took, by the pattern of their route.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10],
      labelNames: ['method', 'endpoint'],
      registers,
    }),
    httpInFlight: new Gauge({
      name: 'alertmanager_http_requests_in_flight',
      help: 'GETs of API v2 that are being answered.',
      labelNames: ['method'],
      registers,
    }),
    httpTooMany: new Counter({
      name: 'alertmanager_http_concurrency_limit_exceeded_total',
      help: 'GETs of API v2 that were refused since as many as may be were being answered.',
      labelNames: ['method'],
      registers,
    }),
    httpSize: new Histogram({
      name: 'alertmanager_http_response_size_bytes',
      help: 'How large the answers to HTTP requests were.',
      buckets: [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000],
      labelNames: ['handler', 'method'],
      registers,
    }),
    liveConnections: new Gauge({
      name: 'tocsin_live_connections',
      help: 'Pages that listen to what happens.',
      registers,
      collect,
    }),
    alerts: new Gauge({
      name: 'alertmanager_alerts',
      aggregator: 'max',
      help: 'Alerts that fire, by whether they are told of.',
      labelNames: ['state'],
      registers,
      collect,
    }),
    silences: new Gauge({
      name: 'alertmanager_silences',
      aggregator: 'max',
      help: 'Silences by state.',
      labelNames: ['state'],
      registers,
      collect,
    }),
    silencesKept: new Gauge({
      name: 'alertmanager_silences_state_size',
      aggregator: 'max',
      help: 'Silences that are kept.',
      registers,
      collect,
    }),
    silenceQueries: new Counter({
      name: 'alertmanager_silences_queries_total',
      help: 'How often the silences were held against what Redis has.',
      registers,
    }),
    silenceQueryErrors: new Counter({
      name: 'alertmanager_silences_query_errors_total',
      help: 'How often Redis did not say what the silences are.',
      registers,
    }),
    silenceQueryDuration: new Histogram({
      name: 'alertmanager_silences_query_duration_seconds',
      help: 'How long it took to hold the silences against what Redis has.',
      buckets: [0.0001, 0.001, 0.01, 0.1, 1, 10],
      registers,
    }),
    silenceCollection,
    silenceCollectionErrors: new Counter({
      name: 'alertmanager_silences_gc_errors_total',
      help: 'How often expired silences could not be forgotten.',
      registers,
    }),
    logQueries: new Counter({
      name: 'alertmanager_nflog_queries_total',
      help: 'Groups that were read with what their integrations were told.',
      registers,
    }),
    logQueryErrors: new Counter({
      name: 'alertmanager_nflog_query_errors_total',
      help: 'Groups that could not be read with what their integrations were told.',
      registers,
    }),
    logQueryDuration: new Histogram({
      name: 'alertmanager_nflog_query_duration_seconds',
      help: 'How long it took to read groups with what their integrations were told.',
      buckets: [0.0001, 0.001, 0.01, 0.1, 1, 10],
      registers,
    }),
    aggregationGroups: new Gauge({
      name: 'alertmanager_dispatcher_aggregation_groups',
      aggregator: 'max',
      help: 'Aggregation groups that there are.',
      registers,
      collect,
    }),
    groupLimitReached: new Counter({
      name: 'alertmanager_dispatcher_aggregation_group_limit_reached_total',
      help: 'Alerts that were not taken since there are as many groups as may be.',
      registers,
    }),
    processing,
    inhibitionRules: new Gauge({
      name: 'alertmanager_inhibition_rules',
      aggregator: 'max',
      help: 'Inhibition rules in the configuration.',
      registers,
    }),
    receivers: new Gauge({
      name: 'alertmanager_receivers',
      aggregator: 'max',
      help: 'Receivers in the configuration.',
      registers,
    }),
    integrations: new Gauge({
      name: 'alertmanager_integrations',
      aggregator: 'max',
      help: 'Integrations in the configuration.',
      registers,
    }),
    configHash: new Gauge({
      name: 'alertmanager_config_hash',
      aggregator: 'max',
      help: 'A number that two replicas have in common where their configurations are the same.',
      registers,
    }),
    clusterEnabled: new Gauge({
      name: 'alertmanager_cluster_enabled',
      aggregator: 'max',
      help: 'Whether replicas share the work; always 1.',
      registers,
    }),
    clusterMembers: new Gauge({
      name: 'alertmanager_cluster_members',
      aggregator: 'max',
      help: 'Replicas that share this Redis.',
      registers,
      collect,
    }),
    clusterFailed: new Gauge({
      name: 'alertmanager_cluster_failed_peers',
      aggregator: 'max',
      help: 'Replicas that ended in the last hour without taking leave, and have not come back at the same address.',
      registers,
      collect,
    }),
    clusterPeer: new Gauge({
      name: 'alertmanager_cluster_peer_info',
      aggregator: 'max',
      help: 'The name of this replica among others; always 1.',
      labelNames: ['peer'],
      registers,
    }),
    incidentStates: new Gauge({
      name: 'tocsin_incidents',
      aggregator: 'max',
      help: 'Incidents by state, of the newest 2000.',
      labelNames: ['state'],
      registers,
      collect,
    }),
    ledger: new Gauge({
      name: 'tocsin_ledger',
      aggregator: 'max',
      help: 'Memberships of alerts in groups, and notifications, that were ever taken, by what became of them.',
      labelNames: ['of', 'state'],
      registers,
      collect,
    }),
    breakerOpen: new Gauge({
      name: 'tocsin_breaker_open',
      aggregator: 'max',
      help: 'Whether what goes to a destination has to wait since it fails; of integrations that have sent something.',
      labelNames: ['channel', 'integration'],
      registers,
      collect,
    }),
    mtta: new Gauge({
      name: 'tocsin_mtta_seconds',
      aggregator: 'max',
      help: 'From when incidents were opened to when somebody took them, the mean of the last 24 hours; NaN without any.',
      registers,
      collect,
    }),
    mttr: new Gauge({
      name: 'tocsin_mttr_seconds',
      aggregator: 'max',
      help: 'From when incidents were opened to when they were resolved, the mean of the last 24 hours; NaN without any.',
      registers,
      collect,
    }),
    kpi: new Gauge({
      name: 'tocsin_kpi',
      aggregator: 'max',
      help: 'How Tocsin does, of the last 24 hours: ratios of 1, times in seconds; NaN where nothing happened that would say.',
      labelNames: ['kpi'],
      registers,
      collect,
    }),
    kpiMet: new Gauge({
      name: 'tocsin_kpi_met',
      aggregator: 'min',
      help: 'Whether a KPI of the last 24 hours is within its target; none for one without a target or a value.',
      labelNames: ['kpi'],
      registers,
      collect,
    }),
    redisRoundTrip: new Histogram({
      name: 'tocsin_redis_round_trip_seconds',
      help: 'How long Redis took for its answer, asked once a second.',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    endToEnd,
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
    http,
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

const HTTP = 'alertmanager_http_request_duration_seconds'
/** A scrape does not wait for longer, ms. */
const PATIENCE = 800
/** Figures are worked out anew after this, ms. */
const FRESH = 1000

/** Several gauges are filled by one run; those that ask meanwhile, or right after, wait for the same. */
function openMeasuring() {
  let measure: () => Promise<void> = async () => {}
  let running: Promise<void> | undefined
  let ranAt = Number.NEGATIVE_INFINITY
  return {
    by(run: () => Promise<void>): void {
      measure = run
    },
    async run(): Promise<void> {
      if (!running && performance.now() - ranAt > FRESH) {
        ranAt = performance.now()
        running = measure().finally(() => (running = undefined))
      }
      const enough = new Promise<void>((done) => setTimeout(done, PATIENCE).unref())
      await Promise.race([running, enough]).catch(() => {}) // they stay as they were
    },
  }
}

/** Of all processors, since the last call a second ago or more: ticks are too coarse for less. */
function openCpuUsed(): () => number {
  const read = () => {
    let [idle, all] = [0, 0]
    for (const { times } of cpus()) {
      idle += times.idle
      all += times.user + times.nice + times.sys + times.irq + times.idle
    }
    return { idle, all }
  }
  let before = read()
  let readAt = performance.now()
  let used = 0
  return () => {
    if (performance.now() - readAt < FRESH) return used
    readAt = performance.now()
    const now = read()
    const passed = now.all - before.all
    if (passed > 0) used = 100 * (1 - (now.idle - before.idle) / passed)
    before = now
    return used
  }
}
