import type { Alert } from '../alert/alert.ts'
import type { Labels } from '../model/labels.ts'

/** A group to try templates on before a page is due. */
export interface Sample {
  name: string // for people: 'three alerts, one of them resolved'
  alerts: readonly Alert[]
  groupLabels: Labels
}

const HOUR = 3_600_000

/** Groups as they come: full and bare alerts, one and several, firing and over. `at`: now, epoch ms. */
export function samples(at: number): readonly Sample[] {
  const alert = (instance: string, rest: Partial<Alert> = {}): Alert => ({
    fingerprint: '3f2a9c0d11e4b6a7',
    labels: new Map([
      ['alertname', 'DiskWillFill'],
      ['instance', instance],
      ['job', 'node'],
      ['severity', 'critical'],
      ['team', 'platform'],
    ]),
    annotations: new Map([
      ['summary', `The disk of ${instance} will be full in 4 hours`],
      ['description', '/var/lib is 93% full and grows by 2 GB an hour.'],
      ['runbook_url', 'https://runbooks.example.com/disk'],
    ]),
    generatorURL: 'https://prometheus.example.com/graph?g0.expr=up',
    startsAt: at - HOUR,
    endsAt: at + HOUR,
    endedBy: 'sender',
    updatedAt: at,
    ...rest,
  })
  const bare = alert('db-1:9100', {
    labels: new Map([['alertname', 'Watchdog']]),
    annotations: new Map(),
    generatorURL: '',
  })
  const resolved = { endsAt: at - 1000 }
  const groupLabels = new Map([['alertname', 'DiskWillFill']])
  return [
    { name: 'one alert that fires', alerts: [alert('db-1:9100')], groupLabels },
    { name: 'one alert without annotations, in a group without labels', alerts: [bare], groupLabels: new Map() },
    {
      name: 'three alerts, one of them resolved',
      alerts: [alert('db-1:9100'), alert('db-2:9100'), alert('db-3:9100', resolved)],
      groupLabels,
    },
    { name: 'one alert that is resolved', alerts: [alert('db-1:9100', resolved)], groupLabels },
  ]
}
