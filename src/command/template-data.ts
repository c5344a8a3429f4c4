import { formatInstant, parseInstant, zeroTime } from '../model/instant.ts'
import type { Labels } from '../model/labels.ts'
import { type TemplateAlert, type TemplateData, noAlerts, noLabels } from '../template/data.ts'

/** Template data that cannot be read; says where. */
export class DataError extends Error {
  override readonly name = 'DataError'
}

/**
 * Template data as its JSON has it (https://pkg.go.dev/github.com/prometheus/alertmanager/template#Data), read
 * as Go reads it: names in any case, what is missing is empty, what is unknown is left. Throws DataError.
 */
export function readTemplateData(value: unknown): TemplateData<string> {
  const data = fieldsOf(value, 'the data')
  return {
    receiver: text(data, 'receiver'),
    status: text(data, 'status'),
    alerts: alerts(data),
    notificationReason: text(data, 'notification_reason'),
    groupLabels: labels(data, 'groupLabels'),
    commonLabels: labels(data, 'commonLabels'),
    commonAnnotations: labels(data, 'commonAnnotations'),
    routeLabels: labels(data, 'routeLabels'),
    externalURL: text(data, 'externalURL'),
  }
}

function readAlert(alert: Fields): TemplateAlert<string> {
  return {
    status: text(alert, 'status'),
    labels: labels(alert, 'labels'),
    annotations: labels(alert, 'annotations'),
    startsAt: instant(alert, 'startsAt'),
    endsAt: instant(alert, 'endsAt'),
    generatorURL: text(alert, 'generatorURL'),
    fingerprint: text(alert, 'fingerprint'),
  }
}

/** A JSON object's members by their names in lower case, and where it stands. */
interface Fields {
  place: string
  members: ReadonlyMap<string, unknown>
}

function fieldsOf(value: unknown, place: string): Fields {
  if (value === undefined || value === null) return { place, members: new Map() }
  if (typeof value !== 'object' || Array.isArray(value)) throw new DataError(`${place} must be a JSON object`)
  return { place, members: new Map(Object.entries(value).map(([name, held]) => [name.toLowerCase(), held])) }
}

function member({ members }: Fields, name: string): unknown {
  return members.get(name.toLowerCase()) ?? undefined
}

function text(fields: Fields, name: string): string {
  const value = member(fields, name) ?? ''
  if (typeof value !== 'string') throw new DataError(`${name} of ${fields.place} must be a text`)
  return value
}

function alerts(fields: Fields): readonly TemplateAlert<string>[] {
  const value = member(fields, 'alerts')
  if (value === undefined) return noAlerts
  if (!Array.isArray(value)) throw new DataError(`alerts of ${fields.place} must be a list`)
  return value.map((alert: unknown, i) => readAlert(fieldsOf(alert, `alerts.${i}`)))
}

function labels(fields: Fields, name: string): Labels {
  const value = member(fields, name)
  if (value === undefined) return noLabels
  const wrong = () => new DataError(`${name} of ${fields.place} must be a map of texts`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong()
  return new Map(
    Object.entries(value).map(([key, one]: [string, unknown]) => {
      if (one !== null && typeof one !== 'string') throw wrong()
      return [key, one ?? '']
    }),
  )
}

function instant(fields: Fields, name: string): string {
  const value = member(fields, name)
  if (value === undefined) return zeroTime
  // Go reads RFC 3339 whole; the API is more lenient
  const parsed = typeof value === 'string' && value.length >= 20 && value[10] === 'T' ? parseInstant(value) : undefined
  if (!parsed) throw new DataError(`${name} of ${fields.place} must be a time such as 2026-03-01T09:05:07Z`)
  return parsed.text
}

/** What `amtool template render` renders where it is given no data. `at`: now, epoch ms. */
export function defaultTemplateData(at: number): TemplateData<string> {
  const MINUTE = 60_000
  const pairs = (what: string): [string, string][] => ['1', '2'].map((n) => [`${what}key${n}`, `${what}value${n}`])
  const commonLabels = pairs('commonlabel')
  const commonAnnotations = pairs('commonannotation')
  return {
    receiver: 'receiver',
    status: 'alertstatus',
    alerts: [
      {
        status: 'firing',
        labels: new Map([...commonLabels, ['instance', 'foo.bar:1234'], ['label1', 'value1'], ['label2', 'value2']]),
        annotations: new Map([['annotation1', 'value1'], ['annotation2', 'value2'], ...commonAnnotations]),
        startsAt: formatInstant(at - 5 * MINUTE),
        endsAt: formatInstant(at),
        generatorURL: 'https://generatorurl.com',
        fingerprint: 'fingerprint1',
      },
      {
        status: 'resolved',
        labels: new Map([...commonLabels, ['baz', 'qux'], ['foo', 'bar']]),
        annotations: new Map([['aaa', 'bbb'], ['ccc', 'ddd'], ...commonAnnotations]),
        startsAt: formatInstant(at - 10 * MINUTE),
        endsAt: formatInstant(at),
        generatorURL: 'https://generatorurl.com',
        fingerprint: 'fingerprint2',
      },
    ],
    notificationReason: '',
    groupLabels: new Map(pairs('grouplabel')),
    commonLabels: new Map(commonLabels),
    commonAnnotations: new Map(commonAnnotations),
    routeLabels: new Map(),
    externalURL: 'https://example.com',
  }
}
