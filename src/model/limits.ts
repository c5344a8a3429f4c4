/** What comes in is bounded by these; a routing file's `limits:` may say otherwise. */
export interface Limits {
  // of a request: 413 or 400
  bodyBytes: number // after inflation
  alertsPerRequest: number
  // of an alert: 400, its neighbours are taken
  labelsPerAlert: number
  annotationsPerAlert: number
  nameBytes: number // of a label or an annotation
  labelBytes: number // of a label's value
  annotationBytes: number // of an annotation's
  alertBytes: number // of all its texts together
  // of what is kept: 503, which the sender repeats
  alerts: number // resolved ones that are still kept included
  groups: number
  alertsPerGroup: number
  dueGroups: number // whose flush is late
  owed: number // notifications in the outbox
  redisMemory: number // share of Redis' maxmemory
  bodiesInFlight: number // bytes of requests that are read or worked at, in one replica
}

const KiB = 1024
const MiB = 1024 * KiB

/** Alertmanager has none of these: they are there for what is broken or hostile, far above what anybody means to send. */
export const defaultLimits: Limits = {
  bodyBytes: 10 * MiB,
  alertsPerRequest: 20_000,
  labelsPerAlert: 1000,
  annotationsPerAlert: 1000,
  nameBytes: 4 * KiB,
  labelBytes: 64 * KiB,
  annotationBytes: 1 * MiB,
  alertBytes: 2 * MiB,
  alerts: 1_000_000,
  groups: 200_000,
  alertsPerGroup: 100_000,
  dueGroups: 50_000,
  owed: 200_000,
  redisMemory: 0.9,
  bodiesInFlight: 128 * MiB,
}

/** The key of each under `limits:` in a routing file. */
export const limitKeys: Readonly<Record<keyof Limits, string>> = {
  bodyBytes: 'body_bytes',
  alertsPerRequest: 'alerts_per_request',
  labelsPerAlert: 'labels_per_alert',
  annotationsPerAlert: 'annotations_per_alert',
  nameBytes: 'name_bytes',
  labelBytes: 'label_bytes',
  annotationBytes: 'annotation_bytes',
  alertBytes: 'alert_bytes',
  alerts: 'alerts',
  groups: 'groups',
  alertsPerGroup: 'alerts_per_group',
  dueGroups: 'due_groups',
  owed: 'owed',
  redisMemory: 'redis_memory',
  bodiesInFlight: 'bodies_in_flight',
}
