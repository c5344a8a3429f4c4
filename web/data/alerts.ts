import type { ShownAlert, ShownGroup } from '../../src/view/now.ts'
import { ApiError, OURS, get } from './api.ts'
import { onEvent } from './stream.ts'
import { openValue } from './value.ts'

/** All alerts that fire, as the stream keeps them up. */
export interface Alerts {
  byFingerprint: ReadonlyMap<string, ShownAlert>
  groups: ReadonlyMap<string, ShownGroup> // by id
  severities: readonly string[] // of the table, gravest first
  left: number // more than these there are
  isRead: boolean
  error: ApiError | undefined
}

interface Answer {
  alerts: ShownAlert[]
  groups: Record<string, ShownGroup>
  severities: string[]
  left: number
}

interface News {
  alerts: ShownAlert[]
  groups: Record<string, ShownGroup>
  gone: { fingerprint: string }[]
}

export const alerts = openValue<Alerts>({
  byFingerprint: new Map(),
  groups: new Map(),
  severities: [],
  left: 0,
  isRead: false,
  error: undefined,
})

/** Under a flood all is read anew so often at the most, ms. */
const PAUSE = 2000

let reading: Promise<void> | undefined
let isStale = false
let meanwhile: News[] = [] // what is told while all is read may be newer than the answer

function take(now: Alerts, news: readonly News[]): Alerts {
  const byFingerprint = new Map(now.byFingerprint)
  const groups = new Map(now.groups)
  for (const { alerts: changed, groups: inside, gone } of news) {
    for (const alert of changed) byFingerprint.set(alert.fingerprint, alert)
    for (const [id, group] of Object.entries(inside)) groups.set(id, group)
    for (const { fingerprint } of gone) byFingerprint.delete(fingerprint)
  }
  return { ...now, byFingerprint, groups }
}

async function readAll(): Promise<void> {
  meanwhile = []
  try {
    const all = await get<Answer>(`${OURS}/alerts`)
    const read: Alerts = {
      byFingerprint: new Map(all.alerts.map((alert) => [alert.fingerprint, alert])),
      groups: new Map(Object.entries(all.groups)),
      severities: all.severities,
      left: all.left,
      isRead: true,
      error: undefined,
    }
    alerts.set(take(read, meanwhile))
  } catch (error) {
    alerts.set({ ...alerts.get(), error: error instanceof ApiError ? error : new ApiError(0, String(error)) })
  }
}

/** Reads all alerts anew; what asks for it meanwhile has it read once more. */
export function readAlerts(): void {
  if (reading) {
    isStale = true
    return
  }
  reading = readAll().then(async () => {
    if (isStale) await new Promise((again) => setTimeout(again, PAUSE))
    reading = undefined
    if (!isStale) return
    isStale = false
    readAlerts()
  })
}

onEvent('hello', readAlerts)
onEvent('many alerts', readAlerts)
onEvent('routing', readAlerts)
onEvent('alerts', (data) => {
  const news = data as News
  if (reading) meanwhile.push(news)
  alerts.set(take(alerts.get(), [news]))
})
