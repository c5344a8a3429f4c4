import { decodePayload } from '../../src/config/payload.ts'
import { structure } from '../../src/template/structure.ts'
import { readFileSync } from 'node:fs'
import type { Notification } from '../../src/notify/notifier.ts'
import { toTemplateData } from '../../src/template/notification.ts'
import { parseTemplates } from '../../src/template/templates.ts'
import type { Alert } from '../../src/alert/alert.ts'
import { alertOf } from './alerts.ts'

const folder = new URL('../../templates/', import.meta.url)
export const templates = parseTemplates(
  ['alertmanager.tmpl', 'tocsin.tmpl'].map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') })),
)

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
  return {
    id: '0b54c5c1-4f0e-4a38-9d3f-6a8f5a1d3f11',
    groupKey: '{}:{alertname="DiskFull"}',
    integration: 'database/critical/x/0',
    receiver: 'database/critical',
    attempt: 1,
    possibleRepeat: false,
    at,
    severity: 'critical',
    team: 'database',
    data,
    text: (template, escape) => templates.text(template, data, at, escape),
    html: (template) => templates.html(template, data, at),
    structure: (value, seen = data) => structure(value, (text) => templates.text(text, seen, at), decodePayload),
    ...rest,
  }
}
