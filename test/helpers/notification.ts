import { builtinTemplates } from '../../src/config/builtin.ts'
import { toNotification } from '../../src/pipeline/notification.ts'
import type { Notification } from '../../src/notify/notifier.ts'
import { toTemplateData } from '../../src/template/notification.ts'
import { parseTemplates } from '../../src/template/templates.ts'
import type { Alert } from '../../src/alert/alert.ts'
import { alertOf } from './alerts.ts'

export const templates = parseTemplates(builtinTemplates())

export const at = Date.UTC(2026, 10, 23, 21, 40)

/** The alert of most tests: a disk that fills. */
export const diskFull = alertOf(
  { alertname: 'DiskFull', instance: 'db-1:9100', severity: 'critical', team: 'database' },
  {
    startsAt: at - 60_000,
    annotations: new Map([
      ['summary', 'Disk full on db-1'],
      ['description', 'Volume <data> is above 95% & growing'],
    ]),
    generatorURL: 'http://prometheus.example.com/graph?g0.expr=disk&g0.tab=1',
  },
)

/** A notification as the pipeline makes it. */
export function notificationOf(alerts: readonly Alert[] = [diskFull], rest: Partial<Notification> = {}): Notification {
  const data = toTemplateData(
    {
      receiver: 'database/critical',
      reason: 'first notification',
      groupLabels: new Map([['alertname', 'DiskFull']]),
      externalURL: 'http://tocsin.example.com',
      alerts,
    },
    at,
  )
  const facts = {
    id: '0b54c5c1-4f0e-4a38-9d3f-6a8f5a1d3f11',
    groupKey: '{}:{alertname="DiskFull"}',
    integration: 'database/critical/x/0',
    receiver: 'database/critical',
    attempt: 1,
    possibleRepeat: false,
    insteadOf: '',
    at,
    severity: 'critical',
    team: 'database',
    data,
  }
  return { ...toNotification(facts, templates), ...rest }
}
